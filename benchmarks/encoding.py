"""Pictures and texts per CPU second: this project's encoding against a plain loop and against batches in transformers.

CLIP ViT-B/32 with random weights, made on the spot: weights change no speed, but they do change how close int8 comes,
which `vernissage export-onnx` measures on real ones. Random weights send all pictures into nearly one direction, so
beside the cosine stands the cosine after the mean of the reference has been taken away, which no rounding hides behind.

CPU time of the whole process, contenders in turns, each with all cores for the model and for decoding. torch's threads
wait for each other by spinning, one picture at a time most of all, which counts against the plain loop; --threads 1
measures without that. Every contender decodes, resizes and encodes; drafting is decoding a JPEG at a fraction of its
size that keeps twice what the model looks at (--no-draft switches it off). After the table of large pictures stands
where the time of one goes.

Run: python benchmarks/encoding.py [--pictures 32] [--large 16] [--texts 64] [--rounds 3] [--threads N] [--no-draft]
"""

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

from measuring import cpu_seconds
from vernissage.catalog.ahead import picture_batches, read_ahead, usable_cores
from vernissage.catalog.pictures import open_picture
from vernissage.encoders.contract import unit_rows
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.onnx import load_onnx
from vernissage.encoders.runtime.onnx_export import cosines, export_onnx
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.towers.clip import END, START, byte_letters, load_clip
from vernissage.values import Vectors

BATCH, CONTEXT = 32, 77
SMALL, LARGE = (500, 375), (4000, 3000)
_BLUR = 0.25
"""In cycles per pixel: the frequency that the lens weakens to a third."""
Contenders = dict[str, Callable[[], Vectors]]


def main() -> None:
    """Make everything in a temporary folder, measure, print the tables."""
    options = _options()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        words = write_model(folder / "clip")
        small = write_pictures(folder / "small", options.pictures, SMALL, random)
        large = write_pictures(folder / "large", options.large, LARGE, random)
        captions = [" ".join(random.choice(words, random.integers(5, 21))) for _ in range(options.texts)]
        encoders = load_all(folder, [open_picture(path) for path in small[:4]], captions[:4], options.threads)
        print(f"CLIP ViT-B/32, random weights, {options.threads} thread(s), {usable_cores()} cores")
        draft = 0 if options.no_draft else 2 * encoders["torch float32"].preprocessing.size
        for paths, size in ((small, SMALL), (large, LARGE)):
            megabytes = sum(path.stat().st_size for path in paths) / len(paths) / 1e6
            title = f"{len(paths)} JPEGs of {size[0]}×{size[1]}, {megabytes:.2f} MB each"
            compare(
                title,
                "pictures",
                len(paths),
                picture_contenders(encoders, paths, draft, options.threads),
                options.rounds,
            )
        where_time_goes(large[0], encoders, draft)
        if draft:
            fidelity_of_drafts(large, encoders["torch float32"].preprocessing, draft)
        title = f"{len(captions)} captions of 5 to 20 words"
        compare(title, "texts", len(captions), text_contenders(encoders, captions), options.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=32)
    parser.add_argument("--large", type=int, default=16)
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=usable_cores(), help="of every model, and of decoding")
    parser.add_argument("--no-draft", action="store_true", help="decode large JPEGs in full")
    return parser.parse_args()


def compare(title: str, unit: str, count: int, contenders: Contenders, rounds: int) -> None:
    """Run the contenders in turns, the first being the reference, and print one table."""
    found: dict[str, Vectors] = {}

    def keeping(name: str, contender: Callable[[], Vectors]) -> Callable[[], None]:
        return lambda: found.__setitem__(name, contender())

    seconds = cpu_seconds({name: keeping(name, contender) for name, contender in contenders.items()}, rounds=rounds)
    reference = next(iter(contenders))
    mean = found[reference].mean(axis=0)
    print(f"\n{title} | {unit} per CPU second | ratio | minimum cosine | without the mean")
    for name, taken in seconds.items():
        plain = cosines(found[name], found[reference]).minimum
        centred = cosines(found[name] - mean, found[reference] - mean).minimum
        print(
            f"{name} | {count / taken:.2f} | {seconds[reference] / taken:.2f}× | {plain:.6f} | {centred:.6f}",
            flush=True,
        )


