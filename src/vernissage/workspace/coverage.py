"""Which works an encoder's vectors leave out, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.search.vectors import VectorTable
from vernissage.values import ENCODED, MODALITY_CARDS, Modality, encoded_as


@dataclass(frozen=True)
class Missing:
    """The works that one table of vectors lacks.

    Attributes:
        modality: as what the works were read; videos as pictures.
        works: how many have a vector.
        without: how many have no picture or no text, so that there is nothing to encode.
        unreadable: how many have one in which the encoder found nothing it goes by.
        by_other: how many of all that are lacking have a vector of the encoder's other modality.
    """

    modality: Modality
    works: int
    without: int
    unreadable: int
    by_other: int

    @property
    def lacking(self) -> int:
        """Works without a vector."""
        return self.without + self.unreadable


@dataclass(frozen=True)
class Coverage:
    """What an encoder's vectors cover of a collection."""

    encoder: str
    missing: tuple[Missing, ...]
    imported: bool = False

    @property
    def sentence(self) -> str:
        """Which works lack vectors, and by what they are found instead; empty where none lacks any."""
        clause = _of_imported if self.imported else _clause
        return "; ".join(clause(self.encoder, each) for each in self.missing if each.lacking)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        tables: dict[str, Any] = {
            each.modality: {"works": each.works, "without": each.without, "unreadable": each.unreadable}
            for each in self.missing
        }
        return {"encoder": self.encoder, "sentence": self.sentence, **tables}


def coverage_of(
    collection: Collection, encoder: str, tables: Mapping[Modality, VectorTable], *, imported: bool = False
) -> Coverage:
    """What the tables of one encoder cover of the collection that they are of; ``imported``: made elsewhere."""
    ids, found = collection.ids, []
    there: dict[Modality, npt.NDArray[np.bool_]] = {}
    for kind, table in tables.items():
        [modality] = encoded_as([kind])
        there[modality] = (table.item_ids.rows(ids) >= 0) | there.get(modality, False)
    for modality, works in there.items():
        lacking = ~works
        filled = np.array(collection.texts("picture_digest" if modality == "image" else "text"), dtype=object) != ""
        missing, without = int(np.count_nonzero(lacking)), int(np.count_nonzero(lacking & ~filled))
        others = [rows for key, rows in there.items() if key != modality]
        by_other = int(np.count_nonzero(lacking & np.any(others, axis=0))) if others else 0
        found.append(Missing(modality, len(lacking) - missing, without, missing - without, by_other))
    return Coverage(encoder, tuple(found), imported)


def _of_imported(encoder: str, missing: Missing) -> str:
    count = missing.lacking
    return f"{'1 work has' if count == 1 else f'{count:,} works have'} no {missing.modality} vector of {encoder}"


def _clause(encoder: str, missing: Missing) -> str:
    word = MODALITY_CARDS[missing.modality].one
    other = " or ".join(MODALITY_CARDS[each].one for each in ENCODED if each != missing.modality)
    kinds = {f"without a {word}": missing.without, f"with a {word} that tells {encoder} nothing": missing.unreadable}
    who = " and ".join(
        f"{'1 work' if count == 1 else f'{count:,} works'} {kind}" for kind, count in kinds.items() if count
    )
    where = f"{'is' if missing.lacking == 1 else 'are'} in no {encoder} {missing.modality} vectors"
    if not missing.by_other:
        return f"{who} {where}"
    whose = "" if missing.by_other == missing.lacking else f"{missing.by_other} of them "
    pronoun = "its" if missing.by_other == 1 else "their"
    return f"{who} {where}, {whose}found by {pronoun} {other} alone"
