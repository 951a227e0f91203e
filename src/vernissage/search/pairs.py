"""Pictures and texts read together, pair by pair: all pairs, the promising ones, or the rows that a profile needs."""

import os
import shutil
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import digest, read_array, write_array
from vernissage.progress import Progress, silent
from vernissage.rankings import alphabetical, best_rows
from vernissage.search.pair_matrix import PairCard, PairMatrix, write_pairs
from vernissage.search.vectors import VectorTable, array_file, card_file
from vernissage.values import Vectors

LEAST = 1e-30
"""The least value of a pair that was read: so small that it changes no sum, and above 0 so that others fit below."""

_TEXT_BLOCK = 256
_DECODED_SIDE = 768
"""Large JPEGs are decoded no smaller than this many pixels a side: twice what such models look at."""


@runtime_checkable
class PairScorer(Protocol):
    """A model that judges a picture and a text by reading them together, such as `encoders.blip.BLIP`."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts, float32 (n, dim), for finding promising pairs."""
        ...

    def image_states(self, images: Sequence[Image.Image]) -> npt.NDArray[Any]:
        """What `itm_block` reads of pictures: one entry for each along the first axis."""
        ...

    def image_vectors(self, states: npt.NDArray[Any]) -> Vectors:
        """Unit vectors of pictures from their states, float32 (n, dim), to be compared with those of texts."""
        ...

    def itm_block(self, states: npt.NDArray[Any], texts: Sequence[str]) -> Vectors:
        """The probability that each text belongs to each picture: float32 (pictures, texts) in [0, 1]."""
        ...


def build_pair_matrix(
    scorer: PairScorer,
    collection: Collection,
    *,
    folder: Path,
    pairs: int | None = None,
    text_vectors: VectorTable | None = None,
    block: int = 4,
    draft: bool = True,
    progress: Progress = silent,
) -> PairMatrix:
    """How well the picture of each work fits the text of each, for all works that have both.

    A_ij is the probability that picture i and text j belong together, as in section 3.3.2 of Yilma & Leiva, UMAP 2023
    (doi 10.1145/3565472.3592964): a pass of the model for every pair. With ``pairs=k`` only the k texts nearest to a
    picture by cosine (ties by id) are read with it, and the others keep the order of their cosines below:
    see `below`. Each finished block of pictures is kept as a file in ``folder`` until all are done, so that a build
    which was killed goes on where it stopped and ends in the same bytes; one block at a time is in memory.

    Args:
        scorer: reads the pairs.
        collection: the works.
        folder: where the finished matrix stays, under a name that stands for everything it depends on.
        pairs: how many texts to read with each picture; None for all.
        text_vectors: for ``pairs``, the vectors of this scorer if they are there already.
        block: pictures in one block.
        draft: whether large JPEGs are decoded at a fraction of their size, no smaller than 768 pixels a side.
        progress: told of the pairs that are done and of all there are.

    Raises:
        RequestError: no work has both, or ``pairs`` or ``block`` is below 1.
        ProvenanceError: ``text_vectors`` are of another model or collection.
    """
    task = _task(scorer, collection, pairs, draft, progress)
    if block < 1:
        raise RequestError(f"blocks of {block} pictures were asked for; ask for 1 or more")
    if text_vectors is not None:
        text_vectors.require(fingerprint=scorer.fingerprint, collection=collection.fingerprint)
    contents = [part.encode() for pair in zip(task.card.item_ids, task.card.contents, strict=True) for part in pair]
    parts = (scorer.fingerprint, str(task.card.pairs), str(block), *(() if draft else ("decoded whole",)))
    stem = folder / f"{scorer.name}.pairs-{digest(*(part.encode() for part in parts), *contents)[:16]}"
    kept = stem.with_name(f"{stem.name}.blocks")
    if not _is_whole(stem):
        vectors = _text_vectors(task, text_vectors, kept) if task.card.pairs is not None else None
        starts = range(0, len(task.works), block)
        for _ in _blocks(task, starts, kept, vectors):
            pass  # each stays as a file; when all are there the matrix is written from them in one go
        write_pairs(stem, _blocks(replace(task, progress=silent), starts, kept, vectors), task.card)
    shutil.rmtree(kept, ignore_errors=True)
    return PairMatrix.load(stem)


def pair_rows(
    scorer: PairScorer,
    rated: Container[str],
    collection: Collection,
    *,
    draft: bool = True,
    progress: Progress = silent,
) -> PairMatrix:
    """The rows of `build_pair_matrix` that a profile needs: those of the rated works that have a picture and a text.

    Nine ratings need nine passes for each work instead of one for each pair of works. Nothing is written.

    Raises:
        RequestError: no work has both.
    """
    task = _task(scorer, collection, None, draft, progress)
    works = [work for work in task.works if work.id in rated]
    card = replace(task.card, row_ids=tuple(work.id for work in works))
    task = replace(task, works=works, card=card)
    rows = [np.zeros((0, len(task.texts)), dtype=np.float32)]
    for done, work in enumerate(works):
        task.report(done)
        rows.append(_block(task, [work], None))
    if works:
        task.report(len(works))
    return PairMatrix(np.concatenate(rows), card)


