"""The command that encodes pictures and texts for use elsewhere: encode."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from vernissage.cli.output import note, print_json, progress_bars, say
from vernissage.errors import RequestError

_TEXT_COLUMNS = ("text", "caption", "description", "sentence", "title")


def encode(
    encoder: Annotated[str, typer.Argument(help="clip, albef, blip, blip2, dual, resnet50, sentence or minilm.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write: .npz or .parquet.")],
    images: Annotated[Path | None, typer.Option(help="A folder of pictures, or one picture.")] = None,
    texts: Annotated[
        Path | None, typer.Option(help="A .txt (one text a line), .json (list or id → text) or .csv (id, text).")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Folder or file of the weights; else the hub.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps.")] = None,
    precision: Annotated[str, typer.Option(help="float32, bfloat16 or float16; onnx: float32 or int8.")] = "float32",
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures or texts at once.")] = 32,
    backend: Annotated[str, typer.Option(help="torch, onnx or openvino; the latter two run an export.")] = "torch",
    export: Annotated[Path | None, typer.Option("--onnx", help="The folder that export-onnx wrote.")] = None,
    upright: Annotated[
        bool, typer.Option("--upright/--as-stored", help="Turn pictures as their EXIF says; the originals do not.")
    ] = False,
    draft: Annotated[
        bool,
        typer.Option(
            help="Decode large JPEGs at a fraction, no smaller than twice what the model looks at: about twice as many "
            "pictures of 12 megapixels, PSNR 52 dB, cosine to full decoding .999999 on random weights. "
            "Pictures with a side below four times the model's are decoded in full either way."
        ),
    ] = False,
    prompt: Annotated[str | None, typer.Option(help='For clip: what texts are put into, as in "This is {}".')] = None,
    vocabulary: Annotated[Path | None, typer.Option(help="For albef: vocab.txt, if not beside the weights.")] = None,
    first_token: Annotated[str | None, typer.Option(help="For blip: enc, as trained, or cls.")] = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="Add the texts' token ids.")] = False,
    pairs: Annotated[bool, typer.Option("--pairs", help="Add matching probabilities and logits of all pairs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Encode pictures and texts: vectors before and after scaling to length 1, ids, and the encoder's fingerprint.

    \b
    Examples:
      vernissage encode clip --images photos --texts captions.txt --out vectors.npz --weights models/clip --draft
      vernissage encode blip --images photos --texts captions.json --out pairs.npz --pairs --weights models/blip
      vernissage encode minilm --texts captions.csv --out texts.parquet
    """
    from vernissage.workspace.pretrained import load_pretrained
    from vernissage.workspace.recipes import decoded_side

    if images is None and texts is None:
        raise RequestError("nothing to encode; name pictures with --images, texts with --texts, or both")
    if out.suffix not in (".npz", ".parquet"):
        raise RequestError(f"vectors cannot be written as {out.suffix or out.name!r}; end the name in .npz or .parquet")
    if out.suffix == ".parquet" and (tokens or pairs):
        raise RequestError("token ids and pairs do not fit into one table; write a .npz file")
    given = {"prompt": prompt, "vocabulary": vocabulary, "first_token": first_token}
    captions = read_texts(texts) if texts is not None else []
    files = picture_files(images) if images is not None else []
    if pairs and not (files and captions):
        raise RequestError("pairs need pictures and texts; name both --images and --texts")
    with progress_bars() as progress:
        model = load_pretrained(
            encoder,
            weights,
            runtime=_runtime(backend, device, precision, batch_size),
            options={key: value for key, value in given.items() if value is not None},
            progress=progress,
        )
        opening = _Opening(upright, decoded_side(model) if draft else None)
        model = _through(model, backend, export, precision, batch_size)
        _require_able(model, encoder, len(files), len(captions), pairs)
        arrays: dict[str, Any] = {}
        if files:
            matched = [text for _, text in captions] if pairs else []
            arrays |= _encoded_pictures(model, encoder, files, matched, opening, batch_size, progress)
        if captions:
            arrays |= _encoded_texts(model, encoder, captions, progress)
    if tokens:
        arrays |= _token_arrays(model, encoder, captions)
    _write(out, arrays, encoder, model.fingerprint)
    outcome = {name: list(array.shape) for name, array in arrays.items()}
    if as_json:
        print_json({"out": str(out), "encoder": encoder, "fingerprint": model.fingerprint, "arrays": outcome})
        return
    say(f"{out}: {len(files)} pictures and {len(captions)} texts by {encoder}, fingerprint {model.fingerprint}")
    note(", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in outcome.items()))


def _runtime(backend: str, device: str | None, precision: str, batch_size: int) -> Any:
    """How torch runs; beside another backend it only prepares, in float32."""
    from vernissage.encoders.runtime.devices import Runtime

    if backend not in ("torch", "onnx", "openvino"):
        raise RequestError(f"there is no backend {backend!r}; choose torch, onnx or openvino")
    return Runtime(device, precision if backend == "torch" else "float32", batch_size)  # type: ignore[arg-type]


def _through(model: Any, backend: str, export: Path | None, precision: str, batch_size: int) -> Any:
    """The encoder itself, or its exported networks run by another backend."""
    if backend == "torch":
        if export is not None:
            raise RequestError(f"the export {export} was named, but torch runs the weights; add --backend onnx")
        return model
    from vernissage.encoders.runtime.onnx_backend import load_onnx

    if export is None:
        raise RequestError(f"{backend} runs an export; name its folder with --onnx, which export-onnx writes")
    return load_onnx(model, export, precision, backend=backend, batch_size=batch_size)  # type: ignore[arg-type]


def picture_files(place: Path) -> list[tuple[str, Path]]:
    """The pictures of a folder, by their paths below it in alphabetical order, or one picture by its name."""
    from vernissage.catalog.pictures import PICTURE_SUFFIXES

    if place.is_file():
        return [(place.name, place)]
    if not place.is_dir():
        raise RequestError(f"there is no folder {place}; name a folder of pictures, or one picture")
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise RequestError(f"{place} holds no pictures; name a folder of JPEG, PNG or other pictures")
    return [(path.relative_to(place).as_posix(), path) for path in found]


def read_texts(file: Path) -> list[tuple[str, str]]:
    """Ids and texts of a file; lines of a .txt and entries of a list are numbered from 0.

    Raises:
        RequestError: the file is missing, not in UTF-8, or of another kind.
    """
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message = f"the texts in {file} cannot be read: {reason}; give a .txt, .json or .csv in UTF-8"
        raise RequestError(message) from error
    if file.suffix == ".json":
        return _from_json(file, content)
    if file.suffix in (".csv", ".tsv"):
        return _from_table(file, content)
    return [(str(number), line) for number, line in enumerate(content.splitlines())]


def _from_json(file: Path, content: str) -> list[tuple[str, str]]:
    try:
        entries = json.loads(content)
    except json.JSONDecodeError as error:
        raise RequestError(f"{file} is no JSON (line {error.lineno}: {error.msg}); correct that line") from error
    if isinstance(entries, dict) and isinstance(entries.get("captions"), list):
        entries = entries["captions"]
    listed = entries if isinstance(entries, list) else []
    pairs = list(entries.items()) if isinstance(entries, dict) else list(enumerate(listed))
    if not pairs or not all(isinstance(text, str) for _, text in pairs):
        raise RequestError(f'{file} must hold ["text", …] or {{"id": "text", …}}; change it to that')
    return [(str(name), text) for name, text in pairs]


def _from_table(file: Path, content: str) -> list[tuple[str, str]]:
    rows = list(csv.DictReader(content.splitlines(keepends=True), delimiter="\t" if file.suffix == ".tsv" else ","))
    names = list(rows[0]) if rows else []
    column = next((name for name in names if name.strip().lower() in _TEXT_COLUMNS), None)
    if column is None:
        raise RequestError(f"{file} has no column of texts ({', '.join(names) or 'it is empty'}); call one text")
    key = next((name for name in names if name.strip().lower() == "id"), None)
    return [(row[key] if key else str(number), row[column] or "") for number, row in enumerate(rows)]


@dataclass(frozen=True)
class _Opening:
    """How pictures are opened: as stored or upright, and how large JPEGs are decoded at least (None: in full)."""

    upright: bool
    at_least: int | None

    def batches(self, files: Sequence[tuple[str, Path]], size: int) -> Iterator[list[Callable[[], Any]]]:
        """Functions that open pictures, in batches that fit into memory."""
        from vernissage.catalog.ahead import picture_batches
        from vernissage.catalog.pictures import open_as_stored, open_picture

        opened = open_picture if self.upright else open_as_stored
        for batch in picture_batches([path for _, path in files], size, at_least=self.at_least):
            yield [partial(opened, path, at_least=self.at_least) for path in batch]


def _require_able(model: Any, name: str, pictures: int, texts: int, pairs: bool) -> None:
    for kind, needed, count in (("image", "image_features", pictures), ("text", "text_features", texts)):
        if count and kind not in model.modalities:
            raise RequestError(f"{name} does not read {kind}s; leave --{kind}s out, or choose another encoder")
        if count and not hasattr(model, needed):
            raise RequestError(f"{name} gives no vectors of {kind}s; choose another encoder")
    if pairs and not hasattr(model, "itm_grid") and not hasattr(model, "itm_logits"):
        raise RequestError(f"{name} does not match pictures with texts; choose albef, blip or blip2")


def _encoded_pictures(
    model: Any,
    name: str,
    files: Sequence[tuple[str, Path]],
    matched: Sequence[str],
    opening: _Opening,
    batch_size: int,
    progress: Any,
) -> dict[str, Any]:
    """Ids and vectors of pictures, and how they match the texts ``matched``, while the next ones are decoded."""
    import numpy as np

    from vernissage.catalog.ahead import read_ahead
    from vernissage.encoders.contract import unit_rows

    step, done = f"Encoding pictures with {name}", 0
    raw: list[Any] = []
    matches: list[dict[str, Any]] = []
    with read_ahead(opening.batches(files, batch_size)) as batches:
        for pictures in batches:
            progress(step, done, len(files))
            raw.append(model.image_features(pictures))
            if matched:
                matches.append(_pair_arrays(model, pictures, matched))
            done += len(pictures)
    progress(step, done, len(files))
    arrays = {"image_ids": np.array([key for key, _ in files]), "image_raw": np.concatenate(raw)}
    arrays["image"] = unit_rows(arrays["image_raw"])
    if matches:
        arrays |= {kind: np.concatenate([each[kind] for each in matches]) for kind in matches[0]}
    return arrays


def _encoded_texts(model: Any, name: str, captions: Sequence[tuple[str, str]], progress: Any) -> dict[str, Any]:
    import numpy as np

    from vernissage.encoders.contract import unit_rows

    progress(f"Encoding texts with {name}", 0, 1)
    raw = model.text_features([text for _, text in captions])
    progress(f"Encoding texts with {name}", 1, 1)
    return {"text_ids": np.array([key for key, _ in captions]), "text_raw": raw, "text": unit_rows(raw)}


def _token_arrays(model: Any, name: str, captions: Sequence[tuple[str, str]]) -> dict[str, Any]:
    import numpy as np

    if not captions or not hasattr(model, "token_ids"):
        raise RequestError(f"there are no token ids of {name}: name --texts, and an encoder that reads texts")
    ids = model.token_ids([text for _, text in captions])
    width = max(len(row) for row in ids)
    padded = np.zeros((len(ids), width), dtype=np.int64)
    mask = np.zeros((len(ids), width), dtype=np.int64)
    for row, values in enumerate(ids):
        padded[row, : len(values)], mask[row, : len(values)] = values, 1
    return {"input_ids": padded, "attention_mask": mask}


def _pair_arrays(model: Any, pictures: Sequence[Any], texts: Sequence[str]) -> dict[str, Any]:
    """Matching probability float32 (pictures, texts) and logits (pictures, texts, 2)."""
    if hasattr(model, "itm_grid"):
        matches = model.itm_grid(pictures, texts)
        return {"itm_prob": matches.probabilities, "itm_logits": matches.logits}
    states = model.image_states(pictures)
    return {"itm_prob": model.itm_block(states, texts), "itm_logits": model.itm_logits(states, texts)}


def _write(out: Path, arrays: dict[str, Any], name: str, fingerprint: str) -> None:
    from vernissage.files import write_arrays, writing

    if out.suffix == ".npz":
        import numpy as np

        write_arrays(out, arrays | {"encoder": np.array(name), "fingerprint": np.array(fingerprint)})
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, list[Any]] = {"id": [], "modality": [], "raw": [], "vector": []}
    for kind in ("image", "text"):
        if kind in arrays:
            columns["id"] += arrays[f"{kind}_ids"].tolist()
            columns["modality"] += [kind] * len(arrays[kind])
            columns["raw"] += list(arrays[f"{kind}_raw"])
            columns["vector"] += list(arrays[kind])
    record = {"encoder": name, "fingerprint": fingerprint}
    with writing(out) as file:
        pq.write_table(pa.table(columns).replace_schema_metadata(record), file)


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command()(encode)
