"""Vectors that were made elsewhere become tables of a workspace; what they were is kept for export.

A table has unit vectors, one for each work. Rows of length 1 that stand for a work alone are the table's rows to the
last bit; all others (of other lengths, or of works with several pictures) are kept beside as they came, so that an
export gives back every row. Norms would not do: a vector divided and multiplied by its length has other bits.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vernissage.catalog.collection import Collection
from vernissage.catalog.ids import Ids
from vernissage.catalog.sources.published import ModelIdentity, PublishedVectors, rows_of
from vernissage.catalog.sources.vector_files import LABELS, Batch
from vernissage.encoders.contract import Encoder, EncoderState, unit_rows
from vernissage.encoders.imported import ImportedEncoder, model_of, names_of, restore_imported
from vernissage.files import (
    Seal,
    array_digest,
    digest,
    open_parquet,
    read_array,
    read_card,
    seal_of,
    write_json,
    write_rows,
    writing,
    writing_rows,
)
from vernissage.progress import Progress
from vernissage.search.vectors import (
    VectorCard,
    VectorTable,
    array_file,
    card_file,
    pooled,
    write_table,
    write_table_card,
)
from vernissage.values import Modality, Vectors
from vernissage.workspace.encoding import keep_index

if TYPE_CHECKING:
    from vernissage.workspace.build import Building

FOLDER = "imports"
_AS_THEY_ARE = 1e-5
"""How far the length of a row may be from 1 to stand in a table as it came: float32 keeps that of a unit row within."""

_POOLED_AT_ONCE = 4096
_PARQUET: Mapping[str, Any] = {"compression": "zstd", "compression_level": 3, "write_page_checksum": True}
_ORIGINALS = LABELS.append(pa.field("kept", pa.int32(), nullable=False))
"""Labels of the rows, and where each is among those that are kept as they came; −1 for those that are in the table."""


@dataclass(frozen=True)
class Originals:
    """The rows that a table was made of, as they came: ``folder`` has their labels, and vectors that differ.

    Raises:
        ProvenanceError: a file is missing or damaged.
    """

    folder: Path

    def check(self) -> None:
        """Read every byte."""
        card = read_card(self.folder / "card.json", {"rows": Seal, "vectors": Seal}, "imported vectors")
        for name, file in (("rows", "rows.parquet"), ("vectors", "vectors.npy")):
            Seal(**card[name]).require(self.folder / file, whole=True)

    def batches(self, table: VectorTable) -> Iterator[tuple[Any, Vectors]]:
        """Labels of `LABELS` and vectors float32 (n, dim) of the rows that ``table`` was made of, some at a time."""
        kept = read_array(self.folder / "vectors.npy", memory_map=True)
        for batch in open_parquet(self.folder / "rows.parquet").iter_batches(_POOLED_AT_ONCE, use_threads=False):
            places = batch.column("kept").to_numpy()
            rows = table.item_ids.rows(batch.column("subject_id").to_pylist())
            there = np.flatnonzero(rows >= 0)
            own = places[there]
            vectors = table.vectors[rows[there]]
            vectors[own >= 0] = kept[own[own >= 0]]
            yield pa.Table.from_batches([batch]).select(LABELS.names).take(pa.array(there)), vectors


@dataclass(frozen=True, eq=False)
class _Set:
    """One set of vectors on the way into a table.

    Attributes:
        stem, folder: of the table, and of `Originals`.
        encoder: whose they are; ``modality`` of what.
        rows: those of the files that are in it, int64 (m,), rising.
        works: the row of each one's work in the collection.
        place: the row of each in the table; ``count`` rows are there.
        kept: the place of each among the rows that are kept as they came, or −1.
        alone: whether the row is the only one of its work.
    """

    stem: Path
    folder: Path
    encoder: ImportedEncoder
    modality: Modality
    rows: npt.NDArray[np.int64]
    works: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    count: int
    kept: npt.NDArray[np.int64]
    alone: npt.NDArray[np.bool_]


def import_vectors(building: "Building", vectors: PublishedVectors) -> None:
    """Make a table of every model and modality of ``vectors``; those that an interrupted build has finished stay."""
    names = names_of(vectors.identities)
    sets = []
    encoders = {}
    for model, identity in vectors.identities.items():
        read = tuple(modality for each, modality in vectors.keys if each == model)
        encoders[model] = _added_encoder(building, names[model], identity, read)
    work_of = building.collection.ids.rows(
        vectors.subjects if isinstance(vectors.subjects, list) else vectors.subjects.to_pylist()
    )
    for number, (model, modality) in enumerate(vectors.keys):
        encoder = encoders[model]
        parts = encoder.fingerprint, building.collection.fingerprint, vectors.fingerprint
        name = f"{encoder.name}.{modality}-{digest(*(each.encode() for each in parts))[:12]}"
        works = np.where(vectors.key == number, work_of[vectors.subject], -1)
        rows = np.flatnonzero(works >= 0)
        distinct, place, counts = np.unique(works[rows], return_inverse=True, return_counts=True)
        alone = counts[place] == 1
        plain = alone & (np.abs(vectors.norms[rows] - 1) < _AS_THEY_ARE)
        kept = np.where(plain, -1, np.cumsum(~plain) - 1)
        stem, folder = building.path / "vectors" / name, building.path / FOLDER / name
        sets.append(_Set(stem, folder, encoder, modality, rows, works[rows], place, len(distinct), kept, alone))
    made = [each for each in sets if not (card_file(each.stem).exists() and (each.folder / "card.json").exists())]
    with building.timed("taking vectors over"):
        if made:
            _write(made, vectors, building.collection, building.progress)
    for each in sets:
        _take(building, each.stem, each.folder, each.encoder, each.modality)


def _added_encoder(
    building: "Building", name: str, identity: ModelIdentity, read: tuple[Modality, ...]
) -> ImportedEncoder:
    told: dict[str, Any] = {**asdict(identity), "modalities": list(read)}
    model = model_of(identity.model)
    if model is not None and (place := building.settings.towers.get(model.encoder)):
        told["tower"] = place
    state = EncoderState(name, told, {})
    folder = f"{name}-{state.fingerprint[:12]}"
    state.save(building.path / "models" / folder)
    encoder = restore_imported(state)
    building.encoders[name], building.models[name] = encoder, folder
    return encoder


def _take(building: "Building", stem: Path, folder: Path, encoder: Encoder, modality: Modality) -> None:
    table = VectorTable.load(stem, building.collection.ids)
    with building.timed("indexing vectors"):
        keep_index(building.path / "indexes", stem, table)
    key = f"{encoder.name}.{modality}"
    building.tables[encoder.name, modality] = table
    building.vectors[key], building.imported[key] = stem.name, folder.name
    before = building.before.manifest.vectors.get(key) if building.before else None
    building.encoded[key] = 0 if before == stem.name else len(table)


def _write(sets: list[_Set], vectors: PublishedVectors, collection: Collection, progress: Progress) -> None:
    """Read the files once more, and write each row where it belongs."""
    with ExitStack() as stack:
        writers = [_Writer(each, stack) for each in sets]
        for start, batch in vectors.blocks():
            progress("taking vectors over", start, len(vectors.key))
            for writer in writers:
                writer.add(start, batch)
        progress("taking vectors over", len(vectors.key), len(vectors.key))
        for writer in writers:
            writer.pool()
    for writer in writers:
        writer.finish(collection)


class _Writer:
    """The files of one set, as they fill."""

    def __init__(self, of: _Set, stack: ExitStack) -> None:
        import pyarrow.parquet as pq

        dim = of.encoder.dim
        self.of = of
        self.table = stack.enter_context(writing_rows(array_file(of.stem), (of.count, dim)))
        self.kept = stack.enter_context(
            writing_rows(of.folder / "vectors.npy", (int(of.kept.max(initial=-1)) + 1, dim))
        )
        file = stack.enter_context(writing(of.folder / "rows.parquet"))
        self.labels = stack.enter_context(pq.ParquetWriter(file, _ORIGINALS, **_PARQUET))
        self.contents = [""] * of.count

    def add(self, start: int, batch: Batch) -> None:
        of, end = self.of, start + batch.labels.num_rows
        first, last = np.searchsorted(of.rows, (start, end))
        if first == last:
            return
        own = slice(int(first), int(last))
        rows = of.rows[own] - start
        block, place, kept, alone = rows_of(batch, rows, of.encoder.dim), of.place[own], of.kept[own], of.alone[own]
        plain = kept < 0
        self.table[place[plain]] = block[plain]
        self.kept[kept[~plain]] = block[~plain]
        self.table[place[alone & ~plain]] = unit_rows(block[alone & ~plain])
        for at in np.flatnonzero(alone).tolist():
            self.contents[int(place[at])] = hashlib.sha256(block[at].data).hexdigest()
        labels = batch.labels.take(pa.array(rows)).append_column(
            _ORIGINALS.field("kept"), pa.array(kept.astype(np.int32))
        )
        self.labels.write_table(labels)

    def pool(self) -> None:
        """The rows of works of which there are several vectors."""
        of = self.of
        several = np.flatnonzero(~of.alone)
        several = several[np.argsort(of.place[several], kind="stable")]
        places, starts = np.unique(of.place[several], return_index=True)
        for at in range(0, len(places), _POOLED_AT_ONCE):
            some = places[at : at + _POOLED_AT_ONCE]
            end = starts[at + len(some)] if at + len(some) < len(starts) else len(several)
            rows = several[starts[at] : end]
            own, works = self.kept[of.kept[rows]], np.searchsorted(some, of.place[rows])
            self.table[some] = pooled(unit_rows(own), works)
            for place, group in zip(
                some.tolist(), np.split(own, starts[at + 1 : at + len(some)] - starts[at]), strict=True
            ):
                self.contents[place] = digest(*(row.tobytes() for row in group))

    def finish(self, collection: Collection) -> None:
        """Write the cards, which say that all is there."""
        of = self.of
        ids = (
            collection.ids
            if of.count == len(collection)
            else [collection.ids[row] for row in np.unique(of.works).tolist()]
        )
        _seal(of.folder)
        about = of.encoder.name, of.encoder.fingerprint, of.modality, collection.fingerprint
        values = array_digest(read_array(array_file(of.stem), memory_map=True))
        write_table_card(of.stem, of.encoder.dim, VectorCard(*about, ids, self.contents, values))


def _seal(folder: Path) -> None:
    seals = {"rows": asdict(seal_of(folder / "rows.parquet")), "vectors": asdict(seal_of(folder / "vectors.npy"))}
    write_json(folder / "card.json", seals)


def carry_over(building: "Building") -> None:
    """Keep the imported vectors of the state before for the works that are still there."""
    before, works = building.before, building.collection
    if before is None:
        return
    for key, former in before.manifest.imported.items():
        name, _, modality = key.rpartition(".")
        encoder = before.encoder(name)
        building.encoders[name], building.models[name] = encoder, before.manifest.models[name]
        stem, folder = before.manifest.vectors[key], former
        if works.fingerprint != before.manifest.fingerprint:
            old = before.table(name, modality)
            rows = works.ids.rows(old.item_ids)
            stem = f"{key}-{digest(works.fingerprint.encode(), former.encode())[:12]}"
            folder = stem if (rows < 0).any() else former
            if not card_file(building.path / "vectors" / stem).exists():
                if folder != former:
                    _copy_originals(building.path / FOLDER / former, building.path / FOLDER / folder, works.ids)
                _copy_table(building.path / "vectors" / stem, old, rows, works.fingerprint)
        _take(building, building.path / "vectors" / stem, building.path / FOLDER / folder, encoder, modality)


def _copy_table(stem: Path, old: VectorTable, rows: npt.NDArray[np.int64], collection: str) -> None:
    """The vectors of works that are still there: ``rows`` are theirs in the collection, −1 for those that are gone."""
    chosen = np.flatnonzero(rows >= 0)
    chosen = chosen[np.argsort(rows[chosen], kind="stable")]
    starts = range(0, len(chosen), _POOLED_AT_ONCE)
    contents = list(old.card.contents)
    card = replace(
        old.card,
        collection=collection,
        item_ids=[old.item_ids[row] for row in chosen.tolist()],
        contents=[contents[row] for row in chosen.tolist()],
    )
    write_table(stem, (old.vectors[chosen[at : at + _POOLED_AT_ONCE]] for at in starts), old.dim, card)


def _copy_originals(former: Path, folder: Path, ids: Ids) -> None:
    """The rows of works that are among ``ids``: nothing is left of those that were taken down."""
    import pyarrow.parquet as pq

    vectors, start = read_array(former / "vectors.npy", memory_map=True), 0
    places = list[npt.NDArray[np.int32]]()
    with writing(folder / "rows.parquet") as file, pq.ParquetWriter(file, _ORIGINALS, **_PARQUET) as labels:
        for batch in open_parquet(former / "rows.parquet").iter_batches(_POOLED_AT_ONCE, use_threads=False):
            there = np.flatnonzero(ids.rows(batch.column("subject_id").to_pylist()) >= 0)
            table = pa.Table.from_batches([batch]).take(pa.array(there))
            own = table.column("kept").to_numpy()
            places.append(own[own >= 0])
            anew = np.where(own >= 0, start + np.cumsum(own >= 0) - 1, -1).astype(np.int32)
            start += len(places[-1])
            labels.write_table(table.set_column(table.num_columns - 1, _ORIGINALS.field("kept"), pa.array(anew)))
    chosen = np.concatenate(places) if places else np.empty(0, np.int32)
    write_rows(folder / "vectors.npy", (vectors[some] for some in places), (len(chosen), vectors.shape[1]))
    _seal(folder)
