"""Which works and uploads are the same: they show one picture or, where neither has a picture, say one text."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage import storage
from vernissage.catalog.collection import Collection as Works
from vernissage.catalog.ids import Ids
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.files import digest
from vernissage.folding import folded
from vernissage.progress import Progress, silent
from vernissage.search.vectors import VectorTable
from vernissage.values import Vectors

if TYPE_CHECKING:
    from vernissage.storage.database import Database
    from vernissage.workspace.repository import Snapshot

REVISION = 1
"""Part of the array's name: raised whenever the same works would be grouped in another way."""

COMPARED_BY = "colour-texture"
"""The encoder whose vectors tell which pictures are compared."""

NEAR = 0.5
"""Cosine from which two pictures are compared. Different works reach .99: docs/collections.md has the measurements."""

MOST_DIFFERENCE = 18
LEAST_LIKENESS = 0.8
"""Of two pictures that are alike: levels of 0–255 by which no point differs more, and structural similarity."""

_SIDE, _COLOUR_SIDE = 48, 8
_WINDOW = 7
_STABLE = 6.5, 58.5  # (0.01 · 255)² and (0.03 · 255)², as in the paper
_TILE = 2_048
_NEAREST = 9
_ALL_PAIRS = 8_192  # pictures of which all pairs are compared: a second
_BITS, _CANDIDATES = 256, 32
_AT_ONCE = 256

Rows = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Small = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Copies:
    """The works of a collection that are the same: ``ids`` (n,) and, of each, the row of the first that is, int32 (n,).

    A group is called by the id of its first work.
    """

    ids: Ids
    first: Rows

    def __len__(self) -> int:
        """How many works are the same as an earlier one."""
        return int(np.count_nonzero(self.first != np.arange(len(self.first))))

    @cached_property
    def grouped(self) -> npt.NDArray[np.int64]:
        """The rows of works that are not alone in their group, ascending."""
        repeated = np.flatnonzero(self.first != np.arange(len(self.first)))
        return np.union1d(repeated, self.first[repeated]).astype(np.int64)

    @cached_property
    def repeated(self) -> frozenset[str]:
        """The works that are the same as an earlier one."""
        return frozenset(self.ids[row] for row in np.flatnonzero(self.first != np.arange(len(self.first))).tolist())

    def any_grouped(self, item_ids: Sequence[str]) -> bool:
        """Whether any of these works is not alone in its group."""
        rows = self.ids.rows(item_ids)
        return any(row in self._members for row in self.first[rows[rows >= 0]].tolist())

    def names(self, item_ids: Sequence[str]) -> list[str]:
        """What the group of each work is called; "" for ids that no work has."""
        rows = self.ids.rows(item_ids)
        names = iter(self.ids.take(self.first[rows[rows >= 0]]))
        return [next(names) if row >= 0 else "" for row in rows.tolist()]

    def named(self, names: Iterable[str]) -> dict[str, list[str]]:
        """The works of each group of two or more that is called so, in their order."""
        rows = [row for row in self.ids.rows(list(names)).tolist() if row in self._members]
        return {self.ids[row]: [self.ids[each] for each in self._members[row]] for row in rows}

    @cached_property
    def _members(self) -> dict[int, list[int]]:
        """The rows of each group of two or more, by the first."""
        found: dict[int, list[int]] = {}
        for first, row in zip(self.first[self.grouped].tolist(), self.grouped.tolist(), strict=True):
            found.setdefault(first, []).append(row)
        return found

    def sentence(self, works: Works) -> str:
        """How many works show the picture or say the text of others, with some of their ids; empty where none does.

        ``works`` are those of the collection.
        """
        groups: tuple[list[tuple[str, ...]], list[tuple[str, ...]]] = [], []
        pictures = works.texts("picture_digest") if len(self) else []
        for ids in self.groups():
            groups[not pictures[int(self.ids.rows(ids[:1])[0])]].append(ids)
        shown, said = groups
        sentences = (
            _sentence(shown, "", "show", "the same picture"),
            _sentence(said, " without a picture", "say", "the same"),
        )
        return ". ".join(filter(None, sentences))

    def groups(self) -> list[tuple[str, ...]]:
        """The ids of the works of each group of two or more, the largest group first."""
        found = self.named(self.ids[int(row)] for row in np.unique(self.first[self.grouped]).tolist())
        return sorted(map(tuple, found.values()), key=lambda ids: (-len(ids), ids))


