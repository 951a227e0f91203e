"""What indexes keep of vectors elsewhere, compared with the tables that they were made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.search.vectors import VectorTable

_SAMPLED = 1_000
_AT_ONCE = 100
_NAMED = 5
_HALF = 2.0**-11
"""How far a number in float16 is from itself at most, as a share of it; next to 0 by 2⁻²⁵ beside."""


@dataclass(frozen=True)
class IndexAudit:
    """How what an index keeps differs from its table; counts, and a few ids of each kind.

    Attributes:
        vectors: ``ENCODER.MODALITY``.
        kind: of index.
        works: rows of the table.
        kept: rows that the index keeps.
        missing, unknown, repeated: works that it lacks, ids that it keeps and the table lacks, works kept twice.
        sampled, different: of so many works vectors were compared, and of so many they are not the table's.
        examples: ids of works that are missing, unknown, repeated or different.
    """

    vectors: str
    kind: str
    works: int
    kept: int
    missing: int = 0
    unknown: int = 0
    repeated: int = 0
    sampled: int = 0
    different: int = 0
    examples: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing differs."""
        return not (self.missing or self.unknown or self.repeated or self.different)


def audited(
    kind: str,
    table: VectorTable,
    ids: Iterable[Sequence[str]],
    vectors_of: Callable[[Sequence[str]], Mapping[str, npt.NDArray[np.floating]]],
    *,
    half: bool = False,
) -> IndexAudit:
    """Compare all ids that an index keeps with a table's, and the vectors of a sample of those.

    Args:
        kind: of index.
        table: what the index was made of.
        ids: every id that is kept, in blocks, as often as it is kept.
        vectors_of: the vectors that are kept of some works, for those of them that are.
        half: whether vectors are kept as float16, and may differ by as much; else every bit must be the same.
    """
    times, unknown = np.zeros(len(table), dtype=np.int32), []
    kept = 0
    for block in ids:
        rows = table.item_ids.rows(block)
        np.add.at(times, rows[rows >= 0], 1)
        unknown += [block[place] for place in np.flatnonzero(rows < 0).tolist()]
        kept += len(block)
    there = np.flatnonzero(times)
    sample = np.sort(np.random.default_rng(0).choice(there, min(_SAMPLED, len(there)), replace=False))
    different = []
    for start in range(0, len(sample), _AT_ONCE):
        rows = sample[start : start + _AT_ONCE]
        found = vectors_of(names := table.item_ids.take(rows))
        pairs = zip(names, table.vectors[rows], strict=True)
        different += [name for name, own in pairs if name not in found or not _same(own, found[name], half=half)]
    missing, repeated = np.flatnonzero(times == 0), np.flatnonzero(times > 1)
    named = (table.item_ids.take(missing[:_NAMED]), unknown[:_NAMED], table.item_ids.take(repeated[:_NAMED]))
    return IndexAudit(
        f"{table.card.encoder}.{table.card.modality}",
        kind,
        len(table),
        kept,
        missing=len(missing),
        unknown=len(unknown),
        repeated=len(repeated),
        sampled=len(sample),
        different=len(different),
        examples=tuple(each for some in (*named, different[:_NAMED]) for each in some),
    )


def _same(own: npt.NDArray[np.floating], kept: npt.NDArray[np.floating], *, half: bool) -> bool:
    if own.shape != kept.shape:
        return False
    bound = _HALF * np.abs(own) + 2.0**-25 if half else np.zeros(len(own))
    return bool((np.abs(own.astype(np.float64) - kept) <= bound).all())
