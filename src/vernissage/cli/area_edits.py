"""A person's changes to their areas, as commands take them: ``image:2``, ``image:2=0.5``, ``image:1,image:3``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from vernissage.errors import RequestError
from vernissage.profiles.directions import unit
from vernissage.profiles.edits import AreaEdit, merge, mute, rename, split, weigh
from vernissage.profiles.uploads import UploadedSide, UploadProfile
from vernissage.profiles.ward import ward_merges
from vernissage.storage.area_edits import add_edit, undo_edit
from vernissage.values import MODALITIES, Modality

if TYPE_CHECKING:
    from vernissage.workspace.holdings import Holdings

Place = tuple[Modality, int]
"""A modality and the number of an area in it, from 0."""


@dataclass(frozen=True)
class EditWords:
    """The changes that were asked for, each as it was written; all are about the areas as they are now."""

    mute: Sequence[str] = ()
    unmute: Sequence[str] = ()
    weight: Sequence[str] = ()
    rename: Sequence[str] = ()
    merge: Sequence[str] = ()
    split: Sequence[str] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))


def key_of(modality: Modality, number: int) -> str:
    """How an area is called in commands: ``image:1`` is the first area of pictures."""
    return f"{modality}:{number + 1}"


def edits_from(words: EditWords, profile: UploadProfile) -> list[AreaEdit]:
    """The edits that the words stand for.

    Raises:
        RequestError: a word is not understood, or there is no such area.
    """
    edits: list[AreaEdit] = [mute(profile, *_place(word, profile)) for word in words.mute]
    edits += [mute(profile, *_place(word, profile), muted=False) for word in words.unmute]
    for word in words.weight:
        place, value = _pair(word, profile, "--weight image:2=0.5")
        edits.append(weigh(profile, *place, _number(word, value)))
    for word in words.rename:
        place, value = _pair(word, profile, '--rename "image:2=Sea and ships"')
        edits.append(rename(profile, *place, value))
    edits += [_merge(word, profile) for word in words.merge]
    return edits + _splits(words.split, profile)


def keep_edits(holdings: "Holdings", owner: str, edits: Iterable[AreaEdit]) -> None:
    """Write edits down, all or none."""
    now = datetime.now(UTC)
    with holdings.database.writing() as connection:
        for edit in edits:
            add_edit(connection, owner, edit.kind, edit.payload, now)


def take_back(holdings: "Holdings", owner: str) -> str:
    """Undo a person's latest change; returns its kind.

    Raises:
        RequestError: there is none.
    """
    if not holdings.edits(owner):
        raise RequestError(f"{owner} has changed nothing about these areas, so there is nothing to undo")
    with holdings.database.writing() as connection:
        undone = undo_edit(connection, owner)
    return undone.kind if undone is not None else "nothing"


def _merge(word: str, profile: UploadProfile) -> AreaEdit:
    places = [_place(part, profile) for part in word.split(",")]
    modality = places[0][0]
    if any(each != modality for each, _ in places):
        raise RequestError(f"{word!r} names areas of pictures and of texts, which cannot be one; merge like with like")
    return merge(profile, modality, [number for _, number in places])


def _splits(words: Sequence[str], profile: UploadProfile) -> list[AreaEdit]:
    """One edit for each area that is named; several words about one area are its parts."""
    parts: dict[Place, list[list[str]]] = {}
    for word in words:
        key, _, ids = word.partition("=")
        named = [each.strip() for each in ids.split(",") if each.strip()]
        parts.setdefault(_place(key, profile), []).append(named)
    return [_split(profile, place, [part for part in named if part]) for place, named in parts.items()]


def _split(profile: UploadProfile, place: Place, parts: list[list[str]]) -> AreaEdit:
    modality, number = place
    return split(profile, modality, number, parts or [_half(profile.sides[modality], number)])


def _half(side: UploadedSide, number: int) -> list[str]:
    """The smaller of the two groups that Ward's method finds in an area.

    Raises:
        RequestError: the area has one upload only.
    """
    members = side.areas[number].members
    if len(members) < 2:
        raise RequestError(f"the area {side.names[number]!r} has one upload and cannot be split")
    labels = ward_merges(unit(side.vectors[list(members)])).into(2)
    smaller = int(np.argmin(np.bincount(labels)))
    return [side.item_ids[row] for row, label in zip(members, labels.tolist(), strict=True) if label == smaller]


def _pair(word: str, profile: UploadProfile, example: str) -> tuple[Place, str]:
    key, sign, value = word.partition("=")
    if not sign or not value.strip():
        raise RequestError(f"{word!r} is not understood; write AREA=VALUE, as in {example}")
    return _place(key, profile), value.strip()


def _place(word: str, profile: UploadProfile) -> Place:
    """The area of a key such as ``image:2``; the modality may be left out where there is only one."""
    modality, colon, number = word.strip().rpartition(":")
    if not colon and len(profile.sides) == 1:
        modality = profile.sources[0]
    known = ", ".join(key_of(source, n) for source in profile.sources for n in range(len(profile.sides[source].areas)))
    for each in MODALITIES:
        areas = len(profile.sides[each].areas) if each in profile.sides else 0
        if modality == each and number.isdecimal() and 1 <= int(number) <= areas:
            return each, int(number) - 1
    shown = known if len(known) <= 90 else f"{known[:80].rpartition(',')[0]} …"
    raise RequestError(f"there is no area {word.strip()!r}; choose from {shown}")


def _number(word: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise RequestError(f"the weight in {word!r} is no number; write AREA=NUMBER, as in image:2=0.5") from None