def _sentence(groups: Sequence[tuple[str, ...]], which: str, verb: str, what: str) -> str:
    if not groups:
        return ""
    count = sum(len(ids) - 1 for ids in groups)
    some = [" = ".join(ids[:3]) + " …" * (len(ids) > 3) for ids in groups[:4]]
    subject = f"1 work{which} {verb}s" if count == 1 else f"{count} works{which} {verb}"
    return f"{subject} {what} as another: {'; '.join(some)}{' …' * (len(groups) > 4)}"


def find_copies(works: Works, table: VectorTable | None, progress: Progress = silent) -> Rows:
    """The row of the first work that is the same as each, int32 (n,).

    Works are the same whose picture files have one SHA-256, or whose pictures are `alike`, or which have no picture and
    one text with a description in it. ``table`` has the vectors of `COMPARED_BY`; without it, digests alone decide.
    """
    seen: dict[str, int] = {}
    contents = enumerate(_contents(works))
    first = np.array([seen.setdefault(each, row) if each else row for row, each in contents], dtype=np.int32)
    if table is None:
        return first
    rows = works.ids.rows(table.item_ids)
    shown = np.array([bool(each) for each in works.texts("picture")], dtype=bool)  # none where vectors came ready-made
    distinct = np.argsort(rows)[np.isin(np.sort(rows), np.flatnonzero(shown & (first == np.arange(len(first)))))]
    rows = rows[distinct]

    def small(places: Sequence[int]) -> list[Small]:
        found = works.take([int(rows[place]) for place in places])
        return [small_of(path) for item in found if (path := works.picture_path(item)) is not None]

    first[rows] = rows[_same_pictures(table.vectors, distinct, small, progress)]
    grouped: Rows = first[first]
    return grouped


def content_of(item: Item) -> str:
    """What makes a work or an upload the same as another: a SHA-256 of its picture or text, or "" where nothing does.

    A text does where there is no picture, and where a description says more than the title: many works are "Untitled".
    """
    said = folded(item.description.strip())
    return item.picture_digest or (digest(item.text.encode()) if said and said != folded(item.title.strip()) else "")


def _contents(works: Works) -> Iterator[str]:
    """`content_of` of every work, by columns."""
    pictures, described = works.texts("picture_digest"), works.texts("description")
    if all(picture or not text for picture, text in zip(pictures, described, strict=True)):
        return iter(pictures)
    return map(content_of, works)


def _same_pictures(
    vectors: Vectors, chosen: npt.NDArray[np.int64], small: Callable[[Sequence[int]], list[Small]], progress: Progress
) -> npt.NDArray[np.int64]:
    """Of each picture the place of the first that is alike, directly or by others between: int64 (n,).

    The rows ``chosen`` (n,) of ``vectors`` tell which are compared; ``small`` opens pictures by place (see `small_of`).
    """
    count = len(chosen)
    first = list(range(count))
    known: dict[int, Small] = {}
    for pairs in (_near_pairs if count <= _ALL_PAIRS else _nearest_pairs)(vectors, chosen, progress):
        missing = sorted(set(pairs.ravel().tolist()) - known.keys())
        known.update(zip(missing, small(missing), strict=True))
        for part in range(0, len(pairs), _TILE):
            some = pairs[part : part + _TILE].tolist()
            one, two = (np.stack([known[pair[end]] for pair in some]) for end in (0, 1))
            hopeful = np.flatnonzero(_difference(one, two) <= MOST_DIFFERENCE).tolist()
            for place in hopeful:
                roots = [_root(first, end) for end in some[place]]
                if roots[0] != roots[1] and alike(one[place], two[place]):
                    first[max(roots)] = min(roots)
    progress("comparing pictures", count, count)
    return np.array([_root(first, place) for place in range(count)], dtype=np.int64)