def below(cosines: npt.NDArray[np.float64], floor: float) -> npt.NDArray[np.float64]:
    """Values for pairs that were not read, from their cosines: ``floor · (1 + cosine)/2 · (1 − 2⁻¹⁰)``.

    It rises with the cosine and stays under ``floor``, the least value of the row's pairs that were read, also
    when rounded to float32. It depends on no other pair that was not read.
    """
    values: npt.NDArray[np.float64] = floor * (1 + np.clip(cosines, -1, 1)) / 2 * (1 - 2.0**-10)
    return values


@dataclass(frozen=True)
class _Task:
    """What is to be computed: the works whose pictures are rows, the texts that are columns, and how to report."""

    scorer: PairScorer
    collection: Collection
    works: list[Item]
    texts: list[str]
    card: PairCard
    draft: bool
    progress: Progress

    @property
    def each(self) -> int:
        """How many texts are read with a picture."""
        return self.card.pairs or len(self.texts)

    def report(self, done: int) -> None:
        step = f"Reading pictures and texts together with {self.scorer.name}"
        self.progress(step, done * self.each, len(self.works) * self.each)


def _task(scorer: PairScorer, collection: Collection, pairs: int | None, draft: bool, progress: Progress) -> _Task:
    works = [item for item in collection if item.picture and item.text]
    if not works:
        raise RequestError(f"no work has both a picture and a text, which {scorer.name} reads together; add texts")
    if pairs is not None and pairs < 1:
        raise RequestError(f"{pairs} texts for each picture were asked for; ask for 1 or more, or for all")
    ids = tuple(work.id for work in works)
    contents = tuple(digest(work.picture_digest.encode(), work.text_digest.encode()) for work in works)
    fewer = pairs if pairs is not None and pairs < len(works) else None
    card = PairCard(scorer.name, scorer.fingerprint, collection.fingerprint, fewer, ids, ids, contents)
    return _Task(scorer, collection, works, [work.text for work in works], card, draft, progress)


def _blocks(task: _Task, starts: range, kept: Path, vectors: npt.NDArray[np.float64] | None) -> Iterator[Vectors]:
    """Rows of the matrix, block by block, from ``kept`` where they lie there already."""
    for start in starts:
        task.report(start)
        works = task.works[start : start + starts.step]
        yield _stored(kept / f"{start:09d}.npy", len(works), partial(_block, task, works, vectors))
    task.report(len(task.works))


def _text_vectors(task: _Task, there: VectorTable | None, kept: Path) -> npt.NDArray[np.float64]:
    """The vectors of the columns' texts, float64 (columns, dim)."""
    if there is not None:
        return there.vectors[there.rows(task.card.item_ids)].astype(np.float64)
    step, found = f"Encoding texts with {task.scorer.name}", []
    for start in range(0, len(task.texts), _TEXT_BLOCK):
        task.progress(step, start, len(task.texts))
        texts = task.texts[start : start + _TEXT_BLOCK]
        path = kept / f"texts-{start:09d}.npy"
        found.append(_stored(path, len(texts), partial(task.scorer.encode_texts, texts)))
    task.progress(step, len(task.texts), len(task.texts))
    return np.concatenate(found).astype(np.float64)


def _block(task: _Task, works: Sequence[Item], vectors: npt.NDArray[np.float64] | None) -> Vectors:
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        images = list(pool.map(partial(_picture, task), works))
    states = task.scorer.image_states(images)
    if vectors is None:
        return task.scorer.itm_block(states, task.texts)
    seen = task.scorer.image_vectors(states).astype(np.float64)
    cosines = np.einsum("id,jd->ij", seen, vectors)
    order = alphabetical(task.card.item_ids)
    rows = [_shortlisted(task, states[row : row + 1], cosines[row], order) for row in range(len(works))]
    return np.array(rows, dtype=np.float32)


def _shortlisted(
    task: _Task, state: npt.NDArray[Any], cosines: npt.NDArray[np.float64], order: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """One row in which the nearest texts were read with the picture and the others stand below them."""
    near = best_rows(cosines, task.each, order)
    read = np.maximum(task.scorer.itm_block(state, [task.texts[column] for column in near])[0], LEAST)
    row = below(cosines, float(read.min()))
    row[near] = read
    return row


def _picture(task: _Task, work: Item) -> Image.Image:
    path = task.collection.picture_path(work)
    if path is None:
        raise RequestError(f"work {work.id} has no picture; compare works that have one")
    return open_picture(path, at_least=_DECODED_SIDE if task.draft else None)


def _stored(path: Path, rows: int, compute: Callable[[], Vectors]) -> Vectors:
    """The array at ``path``, computed and written there if it is not there yet or damaged."""
    if path.exists():
        try:
            found: Vectors = read_array(path)
        except ProvenanceError:
            path.unlink()
        else:
            if found.dtype == np.float32 and found.ndim == 2 and len(found) == rows:
                return found
    values = compute()
    write_array(path, values)
    return values


def _is_whole(stem: Path) -> bool:
    """Whether a finished matrix lies there; a damaged one is taken away."""
    if not card_file(stem).exists():
        return False
    try:
        PairMatrix.load(stem)
    except ProvenanceError:
        card_file(stem).unlink()
        array_file(stem).unlink(missing_ok=True)
        return False
    return True
