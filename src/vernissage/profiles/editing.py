"""A person's edits, applied to areas of interest as they are found now."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.area import Area
from vernissage.profiles.areas import area_of
from vernissage.profiles.directions import unit
from vernissage.profiles.edits import AreaEdit, Merge, Mute, Rename, Split, Weigh
from vernissage.rankings import alphabetical

Floats = npt.NDArray[np.float64]
Members = frozenset[int]


@dataclass(frozen=True)
class LapsedEdit:
    """An edit that says nothing about the uploads that there are now, and why."""

    edit: AreaEdit
    reason: str


@dataclass(frozen=True, eq=False)
class EditedAreas:
    """Areas as the person wants them.

    Attributes:
        areas: disjoint, of the same uploads as before; largest first, ties by the smallest member.
        wishes: float64 (areas,), what an area's importance is multiplied by: 0 muted, 1 as found.
        names: the person's name for each area; an empty string where they gave none.
        lapsed: the edits that had no effect, in their order.
    """

    areas: tuple[Area, ...]
    wishes: Floats
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

    `Merge` makes one area, with the wish of the largest and the name of the largest that has one. `Split` keeps every
    upload in the part into which the person put it; later ones go to the part whose mean is nearest; the parts have the
    area's wish and no name. An edit whose uploads are gone lapses, and so do a merge and a split of which fewer than
    two groups are left; a merge of what is one area now is fulfilled.

    ``vectors`` (n, dim) are those that the areas were found in; nearness is that of unit vectors.

    Raises:
        RequestError: the ids are not one for each vector, or the areas do not hold each upload exactly once.
    """
    if sorted(row for area in areas for row in area.members) != list(range(len(item_ids))):
        raise RequestError(f"the areas do not hold each of the {len(item_ids)} uploads exactly once; find them anew")
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
    """An area in the making: the rows of its uploads, and what the person wants of it."""

    members: Members
    muted: bool = False
    weight: float = 1.0
    name: str = ""


class _Uploads:
    """The uploads that there are: their rows by id, their places in alphabetical order, their directions."""

    def __init__(self, item_ids: Sequence[str], vectors: npt.NDArray[np.floating]) -> None:
        if len(vectors) != len(item_ids) or len(set(item_ids)) != len(item_ids):
            raise RequestError(
                f"{len(set(item_ids))} different uploads were given with {len(vectors)} vectors; give each upload once"
            )
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
        return [
            frozenset(row for row, at in zip(rows, chosen, strict=True) if at == part) for part in range(len(parts))
        ]


def _lapse(edit: AreaEdit, uploads: _Uploads) -> str:
    """Why the edit has lapsed, or an empty string."""
    left = sum(bool(uploads.there(group)) for group in edit.groups)
    if not left:
        return "none of the uploads that it was about is there any more"
    if left == 1 and isinstance(edit, Merge | Split):
        what = "areas" if isinstance(edit, Merge) else "parts"
        return f"only one of the {what} that it was about still has uploads"
    return ""


def _applied(edit: AreaEdit, groups: list[_Group], uploads: _Uploads) -> list[_Group]:
    groups = _set_apart(edit, groups, uploads)
    numbers = _matched(edit, groups, uploads)
    match edit:
        case Mute():
            return _changed(groups, numbers, lambda group: replace(group, muted=edit.muted))
        case Weigh():
            return _changed(groups, numbers, lambda group: replace(group, weight=edit.weight))
        case Rename():
            return _changed(groups, numbers[:1], lambda group: replace(group, name=edit.name))
        case Merge():
            return _merged(groups, numbers, uploads)
        case Split():
            return _split([uploads.there(ids) for ids in edit.groups], numbers, groups, uploads)


def _changed(groups: list[_Group], numbers: Sequence[int], change: Callable[[_Group], _Group]) -> list[_Group]:
    return [change(group) if number in numbers else group for number, group in enumerate(groups)]


def _matched(edit: AreaEdit, groups: list[_Group], uploads: _Uploads) -> list[int]:
    """The numbers of the groups that the edit is about; a merge is about those of each area that it names."""
    named = edit.groups if isinstance(edit, Merge) else (edit.anchors,)
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
        sides = uploads.nearest(group.members - own - set(strange), [*middles, *(frozenset([row]) for row in strange)])
        stay = own.union(*sides[: len(middles)])
        divided += [replace(group, members=stay), replace(group, members=group.members - stay)]
    return divided


def _merged(groups: list[_Group], numbers: Sequence[int], uploads: _Uploads) -> list[_Group]:
    parts = sorted(
        (groups[number] for number in numbers), key=lambda group: (-len(group.members), _first(group, uploads))
    )
    name = next((group.name for group in parts if group.name), "")
    whole = replace(parts[0], members=frozenset().union(*(group.members for group in parts)), name=name)
    return [group for number, group in enumerate(groups) if number not in numbers] + [whole]


def _split(parts: list[Members], numbers: list[int], groups: list[_Group], uploads: _Uploads) -> list[_Group]:
    whole = groups[numbers[0]]
    parts = [part for part in parts if part]
    anchors = frozenset().union(*parts)
    later = frozenset().union(*(groups[number].members for number in numbers)) - anchors
    joined = [part | near for part, near in zip(parts, uploads.nearest(later, parts), strict=True)]
    others = [replace(group, members=group.members - anchors) for n, group in enumerate(groups) if n not in numbers]
    return [group for group in others if group.members] + [replace(whole, members=part, name="") for part in joined]
