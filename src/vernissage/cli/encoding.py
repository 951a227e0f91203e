"""The command that encodes pictures and texts for use elsewhere: encode."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.options import AsJson, command
from vernissage.cli.output import note, print_json, progress_bars, say


@dataclass(frozen=True)
class InputOptions:
    """What is read."""

    images: Annotated[Path | None, typer.Option(help="A folder of pictures, or one picture.")] = None
    texts: Annotated[
        Path | None, typer.Option(help="A .txt (a text a line), .json (list or id → text) or a table (id, text).")
    ] = None


@dataclass(frozen=True)
class ComputingOptions:
    """How the encoder is loaded and computed."""

    weights: Annotated[Path | None, typer.Option(help="Folder or file of the weights; else the hub.")] = None
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps.")] = None
    precision: Annotated[str, typer.Option(help="float32, bfloat16 or float16; onnx: float32 or int8.")] = "float32"
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures or texts at once.")] = 32
    backend: Annotated[str, typer.Option(help="torch, onnx or openvino; the latter two run an export.")] = "torch"
    export: Annotated[Path | None, typer.Option("--onnx", help="The folder that `encoders export` wrote.")] = None
    prompt: Annotated[str | None, typer.Option(help='For clip: what texts are put into, as in "This is {}".')] = None
    vocabulary: Annotated[Path | None, typer.Option(help="For albef: vocab.txt, if not beside the weights.")] = None
    first_token: Annotated[str | None, typer.Option(help="For blip: enc, as trained, or cls.")] = None


@dataclass(frozen=True)
class WantedOptions:
    """How pictures are opened, and what is added to the vectors."""

    upright: Annotated[
        bool, typer.Option("--upright/--as-stored", help="Turn pictures as their EXIF says; the originals do not.")
    ] = False
    draft: Annotated[
        bool, typer.Option(help="Decode large JPEGs at a fraction, no smaller than twice what the model looks at.")
    ] = False
    tokens: Annotated[bool, typer.Option("--tokens", help="Add the texts' token ids.")] = False
    pairs: Annotated[bool, typer.Option("--pairs", help="Add matching probabilities and logits of all pairs.")] = False


@command
def encode(
    encoder: Annotated[str, typer.Argument(help="clip, minilm, resnet50 …: one that `encoders` lists with weights.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write: .npz or .parquet.")],
    inputs: InputOptions,
    computing: ComputingOptions,
    wanted: WantedOptions,
    as_json: AsJson = False,
) -> None:
    """Encode pictures and texts: vectors before and after scaling to length 1, ids, and the encoder's fingerprint.

    \b
    Examples:
      vernissage vectors encode clip --images photos --texts captions.txt --out vectors.npz --weights models/clip
      vernissage vectors encode blip --images photos --texts captions.json --out pairs.npz --pairs --weights models/blip
      vernissage vectors encode minilm --texts captions.xlsx --out texts.parquet
    """
    from vernissage.encoders.loading import Execution
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage.workspace import encoding_files as below

    options = {name: getattr(computing, name) for name in ("prompt", "vocabulary", "first_token")}
    how = below.Computing(
        computing.weights,
        Runtime(computing.device, batch_size=computing.batch_size),
        Execution(computing.backend, computing.precision, str(computing.export) if computing.export else ""),
        {name: value for name, value in options.items() if value is not None},
    )
    with progress_bars() as progress:
        found = below.encode_files(
            encoder,
            below.InputFiles(inputs.images, inputs.texts),
            out,
            computing=how,
            wanted=below.Wanted(wanted.upright, wanted.draft, wanted.tokens, wanted.pairs),
            progress=progress,
        )
    shapes = {name: list(array.shape) for name, array in found.arrays.items()}
    if as_json:
        print_json({"out": str(out), "encoder": encoder, "fingerprint": found.fingerprint, "arrays": shapes})
        return
    pictures, texts = found.count("image"), found.count("text")
    say(f"{out}: {pictures} pictures and {texts} texts by {encoder}, fingerprint {found.fingerprint}")
    note(", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes.items()))
