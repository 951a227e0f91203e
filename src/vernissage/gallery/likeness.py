"""Kinds of likeness to one work: how it looks, what its text says, and what the table says of both."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.catalog.conditions import values_of
from vernissage.catalog.ids import ChosenIds
from vernissage.catalog.item import Item
from vernissage.encoders import register
from vernissage.errors import NothingAlikeError, RequestError
from vernissage.folding import folded
from vernissage.gallery.answer import Answer, NamedList, Reason, Work
from vernissage.gallery.engines import Fusion, default_engine, make_engine
from vernissage.gallery.selecting import USUAL_COUNT, Caps, Selection, Where, listed, one_of, selection
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.rankings import nth_largest
from vernissage.sentences import Sentence
from vernissage.values import Modality
from vernissage.workspace.workspace import Workspace

if TYPE_CHECKING:
    from vernissage.gallery.gallery import Gallery

NEAR_YEARS = 10
"""Works are of one period where no more years lie between them."""

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_K = 60
_DEPTH = 50
"""Works of each kind that the pooled list looks at, at least."""

_SUBJECTS = frozenset({
    "subject", "subjects", "subject terms", "topic", "topics", "theme", "themes", "iconography", "depicts", "tags",
    "motif", "thema", "themen", "motiv", "sujet", "sujets", "onderwerp", "soggetto", "tema", "temas",
})  # fmt: skip
_PLACES = frozenset({
    "place", "places", "place of origin", "place made", "origin", "culture", "country", "city", "region",
    "geography", "location depicted", "ort", "land", "herkunft", "lieu", "pays", "plaats", "luogo", "lugar",
    "nationality",
})  # fmt: skip

_NOBODY = re.compile(r"((the |an )?(artists?|makers?|painters?) )?(unknown|unidentified|anonym|unbekannt|inconnu)")
"""How tables begin to say, folded, that they do not know the artist: two such works are by no common hand."""

_MANY, _NAMED = 4, 3
"""What more than one work in so many has says little of two that share it; and how many values are named at most."""


@dataclass(frozen=True, eq=False)
class _Shared:
    """What other works share with one: how much each value ``adds`` to each, float64 (values, works); 0 for nothing.

    Attributes:
        column: where it stands; empty where nothing is known of the work.
        values: as the work spells them.
        rows: of the other works, ascending.
        words: from a value and another work to what to say of both.
    """

    column: str
    values: Sequence[str]
    rows: Rows
    adds: Floats
    words: Callable[[str, Item], str]


_Same = Callable[["Gallery", Item], _Shared | None]


@dataclass(frozen=True)
class _Kind:
    """A kind of likeness: by vectors of a modality, or by what ``shares`` finds in common."""

    words: str
    modality: Modality | None = None
    shares: _Same | None = None


def likeness(
    gallery: "Gallery",
    item_id: str,
    kinds: Sequence[str],
    n: int = USUAL_COUNT,
    *,
    where: Where = (),
    exclude: Iterable[str] = (),
    per: Caps = MappingProxyType({}),
    pooled: bool = True,
) -> Answer:
    """The ``n`` works most like one by each kind of likeness, and one list of all of them.

    By ``look`` and ``text`` works are ranked by vectors. By ``artist``, ``subject`` and ``place`` a work's score is the
    sum of log(N / df) over what both share, df of N works having it; by ``period`` it is 1 / (1 + years between both).
    Equal scores are in the order of the default engine. The pooled list adds 1 / (60 + rank) over the kinds.

    Args:
        gallery: whose works.
        item_id: the work.
        kinds: of `KINDS_OF_LIKENESS`. A kind of which nothing is known here has an empty list and a note.
        n: works of each list.
        where, exclude, per: as in `Gallery.recommend`.
        pooled: whether the answer's works are those of all kinds; without, its ``kinds`` alone are made, in less time.

    Raises:
        RequestError: there is no such kind, or none was named.
        UnknownItemError: there is no such work.
    """
    named = listed(dict.fromkeys(kinds), str, "by takes kinds of likeness")
    for each in named:
        one_of(_KINDS, each, "kind of likeness")
    if not named:
        raise RequestError(f"no kind of likeness was named; choose from {', '.join(_KINDS)}")
    item = gallery.collection[item_id]
    depth = max(n, _DEPTH) if pooled else n
    asked = selection(gallery.snapshot, depth, where, exclude, per).unlike([item_id])
    asked = replace(asked, allow=asked.allow.without([item_id]))
    lists = [_list(gallery, item, each, asked) for each in named]
    shown = tuple(replace(each, works=each.works[:n]) for each in lists)
    notes = tuple(
        Sentence("{kind}: {note}", kind=Sentence(each.name), note=note) for each in shown for note in each.notes
    )
    about = {"similar_to": [item_id], "by": list(named)}
    return Answer(
        "similar",
        _pooled(lists, replace(asked, n=n)) if pooled else (),
        "+".join(named),
        gallery.fingerprint,
        notes,
        about=about,
        picture_path=gallery.snapshot.picture_path,
        seen=gallery.snapshot.seen,
        kinds=shown,
    )


def _list(gallery: "Gallery", item: Item, name: str, asked: Selection) -> NamedList:
    kind = _KINDS[name]
    if kind.modality is not None:
        return _by_vectors(gallery, item, name, kind.modality, asked)
    shared = kind.shares(gallery, item) if kind.shares else None
    if shared is None:
        return NamedList(
            name, (), (Sentence("nothing is known of the {kind} of {id}", kind=Sentence(name), id=item.id),)
        )
    ids, allow = gallery.collection.ids, asked.allow
    fits = ~np.isin(shared.rows, ids.rows(list(allow.exclude)))
    fits &= gallery.collection.fulfilling(allow.conditions, ids.take(shared.rows)) if allow.conditions else True
    rows, adds = shared.rows[fits], shared.adds[:, fits]
    if not len(rows):
        return NamedList(name, (), (Sentence("no other work shares its {kind}", kind=Sentence(name)),))
    scores = adds.sum(axis=0)
    order, first = asked.first(
        lambda count: _ordered(gallery, item, rows, scores, replace(asked, n=count)), lambda some: ids.take(rows[some])
    )
    chosen = order[first]
    works = []
    for each, parts in zip(gallery.collection.take(rows[chosen].tolist()), adds[:, chosen].T.tolist(), strict=True):
        score = sum(parts)
        reasons = tuple(
            Reason("field", shared.column, value, part, part / score, shared.words(value, each))
            for value, part in zip(shared.values, parts, strict=True)
            if part
        )
        works.append(Work(each, score, reasons))
    return NamedList(name, tuple(works))


def _ordered(gallery: "Gallery", item: Item, rows: Rows, scores: Floats, asked: Selection) -> Rows:
    """The places of the ``n`` works of the highest scores; equal ones in the order of the default engine, then by id.

    ``rows`` are theirs in the collection, int64 (m,), ascending.
    """
    least, preferred = nth_largest(scores, asked.n), np.full(len(rows), len(rows))
    better, last = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    for some, most in ((better, len(better)), (last, asked.n - len(better))):
        if len(np.unique(scores[some])) < len(some):
            best = _by_default(gallery, item, rows[some], most, asked)
            preferred[some[np.searchsorted(rows[some], best)]] = np.arange(len(best))
    chosen = np.concatenate((better, last))
    order = np.lexsort((gallery.collection.ids.places[rows[chosen]], preferred[chosen], -scores[chosen]))
    first: Rows = chosen[order[: asked.n]]
    return first


def _by_vectors(gallery: "Gallery", item: Item, name: str, modality: Modality, asked: Selection) -> NamedList:
    """Works like one by all encoders that read that modality alone, or by one of both where there is no such."""
    parts = _encoders(gallery.snapshot.workspace, modality)
    known = [each for each in parts if item.id in gallery.snapshot.ids(each, modality)]
    none = NamedList(name, (), (Sentence("nothing here tells works by their {kind}", kind=Sentence(name)),))
    if not known:
        return none
    allow = asked.allow
    try:
        found = gallery.similar(
            item.id,
            asked.n,
            engine="+".join(known),
            fusion=Fusion("zscore") if len(known) > 1 else None,
            per=asked.per,
            where=allow.conditions,
            exclude=allow.exclude,
        )
    except NothingAlikeError:
        return none
    return NamedList(name, found.works, found.notes)


def _encoders(workspace: Workspace, modality: Modality) -> tuple[str, ...]:
    there = register.members_of_default(workspace.encoder_names, ())
    alone = tuple(each for each in there if workspace.modalities(each) == (modality,))
    return alone or tuple(each for each in there if modality in workspace.modalities(each))[:1]


def _by_default(gallery: "Gallery", item: Item, rows: Rows, n: int, asked: Selection) -> Rows:
    """The first ``n`` of some rows by the default engine, best first; none where it does not know the work."""
    workspace, ids = gallery.snapshot.workspace, gallery.collection.ids
    engine = make_engine(workspace, default_engine(workspace), n)
    if item.id not in engine:
        return rows[:0]
    profile = profile_from_ratings({item.id: 5.0}, "linear")
    ranking = engine.recommend(profile, n, replace(asked.allow, only=ChosenIds(ids, rows))).ranking
    return ids.rows(ranking.item_ids)


def _pooled(lists: Sequence[NamedList], asked: Selection) -> tuple[Work, ...]:
    """One list by reciprocal ranks; its reasons are what each kind adds, with the first of that kind's words."""
    adds: dict[str, list[tuple[str, int, float, str]]] = {}
    items: dict[str, Item] = {}
    for each in lists:
        for place, work in enumerate(each.works, start=1):
            items[work.id], value = work.item, 1 / (_K + place)
            told = Sentence(_KINDS[each.name].words)
            words = next((reason.words for reason in work.reasons if reason.kind == "field"), told)
            adds.setdefault(work.id, []).append((each.name, place, value, words))
    scores = {item_id: sum(value for _, _, value, _ in parts) for item_id, parts in adds.items()}
    ordered = sorted(scores, key=lambda item_id: (-scores[item_id], item_id))
    _, places = asked.first(lambda count: ordered[:count], lambda some: some)
    works = []
    for item_id in (ordered[place] for place in places):
        score = scores[item_id]
        reasons = tuple(
            Reason("engine", name, Sentence(name), value, value / score, words, rank=place)
            for name, place, value, words in adds[item_id]
        )
        works.append(Work(items[item_id], score, reasons))
    return tuple(works)


