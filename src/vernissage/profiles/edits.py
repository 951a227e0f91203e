"""What a person can change about their areas of interest (mute, weight, merge, split, rename), and applying it."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.areas import Area, area_of
from vernissage.profiles.directions import unit
from vernissage.profiles.uploads import UploadProfile, require_each_once
from vernissage.rankings import alphabetical
from vernissage.sentences import Sentence
from vernissage.values import MODALITIES, Modality

Floats = npt.NDArray[np.float64]
Members = frozenset[int]
EditKind = Literal["mute", "weight", "merge", "split", "rename"]
# Where payloads and, but for merges, `_Group` keep the value.
_VALUES: Mapping[str, str] = {"mute": "muted", "weight": "weight", "rename": "name", "merge": "moved"}


@dataclass(frozen=True)
class AreaEdit:
    """One edit. Areas are found anew whenever uploads come or go, so it names its uploads and not numbers.

    Attributes:
        kind: ``mute`` leaves an area out or takes it in again, ``weight`` multiplies its importance, ``rename`` names
            it, ``merge`` makes one area of several, ``split`` several of one.
        modality: of the areas that are meant.
        groups: the ids of the uploads that were in each of the areas (merge) or parts (split) that the edit is about,
            in alphabetical order; one group for the other edits.
        beside: an upload, the medoid, of each area that the edit was not about. Should one be found in one area with
            the groups later, the edit still keeps off it.
        value: whether the area is muted, its factor (0 or more, 1 as found), or its name; of a merge True where the
            uploads of the first group leave their area for that of the second (see `move`); None for merge and split.
    """

    kind: EditKind
    modality: Modality
    groups: tuple[tuple[str, ...], ...]
    beside: tuple[str, ...]
    value: bool | float | str | None = None

    @property
    def anchors(self) -> tuple[str, ...]:
        """Every upload by which the edit's areas are found again, in alphabetical order."""
        return tuple(sorted(item_id for group in self.groups for item_id in group))

    @property
    def payload(self) -> dict[str, Any]:
        """JSON values that `edit_from_payload` makes the same edit of; ``kind`` is kept beside them."""
        return {
            "modality": self.modality,
            "anchors": list(self.anchors),
            "groups": [list(group) for group in self.groups],
            "beside": list(self.beside),
            **({_VALUES[self.kind]: self.value} if self.value is not None else {}),
        }


def mute(profile: UploadProfile, modality: Modality, number: int, *, muted: bool = True) -> AreaEdit:
    """The edit that mutes the area of that number (from 0), or, with ``muted`` False, unmutes it.

    Raises:
        RequestError: the person has no such area.
    """
    return AreaEdit("mute", modality, *_about(profile, modality, [number]), muted)


def weigh(profile: UploadProfile, modality: Modality, number: int, weight: float) -> AreaEdit:
    """The edit that lets an area count ``weight`` times as much as its uploads make of it.

    Raises:
        RequestError: the person has no such area, or the weight is negative or not finite.
    """
    return AreaEdit("weight", modality, *_about(profile, modality, [number]), _checked_weight(weight))


def rename(profile: UploadProfile, modality: Modality, number: int, name: str) -> AreaEdit:
    """The edit that calls an area by ``name``; blanks around and line breaks in it are taken out.

    Raises:
        RequestError: the person has no such area, the name is empty, or another area has it already.
    """
    about, plain = _about(profile, modality, [number]), _checked_name(name)
    names = profile.by_modality[modality].names
    others = names[:number] + names[number + 1 :]
    if plain.casefold() in map(str.casefold, others):
        told = "another area is called “{name}” already; choose another name, or merge the two"
        raise RequestError(Sentence(told, name=plain))
    return AreaEdit("rename", modality, *about, plain)


def merge(profile: UploadProfile, modality: Modality, numbers: Sequence[int]) -> AreaEdit:
    """The edit that makes one area of several.

    Raises:
        RequestError: the person has no such areas, or fewer than two different ones were given.
    """
    distinct = list(dict.fromkeys(numbers))
    if len(distinct) < 2:
        raise RequestError("one area alone cannot be merged; give the numbers of two different areas or more")
    return AreaEdit("merge", modality, *_about(profile, modality, distinct))


