"""What a person can change about their areas of interest: mute, weight, merge, split, rename."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadedSide, UploadProfile
from vernissage.values import MODALITIES, Modality

EditKind = Literal["mute", "weight", "merge", "split", "rename"]


@dataclass(frozen=True)
class _Edit:
    """Areas are found anew whenever uploads come or go, so an edit names the uploads that it was about, not numbers.

    Attributes:
        modality: the side of the profile whose areas are meant.
        groups: the ids of the uploads that were in each of the areas (`Merge`) or parts (`Split`) that the edit is
            about, in alphabetical order; one group for the other edits.
        beside: an upload, the medoid, of each area that the edit was not about. Should one be found in one area with
            the groups later, the edit still keeps off it.
    """

    kind: ClassVar[EditKind]
    modality: Modality
    groups: tuple[tuple[str, ...], ...]
    beside: tuple[str, ...]

    @property
    def anchors(self) -> tuple[str, ...]:
        """Every upload by which the edit's areas are found again, in alphabetical order."""
        return tuple(sorted(item_id for group in self.groups for item_id in group))

    @property
    def wish(self) -> dict[str, Any]:
        """What the person wants, beside which areas they want it of."""
        return {}

    @property
    def payload(self) -> dict[str, Any]:
        """JSON values that `edit_from_payload` makes the same edit of; ``kind`` is kept beside them."""
        return {
            "modality": self.modality,
            "anchors": list(self.anchors),
            "groups": [list(group) for group in self.groups],
            "beside": list(self.beside),
            **self.wish,
        }


@dataclass(frozen=True)
class Mute(_Edit):
    """Do not listen to an area, or, with ``muted`` False, listen to it again."""

    kind: ClassVar[EditKind] = "mute"
    muted: bool

    @property
    def wish(self) -> dict[str, Any]:
        return {"muted": self.muted}


@dataclass(frozen=True)
class Weigh(_Edit):
    """Let an area count ``weight`` times as much as its uploads make of it: 0 or more, 1 as found."""

    kind: ClassVar[EditKind] = "weight"
    weight: float

    @property
    def wish(self) -> dict[str, Any]:
        return {"weight": self.weight}


@dataclass(frozen=True)
class Rename(_Edit):
    """Call an area by ``name``."""

    kind: ClassVar[EditKind] = "rename"
    name: str

    @property
    def wish(self) -> dict[str, Any]:
        return {"name": self.name}


@dataclass(frozen=True)
class Merge(_Edit):
    """Make one area of several."""

    kind: ClassVar[EditKind] = "merge"


@dataclass(frozen=True)
class Split(_Edit):
    """Make several areas of one."""

    kind: ClassVar[EditKind] = "split"


AreaEdit = Mute | Weigh | Rename | Merge | Split


def mute(profile: UploadProfile, modality: Modality, number: int, *, muted: bool = True) -> Mute:
    """The edit that mutes the area of that number (from 0), or, with ``muted`` False, unmutes it.

    Raises:
        RequestError: the person has no such area.
    """
    side = _side(profile, modality)
    return Mute(modality, *_about(side, [number]), muted)


def weigh(profile: UploadProfile, modality: Modality, number: int, weight: float) -> Weigh:
    """The edit that lets an area count ``weight`` times as much as its uploads make of it.

    Raises:
        RequestError: the person has no such area, or the weight is negative or not finite.
    """
    side = _side(profile, modality)
    return Weigh(modality, *_about(side, [number]), _checked_weight(weight))


def rename(profile: UploadProfile, modality: Modality, number: int, name: str) -> Rename:
    """The edit that calls an area by ``name``; blanks around and line breaks in it are taken out.

    Raises:
        RequestError: the person has no such area, the name is empty, or another area has it already.
    """
    side = _side(profile, modality)
    about, plain = _about(side, [number]), _checked_name(name)
    taken = [other for other, text in enumerate(side.names) if text.casefold() == plain.casefold() and other != number]
    if taken:
        raise RequestError(f"another area is called {plain!r} already; choose another name, or merge the two")
    return Rename(modality, *about, plain)