# What two works may share


def _shared_values(
    gallery: "Gallery", item: Item, columns: Sequence[str], told: Callable[[object], str]
) -> _Shared | None:
    """What works share with one in some columns, the rarest first: each value adds log(N / df)."""
    collection, found, used = gallery.collection, dict[str, tuple[float, Rows]](), ""
    for column in columns:
        own = _values(item, column)
        used = used or column * bool(own)
        for name, value in own.items():
            having = collection.holders(folded(column))[name]
            found[value] = math.log(len(collection) / len(having)), having
    if not found:
        return None
    rarest = sorted(((adds, value) for value, (adds, _) in found.items() if adds > 0), reverse=True)
    rows = np.unique(np.concatenate([found[value][1] for _, value in rarest])) if rarest else np.empty(0, np.int64)
    adds = np.zeros((len(rarest), len(rows)))
    for own_adds, (each, value) in zip(adds, rarest, strict=True):
        own_adds[np.searchsorted(rows, found[value][1])] = each
    return _Shared(used, [value for _, value in rarest], rows, adds, lambda value, _: told(value))


def _values(item: Item, column: str) -> dict[str, str]:
    """What a work has in a column, by its folded spelling; an artist whom nobody knows is none."""
    found = {folded(value): value for value in values_of(item, folded(column)) if value.strip()}
    return {name: value for name, value in found.items() if column != "artist" or not _NOBODY.match(name)}