def _root(first: list[int], place: int) -> int:
    """The first place of the group of one; the ways there are made shorter."""
    while first[place] != place:
        first[place] = first[first[place]]
        place = first[place]
    return place


def _near_pairs(vectors: Vectors, chosen: Places, progress: Progress) -> Iterator[Places]:
    """All pairs of places whose vectors have a cosine of `NEAR` or more, int64 (m, 2) at a time."""
    count = len(chosen)
    for start in range(0, count, _TILE):
        progress("comparing pictures", start, count)
        for other in range(start, count, _TILE):
            near = vectors[chosen[start : start + _TILE]] @ vectors[chosen[other : other + _TILE]].T >= NEAR
            pairs = np.argwhere(np.triu(near, 1) if other == start else near) + np.array([start, other])
            if len(pairs):
                yield pairs


def _nearest_pairs(vectors: Vectors, chosen: Places, progress: Progress) -> Iterator[Places]:
    """The same of many pictures: of each at most the `_CANDIDATES` nearest before it, by signs of random projections.

    Signs differ in angle / π of all (Charikar, STOC 2002, doi 10.1145/509907.509965): at cosine .5 in 85 ± 8 of 256.
    """
    import faiss

    count = len(chosen)
    axes = np.random.default_rng(0).standard_normal((vectors.shape[1], _BITS), dtype=np.float32)
    signs = (np.packbits(vectors[chosen[at : at + _TILE]] @ axes > 0, axis=1) for at in range(0, count, _TILE))
    codes = np.concatenate(list(signs))
    index = faiss.IndexBinaryFlat(_BITS)
    for start in range(0, count, _TILE):
        progress("comparing pictures", start, count)
        end = min(start + _TILE, count)
        index.add(codes[start:end])
        _, found = index.search(codes[start:end], min(_CANDIDATES, end))
        pairs = np.column_stack([np.repeat(np.arange(start, end), found.shape[1]), found.ravel()])
        pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
        near = [
            np.einsum("ij,ij->i", *(vectors[chosen[part[:, end]]] for end in (0, 1))) >= NEAR
            for part in np.array_split(pairs, len(pairs) // _TILE + 1)
        ]
        if len(pairs := pairs[np.concatenate(near)]):
            yield pairs


def small_of(path: Path) -> Small:
    """What of a picture is compared: 48 × 48 levels of grey and 8 × 8 colours in one row, uint8 (2496,).

    Raises:
        CollectionError: it cannot be opened.
    """
    picture = open_picture(path, at_least=4 * _SIDE)
    grey = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    colours = picture.resize((_COLOUR_SIDE, _COLOUR_SIDE), Image.Resampling.BILINEAR)
    return np.concatenate([np.asarray(grey).ravel(), np.asarray(colours).ravel()])


def alike(one: Small, other: Small) -> bool:
    """Whether two pictures (see `small_of`) show the same: no point differs much, and structure is kept everywhere.

    Structural similarity (Wang et al., IEEE TIP 13(4), 2004, doi 10.1109/TIP.2003.819861) is taken in windows of 7 × 7,
    and the least of them counts, because versions of one drawing differ in one place.
    """
    from scipy.ndimage import uniform_filter

    if _difference(one, other) > MOST_DIFFERENCE:
        return False
    x, y = (each[: _SIDE**2].reshape(_SIDE, _SIDE).astype(np.float64) for each in (one, other))
    mean_x, mean_y, xx, yy, xy = (uniform_filter(each, _WINDOW) for each in (x, y, x * x, y * y, x * y))
    light, structure = _STABLE
    above = (2 * mean_x * mean_y + light) * (2 * (xy - mean_x * mean_y) + structure)
    below = (mean_x**2 + mean_y**2 + light) * (xx - mean_x**2 + yy - mean_y**2 + structure)
    return bool((above / below).min() >= LEAST_LIKENESS)


def _difference(one: Small, other: Small) -> npt.NDArray[np.int16]:
    """The largest difference of two pictures, or of each of (n,) pairs."""
    found: npt.NDArray[np.int16] = np.abs(one.astype(np.int16) - other).max(axis=-1)
    return found


def compare_uploads(
    database: "Database", snapshot: "Snapshot", progress: Progress = silent, some: Sequence[str] | None = None
) -> None:
    """Give uploads, all or ``some``, that were not compared with this state's works the name of what is the same.

    That is the group of a work, else the name of another upload, else a new one; they have their vectors by then. What
    was named stays if this is interrupted.
    """
    state = snapshot.workspace.manifest.copies
    with database.reading() as connection:
        waiting = storage.copies.uncompared(connection, state)
    waiting = tuple(each for each in waiting if some is None or each in some)
    for start in range(0, len(waiting), _AT_ONCE):
        progress("Comparing uploads", start, len(waiting))
        names = _names(database, snapshot, snapshot.items(waiting[start : start + _AT_ONCE]))
        with database.writing() as connection:
            storage.copies.put_names(connection, names, state)


def _names(database: "Database", snapshot: "Snapshot", uploads: Mapping[str, Item]) -> dict[str, str]:
    contents = {item_id: content_of(item) for item_id, item in uploads.items()}
    known = _names_of_contents(database, snapshot, uploads.values())
    index = None
    if COMPARED_BY in snapshot.workspace.encoder_names:
        index = snapshot.index(COMPARED_BY, "image")
    found: dict[str, str] = {}
    for item_id, item in uploads.items():
        name = known.get(contents[item_id])
        if name is None and index is not None and item_id in index:
            near = [other for other, cosine in index.search(index.vectors_of([item_id]), _NEAREST)[0] if cosine >= NEAR]
            name = _name_of_alike(snapshot, item, [other for other in near if other != item_id], found)
        # By itself an upload is called by its content, or by its id where nothing else can be the same.
        found[item_id] = name or contents[item_id] or digest(b"upload", item_id.encode())
        if contents[item_id]:
            known[contents[item_id]] = found[item_id]
    return found


def _names_of_contents(database: "Database", snapshot: "Snapshot", items: Iterable[Item]) -> dict[str, str]:
    """What works, and uploads that were compared before, are called that are the same to the letter."""
    works, workspace = snapshot.collection, snapshot.workspace
    pictures = {item.picture_digest for item in items} - {""}
    texts = {item.text for item in items if not item.picture_digest and content_of(item)}
    with database.reading() as connection:
        found = storage.copies.names_of_pictures(connection, pictures, workspace.manifest.copies)
    for column, wanted in (("picture_digest", pictures), ("text", texts)):
        rows = [row for row, value in enumerate(works.texts(column)) if value in wanted] if wanted else []
        found |= {content_of(item): workspace.copies.names([item.id])[0] for item in works.take(rows)}
    return found


def _name_of_alike(snapshot: "Snapshot", item: Item, near: Sequence[str], named: Mapping[str, str]) -> str | None:
    """What the first of ``near`` is called that shows the same picture; ``named`` are uploads of this very moment."""
    names = {**dict(zip(near, snapshot.copy_names(near), strict=True)), **named}
    own = snapshot.picture_path(item)
    shown = small_of(own) if near and own is not None else None
    for other_id, other in snapshot.items(near).items():
        path = snapshot.picture_path(other)
        if shown is not None and path is not None and path.is_file() and alike(shown, small_of(path)):
            return names[other_id]
    return None
