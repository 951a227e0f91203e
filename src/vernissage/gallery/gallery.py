"""A collection that answers: recommendations, similar works, search, works to rate, and the people who use it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from numbers import Real
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from vernissage.analysis.bands import Band, band_of
from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.contract import ImageEncoder, TextEncoder
from vernissage.errors import RequestError
from vernissage.files import as_path, digest
from vernissage.gallery.answer import Answer, AnswerKind, Reason, Work, scale_of
from vernissage.gallery.engines import (
    Fusion,
    available_engines,
    default_engine,
    engine_words,
    index_of_encoder,
    indexes_of,
    make_engine,
    preset_notes,
    search_encoder,
)
from vernissage.gallery.ranking import first_works
from vernissage.gallery.searching import TextSearcher, shortened
from vernissage.gallery.selecting import (
    KINDS,
    USUAL_COUNT,
    Caps,
    Selection,
    Where,
    listed,
    one_of,
    require_ratings,
    selection,
    title_or_text,
)
from vernissage.profiles.ratings import Profile, WeightingRule, default_rule, profile_from_ratings
from vernissage.progress import Progress, silent
from vernissage.recommenders.contract import Explanation, Recommender
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import ExactIndex
from vernissage.search.mixed import MixedMethod
from vernissage.sentences import Sentence
from vernissage.taggers.contract import EXPLAINED, Tags, marked
from vernissage.values import MODALITY_CARDS, Allow, Index, Modality, Ranking, Vectors, encoded_as, modality_of_file
from vernissage.workspace.clusters import NEAREST, clusters_of, members_of
from vernissage.workspace.repository import Repository, Snapshot, open_repository
from vernissage.workspace.workspace import Workspace

if TYPE_CHECKING:
    from PIL import Image

    from vernissage.gallery.diagnosis import Diagnosis
    from vernissage.gallery.overview import Map, Topics
    from vernissage.gallery.person import Person

SEARCHED: Mapping[str, Modality] = MappingProxyType({card.within: card.name for card in MODALITY_CARDS.values()})
"""Every word for what is searched; ``mixed`` beside them searches all."""
Elicitation = Literal["central", "group", "coverage"]

_TAGS_LEAD = frozenset({"conse"})
"""Spaces without pairs, in which what a picture seems to show comes first; docs/tags.md has the measurements."""

_PINNED = Sentence("placed first by the museum's editors")
_LIKE_NAMED = Sentence("nothing here is strongly like what was named")
_LIKE_RATED = Sentence("nothing here is strongly like the rated works")
_LIKE_SEARCHED = Sentence("nothing here is strongly like what was searched for")

_ANTICIPATED, _FEW = 256, 1_000
"""Works like each, more than a fusion reads of its engines with room for copies; all works of collections so small."""

_COVERED = 5_000
"""Works among which those to rate are chosen by coverage; of larger collections so many, spread evenly."""


class Gallery:
    """One workspace, opened: works, vectors, people. Safe to share among threads, and a context manager.

    It answers from one state until `refresh`: what is built, uploaded or removed meanwhile does not change it.
    """

    def __init__(self, repository: Repository) -> None:
        """Answer from an open repository, which it reads from and writes to; `open_gallery` opens one."""
        self.repository = repository
        self._searchers: dict[str, TextSearcher] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.collection)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.collection

    def __getitem__(self, item_id: str) -> Item:
        """A work of the collection, or an upload.

        Raises:
            UnknownItemError: there is none; the message names ids that look alike.
        """
        return self.snapshot.item(item_id)

    def __repr__(self) -> str:
        return f"Gallery({str(self.path)!r}, {len(self)} works, encoders: {', '.join(self.encoders) or 'none'})"

    @property
    def snapshot(self) -> Snapshot:
        """The state that answers come from."""
        return self.repository.snapshot

    @property
    def path(self) -> Path:
        """The workspace's folder."""
        return self.repository.path

    @property
    def name(self) -> str:
        """What to call the collection."""
        return self.snapshot.workspace.collection_name

    @property
    def collection(self) -> Collection:
        """The works."""
        return self.snapshot.collection

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders that have vectors here."""
        return self.snapshot.workspace.encoder_names

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines whose vectors are here; any may be joined by ``+``."""
        return tuple(available_engines(self.snapshot.workspace))

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over collection, encoders, vectors, pins and bans: equal ones answer equally."""
        found, editorial = self.snapshot.workspace.fingerprint, self.snapshot.editorial.digest
        return digest(found.encode(), editorial.encode())[:16] if editorial else found

    def refresh(self) -> None:
        """Take in what other processes built, uploaded or removed since."""
        self.repository.refresh()

    def close(self) -> None:
        """Close the database."""
        self.repository.close()

    def recommend(
        self,
        ratings: Mapping[str, float],
        n: int = USUAL_COUNT,
        *,
        engine: str | None = None,
        rule: WeightingRule | None = None,
        where: Where = (),
        exclude: Iterable[str] = (),
        per: Caps = MappingProxyType({}),
        diversity: float = 0.0,
        weights: Mapping[str, float] = MappingProxyType({}),
        fusion: Fusion | None = None,
        show_copies: bool = False,
        progress: Progress = silent,
    ) -> Answer:
        """The ``n`` works that suit somebody who rated works from 1 to 5, with reasons that add up to the scores.

        Rated works never come back. Exactly ``n`` come back where so many fit; where fewer do, a note says so.

        Args:
            ratings: ratings 1 to 5 by work id.
            n: how many works.
            engine: what judges (see `engines`), or some joined by ``+``; None takes the default of this workspace.
            rule: how ratings weigh: ``signed``, ``linear`` or ``minmax``; None takes ``linear`` for the papers' engines
                (``late-partial``, ``late-total``, ``clip``, ``blip``) and ``signed`` for all others.
            where: conditions such as ``year>=1850``, all of which must hold.
            exclude: ids that must not come back.
            per: at most so many works of one value, as in ``{"artist": 1}``; works without a value are not limited.
            diversity: 0 ranks by relevance alone; towards 1 works differ from each other.
            weights: of engines in a fusion.
            fusion: how engines joined by ``+`` are fused.
            show_copies: whether works that are the same (one picture, or one text where neither has a picture) have a
                place each. Else they share one, `Work.also` names the others, and copies of rated works stay out.
            progress: told of long steps.

        Raises:
            RatingsError: no ratings, or such that no profile can be made of them.
            UnknownItemError: a rated work is not in the collection.
            RequestError: anything else that was asked for is not understood or cannot be answered.
        """
        snapshot = self.snapshot
        require_ratings(ratings)
        snapshot.collection.rows_of(ratings)  # raises for an id that no work has
        asked = selection(snapshot, n, where, exclude, per, diversity, show_copies=show_copies).unlike(list(ratings))
        return self._recommended(
            "recommendation",
            ratings,
            rule,
            lambda item, rating: Sentence(
                "you rated {title} {rating:g}", title=title_or_text(item, item.id), rating=rating
            ),
            asked,
            engine,
            _weighted(fusion, weights),
            progress,
        )

    def similar(
        self,
        works: str | Sequence[str],
        n: int = USUAL_COUNT,
        *,
        engine: str | None = None,
        by: Sequence[str] = (),
        where: Where = (),
        exclude: Iterable[str] = (),
        per: Caps = MappingProxyType({}),
        diversity: float = 0.0,
        weights: Mapping[str, float] = MappingProxyType({}),
        fusion: Fusion | None = None,
        show_copies: bool = False,
        progress: Progress = silent,
    ) -> Answer:
        """The ``n`` works that resemble one work most, or several together; those themselves do not come back.

        With ``by``, kinds of likeness to one work (``look``, ``text``, ``artist``, ``subject``, ``place``, ``period``),
        the answer's ``kinds`` are one list of each, and its works are pooled from them (see `likeness`); only
        conditions, exclusions and caps go with it. All other arguments and errors are those of `recommend`.
        """
        snapshot = self.snapshot
        ids = listed(
            [works] if isinstance(works, str) else works, str, "similar takes the id of a work, or a list of ids"
        )
        if not ids:
            raise RequestError("no work was named to look for similar ones; give the id of one, or several")
        if by:
            from vernissage.gallery.likeness import likeness

            if len(ids) > 1 or engine or diversity or weights or fusion or show_copies:
                raise RequestError("kinds of likeness are to one work, and take conditions, exclusions and caps alone")
            return likeness(self, ids[0], by, n, where=where, exclude=exclude, per=per)
        snapshot.collection.rows_of(ids)
        asked = selection(snapshot, n, where, exclude, per, diversity, show_copies=show_copies).unlike(ids)
        return self._recommended(
            "similar",
            dict.fromkeys(ids, 5.0),
            "linear",
            lambda item, _: Sentence("resembles {title}", title=title_or_text(item, item.id)),
            asked,
            engine,
            _weighted(fusion, weights),
            progress,
            {"similar_to": ids},
        )

    def anticipate(self, ids: Sequence[str]) -> None:
        """Compare works with all others together, so that `similar` of each takes less time; answers stay as they are.

        What was anticipated before is forgotten. Indexes that are not exact have nothing to gain by it.
        """
        for encoder in self.encoders:
            index = index_of_encoder(self.snapshot.workspace, encoder)
            known = [each for each in ids if each in index]
            if isinstance(index, ExactIndex) and known:
                index.anticipate(index.vectors_of(known), len(index) if len(index) <= _FEW else _ANTICIPATED)

    def _recommended(
        self,
        kind: AnswerKind,
        ratings: Mapping[str, float],
        rule: WeightingRule | None,
        words: Callable[[Item, float], str],
        asked: Selection,
        engine: str | None,
        fusion: Fusion,
        progress: Progress,
        about: Mapping[str, Any] = MappingProxyType({}),
    ) -> Answer:
        """Works for ratings; ``words`` say of a rated work why it speaks for others."""
        snapshot = asked.snapshot
        name = engine or default_engine(snapshot.workspace)
        profile = profile_from_ratings(ratings, rule or default_rule(name))
        recommender = make_engine(snapshot.workspace, name, asked.n, fusion, progress)
        found, ids = first_works(recommender, profile, asked)
        items = snapshot.items([*ids, *ratings])
        rated = {
            item_id: (
                items[item_id].title,
                words(items[item_id], rating),
                Sentence(
                    "unlike {title}, which you rated {rating:g}",
                    title=title_or_text(items[item_id], item_id),
                    rating=rating,
                ),
            )
            for item_id, rating in ratings.items()
        }
        explanations = found.explain(ids)
        looked = {each: engine_words(each) for each in {part.engine for why in explanations for part in why.shares}}
        engines = {each: (words, Sentence("by {words}", words=words)) for each, words in looked.items()}
        parts = {index.card.encoder for index in indexes_of(recommender)}
        looks = any("image" in encoded_as(snapshot.workspace.modalities(each)) for each in parts)
        seen = snapshot.seen([*ids, *ratings]) if looks else {}
        also = asked.folded_into(ids)
        banded, pinned = _bands_for(snapshot.workspace, recommender, profile, fusion), snapshot.editorial.pinned
        works = tuple(
            [
                replace(work, band=banded(work.score), reasons=(*work.reasons, *_by_editors(work, pinned)))
                for why in explanations
                for work in [_work(items[why.item_id], why, rated, engines, seen, also.get(why.item_id, ()))]
            ]
        )
        low = _all_weak(works, _LIKE_NAMED if kind == "similar" else _LIKE_RATED)
        made = [EXPLAINED] if any(reason.by_software for work in works for reason in work.reasons) else []
        notes = (*profile.notes, *preset_notes(name, recommender), *found.notes, *asked.told(len(works)), *low, *made)
        return Answer(kind, works, name, self.fingerprint, notes, about=about, **_shown_by(snapshot))

    def search(
        self,
        query: "str | Path | Image.Image | Vectors",
        n: int = USUAL_COUNT,
        *,
        within: str = "text",
        encoder: str | None = None,
        method: MixedMethod = "zscore",
        where: Where = (),
        exclude: Iterable[str] = (),
        per: Caps = MappingProxyType({}),
        show_copies: bool = False,
    ) -> Answer:
        """The works, ``n`` at most, that go best with words, or with a picture (a file, an open one, or its vector).

        Args:
            query: words, or a picture, or the vector, (dim,), that the named ``encoder`` made of one elsewhere.
                Works of which a whole cell is the query come first, then those that have all of the words
                as they stand (where no work has one, its nearest spelling is taken), then those of which
                BM25 and the encoder together make most. The score is a number between 0 and 1 for the latter, one more
                where a work has all of the words, and one more where a cell is the query. In pictures the reason says
                where one seems to show what is asked for; by ``conse`` these come first.
            n: how many works.
            within: ``text`` finds words in the works' texts; ``pictures`` and ``videos`` find these, by words through a
                space that holds both; ``mixed`` searches all and answers with one list, in which a work may
                stand twice. A picture or video as query is searched for in pictures unless another is asked for.
            encoder: what compares; None takes the best that is here for the purpose.
            method: for ``mixed``, how pictures and texts are made comparable: ``zscore``, ``means`` or ``raw``.
            where, exclude, per, show_copies: as in `recommend`.

        Raises:
            RequestError: the encoder does not read what was given, or finds nothing in the picture; a vector is none of
                its own.
        """
        snapshot = self.snapshot
        one_of((*SEARCHED, "mixed"), within, "search within")
        _require_query(query, encoder)
        source = "text" if isinstance(query, str) else modality_of_file(query.name if isinstance(query, Path) else "")
        target = SEARCHED.get(within, "image")
        target = target if source == "text" or MODALITY_CARDS[target].pictured else "image"
        searchable = [each for each in self.encoders if snapshot.workspace.searches_texts(each)]
        asked = selection(snapshot, n, where, exclude, per, show_copies=show_copies)
        if isinstance(query, str) and within == "text" and not encoder and not searchable:
            return self._search_texts(query, "", asked)
        name = encoder or search_encoder(snapshot.workspace, source, target)
        reads = snapshot.workspace.modalities(name)
        if within == "mixed" and len(encoded_as(reads)) == 1:
            raise RequestError(f"{name} reads {KINDS[reads[0]]} alone; choose an encoder of both modalities")
        if isinstance(query, str) and within == "text":
            return self._search_texts(query, name, asked)
        vector = _encoded(snapshot.workspace, name, query)
        about = {"query": query if isinstance(query, str) else "", "encoder": name, "within": within}
        if not vector.any():
            told = "no picture can be found by {query}; search in the texts, or by other words"
            why = (Sentence(told, query=shortened(str(query))),)
            return Answer("search", (), name, self.fingerprint, why, about=about)
        if within != "mixed":
            return self._search_pictures(query, vector, (source, target), asked, about)
        return self._search_mixed(vector, source, method, asked, about)

    def _search_mixed(
        self, vector: Vectors, source: Modality, method: MixedMethod, asked: Selection, about: dict[str, Any]
    ) -> Answer:
        """Works of all modalities in one list, by a vector that one encoder makes of each."""
        snapshot, name = self.snapshot, about["encoder"]
        both = snapshot.workspace.mixed_index(name)
        found, places = asked.first(
            lambda count: both.search(vector, source, count, method=method, allow=asked.allow), attrgetter("item_ids")
        )
        also = asked.folded_into([found.item_ids[at] for at in places])
        works = [
            Work(snapshot.collection[item_id], float(found.scores[at]), (), found.modalities[at], also.get(item_id, ()))
            for at in places
            for item_id in [found.item_ids[at]]
        ]
        notes, about = asked.told(len(works)), about | {"method": method}
        return Answer("search", tuple(works), name, self.fingerprint, notes, about=about, **_shown_by(snapshot))

    def _search_pictures(
        self,
        query: "str | Path | Image.Image | Vectors",
        vector: Vectors,
        task: tuple[Modality, Modality],
        asked: Selection,
        about: Mapping[str, Any],
    ) -> Answer:
        """The pictures, or videos, nearest to a vector; where tags lead, first those that seem to show the words."""
        snapshot, name, (source, target) = asked.snapshot, str(about["encoder"]), task
        index, bounds = snapshot.workspace.index(name, target), snapshot.workspace.bands.get(name, {})
        shown = _shown(snapshot.workspace, query) if target == "image" else {}
        first = _leading(asked, shown) if name in _TAGS_LEAD else ()
        found, places = asked.first(
            lambda count: _after(first, index, vector, count, asked.allow), attrgetter("item_ids")
        )
        limits = bounds.get(f"{source}-to-{target}")
        also, works = asked.folded_into([found.item_ids[at] for at in places]), []
        for item_id, score in ((found.item_ids[at], float(found.scores[at])) for at in places):
            # Scores above 1 are of works that come first by what they seem to show.
            band = limits.band(score) if limits and score <= 1 else None
            item, why = snapshot.collection[item_id], _seen(item_id, score, shown)
            works.append(Work(item, score, why, also=also.get(item_id, ()), band=band))
        made = [EXPLAINED] if any(work.reasons for work in works) else []
        notes = (*asked.told(len(works)), *_all_weak(works, _LIKE_SEARCHED), *made)
        return Answer("search", tuple(works), name, self.fingerprint, notes, about=about, **_shown_by(snapshot))

    def _search_texts(self, query: str, name: str, asked: Selection) -> Answer:
        """Works that have all the words first, then by BM25 and what the encoder finds like them."""
        snapshot = asked.snapshot
        encoder = snapshot.workspace.encoder(name) if name else None
        if encoder is not None and not isinstance(encoder, TextEncoder):
            raise RequestError(
                _unread(snapshot.workspace, name, "texts; search with lsa, lda, or aligned for pictures")
            )
        searcher = self._searcher(snapshot.workspace, name)
        words = searcher.look_up(query)
        reads = encoder is not None and words.has_meaning
        vector = encoder.encode_texts([words.query])[0] if encoder and reads else np.zeros(0, np.float32)
        found, places = asked.first(searcher.ranking(words, vector, asked.allow), tuple)
        shown, works = [tuple(found)[place] for place in places], []
        also = asked.folded_into(shown)
        for item in snapshot.collection.take(snapshot.collection.rows_of(shown)):
            part = words.snippet(item)
            why = Reason("field", part.column, part.text, found[item.id], 1.0, part.words, met=part.met)
            works.append(Work(item, found[item.id], (why,), also=also.get(item.id, ())))
        short = shortened(query)
        nothing = (Sentence("nothing here has {query}", query=short),)
        notes = (*words.notes, *(asked.told(len(works)) if works else nothing))
        related = sum(not work.reasons[0].id for work in works)
        if 0 < related == len(works):
            notes = (Sentence("no work has a word of {query}; these are related in meaning", query=short), *notes)
        elif related:
            told = "without a word of {query}, and related in meaning at most: {related} of {works}"
            notes = (*notes, Sentence(told, query=short, related=related, works=len(works)))
        about = {"query": query, "encoder": name, "within": "text"}
        return Answer("search", tuple(works), name, self.fingerprint, notes, about=about, **_shown_by(snapshot))

    def _searcher(self, workspace: Workspace, name: str) -> TextSearcher:
        """What searches the texts of a state with that encoder, kept for the next query."""
        kept = self._searchers.get(name)
        if kept is None or kept.collection is not workspace.collection:
            vectors = (workspace.table(name, "text"), workspace.index(name, "text")) if name else None
            kept = self._searchers[name] = TextSearcher(workspace.collection, workspace.lexicon, vectors)
        return kept

    def elicitation(
        self,
        n: int = USUAL_COUNT,
        *,
        by: Elicitation | None = None,
        seed: int = 0,
        where: Where = (),
        exclude: Iterable[str] = (),
    ) -> Answer:
        """``n`` works to rate, which together stand for the collection.

        Args:
            n: how many works.
            by: ``central`` draws one of the eight works nearest to the centre of each of nine clusters, by k-means over
                all representations of the default engine, then a second of each; ``group`` draws one work of each of
                the n largest groups, then a second of each where groups are fewer; ``coverage`` takes medoids of
                k-centre clusters in the vectors of the usual encoder. None takes ``central``, or ``group`` where there
                are groups but no vectors.
            seed: of the draw; give each visitor another.
            where, exclude: as in `recommend`.

        Raises:
            RequestError: there is no such way, no group, or no work that fits.
        """
        snapshot = self.snapshot
        asked = selection(snapshot, n, where, exclude)
        collection = snapshot.collection
        how = by or ("central" if snapshot.workspace.encoder_names or not collection.groups else "group")
        items = _askable(asked)
        if how == "central":
            chosen = _by_centre(snapshot.workspace, items, n, seed, whole=not asked.allow.conditions)
        elif how == "group":
            chosen = _by_group(collection, items, n, seed)
        elif how == "coverage":
            chosen = _by_coverage(snapshot, items, n)
        else:
            raise RequestError(f"works to rate are chosen by central, group or coverage, not by {how!r}")
        works = tuple(
            Work(item, 0.0, (Reason("field", "group", item.group, 0.0, 0.0, words),) if words else ())
            for item, words in chosen
        )
        notes = asked.told(len(works))
        return Answer("elicitation", works, how, self.fingerprint, notes, **_shown_by(snapshot))

    def person(self, name: str) -> "Person":
        """Somebody who owns works, uploads or rates; nothing is kept of them before they do.

        Raises:
            RequestError: the name is empty.
        """
        if not isinstance(name, str) or not name.strip():
            raise RequestError("whose works are these? name the person")
        from vernissage.gallery.person import Person

        return Person(self, name)

    def people(self) -> list[dict[str, Any]]:
        """Everyone who owns works of the collection, uploaded or rated something, those with most works first."""
        snapshot = self.snapshot
        owned, rated, works = snapshot.owners(), snapshot.raters(), snapshot.collection.owner_counts
        names = sorted({*owned, *rated}, key=lambda name: (-owned.get(name, 0), -rated.get(name, 0), name))
        return [
            {"owner": name, "works": works.get(name, 0), "uploads": owned.get(name, 0) - works.get(name, 0)}
            | {"ratings": rated.get(name, 0)}
            for name in names
        ]

    def topics(self, words: int = 8, works: int = 3) -> "Topics":
        """The topics of the texts with so many words and example works each (see `topics_of`)."""
        from vernissage.gallery.overview import topics_of

        return topics_of(self.snapshot, words, works)

    def map(
        self,
        encoder: str | None = None,
        by: str = "group",
        seed: int = 0,
        *,
        most: int | None = None,
        progress: Progress = silent,
    ) -> "Map":
        """All works on a plane in which neighbours are alike (see `map_of`)."""
        from vernissage.gallery.overview import map_of

        return map_of(self.snapshot, encoder, by, seed, most=most, progress=progress)

    def diagnose(self, *, progress: Progress = silent) -> "Diagnosis":
        """What the encoders understand of this collection, and what to do about what they do not (see `diagnose`)."""
        from vernissage.gallery.diagnosis import diagnose

        return diagnose(self.snapshot, progress)

    def info(self) -> dict[str, Any]:
        """What is in the workspace: works, groups, people, encoders with fingerprints, coverage, sizes in bytes.

        Raises:
            ProvenanceError: a file is missing or damaged.
        """
        from vernissage.workspace.checking import describe_workspace

        snapshot = self.snapshot
        content, uploaders = describe_workspace(snapshot.workspace), snapshot.uploaders()
        counts = {"owners": len(snapshot.collection.owner_counts), "people": len(uploaders)}
        return content | counts | {"uploads": sum(uploaders.values())}


def open_gallery(
    workspace: str | Path,
    *,
    database: str | None = None,
    writing: bool = True,
    people: bool = True,
    patience: float | None = None,
) -> Gallery:
    """Open a workspace: the front door `vernissage.open`.

    Args:
        workspace: its folder.
        database: where people are kept, a URL (``postgresql://…``) or a file; None: ``vernissage.db`` in the folder.
        writing: False makes no database where there is none yet; then nobody can upload or rate.
        people: False leaves the database closed, for answers that concern the collection alone.
        patience: seconds that who writes waits for another, and a connection for its server; None: half a minute.

    Raises:
        WorkspaceError, ProvenanceError, StorageError: it cannot be opened.
    """
    path, how = as_path(workspace, "open"), {"writing": writing, "people": people}
    return Gallery(open_repository(path, database, patience=patience, **how))


def _bands_for(
    workspace: Workspace, engine: Recommender, profile: Profile, fusion: Fusion
) -> Callable[[float], Band | None]:
    """A function from an answer's scores to their bands; to None where the build has measured none of the kind.

    A fusion's score is a sum of z-scores already; one engine's becomes one by its mean and deviation over all works.
    """
    mean, spread, name = 0.0, 1.0, engine.name if isinstance(engine, LateFusion) else ""
    name = engine.index.card.encoder if isinstance(engine, RatingWeightedSimilarity) else name
    found = workspace.bands.get(name, {}) if fusion == Fusion() else {}
    if found and isinstance(engine, RatingWeightedSimilarity):
        scored = engine.scored(profile)
        mean, spread = scored.moments()
        found = found if spread > scored.floor else {}
    rated = sum(item_id in engine for item_id in profile.item_ids)
    return lambda score: band_of(found, rated, (score - mean) / spread) if found else None


def _by_editors(work: Work, pinned: Sequence[str]) -> tuple[Reason, ...]:
    """The reason of a pinned work: of its kind it is the only one, so it stands for the whole score."""
    if work.id not in pinned:
        return ()
    return (Reason("field", "pinned", "", work.score, float(work.score > 0), _PINNED),)


def _all_weak(works: Sequence[Work], told: str) -> tuple[str, ...]:
    """A note where there are works, and all are weak."""
    return (told,) if works and all(work.band == "weak" for work in works) else ()


def _shown_by(snapshot: Snapshot) -> dict[str, Any]:
    """How pages come by the pictures of an answer's works, and by what these seem to show."""
    return {"picture_path": snapshot.picture_path, "seen": snapshot.seen}


def _work(
    item: Item,
    why: Explanation,
    rated: Mapping[str, tuple[str, str, str]],
    engines: Mapping[str, tuple[str, str]],
    seen: Mapping[str, Tags],
    also: tuple[str, ...],
) -> Work:
    """A work with its reasons: what each rated work adds, and what each engine of a fusion does.

    ``rated`` has the title of each, and words for what is like it and for what is unlike it; ``engines`` what each
    looks at, and the sentence that says so.
    """
    rated_scale = scale_of(each.contribution for each in why.reasons)
    engine_scale = scale_of(part.share for part in why.shares)
    reasons, own = list[Reason](), seen.get(item.id, ())
    for reason in why.reasons:
        title, words, unlike = rated[reason.item_id]
        adds = reason.contribution
        alike = adds > 0 < reason.weight
        both = [tag for tag in own if tag in seen.get(reason.item_id, ())] if alike else []
        if adds > 0 > reason.weight:
            words = unlike
        made = both[0] if both else ""
        if made:
            words = Sentence("{words}; both seem to show: {tag}", words=words, tag=marked(made, made))
        more: dict[str, Any] = {"weight": reason.weight, "by_software": made}
        reasons.append(Reason("rated", reason.item_id, title, adds, adds * rated_scale, words, **more))
    for part in why.shares:
        (words, by), adds, rank = engines[part.engine], part.share, part.rank or None
        reasons.append(Reason("engine", part.engine, words, adds, adds * engine_scale, by, rank=rank))
    return Work(item, why.score, tuple(reasons), also=also)


def _shown(workspace: Workspace, query: object) -> dict[str, tuple[str, float]]:
    """Works whose pictures seem to show what words name, see `seeing.works_showing`."""
    if not isinstance(query, str):
        return {}
    from vernissage.workspace.seeing import works_showing

    return works_showing(workspace, query)


def _leading(asked: Selection, shown: Mapping[str, tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Ids and scores, 1 + probability, of works that may come back and seem to show what is asked for; best first."""
    ids = [item_id for item_id in shown if item_id not in asked.allow.exclude]
    fits = asked.snapshot.collection.fulfilling(asked.allow.conditions, ids).tolist()
    found = [(item_id, 1 + shown[item_id][1]) for item_id, fit in zip(ids, fits, strict=True) if fit]
    return tuple(sorted(found, key=lambda each: (-each[1], each[0])))


def _after(first: Sequence[tuple[str, float]], index: Index, vector: Vectors, count: int, allow: Allow) -> Ranking:
    """So many works: those that come first, then those like a vector."""
    rest = count - len(first)
    like = index.search(vector[None, :], rest, allow.without([each for each, _ in first]))[0] if rest > 0 else ()
    ids, scores = zip(*first[:count], *like, strict=True) if first or like else ((), ())
    return Ranking(ids, np.array(scores, dtype=np.float64))


def _seen(item_id: str, score: float, shown: Mapping[str, tuple[str, float]]) -> tuple[Reason, ...]:
    """Why a work is found whose picture seems to show what was asked for."""
    if item_id not in shown:
        return ()
    tag = shown[item_id][0]
    words = Sentence("seems to show: {tags}", tags=marked(tag, tag))
    return (Reason("field", "picture", tag, float(score), 1.0, words, by_software=tag),)


def _weighted(fusion: Fusion | None, weights: Mapping[str, float]) -> Fusion:
    chosen = Fusion() if fusion is None else fusion
    if not isinstance(chosen, Fusion):
        raise RequestError(f"fusion takes a Fusion, as in Fusion('zscore'), but {fusion!r} was given")
    if not isinstance(weights, Mapping) or not all(isinstance(each, Real) for each in weights.values()):
        raise RequestError(f"weights takes numbers by engine, as in {{'lda': 2}}, but {weights!r} was given")
    return replace(chosen, weights={**chosen.weights, **weights}) if weights else chosen


def _require_query(query: object, encoder: str | None) -> None:
    """Refuse what nothing can be searched by.

    Raises:
        RequestError: it is no words, picture or vector; a vector of no encoder; or words that cannot be read.
    """
    if not isinstance(query, str | Path | np.ndarray) and not hasattr(query, "convert"):
        raise RequestError(
            f"search takes words, the Path of a picture, an open picture or a vector, but {query!r} was given"
        )
    if isinstance(query, np.ndarray) and not encoder:
        raise RequestError("a vector was given without the encoder that made it; name that as encoder")
    if isinstance(query, str) and not query.strip():
        raise RequestError("search takes words, and none were given; give at least one")
    if isinstance(query, str) and any("\ud800" <= letter <= "\udfff" for letter in query):
        raise RequestError("search takes words in UTF-8, and these have bytes that are no letters; write them anew")


def _unread(workspace: Workspace, name: str, what: str) -> str:
    """What to say of an encoder that does not read what was given: why, if its vectors were made elsewhere."""
    why = workspace.why_mute(name)
    return why or f"{name} does not read {what}"


def _encoded(workspace: Workspace, name: str, query: "str | Path | Image.Image | Vectors") -> Vectors:
    """The vector of words or of a picture, float32 (dim,); zeros of words that the encoder does not know.

    Raises:
        RequestError: the encoder does not read such a thing, or finds nothing in the picture.
        CollectionError: the picture cannot be opened.
    """
    if isinstance(query, np.ndarray):
        return _given(query, workspace.index(name, "image").card.dim, name)
    encoder = workspace.encoder(name)
    if isinstance(query, str):
        if not isinstance(encoder, TextEncoder):
            raise RequestError(_unread(workspace, name, "texts; search with lsa, lda, or aligned for pictures"))
        known: Vectors = encoder.encode_texts([query])[0]
        return known
    if not isinstance(encoder, ImageEncoder):
        raise RequestError(_unread(workspace, name, "pictures; search with colour-texture, or an encoder of both"))
    from vernissage.catalog.pictures import in_srgb
    from vernissage.workspace.blocks import vectors_of_files
    from vernissage.workspace.encoding import decoded_side

    # As the works were decoded: a draft and the whole picture have different vectors.
    side = decoded_side(encoder, draft=workspace.draft)
    vector: Vectors = (
        vectors_of_files(encoder, modality_of_file(query.name), [query], side)
        if isinstance(query, Path)
        else encoder.encode_images([in_srgb(query)])
    )[0]
    if not vector.any():
        raise RequestError(f"{name} finds nothing in that picture; give another one")
    return vector


def _given(vector: Vectors, dim: int, encoder: str) -> Vectors:
    """A vector that was made elsewhere, of length 1, float32 (dim,).

    Raises:
        RequestError: it has another number of numbers, or one that is none, or all are 0.
    """
    given = np.asarray(vector, dtype=np.float64)
    length = float(np.linalg.norm(given)) if given.shape == (dim,) else 0.0
    if not np.isfinite(length) or length == 0:
        raise RequestError(
            f"a vector of shape {given.shape} and length {length:g} was given; {encoder} makes {dim} finite numbers "
            f"that are not all 0"
        )
    scaled: Vectors = (given / length).astype(np.float32)
    return scaled


# Works to rate


def _askable(asked: Selection) -> list[Item]:
    """The works that a visitor may be asked about: those that fit, with pictures if any have one, each but once."""
    collection, allow = asked.snapshot.collection, asked.allow
    fits = collection.fulfilling(allow.conditions, collection.ids)
    items = [item for item, fit in zip(collection, fits.tolist(), strict=True) if fit and item.id not in allow.exclude]
    shown = [item for item in items if item.picture] or items
    distinct: dict[str, Item] = {}
    for name, item in zip(asked.names([item.id for item in shown]), shown, strict=True):
        distinct.setdefault(name, item)
    return list(distinct.values())


def _by_group(collection: Collection, items: Sequence[Item], n: int, seed: int) -> list[tuple[Item, str]]:
    """One work of each group in turn, the largest group first, drawn by a digest of seed and id."""
    members: dict[str, list[Item]] = {group: [] for group in collection.groups}
    for item in items:
        if item.group:
            members[item.group].append(item)
    if not any(members.values()):
        raise RequestError("no work that fits belongs to a group; choose works by coverage, or loosen the conditions")
    for each in members.values():
        each.sort(key=lambda item: digest(str(seed).encode(), item.id.encode()))
    drawn = _in_turn(list(members.values()), n)
    told = "one of {n} works in {group}"
    return [(item, Sentence(told, n=len(members[item.group]), group=item.group)) for item in drawn]


def _by_centre(
    workspace: Workspace, items: Sequence[Item], n: int, seed: int, *, whole: bool
) -> list[tuple[Item, str]]:
    """One work of each cluster in turn, drawn among the eight nearest to its centre, then among the next eight.

    Where not the ``whole`` collection may be asked about, what may is clustered by itself. Works in no cluster come
    last, so that exactly ``n`` come back where so many are there.
    """
    if not workspace.encoder_names:
        raise RequestError(f"{workspace.path} has no vectors; run `vernissage build` again to make some")
    by_id = {item.id: item for item in items}
    if whole:
        clusters = members_of(workspace.collection.ids, workspace.clusters)
        members = [own for each in clusters if (own := [item_id for item_id in each if item_id in by_id])]
    else:
        members = members_of(list(by_id), clusters_of(workspace.fused_tables, list(by_id), seed=0))
    drawn = [
        [
            by_id[item_id]
            for first in range(0, len(each), NEAREST)
            for item_id in sorted(
                each[first : first + NEAREST], key=lambda one: digest(str(seed).encode(), one.encode())
            )
        ]
        for each in members
    ]
    clustered = {item_id for each in members for item_id in each}
    rest = [item for item in items if item.id not in clustered]
    return [(item, "") for item in [*_in_turn(drawn, n), *rest][:n]]


def _in_turn(lists: Sequence[Sequence[Item]], n: int) -> list[Item]:
    """The first of each list, then the second of each, until there are ``n``."""
    rounds = (each[place] for place in range(max(map(len, lists), default=0)) for each in lists if place < len(each))
    return list(islice(rounds, n))


def _by_coverage(snapshot: Snapshot, items: Sequence[Item], n: int) -> list[tuple[Item, str]]:
    """Medoids of k-centre clusters in the vectors of the first representation of the default engine."""
    from vernissage.analysis.coverage import covering_rows

    workspace = snapshot.workspace
    encoder = next(iter(workspace.encoder_names), "")
    if not encoder:
        raise RequestError(f"{workspace.path} has no vectors; run `vernissage build` again to make some")
    index = workspace.index(encoder, workspace.modalities(encoder)[0])
    known = [item for item in items if item.id in index]
    known = known[:: max(1, len(known) // _COVERED)]
    vectors = index.vectors_of([item.id for item in known])
    most = min(n, len(np.unique(vectors, axis=0)))
    return [(known[row], "") for row in covering_rows(vectors, most)] if most else []