def picture_contenders(encoders: dict[str, Any], paths: Sequence[Path], draft: int, threads: int) -> Contenders:
    """The plain loop, batches in transformers, and each backend behind a pool that decodes ahead."""
    encoder = encoders["torch float32"]
    model, preprocessing = encoder._model, encoder.preprocessing
    processor = transformers.CLIPImageProcessorPil()

    def loop() -> Vectors:
        rows = []
        for path in paths:
            pixels = torch.from_numpy(preprocessing(Image.open(path).convert("RGB")))[None]
            with torch.no_grad():
                rows.append(model.get_image_features(pixel_values=pixels).pooler_output)
        return unit_rows(torch.cat(rows).numpy())

    def batches() -> Vectors:
        rows = []
        for some in _in_batches(paths):
            pixels = processor([Image.open(path).convert("RGB") for path in some], return_tensors="pt")
            with torch.no_grad():
                rows.append(model.get_image_features(**pixels).pooler_output)
        return unit_rows(torch.cat(rows).numpy())

    def piped(backend: Any, at_least: int) -> Callable[[], Vectors]:
        return lambda: pipeline(backend, paths, at_least or None, threads)

    full = {"torch float32, decoded in full": piped(encoder, 0)} if draft else {}
    ours = {name: piped(backend, draft) for name, backend in encoders.items()}
    return {"plain loop": loop, "transformers in batches": batches, **full, **ours}


def pipeline(encoder: Any, paths: Sequence[Path], at_least: int | None, threads: int) -> Vectors:
    """Decode ahead of the model, which takes batches, as `vernissage encode` does."""
    batches = picture_batches(paths, BATCH, at_least=at_least)
    opening = ([partial(open_picture, path, at_least=at_least) for path in batch] for batch in batches)
    with read_ahead(opening, threads=threads) as opened:
        return np.concatenate([encoder.encode_images(pictures) for pictures in opened])


def text_contenders(encoders: dict[str, Any], captions: Sequence[str]) -> Contenders:
    """The plain loop and batches pad to 77, as CLIP's own code does; here texts of like length go together."""
    encoder = encoders["torch float32"]
    model, tokenizer = encoder._model, encoder._tokenizer

    def run(texts: Sequence[str], **padding: Any) -> torch.Tensor:
        ids = tokenizer(list(texts), truncation=True, return_tensors="pt", max_length=CONTEXT, **padding)["input_ids"]
        with torch.no_grad():
            features: torch.Tensor = model.get_text_features(input_ids=ids).pooler_output
        return features

    def loop() -> Vectors:
        return unit_rows(torch.cat([run([text], padding="max_length") for text in captions]).numpy())

    def batches(padding: Any) -> Callable[[], Vectors]:
        return lambda: unit_rows(torch.cat([run(some, padding=padding) for some in _in_batches(captions)]).numpy())

    def ours(backend: Any) -> Callable[[], Vectors]:
        return lambda: backend.encode_texts(captions)  # type: ignore[no-any-return]

    return {
        "plain loop, padded to 77": loop,
        "transformers in batches, padded to 77": batches("max_length"),
        "transformers in batches, padded to the longest": batches(True),
        **{name: ours(backend) for name, backend in encoders.items()},
    }


def load_all(folder: Path, images: Sequence[Any], texts: Sequence[str], threads: int) -> dict[str, Any]:
    """Every backend of the model; OpenVINO where it is installed."""
    encoder = load_clip(folder / "clip", runtime=Runtime("cpu", batch_size=BATCH))
    export_onnx(encoder, folder / "onnx", images=images, texts=texts, int8=True)
    networks = {
        "torch float32": encoder,
        "torch bfloat16": load_clip(folder / "clip", runtime=Runtime("cpu", "bfloat16", BATCH)),
        "ONNX Runtime float32": load_onnx(encoder, folder / "onnx", threads=threads),
        "ONNX Runtime int8": load_onnx(encoder, folder / "onnx", "int8", threads=threads),
    }
    if find_spec("openvino") is None:
        print("OpenVINO is not installed and left out: pip install 'vernissage[openvino]'")
        return networks
    networks["OpenVINO float32"] = load_onnx(encoder, folder / "onnx", backend="openvino", threads=threads)
    networks["OpenVINO bfloat16"] = load_onnx(encoder, folder / "onnx", "bfloat16", backend="openvino", threads=threads)
    return networks


