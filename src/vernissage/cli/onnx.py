"""The command that exports encoders with weights to ONNX: export-onnx."""

import csv
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from vernissage.cli.output import note, print_json, print_table, progress_bars, readable_size, say

_MOST = 256
"""So many pictures or texts tell a mean and a minimum; more would only take time and memory."""
_PAINTED = 24


def export_onnx(
    encoder: Annotated[str, typer.Argument(help="clip, dual, resnet50, sentence or minilm.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")],
    weights: Annotated[Path | None, typer.Option(help="Folder or file of the weights; else the hub.")] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Also write networks with weights of 8 bits (dynamic quantisation).")
    ] = False,
    images: Annotated[Path | None, typer.Option(help="Pictures to measure on; default: painted ones.")] = None,
    texts: Annotated[
        Path | None, typer.Option(help="Texts to measure on (.txt, .json, .csv); default: those of painted pictures.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card of the export as JSON.")] = False,
) -> None:
    """Export an encoder to ONNX and measure how close the files come to it: cosines to torch in float32.

    \b
    Examples:
      vernissage export-onnx clip --weights models/clip --out models/clip-onnx --int8
      vernissage export-onnx clip --weights models/clip --out clip-onnx --int8 --images photos --texts captions.txt
      vernissage export-onnx minilm --out models/minilm-onnx
    """
    from vernissage.encoders.runtime import onnx_export as exporting
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage.workspace.pretrained import load_pretrained

    with progress_bars() as progress:
        model = load_pretrained(encoder, weights, runtime=Runtime("cpu"), progress=progress)
        pictures, captions = _measured_on(images, texts, model.modalities)
        card = exporting.export_onnx(model, out, images=pictures, texts=captions, int8=int8, progress=progress)
    if as_json:
        print_json({"out": str(out), **asdict(card)})
        return
    say(f"{out}: {card.encoder}, fingerprint {card.fingerprint}, opset {card.opset}")
    say("")
    rows = [
        [tower.file, tower.precision, readable_size((out / tower.file).stat().st_size)]
        + [f"{tower.fidelity.mean:.6f}", f"{tower.fidelity.minimum:.6f}", str(tower.fidelity.count)]
        for tower in card.towers
        if tower.fidelity is not None
    ]
    columns = ["file", "precision", "size", "mean cosine", "minimum", "over"]
    print_table(columns, rows, numbers=columns[2:])
    painted = [kind for kind, given in (("image", images), ("text", texts)) if given is None and kind in card.inputs]
    if painted:
        works = " and ".join({"image": "pictures", "text": "texts"}[kind] for kind in painted)
        options = " and ".join({"image": "--images", "text": "--texts"}[kind] for kind in painted)
        note(f"Cosines to torch in float32, over the {works} of a painted gallery; name your own with {options}.")


def _measured_on(images: Path | None, texts: Path | None, modalities: frozenset[str]) -> tuple[list[Any], list[str]]:
    """Pictures and texts of the modalities, at most 256 of each; where none are named, those of a painted gallery."""
    from vernissage.catalog.pictures import open_picture
    from vernissage.cli.encoding import picture_files, read_texts
    from vernissage_lab.sample import paint_gallery

    with tempfile.TemporaryDirectory() as folder:
        gallery = Path(folder) / "gallery"
        if ("image" in modalities and images is None) or ("text" in modalities and texts is None):
            paint_gallery(gallery, count=_PAINTED)
        pictures: list[Any] = []
        captions: list[str] = []
        if "image" in modalities:
            pictures = [open_picture(path) for _, path in picture_files(images or gallery / "images")[:_MOST]]
        if "text" in modalities:
            captions = [text for _, text in read_texts(texts)] if texts else _titles_and_descriptions(gallery)
    return pictures, [text for text in captions if text.strip()][:_MOST]


def _titles_and_descriptions(gallery: Path) -> list[str]:
    """Short texts and long ones."""
    with (gallery / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file) for column in ("title", "description")]


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command()(export_onnx)
