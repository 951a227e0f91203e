"""One vector of a work that has a picture and a text: early fusion."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, RequestError
from vernissage.search.vectors import VectorTable, make_vector_table, merged
from vernissage.values import MODALITY_CARDS, Modality, Vectors, encoded_as, readable

JointRule = Literal["image", "text", "mean", "concat"]
_BLOCK = 8_192  # works that are joined at once, in double precision
JOINT_RULES: tuple[JointRule, ...] = ("mean", "image", "text", "concat")


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
    _check(pictures, texts, rule)
    ids = tuple(dict.fromkeys((*pictures.item_ids, *texts.item_ids)))
    means = [_mean(table) for table in (pictures, texts)]
    joined = np.empty((len(ids), pictures.dim + (texts.dim if rule == "concat" else 0)), dtype=np.float32)
    for start in range(0, len(ids), _BLOCK):
        some = ids[start : start + _BLOCK]
        halves = [_aligned_rows(*each, some) for each in zip((pictures, texts), means, strict=True)]
        both = halves[0] + halves[1] if rule == "mean" else np.concatenate(halves, axis=1)
        joined[start : start + _BLOCK] = unit_rows(both)
    return make_vector_table(
        joined,
        ids,
        [""] * len(ids),
        encoder=pictures.card.encoder,
        fingerprint=f"{pictures.card.fingerprint}-{rule}",
        modality="image",
        collection=pictures.card.collection,
    )


def joint_of(tables: Mapping[Modality, VectorTable], rule: JointRule = "mean") -> VectorTable:
    """An encoder's tables by modality as one: what is read alike `merged`, pictures and texts joined by the rule."""
    sides = [[table for name, table in tables.items() if name in readable([each])] for each in encoded_as(tables)]
    found = {MODALITY_CARDS[some[0].card.modality].read_as: merged(some) for some in sides}
    return join_modalities(found["image"], found["text"], rule) if len(found) > 1 else next(iter(found.values()))


def side_by_side(tables: Sequence[VectorTable], ids: Sequence[str]) -> Vectors:
    """Works by several encoders at once: their centred unit vectors joined, scaled to length 1; float32 (n, dims).

    Each table is centred on its own mean, so that what all its works share does not drown the others. A part is zero
    where its table lacks the work.
    """
    rows: Vectors = unit_rows(np.concatenate([_aligned_rows(table, _mean(table), ids) for table in tables], axis=1))
    return rows


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


def _aligned_rows(
    table: VectorTable, mean: npt.NDArray[np.float64] | float, ids: Sequence[str]
) -> npt.NDArray[np.float64]:
    """The centred unit vectors of works, zero where the table lacks them: float64 (n, dim)."""
    rows, own = np.zeros((len(ids), table.dim)), table.item_ids.rows(ids)
    known = table.vectors[own[own >= 0]]
    rows[own >= 0] = unit_rows(known - mean) if len(table) > 1 else known
    return rows
