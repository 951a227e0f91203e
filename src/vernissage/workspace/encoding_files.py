"""Vectors of pictures and texts in files, without a workspace, and exports of encoders measured on such files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vernissage.catalog.ahead import pictures_ahead
from vernissage.catalog.pictures import PICTURE_SUFFIXES, open_as_stored, open_picture
from vernissage.catalog.sources.columns import candidates
from vernissage.catalog.sources.tables import READERS, read_table
from vernissage.encoders.contract import unit_rows
from vernissage.encoders.loading import Execution, checked_execution, load_executed, load_pretrained
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import RequestError
from vernissage.files import read_regular, write_arrays, writing
from vernissage.progress import Progress
from vernissage.workspace.encoding import decoded_side

_TEXT_COLUMNS = ("text", "caption", "description", "sentence", "title")
_MOST_MEASURED = 256
"""So many pictures or texts tell a mean and a minimum; more would only take time and memory."""


@dataclass(frozen=True)
class InputFiles:
    """What is read: a folder of pictures, or one; and a file of texts, see `read_texts`."""

    images: Path | None = None
    texts: Path | None = None


@dataclass(frozen=True)
class Computing:
    """How an encoder is loaded and computed.

    Attributes:
        weights: their folder or file; None takes the hub's.
        runtime: device and batch size.
        execution: backend, precision and export.
        options: what else its loader takes, as in its card.
    """

    weights: Path | None = None
    runtime: Runtime = field(default_factory=Runtime)
    execution: Execution = field(default_factory=Execution)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """How pictures are opened, and what is written beside the vectors.

    Attributes:
        upright: whether pictures are turned as their EXIF says.
        draft: whether large JPEGs are decoded at a fraction, no smaller than twice what the encoder looks at.
        tokens: the texts' token ids.
        pairs: how each picture and each text match.
    """

    upright: bool = False
    draft: bool = False
    tokens: bool = False
    pairs: bool = False


@dataclass(frozen=True, eq=False)
class EncodedFiles:
    """Vectors of files, by one encoder.

    Attributes:
        encoder, fingerprint: whose vectors.
        arrays: ``image_ids``, ``image_raw``, ``image`` and the same of texts: ids (n,), vectors before and after
            scaling to unit length, float32 (n, dim); on request ``input_ids`` and ``attention_mask`` int64 (texts,
            length), ``itm_prob`` (pictures, texts) and ``itm_logits`` (pictures, texts, 2).
    """

    encoder: str
    fingerprint: str
    arrays: Mapping[str, Any]

    def count(self, modality: str) -> int:
        """How many pictures or texts there are."""
        return len(self.arrays.get(modality, ()))

    def save(self, out: Path) -> None:
        """Write all arrays as .npz, or the vectors as a table, .parquet; whole or not at all."""
        if out.suffix == ".npz":
            named = {"encoder": np.array(self.encoder), "fingerprint": np.array(self.fingerprint)}
            write_arrays(out, {**self.arrays, **named})
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = [kind for kind in ("image", "text") if kind in self.arrays]
        columns = {
            "id": [key for kind in kinds for key in self.arrays[f"{kind}_ids"].tolist()],
            "modality": [kind for kind in kinds for _ in self.arrays[kind]],
            "raw": [row for kind in kinds for row in self.arrays[f"{kind}_raw"]],
            "vector": [row for kind in kinds for row in self.arrays[kind]],
        }
        record = {"encoder": self.encoder, "fingerprint": self.fingerprint}
        with writing(out) as file:
            pq.write_table(pa.table(columns).replace_schema_metadata(record), file)


def encode_files(
    name: str,
    inputs: InputFiles,
    out: Path,
    *,
    computing: Computing,
    wanted: Wanted,
    progress: Progress,
) -> EncodedFiles:
    """Encode pictures and texts in files, and write the vectors to ``out``: .npz or .parquet.

    Raises:
        RequestError: there is nothing to encode, what is wanted does not fit together, or the encoder cannot do it.
        EncoderError, ProvenanceError: the encoder cannot be loaded or computed so.
        CollectionError: a picture or a table is damaged.
    """
    _require_writable(inputs, out, wanted)
    captions = read_texts(inputs.texts) if inputs.texts is not None else []
    files = picture_files(inputs.images) if inputs.images is not None else []
    if wanted.pairs and not (files and captions):
        raise RequestError("pairs need pictures and texts; name both --images and --texts")
    execution = checked_execution(name, computing.execution)
    model = load_executed(name, computing.weights, computing.runtime, execution, progress=progress, **computing.options)
    _require_able(model, name, files, captions, wanted)
    texts = [text for _, text in captions]
    arrays: dict[str, Any] = {}
    if files:
        matched = texts if wanted.pairs else []
        arrays |= _of_pictures(model, files, matched, wanted, computing.runtime.batch_size, progress)
    if captions:
        progress(f"Encoding texts with {name}", 0, 1)
        raw = model.text_features(texts)
        arrays |= {"text_ids": np.array([key for key, _ in captions]), "text_raw": raw, "text": unit_rows(raw)}
        progress(f"Encoding texts with {name}", 1, 1)
    if wanted.tokens:
        from vernissage.encoders.runtime.loaded import padded_ids

        ids, mask = padded_ids([list(row) for row in model.token_ids(texts)], 0)
        arrays |= {"input_ids": ids, "attention_mask": mask}
    encoded = EncodedFiles(name, model.fingerprint, arrays)
    encoded.save(out)
    return encoded


def export_encoder(
    name: str, out: Path, inputs: InputFiles, *, weights: Path | None = None, int8: bool = False, progress: Progress
) -> Any:
    """Export an encoder to ONNX and measure it on pictures and texts in files, or on drawings and sample sentences.

    At most 256 pictures and texts are read.

    Returns:
        The `OnnxCard` of the export.

    Raises:
        RequestError: the files hold nothing.
        EncoderError, WorkspaceError: as `load_pretrained` and `export_onnx`.
    """
    from vernissage.encoders.runtime.onnx_export import SAMPLE_TEXTS, export_onnx, sample_pictures

    model = load_pretrained(name, weights, runtime=Runtime("cpu"), progress=progress)
    pictures: list[Any] = []
    captions: list[str] = []
    if "image" in model.modalities:
        named = picture_files(inputs.images)[:_MOST_MEASURED] if inputs.images is not None else []
        pictures = [open_picture(path) for _, path in named] or sample_pictures()
    if "text" in model.modalities:
        captions = [text for _, text in read_texts(inputs.texts)] if inputs.texts is not None else list(SAMPLE_TEXTS)
        captions = [text for text in captions if text.strip()][:_MOST_MEASURED]
    return export_onnx(model, out, images=pictures, texts=captions, int8=int8, progress=progress)


def picture_files(place: Path) -> list[tuple[str, Path]]:
    """The pictures of a folder, by their paths below it in alphabetical order, or one picture by its name.

    Raises:
        RequestError: there are none.
    """
    if place.is_file():
        return [(place.name, place)]
    if not place.is_dir():
        raise RequestError(f"there is no folder {place}; name a folder of pictures, or one picture")
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise RequestError(f"{place} holds no pictures; name a folder of JPEG, PNG or other pictures")
    return [(path.relative_to(place).as_posix(), path) for path in found]


def read_texts(file: Path) -> list[tuple[str, str]]:
    """Ids and texts of a file; lines of a .txt, entries of a list and rows without an id are numbered from 0.

    A .json file holds a list of texts, or texts by id; it and any other table that a collection may be read from (.csv,
    .tsv, .jsonl, .parquet, .xlsx …) may also hold rows, of which the column of texts is read: the first that is called
    text, caption, description, sentence or title, in any language that collections are read in.

    Raises:
        RequestError: the file cannot be read, or holds no texts.
        CollectionError: a table is damaged.
    """
    suffix = file.suffix.lower()
    if suffix == ".json" or suffix not in READERS:
        try:
            content = read_regular(file).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise RequestError(
                f"the texts in {file} cannot be read: {reason}; give a .txt in UTF-8, or a table ({', '.join(READERS)})"
            ) from error
        if suffix != ".json":
            return [(str(number), line) for number, line in enumerate(content.splitlines())]
        if (listed := _listed(file, content)) is not None:
            return listed
    return _rows(file)


def _listed(file: Path, content: str) -> list[tuple[str, str]] | None:
    """The texts of a JSON file that holds no objects."""
    try:
        entries = json.loads(content)
    except json.JSONDecodeError as error:
        raise RequestError(f"{file} is no JSON (line {error.lineno}: {error.msg}); correct that line") from error
    if isinstance(entries, dict) and isinstance(entries.get("captions"), list):
        entries = entries["captions"]
    pairs = list(entries.items()) if isinstance(entries, dict) else list(enumerate(entries or ()))
    if pairs and all(isinstance(text, str) for _, text in pairs):
        return [(str(name), text) for name, text in pairs]
    if pairs and all(isinstance(entry, dict) for _, entry in pairs):
        return None
    raise RequestError(f'{file} must hold ["text", …] or {{"id": "text", …}}; change it to that')


def _rows(file: Path) -> list[tuple[str, str]]:
    table = read_table(file)
    if table.problems:
        raise RequestError(f"{file}: {table.problems[0].line()}")
    known, plain = candidates(table.columns), [name.strip().lower() for name in table.columns]
    named = [place for place, name in enumerate(plain) if name in _TEXT_COLUMNS]
    columns = [*named, *known["description"], *known["title"]]
    if not columns:
        names = ", ".join(table.columns) or "it is empty"
        raise RequestError(f"{file} has no column of texts ({names}); call one text")
    texts = table.column(columns[0])
    keys = table.column(known["id"][0]) if known["id"] else [str(number) for number in range(len(texts))]
    return list(zip(keys, texts, strict=True))


def _require_writable(inputs: InputFiles, out: Path, wanted: Wanted) -> None:
    if inputs.images is None and inputs.texts is None:
        raise RequestError("nothing to encode; name pictures with --images, texts with --texts, or both")
    if out.suffix not in (".npz", ".parquet"):
        raise RequestError(f"vectors cannot be written as {out.suffix or out.name!r}; end the name in .npz or .parquet")
    if out.suffix == ".parquet" and (wanted.tokens or wanted.pairs):
        raise RequestError("token ids and pairs do not fit into one table; write a .npz file")


def _require_able(model: Any, name: str, files: Sequence[Any], captions: Sequence[Any], wanted: Wanted) -> None:
    for kind, given in (("image", files), ("text", captions)):
        if given and kind not in model.modalities:
            raise RequestError(f"{name} does not read {kind}s; leave --{kind}s out, or choose another encoder")
    if wanted.pairs and not hasattr(model, "itm_logits"):
        raise RequestError(f"{name} does not match pictures with texts; choose albef, blip or blip2")
    if wanted.tokens and not (captions and hasattr(model, "token_ids")):
        raise RequestError(f"there are no token ids of {name}: name --texts, and an encoder that reads texts")


def _of_pictures(
    model: Any,
    files: Sequence[tuple[str, Path]],
    matched: Sequence[str],
    wanted: Wanted,
    batch_size: int,
    progress: Progress,
) -> dict[str, Any]:
    """Ids and vectors of pictures, and how they match the texts ``matched``, while the next ones are decoded."""
    side = decoded_side(model) if wanted.draft else None
    opened = partial(open_picture if wanted.upright else open_as_stored, at_least=side)
    step, done = f"Encoding pictures with {model.name}", 0
    found: dict[str, list[Any]] = {"image_raw": []}
    with pictures_ahead([path for _, path in files], batch_size, opened, at_least=side) as batches:
        for pictures in batches:
            progress(step, done, len(files))
            found["image_raw"].append(model.image_features(pictures))
            if matched:
                logits = model.itm_logits(model.image_states(pictures), matched)
                found.setdefault("itm_prob", []).append(model.probabilities(logits))
                found.setdefault("itm_logits", []).append(logits)
            done += len(pictures)
    progress(step, done, len(files))
    arrays = {kind: np.concatenate(rows) for kind, rows in found.items()}
    return {"image_ids": np.array([key for key, _ in files]), "image": unit_rows(arrays["image_raw"]), **arrays}
