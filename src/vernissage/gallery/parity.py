"""Whether published vectors are those that an encoder makes here of the same pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vernissage.catalog.keys import key_of
from vernissage.catalog.pictures import open_picture
from vernissage.catalog.sources.folder import FolderSource
from vernissage.catalog.sources.published import rows_of
from vernissage.catalog.sources.vector_files import VectorFile, vector_files
from vernissage.encoders.contract import reading, unit_rows
from vernissage.errors import Kind, RequestError
from vernissage.files import digest
from vernissage.progress import Progress, silent
from vernissage.values import Vectors
from vernissage.workspace.encoding import decoded_side

PICTURES = 32
"""How many pictures are encoded: seconds on a CPU, and chance finds one of them in 32 tries."""

_SAME = 0.999
"""Cosine from which two vectors are the same: half precision and another library's resizing keep it above."""
_UNIT = 1e-2
_ALIKE = 0.5
"""Mean cosine, once what all pictures share is taken off, from which the model is the same; of strangers it is 0."""

Verdict = Literal["same", "same up to normalisation", "other pre-processing", "other model"]
_WORDS: Mapping[Verdict, str] = {
    "same": "the vectors are those that {encoder} makes here: uploads and words can be compared with them",
    "same up to normalisation": "the directions are those of {encoder}, and the lengths are not 1: scaled to it, "
    "as `build` does, uploads and words can be compared with them",
    "other pre-processing": "the model is {encoder}, and it saw other pixels (another crop, size or colour): uploads "
    "and words are compared with a loss",
    "other model": "the vectors are of another model than {encoder}: nothing that it makes can be compared with them",
}


@dataclass(frozen=True)
class Compared:
    """One picture: the cosine of its published vector to the one made here, and the published one's length."""

    id: str
    picture: str
    cosine: float
    length: float


@dataclass(frozen=True)
class Parity:
    """What was found.

    Attributes:
        encoder, model: what encodes here, and what the file says of its vectors.
        compared: the pictures, in the order of the file; none where the widths differ.
        widths: how many numbers a vector has, published and here.
        alike: mean cosine once the mean over the pictures is taken off, which makes even strangers alike.
        verdict: in a word; ``words`` are a sentence.
    """

    encoder: str
    model: str
    compared: tuple[Compared, ...]
    widths: tuple[int, int]
    alike: float
    verdict: Verdict

    @property
    def words(self) -> str:
        there, here = self.widths
        differ = f"vectors have {there} numbers, and those of {self.encoder} {here}: " if there != here else ""
        return differ + _WORDS[self.verdict].format(encoder=self.encoder)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {**vars(self), "compared": [vars(each) for each in self.compared], "words": self.words}


def check_vectors(path: Path, encoder: Any, pictures: Path, *, model: str = "", progress: Progress = silent) -> Parity:
    """Encode pictures here, and compare them with their published vectors.

    Args:
        path: a file of vectors, or a folder of such files.
        encoder: an `ImageEncoder`.
        pictures: the folder in which they lie, called by the id of their depiction or work.
        model: whose vectors of the file are meant; else those of the encoder's name, or the only ones of that width.
        progress: told of the pictures.

    Raises:
        EncoderError: the encoder reads no pictures.
        RequestError: the file holds no vectors, none of that model, or of several; or no picture is called by an id.
        CollectionError: the file is damaged, or a picture cannot be opened.
    """
    read = reading(encoder, "image")
    if not path.exists():
        raise RequestError(
            f"there is no {path}; give a file of vectors, or a folder of such files", kind=Kind.NOT_FOUND
        )
    files = vector_files(path)
    if not files:
        raise RequestError(f"{path} holds no vectors; give a Parquet file with a column of lists of numbers")
    places = {Path(each).stem.casefold(): each for each in FolderSource(pictures).paths}
    published = _published(files, places, model)
    if not published:
        raise RequestError(f"no picture in {pictures} is called by an id of {path}; name them ID.jpg, by depiction_id")
    fit = [name for name, some in published.items() if all(len(each) == encoder.dim for each in some.values())]
    if encoder.name in published:
        fit = [encoder.name]
    if len(published) > 1 and len(fit) != 1:
        raise RequestError(f"{path} has vectors of {', '.join(sorted(published))}; say with --model which are meant")
    own = fit[0] if len(published) > 1 else next(iter(published))
    ids, vectors = zip(*sorted(published[own].items()), strict=True)
    shown = [places[name] for name in ids]
    if strange := [len(vector) for vector in vectors if len(vector) != encoder.dim]:
        return Parity(encoder.name, own, (), (strange[0], encoder.dim), 0.0, "other model")
    side, rows = decoded_side(encoder), list[Vectors]()
    for number, name in enumerate(shown):
        progress("encoding pictures", number, len(shown))
        rows.append(read([open_picture(pictures / name, at_least=side)])[0])
    return _compared(encoder.name, own, ids, shown, np.stack(vectors), np.stack(rows))


def _published(
    files: Sequence[VectorFile], places: Mapping[str, str], model: str
) -> dict[str, dict[str, npt.NDArray[np.float32]]]:
    """Of each model the first vector of `PICTURES` of the pictures that are there, by their names."""
    found: dict[str, dict[str, npt.NDArray[np.float32]]] = {}
    for batch in (each for file in files for each in file.batches()):
        labels = {name: batch.labels.column(name) for name in batch.labels.column_names}
        ids = zip(labels["depiction_id"].to_pylist(), labels["subject_id"].to_pylist(), strict=True)
        for row, some in enumerate(ids):
            names = [name for each in some if each for name in (each.casefold(), key_of(each))]
            size = int(batch.offsets[row + 1] - batch.offsets[row])
            if not size or not (name := next((each for each in names if each in places), "")):
                continue
            own = str(labels["model"][row].as_py() or "")
            if model in ("", own) and dict(labels["attributes"][row].as_py() or ()).get("type") != "text":
                kept = found.setdefault(own, {})
                kept.setdefault(name, np.array(rows_of(batch, np.array([row]), size)[0]))
                if len(kept) > PICTURES:
                    kept.pop(max(kept, key=lambda each: digest(each.encode())))
    return found


def _compared(
    encoder: str, model: str, ids: Sequence[str], shown: Sequence[str], published: Vectors, here: Vectors
) -> Parity:
    lengths = np.linalg.norm(published.astype(np.float64), axis=1)
    theirs, ours = unit_rows(published).astype(np.float64), unit_rows(here).astype(np.float64)
    cosines = (theirs * ours).sum(axis=1)
    apart = [unit_rows(rows - rows.mean(axis=0)).astype(np.float64) for rows in (theirs, ours)]
    alike = float((apart[0] * apart[1]).sum(axis=1).mean())
    verdict: Verdict = "other model"
    if np.median(cosines) >= _SAME:
        verdict = "same" if (np.abs(lengths - 1) < _UNIT).all() else "same up to normalisation"
    elif alike >= _ALIKE and np.median(cosines) > 0:
        verdict = "other pre-processing"
    rows = zip(ids, shown, cosines.tolist(), lengths.tolist(), strict=True)
    return Parity(encoder, model, tuple(Compared(*row) for row in rows), (here.shape[1],) * 2, alike, verdict)