def _same(columns: Callable[["Gallery"], list[str]], told: Callable[[object], str]) -> _Same:
    return lambda gallery, item: _shared_values(gallery, item, columns(gallery), told)


def _same_period(gallery: "Gallery", item: Item) -> _Shared | None:
    span, (first, last) = item.span, gallery.collection.spans
    if span is None:
        return None
    gap = np.maximum(0, np.maximum(first - span.last, span.first - last))
    near = np.flatnonzero(gap <= NEAR_YEARS)

    def words(value: str, other: Item) -> str:
        return Sentence("from {year}, this one from {own}", year=other.year, own=value)

    return _Shared("year", [item.year or str(span.first)], near, 1 / (1 + gap[None, near]), words)


def places_of(collection: Collection) -> list[str]:
    """The attributes that say where works are from."""
    return _named(collection, _PLACES)


def _named(collection: Collection, names: frozenset[str]) -> list[str]:
    """The attributes of the collection that are called so, in any case and with or without underscores."""
    return [each for each in collection.attribute_names if " ".join(folded(each).replace("_", " ").split()) in names]


class InCommon:
    """What the table says of two works of one state alike, in words: artist, subjects, places; else their group."""

    def __init__(self, gallery: "Gallery") -> None:
        self._collection = gallery.collection
        self._kinds = [(columns(gallery), told) for columns, told in _TOLD.values()]

    def __call__(self, one: Item, other: Item) -> tuple[str, ...]:
        """A sentence for each kind of thing that both share and few works have, the rarest values named."""
        found = [told(shared) for columns, told in self._kinds if (shared := self._shared(columns, one, other))]
        group = self._shared(["group"], one, other)
        return tuple(found or [Sentence("both belong to {group}", group=group)] * bool(group))

    def _count(self, column: str, name: str) -> int:
        return len(self._collection.holders(folded(column)).get(name, ()))

    def _shared(self, columns: Sequence[str], one: Item, other: Item) -> tuple[str, ...]:
        rare = len(self._collection) / _MANY
        shared = {
            name: (count, value)
            for column in columns
            for name, value in _values(one, column).items()
            if name in _values(other, column) and (count := self._count(column, name)) < rare
        }
        return tuple(value for _, value in sorted(shared.values())[:_NAMED])


_TOLD: Mapping[str, tuple[Callable[["Gallery"], list[str]], Callable[[object], str]]] = MappingProxyType(
    {
        "artist": (lambda _: ["artist"], lambda value: Sentence("by the same hand: {artist}", artist=value)),
        "subject": (
            lambda gallery: ["keywords", *_named(gallery.collection, _SUBJECTS)],
            lambda value: Sentence("both are about {subject}", subject=value),
        ),
        "place": (
            lambda gallery: places_of(gallery.collection),
            lambda value: Sentence("both from {place}", place=value),
        ),
    }
)
_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "look": _Kind("looks alike", "image"),
        "text": _Kind("texts say alike", "text"),
        "artist": _Kind("the same artist", shares=_same(*_TOLD["artist"])),
        "subject": _Kind("the same subject", shares=_same(*_TOLD["subject"])),
        "place": _Kind("the same place", shares=_same(*_TOLD["place"])),
        "period": _Kind("the same time", shares=_same_period),
    }
)
KINDS_OF_LIKENESS = tuple(_KINDS)
"""The words for kinds of likeness."""