def move(profile: UploadProfile, modality: Modality, item_id: str, number: int) -> AreaEdit:
    """The edit that takes an upload out of its area into the area of that number (from 0).

    Raises:
        RequestError: the person has no such area or upload of this modality, or it is in that area already.
    """
    [members], beside = _about(profile, modality, [number])
    if item_id in members or item_id not in profile.by_modality[modality].item_ids:
        raise RequestError(Sentence("this upload is in that area already, or is no longer there; choose another area"))
    return AreaEdit("merge", modality, ((item_id,), members), tuple(each for each in beside if each != item_id), True)


def split(profile: UploadProfile, modality: Modality, number: int, parts: Sequence[Collection[str]]) -> AreaEdit:
    """The edit that makes several areas of one: ``parts``, ids of its uploads, and one more of those in no part.

    Raises:
        RequestError: the person has no such area, a part is empty or names uploads that are not in the area or twice,
            or there would be one part only.
    """
    [members], beside = _about(profile, modality, [number])
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
    return AreaEdit("split", modality, tuple(groups), beside)


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
    match kind, payload.get(_VALUES.get(kind, "")):
        case "mute", bool() as muted:
            return AreaEdit("mute", modality, groups, beside, muted)
        case "weight", int() | float() as weight if not isinstance(weight, bool):
            return AreaEdit("weight", modality, groups, beside, _checked_weight(weight))
        case "rename", str() as name:
            return AreaEdit("rename", modality, groups, beside, _checked_name(name))
        case "merge", True if len(groups) == 2:
            return AreaEdit("merge", modality, groups, beside, True)
        case (("merge" | "split"), None):
            return AreaEdit(kind, modality, groups, beside)
    raise _unreadable(kind)


def _unreadable(kind: str) -> RequestError:
    return RequestError(f"a kept edit of areas, {kind!r}, cannot be read; undo it and make it again")


def _ids(listed: object, kind: str) -> tuple[str, ...]:
    if not isinstance(listed, list) or not all(isinstance(item_id, str) for item_id in listed):
        raise _unreadable(kind)
    return tuple(listed)


