"""Vectors for use elsewhere, and areas of interest of vectors in files: ``vernissage vectors …``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.groups import Group
from vernissage.cli.options import AreaSeed, AreaWords, AsJson, WeightsPlace, WorkspacePath, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import ProvenanceError, RequestError

_SHOWN = 8

vectors = Group("vectors", "Vectors of pictures and texts, for use elsewhere.", no_args_is_help=True)


@dataclass(frozen=True)
class InputOptions:
    """What is read."""

    images: Path | None = option(None, "A folder of pictures, or one picture.")
    texts: Path | None = option(None, "A .txt (a text a line), .json (list or id → text) or a table (id, text).")


@dataclass(frozen=True)
class ComputingOptions:
    """How the encoder is loaded and computed."""

    weights: WeightsPlace = None
    device: str | None = option(None, "cpu, cuda or mps.")
    precision: str = option("float32", "float32, bfloat16 or float16; onnx: float32 or int8.")
    batch_size: int = option(32, "Pictures or texts at once.", min=1)
    backend: str = option("torch", "torch, onnx or openvino; the latter two run an export.")
    export: Path | None = option(None, "The folder that `encoders export` wrote.", "--onnx")
    prompt: str | None = option(None, 'For clip: what texts are put into, as in "This is {}".')
    vocabulary: Path | None = option(None, "For albef: vocab.txt, if not beside the weights.")
    first_token: str | None = option(None, "For blip: enc, as trained, or cls.")


@dataclass(frozen=True)
class WantedOptions:
    """How pictures are opened, and what is added to the vectors."""

    upright: bool = option(False, "Turn pictures as their EXIF says; the originals do not.", "--upright/--as-stored")
    draft: bool = option(False, "Decode large JPEGs at a fraction, no smaller than twice what the model looks at.")
    tokens: bool = option(False, "Add the texts' token ids.", "--tokens")
    pairs: bool = option(False, "Add matching probabilities and logits of all pairs.", "--pairs")


@vectors.command("encode")
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


@vectors.command("areas")
def areas(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .npy file, one row for each upload.")],
    words: AreaWords,
    background: Path | None = option(None, "What will be searched, or the mean of its unit vectors, a .npy file."),
    seed: AreaSeed = 0,
    as_json: AsJson = False,
) -> None:
    """Which rows of a file of vectors belong together.

    \b
    Examples:
      vernissage vectors areas uploads.npy --background collection.npy
      vernissage vectors areas uploads.npy --areas ward:5 --projection pca --json
    """
    areas_of_file(file, background, words, seed, as_json=as_json)


def areas_of_file(file: Path, background: Path | None, words: AreaWords, seed: int, *, as_json: bool) -> None:
    """Print the areas of interest of the rows of a file."""
    from vernissage.gallery.areas import areas_as_json
    from vernissage.gallery.areas import areas_of_file as find

    with progress_bars() as progress:
        found, count = find(file, background, words.options(seed), progress=progress)
    content = areas_as_json(found, count)
    if as_json:
        print_json(content)
        return
    if not found:
        say("There are no uploads, and so no areas.")
        return
    rows = []
    for place, area in enumerate(content["areas"]):
        members = area["members"]
        shown = ", ".join(map(str, members[:_SHOWN]))
        shown += f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
        share, norm = f"{len(members) / count:.0%}", f"{area['centroid_norm']:.3f}"
        rows.append([place, len(members), share, area["medoid"], norm, shown])
    heads = ["area", "uploads", "share", "medoid", "centroid norm", "rows"]
    print_table(heads, rows, numbers=heads[:-1])
    say(f"{count} upload{'s' * (count != 1)} in {len(found)} area{'s' * (len(found) != 1)}")


@vectors.command("export")
def export(
    workspace: WorkspacePath,
    out: Annotated[Path, typer.Option("--out", "-o", help="A .parquet file, or a folder for the other forms.")],
    encoder: list[str] | None = option(None, "Whose vectors; repeat. Default: all.", "--encoder", "-e"),
    form: str = option("parquet", "parquet, npy (arrays and ids) or iiif (annotations).", "--as"),
    provider: str = option("", "Who publishes them, such as your museum's domain."),
    base: str = option("", "iiif: the address that the folder will have."),
    target: str = option("", "iiif: what is annotated, with {id} or {key}; default: the work's address."),
    sign: Path | None = option(None, "Sign what is written with this secret key (see `vectors key`)."),
    force: bool = option(False, "Replace a file that is there already, or some of a folder.", "--force"),
    as_json: AsJson = False,
) -> None:
    """Write vectors for others: Parquet in the convention of museums, NumPy arrays with ids, or annotations of IIIF.

    \b
    Examples:
      vernissage vectors export workspace -o vectors.parquet --provider museum.example.org
      vernissage vectors export workspace -o arrays --as npy --encoder clip
      vernissage vectors export workspace -o annotations --as iiif --base https://example.org/annotations
    """
    from vernissage.gallery import exporting
    from vernissage.gallery.selecting import one_of
    from vernissage.gallery.signatures import read_secret_key, sign_file
    from vernissage.workspace.workspace import open_workspace

    one_of(("parquet", "npy", "iiif"), form, "form")
    if out.is_dir() and (form == "parquet" or (any(out.iterdir()) and not force)):
        other = "name a file" if form == "parquet" else "choose a new folder, or replace what is there with --force"
        raise RequestError(f"{out} is a folder{' that holds files' * (form != 'parquet')}; {other}")
    key = None if sign is None else read_secret_key(sign)  # first, so that nothing is replaced that stays unsigned
    opened = open_workspace(workspace)
    sets = exporting.vector_sets(opened, encoder or (), provider)
    with progress_bars() as progress:
        if form == "parquet":
            rows, files = exporting.export_parquet(sets, out, progress), [out]
            told = f"{rows} rows"
        elif form == "npy":
            files = exporting.export_arrays(sets, out)
            told = f"{len(files)} arrays"
        else:
            if not base:
                raise RequestError("annotations need addresses; give --base, where the folder will be served")
            files = exporting.export_annotations(sets, out, base, target)
            told = f"{len(files)} pages of annotations"
    signed = [sign_file(file, key) for file in files] if key is not None else []
    names = [f"{each.encoder}.{each.modality}" for each in sets]
    if as_json:
        print_json({"out": str(out), "vectors": names, "written": told, "signatures": list(map(str, signed))})
        return
    say(f"{out}: {told} of {', '.join(names)}")
    if not encoder and (internal := opened.internal_names):
        note(f"left out: {', '.join(internal)}, of which other encoders are made; name one with --encoder to have it")
    note(*(f"Signature written: {each}" for each in signed[:3]))


@vectors.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="Published vectors: a file, or a folder of files.")],
    encoder: Annotated[str, typer.Option("--encoder", "-e", help="What is to have made them: clip, resnet50 …")],
    pictures: Annotated[Path, typer.Option(help="The folder of the pictures, called by their ids.")],
    weights: WeightsPlace = None,
    workspace: Path | None = option(None, "Whose fitted encoder is meant, for colour-texture and the like."),
    model: str = option("", "Whose vectors, if the file has those of several models."),
    as_json: AsJson = False,
) -> None:
    """Whether published vectors are those that an encoder makes here; exit code 0 if their directions are, else 4.

    \b
    Examples:
      vernissage vectors check met.parquet --encoder clip --weights models/clip --pictures photos
      vernissage vectors check vectors.parquet --encoder colour-texture --workspace workspace --pictures paintings
    """
    from vernissage.encoders.loading import load_pretrained
    from vernissage.encoders.register import names
    from vernissage.gallery.parity import check_vectors
    from vernissage.workspace.workspace import open_workspace

    if workspace is None and encoder in names("fitted"):
        raise RequestError(f"{encoder} is fitted on a collection; name the workspace that has it with --workspace")
    made = load_pretrained(encoder, weights) if workspace is None else open_workspace(workspace).encoder(encoder)
    with progress_bars() as progress:
        found = check_vectors(file, made, pictures, model=model, progress=progress)
    if as_json:
        print_json(found.to_dict())
    else:
        rows = [[each.id, each.picture, f"{each.cosine:.4f}", f"{each.length:.4f}"] for each in found.compared]
        heads = ["id", "picture", "cosine", "published length"]
        print_table(heads, rows, numbers=heads[2:])
        say(f"{len(rows)} pictures; {found.verdict}: {found.words}")
    if not found.verdict.startswith("same"):
        raise ProvenanceError(f"{file} does not hold what {encoder} makes here: {found.verdict}")


@vectors.command("key")
def key(
    name: Annotated[Path, typer.Argument(help="NAME.key, for you alone, and NAME.pub, for everybody, are written.")],
) -> None:
    """Make a pair of keys for signing files, as minisign reads them (without a password).

    \b
    Example:
      vernissage vectors key museum
    """
    from vernissage.gallery.signatures import make_keys

    secret, public = make_keys(name)
    say(f"{secret}: keep it to yourself; {public}: publish it where people look for it")


@vectors.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The file; its signature lies beside it as FILE.minisig.")],
    public: Annotated[Path, typer.Option("--key", help="The public key, as its owner publishes it.")],
) -> None:
    """Whether a file is what the owner of a key has signed; exit code 0 if so, and 4 if not.

    \b
    Example:
      vernissage vectors verify vectors.parquet --key museum.pub
    """
    from vernissage.gallery.signatures import verify_file

    say(f"{file} was signed with {public}: {verify_file(file, public)}")