def merge(profile: UploadProfile, modality: Modality, numbers: Sequence[int]) -> Merge:
    """The edit that makes one area of several.

    Raises:
        RequestError: the person has no such areas, or fewer than two different ones were given.
    """
    side = _side(profile, modality)
    distinct = list(dict.fromkeys(numbers))
    if len(distinct) < 2:
        raise RequestError("one area alone cannot be merged; give the numbers of two different areas or more")
    return Merge(modality, *_about(side, distinct))


def split(profile: UploadProfile, modality: Modality, number: int, parts: Sequence[Collection[str]]) -> Split:
    """The edit that makes several areas of one: ``parts``, ids of its uploads, and one more of those in no part.

    Raises:
        RequestError: the person has no such area, a part is empty or names uploads that are not in the area or twice,
            or there would be one part only.
    """
    side = _side(profile, modality)
    [members], beside = _about(side, [number])
    named = [item_id for part in parts for item_id in part]
    if strange := sorted(set(named) - set(members)):
        raise RequestError(f"{strange[0]!r} is not an upload in this area; give ids of the area's own uploads")
    if len(set(named)) < len(named) or not all(map(len, parts)):
        raise RequestError("a part of the area is empty, or two share an upload; put each upload into one part")
    rest = sorted(set(members) - set(named))
    groups = [tuple(sorted(part)) for part in parts] + ([tuple(rest)] if rest else [])
    if len(groups) < 2:
        raise RequestError(
            f"the area has {len(members)} uploads, and one part of them all splits nothing; name some of them"
        )
    return Split(modality, tuple(groups), beside)


def edit_from_payload(kind: str, payload: Mapping[str, Any]) -> AreaEdit:
    """The edit that was kept as its kind and payload.

    Raises:
        RequestError: there is no such kind, or the payload is not what an edit of this kind keeps.
    """
    modality, beside = payload.get("modality"), _ids(payload.get("beside", []), kind)
    listed = payload.get("groups")
    groups = tuple(_ids(group, kind) for group in listed) if isinstance(listed, list) else ()
    few = 2 if kind in ("merge", "split") else 1
    if modality not in MODALITIES or len(groups) < few or not all(groups) or (few == 1 and len(groups) > 1):
        raise _unreadable(kind)
    wish = payload.get({"mute": "muted", "weight": "weight", "rename": "name"}.get(kind, ""))
    match kind, wish:
        case "mute", bool():
            return Mute(modality, groups, beside, wish)
        case "weight", int() | float() if not isinstance(wish, bool):
            return Weigh(modality, groups, beside, _checked_weight(wish))
        case "rename", str():
            return Rename(modality, groups, beside, _checked_name(wish))
        case "merge", _:
            return Merge(modality, groups, beside)
        case "split", _:
            return Split(modality, groups, beside)
    raise _unreadable(kind)


def _unreadable(kind: str) -> RequestError:
    return RequestError(f"a kept edit of areas, {kind!r}, cannot be read; undo it and make it again")


def _ids(listed: object, kind: str) -> tuple[str, ...]:
    if not isinstance(listed, list) or not all(isinstance(item_id, str) for item_id in listed):
        raise _unreadable(kind)
    return tuple(listed)


def _side(profile: UploadProfile, modality: Modality) -> UploadedSide:
    if modality not in profile.sides:
        there = " and ".join(profile.sources) or "nothing"
        raise RequestError(
            f"{profile.owner or 'this person'} has no areas of modality {modality}; there are uploads of {there}"
        )
    return profile.sides[modality]


def _about(side: UploadedSide, numbers: Sequence[int]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The ids of the uploads of each of these areas, and the medoids of the others."""
    for number in numbers:
        if not 0 <= number < len(side.areas):
            raise RequestError(
                f"there is no area number {number}: there are {len(side.areas)}, counted from 0; list the areas first"
            )
    groups = [tuple(sorted(side.item_ids[row] for row in side.areas[number].members)) for number in numbers]
    others = [area for number, area in enumerate(side.areas) if number not in numbers]
    return tuple(groups), tuple(sorted(side.item_ids[area.medoid] for area in others))


def _checked_weight(weight: float) -> float:
    if not (math.isfinite(weight) and weight >= 0):
        raise RequestError(f"the weight of an area is a number from 0 (silent) up, and 1 as found; {weight} is none")
    return float(weight)


def _checked_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain:
        raise RequestError("an area cannot have an empty name; give at least one word")
    return plain