def _about(
    profile: UploadProfile, modality: Modality, numbers: Sequence[int]
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The ids of the uploads of each of these areas, and the medoids of the others."""
    if modality not in profile.by_modality:
        there = " and ".join(profile.sources) or "nothing"
        raise RequestError(
            f"{profile.owner or 'this person'} has no areas of modality {modality}; there are uploads of {there}"
        )
    uploads = profile.by_modality[modality]
    for number in numbers:
        if not 0 <= number < len(uploads.areas):
            raise RequestError(
                f"there is no area number {number}: there are {len(uploads.areas)}, from 0; list the areas first"
            )
    groups = [tuple(sorted(uploads.item_ids[row] for row in uploads.areas[number].members)) for number in numbers]
    others = [area for number, area in enumerate(uploads.areas) if number not in numbers]
    return tuple(groups), tuple(sorted(uploads.item_ids[area.medoid] for area in others))


def _checked_weight(weight: float) -> float:
    if not (math.isfinite(weight) and weight >= 0):
        raise RequestError(f"the weight of an area is a number from 0 (muted) up, and 1 as found; {weight} is none")
    return float(weight)


def _checked_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain:
        raise RequestError(Sentence("an area cannot have an empty name; give at least one word"))
    return plain


@dataclass(frozen=True)
class LapsedEdit:
    """An edit without effect on the uploads that there are now, and why."""

    edit: AreaEdit
    reason: str


@dataclass(frozen=True, eq=False)
class EditedAreas:
    """Areas as the person edited them.

    Attributes:
        areas: disjoint, of the same uploads as before; largest first, ties by the smallest member.
        factors: float64 (areas,), what an area's importance is multiplied by: 0 muted, 1 as found.
        names: the person's name for each area; an empty string where they gave none.
        lapsed: the edits that had no effect, in their order.
    """

    areas: tuple[Area, ...]
    factors: Floats
    names: tuple[str, ...]
    lapsed: tuple[LapsedEdit, ...]


def apply_edits(
    areas: Sequence[Area], item_ids: Sequence[str], vectors: npt.NDArray[np.floating], edits: Iterable[AreaEdit]
) -> EditedAreas:
    """Apply edits, in their order, to areas of uploads; each acts on what those before it left.

    An edit finds its area by the uploads that were in it: the area with most of them (ties: in which they are the
    larger share, then the smallest id). Where areas were found more finely since, the edit is about all of which more
    than half are such uploads; only a name goes to one alone. Where they were found more coarsely, so that an upload
    stands with them that then was the middle of another area, the area is divided again: uploads nearer to that one
    than to the middle of the edit's own stay out.

    A merge makes one area, with the factor of the largest and the name of the largest that has one. A split keeps every
    upload in the part into which the person put it; later ones go to the part whose mean is nearest; the parts have the
    area's factor and no name. A move takes nothing else along. An edit whose uploads are gone lapses, and so do a merge
    and a split of which fewer than two groups are left; a merge of what is one area now is fulfilled.

    ``vectors`` (n, dim) are those that the areas were found in; nearness is that of unit vectors.

    Raises:
        RequestError: the ids are not one for each vector, or the areas do not hold each upload exactly once.
    """
    require_each_once(item_ids, vectors, areas)
    uploads = _Uploads(item_ids, vectors)
    groups = [_Group(frozenset(area.members)) for area in areas]
    lapsed = []
    for edit in edits:
        if why := _lapse(edit, uploads):
            lapsed.append(LapsedEdit(edit, why))
        else:
            groups = _applied(edit, groups, uploads)
    groups.sort(key=lambda group: (-len(group.members), min(group.members)))
    found = {frozenset(area.members): area for area in areas}
    return EditedAreas(
        tuple(found.get(group.members) or area_of(vectors, sorted(group.members)) for group in groups),
        np.array([0.0 if group.muted else group.weight for group in groups]),
        tuple(group.name for group in groups),
        tuple(lapsed),
    )


@dataclass(frozen=True)
class _Group:
    """An area in the making: the rows of its uploads, and what the edits make of it."""

    members: Members
    muted: bool = False
    weight: float = 1.0
    name: str = ""


class _Uploads:
    """The uploads that there are: their rows by id, their places in alphabetical order, their directions."""

    def __init__(self, item_ids: Sequence[str], vectors: npt.NDArray[np.floating]) -> None:
        self.row = {item_id: row for row, item_id in enumerate(item_ids)}
        self.place = alphabetical(item_ids)
        self.directions = unit(vectors)

    def there(self, item_ids: Iterable[str]) -> Members:
        """The rows of those of these uploads that are still there."""
        return frozenset(self.row[item_id] for item_id in item_ids if item_id in self.row)

    def middle(self, members: Members) -> int:
        """The member nearest to their mean direction; ties go to the smaller id."""
        rows = sorted(members, key=self.place.__getitem__)
        directions = self.directions[rows]
        return rows[int((directions * directions.mean(axis=0)).sum(axis=1).round(9).argmax())]

    def nearest(self, members: Members, parts: Sequence[Members]) -> list[Members]:
        """The ``members`` nearest to the mean of each part; ties go to the part that comes first."""
        rows = sorted(members)
        means = np.stack([self.directions[sorted(part, key=self.place.__getitem__)].mean(axis=0) for part in parts])
        # |x − c|² less |x|²: a vector of zeros, in which an encoder found nothing, goes to the shortest mean
        distances = (means * means).sum(axis=1) - 2 * self.directions[rows] @ means.T
        chosen = distances.argmin(axis=1).tolist()
        placed = list(zip(rows, chosen, strict=True))
        return [frozenset(row for row, at in placed if at == part) for part in range(len(parts))]


def _lapse(edit: AreaEdit, uploads: _Uploads) -> str:
    """Why the edit has lapsed, or an empty string."""
    left = sum(bool(uploads.there(group)) for group in edit.groups)
    if not left:
        return Sentence("none of the uploads that it was about is there any more")
    if left == 1 and edit.kind in ("merge", "split"):
        if edit.kind == "merge":
            return Sentence("only one of the areas that it was about still has uploads")
        return Sentence("only one of the parts that it was about still has uploads")
    return ""


def _applied(edit: AreaEdit, groups: list[_Group], uploads: _Uploads) -> list[_Group]:
    if edit.kind == "merge" and edit.value:
        return _moved(edit, groups, uploads)
    groups = _set_apart(edit, groups, uploads)
    numbers = _matched(edit, groups, uploads)
    if edit.kind == "merge":
        return _merged(groups, numbers, uploads)
    if edit.kind == "split":
        return _split([uploads.there(ids) for ids in edit.groups], numbers, groups, uploads)
    # Only a name goes to one area alone, where its uploads are found in several.
    numbers = numbers[:1] if edit.kind == "rename" else numbers
    change: dict[str, Any] = {_VALUES[edit.kind]: edit.value}
    return [replace(group, **change) if number in numbers else group for number, group in enumerate(groups)]


def _matched(edit: AreaEdit, groups: list[_Group], uploads: _Uploads) -> list[int]:
    """The numbers of the groups that the edit is about; a merge is about those of each area that it names."""
    named = edit.groups if edit.kind == "merge" else (edit.anchors,)
    each = [_stood_for(anchors, groups, uploads) for ids in named if (anchors := uploads.there(ids))]
    return list(dict.fromkeys(number for numbers in each for number in numbers))


def _stood_for(anchors: Members, groups: list[_Group], uploads: _Uploads) -> list[int]:
    """The number of the group that these uploads stand for, then those of which they are more than half."""
    shared = [len(anchors & group.members) for group in groups]
    best = min(
        (number for number in range(len(groups)) if shared[number]),
        key=lambda number: (-shared[number], len(groups[number].members), _first(groups[number], uploads)),
    )
    pieces = [n for n, group in enumerate(groups) if 2 * shared[n] > len(group.members) and n != best]
    return [best, *pieces]


def _first(group: _Group, uploads: _Uploads) -> int:
    return int(min(uploads.place[row] for row in group.members))


def _set_apart(edit: AreaEdit, groups: list[_Group], uploads: _Uploads) -> list[_Group]:
    """Divide areas in which what the edit was about stands together with the middle of another area."""
    beside = uploads.there(edit.beside) - uploads.there(edit.anchors)
    numbers = _matched(edit, groups, uploads)
    divided = []
    for number, group in enumerate(groups):
        strange = sorted(beside & group.members, key=uploads.place.__getitem__)
        kept = [kept for ids in edit.groups if (kept := uploads.there(ids) & group.members)]
        if number not in numbers or not strange or not kept:
            divided.append(group)
            continue
        # single uploads on both sides: a mean of many is nearer to everything than any one of them is
        middles = [frozenset([uploads.middle(each)]) for each in kept]
        own = frozenset[int]().union(*kept)
        others = [frozenset([row]) for row in strange]
        nearest = uploads.nearest(group.members - own - set(strange), [*middles, *others])
        stay = own.union(*nearest[: len(middles)])
        divided += [replace(group, members=stay), replace(group, members=group.members - stay)]
    return divided


def _merged(groups: list[_Group], numbers: Sequence[int], uploads: _Uploads) -> list[_Group]:
    named = (groups[number] for number in numbers)
    parts = sorted(named, key=lambda group: (-len(group.members), _first(group, uploads)))
    name = next((group.name for group in parts if group.name), "")
    whole = replace(parts[0], members=frozenset().union(*(group.members for group in parts)), name=name)
    return [group for number, group in enumerate(groups) if number not in numbers] + [whole]


def _moved(edit: AreaEdit, groups: list[_Group], uploads: _Uploads) -> list[_Group]:
    moved, others = map(uploads.there, edit.groups)
    left = [replace(group, members=group.members - moved) for group in groups]
    target = _stood_for(others, left, uploads)[0]
    left[target] = replace(left[target], members=left[target].members | moved)
    return [group for group in left if group.members]


def _split(parts: list[Members], numbers: list[int], groups: list[_Group], uploads: _Uploads) -> list[_Group]:
    whole = groups[numbers[0]]
    parts = [part for part in parts if part]
    anchors = frozenset().union(*parts)
    later = frozenset().union(*(groups[number].members for number in numbers)) - anchors
    joined = [part | near for part, near in zip(parts, uploads.nearest(later, parts), strict=True)]
    others = [replace(group, members=group.members - anchors) for n, group in enumerate(groups) if n not in numbers]
    return [group for group in others if group.members] + [replace(whole, members=part, name="") for part in joined]