def fidelity_of_drafts(paths: Sequence[Path], preprocessing: Preprocessing, at_least: int) -> None:
    """Print the peak signal-to-noise ratio of what the model sees of a drafted picture, and what decoding costs."""
    plain = replace(preprocessing, mean=(0, 0, 0), std=(1, 1, 1))
    ratios = []
    for path in paths:
        error = np.mean((plain(open_picture(path, at_least=at_least)) - plain(open_picture(path))) ** 2)
        ratios.append(10 * math.log10(1 / error))
    worst, mean = min(ratios), np.mean(ratios)
    print(
        f"drafted to at least {at_least}: PSNR after resizing {worst:.1f} dB in the worst case, {mean:.1f} in the mean"
    )


def where_time_goes(path: Path, encoders: dict[str, Any], draft: int) -> None:
    """Print what one large picture costs: its file, decoding in full and drafted, preparation, each model."""
    preprocessing = encoders["torch float32"].preprocessing
    picture = open_picture(path, at_least=draft or None)
    steps: dict[str, Callable[[], Any]] = {
        "reading the file": path.read_bytes,
        "decoding in full": partial(open_picture, path),
        "preparing that": partial(preprocessing, open_picture(path)),
        f"decoding to {draft or 'its size'}": partial(open_picture, path, at_least=draft or None),
        "preparing this": partial(preprocessing, picture),
    }
    costs = cpu_seconds(steps, rounds=5)
    batch = [picture] * BATCH
    models = cpu_seconds({name: partial(encoder.encode_images, batch) for name, encoder in encoders.items()}, rounds=3)
    costs |= {name: seconds / BATCH - costs["preparing this"] for name, seconds in models.items()}
    print("CPU time of one: " + ", ".join(f"{name} {1e3 * cost:.1f} ms" for name, cost in costs.items()))


def write_pictures(folder: Path, count: int, size: tuple[int, int], random: np.random.Generator) -> list[Path]:
    """JPEGs at quality 90, the kind of content of photographs; every fourth is new, the others are it mirrored."""
    folder.mkdir()
    paths = []
    for number in range(count):
        if number % 4 == 0:
            picture = _noise(size, random)
        turned = picture[:: -1 if number & 1 else 1, :: -1 if number & 2 else 1]
        paths.append(folder / f"{number:04d}.jpg")
        Image.fromarray(turned).save(paths[-1], quality=90)
    return paths


def _noise(size: tuple[int, int], random: np.random.Generator) -> Any:
    """Noise whose amplitude falls with the frequency, as in photographs, and at the finest detail by a lens's blur.

    The blur brings 12 megapixels to about 4 MB, as from a camera. Colours vary less than light: uint8 (height, width,
    3).
    """
    width, height = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    amplitude = np.exp(-((frequency / _BLUR) ** 2)) / frequency
    planes = []
    for weight in (1.0, 0.35, 0.35):
        spectrum = np.fft.rfft2(random.standard_normal((height, width), dtype=np.float32)) * amplitude
        plane = np.fft.irfft2(spectrum, (height, width)).astype(np.float32)
        planes.append(weight * plane / plane.std())
    light, warm, green = planes
    channels = np.stack([light + warm, light + green, light - warm], axis=-1)
    return np.clip(128 + 48 * channels, 0, 255).astype(np.uint8)


def write_model(folder: Path) -> list[str]:
    """CLIP ViT-B/32, random, as transformers configures it by default, and a tokenizer of made-up words: the words."""
    config = transformers.CLIPConfig()
    transformers.CLIPModel(config).save_pretrained(folder)
    letters = byte_letters()
    known = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges: dict[str, tuple[str, str]] = {}
    words = []
    room = config.text_config.vocab_size - len(known) - 2
    for word in _made_up_words():
        pairs = [(word[:cut], word[cut] + ("</w>" if cut + 1 == len(word) else "")) for cut in range(1, len(word))]
        new = {"".join(pair): pair for pair in pairs if "".join(pair) not in merges}
        if len(merges) + len(new) > room:
            break
        merges |= new
        words.append(word)
    known += [*merges, *(f"unused{number}</w>" for number in range(room - len(merges))), START, END]
    (folder / "vocab.json").write_text(json.dumps({word: row for row, word in enumerate(known)}), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges.values())]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    marks = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": CONTEXT, **marks}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return words


def _made_up_words() -> Iterator[str]:
    """Words of two and three syllables."""
    syllables = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
    for first in syllables:
        for second in syllables:
            yield first + second
            yield first + second + syllables[(len(first) * 7 + ord(first[0]) + ord(second[1])) % len(syllables)]


def _in_batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


if __name__ == "__main__":
    main()
