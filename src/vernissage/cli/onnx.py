"""The command that exports encoders with weights to ONNX: encoders export."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.output import note, print_json, print_table, progress_bars, readable_size, say


def export_onnx(
    encoder: Annotated[str, typer.Argument(help="clip, minilm …: one that another backend than torch can run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")],
    weights: Annotated[Path | None, typer.Option(help="Folder or file of the weights; else the hub.")] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Also write networks with weights of 8 bits (dynamic quantisation).")
    ] = False,
    images: Annotated[Path | None, typer.Option(help="Pictures to measure on; default: simple drawings.")] = None,
    texts: Annotated[
        Path | None, typer.Option(help="Texts to measure on (.txt, .json, a table); default: sample sentences.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card of the export as JSON.")] = False,
) -> None:
    """Export an encoder to ONNX and measure how close the files come to it: cosines to torch in float32.

    \b
    Examples:
      vernissage encoders export clip --weights models/clip --out models/clip-onnx --int8
      vernissage encoders export clip --weights models/clip --out clip-onnx --int8 --images photos --texts captions.txt
      vernissage encoders export minilm --out models/minilm-onnx
    """
    from vernissage.workspace.encoding_files import InputFiles, export_encoder

    inputs = InputFiles(images, texts)
    with progress_bars() as progress:
        card = export_encoder(encoder, out, inputs, weights=weights, int8=int8, progress=progress)
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
    samples = {"image": ("simple drawings", "--images"), "text": ("sample sentences", "--texts")}
    used = [
        samples[kind] for kind, given in (("image", images), ("text", texts)) if given is None and kind in card.inputs
    ]
    if used:
        works, options = (" and ".join(words) for words in zip(*used, strict=True))
        note(f"Cosines to torch in float32, over {works}; name your own with {options}.")
