"""One vector of a work that has a picture and a text: early fusion."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from vernissage.catalog.ids import Ids
from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import array_digest
from vernissage.search.vectors import VectorCard, VectorTable, merged, write_table
from vernissage.values import MODALITY_CARDS, Modality, Vectors, encoded_as, readable

REVISION = "1"
"""Raised when the same tables would give other joint vectors."""

JOINT: Modality = "joint"
"""What stands for a modality in the names and cards of joint vectors; no work is of it."""

JointRule = Literal["image", "text", "mean", "concat"]
_BLOCK = 8_192  # works that are joined at once, in double precision
JOINT_RULES: tuple[JointRule, ...] = ("mean", "image", "text", "concat")

Rows = npt.NDArray[np.int64]


def join_modalities(pictures: VectorTable, texts: VectorTable, rule: JointRule = "mean") -> VectorTable:
    """Join the picture and text vectors of one encoder into one table of unit vectors.

    Rules: ``image`` and ``text`` take that modality alone. ``mean`` takes the mean of both unit vectors after each
    modality's own mean was removed, because pictures and texts lie in two narrow cones apart from each other (Liang
    et al., NeurIPS 2022, arXiv 2203.02053); a work that lacks one modality has the other's vector. ``concat`` puts
    both side by side, scaled to length 1; a missing half is zero. Works are in the order of the pictures, then of the
    texts that have no picture.

    Raises:
        RequestError: there is no such rule.
        ProvenanceError: the tables come from different encoders or collections, or do not share their dimension.
    """
    if rule not in JOINT_RULES:
        raise RequestError(f"there is no joint vector {rule!r}; choose one of {', '.join(JOINT_RULES)}")
    if rule in ("image", "text"):
        return pictures if rule == "image" else texts
    joined = _Joined.of(pictures, texts, rule)
    vectors = np.empty((len(joined.card.item_ids), joined.dim), dtype=np.float32)
    for start, block in zip(range(0, len(vectors), _BLOCK), joined.blocks(), strict=True):
        vectors[start : start + _BLOCK] = block
    return VectorTable(vectors, replace(joined.card, values=array_digest(vectors)))


def joint_of(tables: Mapping[Modality, VectorTable], rule: JointRule = "mean") -> VectorTable:
    """An encoder's tables by modality as one: what is read alike `merged`, pictures and texts joined by the rule."""
    found = _sides(tables)
    return join_modalities(found["image"], found["text"], rule) if len(found) > 1 else next(iter(found.values()))


def write_joint(stem: Path, tables: Mapping[Modality, VectorTable]) -> None:
    """Write what `joint_of` makes of pictures and texts by their mean, with a block of it in memory."""
    found = _sides(tables)
    joined = _Joined.of(found["image"], found["text"], "mean")
    write_table(stem, joined.blocks(), joined.dim, joined.card)


def _sides(tables: Mapping[Modality, VectorTable]) -> dict[Modality, VectorTable]:
    """Tables that are read alike as one, by the modality that they are read as."""
    sides = [[table for name, table in tables.items() if name in readable([each])] for each in encoded_as(tables)]
    return {MODALITY_CARDS[some[0].card.modality].read_as: merged(some) for some in sides}


@dataclass(frozen=True, eq=False)
class _Joined:
    """Pictures and texts to be joined: both tables, in which row of each a work stands (−1: in none), and the card."""

    tables: tuple[VectorTable, VectorTable]
    rows: tuple[Rows, Rows]
    rule: JointRule
    card: VectorCard

    @classmethod
    def of(cls, pictures: VectorTable, texts: VectorTable, rule: JointRule) -> "_Joined":
        _check(pictures, texts, rule)
        ids = pictures.item_ids
        if ids != texts.item_ids:
            ids = Ids.of(dict.fromkeys((*ids, *texts.item_ids)))
        named = f"{pictures.card.fingerprint}-{rule}"
        card = replace(pictures.card, fingerprint=named, modality=JOINT, item_ids=ids, contents=[""] * len(ids))
        return cls((pictures, texts), (pictures.item_ids.rows(ids), texts.item_ids.rows(ids)), rule, card)

    @property
    def dim(self) -> int:
        return sum(each.dim for each in self.tables) if self.rule == "concat" else self.tables[0].dim

    def blocks(self) -> Iterator[Vectors]:
        """The joint vectors, some at a time: float32 (b, dim)."""
        means = [_mean(table) for table in self.tables]
        for start in range(0, len(self.rows[0]), _BLOCK):
            every = zip(self.tables, means, self.rows, strict=True)
            halves = [_aligned_rows(table, mean, rows[start : start + _BLOCK]) for table, mean, rows in every]
            yield unit_rows(halves[0] + halves[1] if self.rule == "mean" else np.concatenate(halves, axis=1))


def side_by_side(tables: Sequence[VectorTable], ids: Sequence[str]) -> Vectors:
    """Works by several encoders at once: their centred unit vectors joined, scaled to length 1; float32 (n, dims).

    Each table is centred on its own mean, so that what all its works share does not drown the others. A part is zero
    where its table lacks the work.
    """
    halves = [_aligned_rows(table, _mean(table), table.item_ids.rows(ids)) for table in tables]
    return unit_rows(np.concatenate(halves, axis=1))


def _check(pictures: VectorTable, texts: VectorTable, rule: JointRule) -> None:
    for what in ("encoder", "fingerprint", "collection"):
        one, other = getattr(pictures.card, what), getattr(texts.card, what)
        if one != other:
            raise ProvenanceError(
                f"pictures and texts cannot be joined: their {what} is {one} and {other}; build both with one encoder"
            )
    if rule == "mean" and pictures.dim != texts.dim:
        raise ProvenanceError(
            f"the mean needs one space, but pictures have {pictures.dim} dimensions and texts {texts.dim}; use concat"
        )


def _mean(table: VectorTable) -> npt.NDArray[np.float64] | float:
    """What is taken off a table's vectors; nothing off a single one."""
    return table.vectors.mean(axis=0, dtype=np.float64) if len(table) > 1 else 0.0


def _aligned_rows(table: VectorTable, mean: npt.NDArray[np.float64] | float, own: Rows) -> npt.NDArray[np.float64]:
    """The centred unit vectors of some rows, zero for −1: float64 (n, dim)."""
    rows, there = np.zeros((len(own), table.dim)), own >= 0
    known = table.vectors[own[there]]
    rows[there] = unit_rows(known - mean) if len(table) > 1 else known
    return rows
