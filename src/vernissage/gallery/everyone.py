"""Lists for everybody, as a platform makes them at night: for each person of a file of ratings, or of the database.

They are the lists that `Gallery.recommend` and `Person.recommend` give one by one, with what adds up to their scores.
They go to a folder of Parquet files, one for some thousand people in their order. A run that was interrupted goes on
after the last whole file.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.errors import Kind, RatingsError, RequestError, VernissageError
from vernissage.files import csv_bytes, digest, read_checked, write_bytes, write_parquet
from vernissage.gallery.engines import Fusion, default_engine, make_engine
from vernissage.gallery.ranking import first_works
from vernissage.gallery.selecting import USUAL_COUNT, Caps, Selection, Where, selection
from vernissage.profiles.ratings import HIGHEST, LOWEST, Profile, WeightingRule, default_rule, profile_from_ratings
from vernissage.progress import Progress, silent
from vernissage.rankings import alphabetical
from vernissage.recommenders.contract import Engine, Explanation, Recommender, ScoredWorks
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import ExactIndex
from vernissage.values import Condition

if TYPE_CHECKING:
    import pyarrow as pa

    from vernissage.gallery.answer import Answer
    from vernissage.gallery.gallery import Gallery

PART = 5_000
"""People of one file."""

_BLOCK = 256  # people whose first works are found together
_SPARE = 16  # works beyond a list and the rated ones, for those that are the same as others
_READ_FIRST = 201  # works of each engine that a fusion reads at first
_ABOUT, _REJECTED = "_lists.json", "_rejected.csv"  # readers of a folder of Parquet pass such names over
_WITHOUT = "without"
_MOST_REJECTED = 100_000
_PEOPLE = ("person", "person_id", "user", "user_id", "visitor", "visitor_id", "owner")
_WORKS = ("id", "item", "item_id", "work", "work_id")
_RATINGS = ("rating", "stars", "score", "value")

Listed = tuple[str, float, Sequence[tuple[str, str, float]]]
"""A work of a list: its id, its score, and kind, id and contribution of each reason."""


@dataclass(frozen=True)
class ListOptions:
    """What everybody's list is: see `Gallery.recommend`.

    ``rule`` and ``fusion`` are about ratings, and go with a file of these alone.
    """

    n: int = USUAL_COUNT
    engine: str | None = None
    rule: WeightingRule | None = None
    where: Where = ()
    exclude: Sequence[str] = ()
    per: Caps = field(default_factory=dict)
    diversity: float = 0.0
    show_copies: bool = False
    fusion: Fusion | None = None


@dataclass(frozen=True)
class Lists:
    """What a run has made.

    Attributes:
        people: whose lists are in the folder; ``lists`` of them were made now, the others by a run before.
        without: people who got no list, and ratings that do not count; `_rejected.csv` says why.
        seconds: that the run took.
    """

    people: int
    lists: int
    without: int
    seconds: float


@dataclass(frozen=True, eq=False)
class RatedPeople:
    """People and what they rated: ratings ``starts[i]`` to ``starts[i + 1]`` are those of person ``names[i]``.

    Attributes:
        names: each once, in the order of the file.
        works: ids, (r,); ``ratings`` float64 (r,).
        rejected: person, work and what is wrong, of ratings that do not count.
    """

    names: Sequence[str]
    starts: npt.NDArray[np.int64]
    works: "pa.Array"
    ratings: npt.NDArray[np.float64]
    rejected: Sequence[tuple[str, str, str]] = ()

    def __len__(self) -> int:
        return len(self.names)

    def between(self, start: int, end: int) -> Iterator[tuple[str, dict[str, float]]]:
        """The name and the ratings of people; of two ratings of one work the later counts."""
        low = int(self.starts[start])
        works = self.works.slice(low, int(self.starts[end]) - low).to_pylist()
        for place in range(start, end):
            first, last = int(self.starts[place]), int(self.starts[place + 1])
            yield self.names[place], dict(zip(works[first - low : last - low], self.ratings[first:last], strict=True))


def read_rated_people(path: Path) -> RatedPeople:
    """Ratings of many people: a CSV or Parquet file with a column each for person, work and rating.

    Raises:
        RatingsError: it cannot be read, or has no such columns.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.parquet as pq

    try:
        head = pq.read_schema(path).names if path.suffix.lower() == ".parquet" else None
        if head is None:
            as_text = pa.csv.ConvertOptions(column_types=dict.fromkeys((*_PEOPLE, *_WORKS), pa.string()))
            table = pa.csv.read_csv(path, convert_options=as_text)
        else:
            table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        why = " ".join(str(error).split())[:200]
        told = "give a CSV or Parquet file with the columns person, id and rating"
        raise RatingsError(f"{path} cannot be read as ratings: {why}; {told}") from None
    known = {name.strip().lower(): name for name in table.column_names}
    chosen = [next((known[each] for each in names if each in known), None) for names in (_PEOPLE, _WORKS, _RATINGS)]
    if None in chosen:
        raise RatingsError(
            f"{path} needs the columns person, id and rating, but has {', '.join(known) or 'none'}; rename them"
        )
    person, work, rating = (table[name].combine_chunks() for name in chosen)
    person, work = person.cast(pa.string()).fill_null(""), work.cast(pa.string()).fill_null("")
    numbers = _numbers(rating)
    wrong = ~((numbers >= LOWEST) & (numbers <= HIGHEST)) | pc.equal(person, "").to_numpy(zero_copy_only=False)
    rejected = [
        (person[row].as_py(), work[row].as_py(), f"the rating {rating[row].as_py()!r} is no number from 1 to 5")
        for row in np.flatnonzero(wrong)[:_MOST_REJECTED].tolist()
    ]
    good = np.flatnonzero(~wrong)
    coded = person.take(pa.array(good)).dictionary_encode()
    codes = coded.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(coded.dictionary)))]).astype(np.int64)
    rows = good[order]
    return RatedPeople(coded.dictionary.to_pylist(), starts, work.take(pa.array(rows)), numbers[rows], rejected)


def _numbers(ratings: "pa.Array") -> npt.NDArray[np.float64]:
    """Ratings as float64, not a number where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(ratings.type):
        number = r"^\s*\d+(\.\d*)?\s*$"
        ratings = pc.utf8_trim_whitespace(pc.if_else(pc.match_substring_regex(ratings, number), ratings, None))
    try:
        found = ratings.cast(pa.float64())
    except pa.ArrowException:
        return np.full(len(ratings), np.nan)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.float64)


@dataclass(frozen=True)
class _Maker:
    """Makes the lists of one part after another; what a process of several gets to know of the run."""

    gallery: "Gallery"
    options: ListOptions
    rated: RatedPeople | None
    names: Sequence[str]

    def lists(self, start: int, end: int) -> Iterator[tuple[str, list[Listed] | str]]:
        """Name and list of people, or why somebody has none."""
        return self._of_rated(start, end) if self.rated is not None else self._of_people(start, end)

    def _of_people(self, start: int, end: int) -> Iterator[tuple[str, list[Listed] | str]]:
        asked = self.options
        for name in self.names[start:end]:
            try:
                answer = self.gallery.person(name).recommend(
                    asked.n, engine=asked.engine, where=asked.where, exclude=asked.exclude, per=asked.per,
                    diversity=asked.diversity, show_copies=asked.show_copies,
                )  # fmt: skip
            except VernissageError as error:
                yield name, str(error)
            else:
                yield name, _listed(answer)

    def _of_rated(self, start: int, end: int) -> Iterator[tuple[str, list[Listed] | str]]:
        rated, asked, snapshot = self.rated, self.options, self.gallery.snapshot
        if rated is None:
            return
        some = selection(
            snapshot, asked.n, asked.where, asked.exclude, asked.per, asked.diversity, show_copies=asked.show_copies
        )
        name = asked.engine or default_engine(snapshot.workspace)
        recommender = make_engine(snapshot.workspace, name, asked.n, asked.fusion)
        people, pinned = rated.between(start, end), snapshot.editorial.pinned
        while block := list(islice(people, _BLOCK)):
            profiles = [self._profile(ratings, asked.rule or default_rule(name)) for _, ratings in block]
            _anticipate(recommender, [each for each in profiles if isinstance(each, Profile)], some)
            for (person, _), profile in zip(block, profiles, strict=True):
                yield person, profile if isinstance(profile, str) else _made(recommender, profile, some, pinned)

    def _profile(self, ratings: Mapping[str, float], rule: WeightingRule) -> Profile | str:
        """What the ratings of works that are here come to, or why they come to nothing."""
        rows = self.gallery.collection.ids.rows(list(ratings))
        there = {
            item_id: float(rating) for (item_id, rating), row in zip(ratings.items(), rows, strict=True) if row >= 0
        }
        if not there:
            return "none of the rated works is in the collection"
        try:
            return profile_from_ratings(there, rule)
        except RatingsError as error:
            return str(error)


def _anticipate(recommender: Recommender, profiles: Sequence[Profile], asked: Selection) -> None:
    """Find what the recommender will need for these profiles together, where it compares vectors."""
    engines: Sequence[Recommender] = [recommender]
    depth = asked.n
    if isinstance(recommender, LateFusion):
        engines = recommender.engines
        depth = max(_READ_FIRST, asked.n + 1) if recommender.depth is None else recommender.depth + 1
    depth += max((len(profile) for profile in profiles), default=0) + _SPARE
    for engine in engines:
        if isinstance(engine, RatingWeightedSimilarity) and isinstance(engine.index, ExactIndex):
            queries = []
            for profile in profiles:
                with suppress(RatingsError, RequestError):  # raised again where it is asked for
                    queries.append(engine.scored(profile).query)
            if queries:
                engine.index.anticipate(np.array(queries), depth, asked.allow)


def _made(recommender: Recommender, profile: Profile, asked: Selection, pinned: Sequence[str]) -> list[Listed] | str:
    """One person's list, or why there is none."""
    try:
        found, ids = first_works(recommender, profile, asked.unlike(profile.item_ids))
    except (RatingsError, RequestError) as error:
        return str(error)
    if isinstance(recommender, Engine) and not asked.diversity and not pinned:
        return _by_terms(recommender.scored(profile), ids)
    return [(why.item_id, why.score, _parts(why, pinned)) for why in found.explain(ids)]


def _by_terms(scored: ScoredWorks, ids: Sequence[str]) -> list[Listed]:
    """What `explained` tells of works, without an object for each reason."""
    terms, rated = scored.terms_of(ids), scored.rated
    orders = np.lexsort((np.broadcast_to(alphabetical(rated), terms.shape), -terms)).tolist()
    return [
        (item_id, float(row.sum()), [("rated", rated[place], own[place]) for place in order])
        for item_id, row, own, order in zip(ids, terms, terms.tolist(), orders, strict=True)
    ]


def _parts(why: Explanation, pinned: Sequence[str]) -> list[tuple[str, str, float]]:
    rated = [("rated", reason.item_id, reason.contribution) for reason in why.reasons]
    engines = [("engine", share.engine, share.share) for share in why.shares]
    return rated + engines + ([("field", "pinned", why.score)] if why.item_id in pinned else [])


def _listed(answer: "Answer") -> list[Listed]:
    return [(w.id, w.score, [(r.kind, r.id, r.contribution) for r in w.reasons]) for w in answer.works]


# Files


@dataclass(frozen=True)
class _Job:
    """A run as every process of it gets to know it."""

    workspace: Path
    database: str | None
    ratings: Path | None
    folder: Path
    options: ListOptions

    def maker(self) -> _Maker:
        from vernissage.gallery.gallery import open_gallery

        of_people = self.ratings is None
        rated = None if self.ratings is None else read_rated_people(self.ratings)
        gallery = open_gallery(self.workspace, database=self.database, writing=False, people=of_people)
        snapshot = gallery.snapshot
        names = rated.names if rated is not None else sorted({*snapshot.raters(), *snapshot.uploaders()})
        return _Maker(gallery, self.options, rated, names)

    def part(self, start: int) -> Path:
        return self.folder / f"part-{start // PART:05d}.parquet"


def lists_for_everyone(
    workspace: Path,
    folder: Path,
    ratings: Path | None = None,
    options: ListOptions | None = None,
    *,
    database: str | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> Lists:
    """Make the lists of all people, ``part-00000.parquet`` and so on in a folder, and ``_rejected.csv``.

    A row is a work of a list: ``person``, ``rank`` (from 1), ``id``, ``score``, and ``reasons``, a list of ``kind``,
    ``id`` and ``contribution``; those of one kind add up to the score.

    Args:
        workspace: whose works.
        folder: where lists go; what else lies there is not touched.
        ratings: a file of them, see `read_rated_people`; None takes the people of the database.
        options: what the lists are.
        database: where people are kept, as for `open_gallery`.
        workers: processes that work side by side.
        progress: told of people whose lists are there.

    Raises:
        RequestError: the folder holds lists of another request, or what was asked for cannot be answered.
        RatingsError: the file cannot be read.
        WorkspaceError: there is no room.
    """
    begun = time.monotonic()
    job = _Job(workspace, database, ratings, folder, options or ListOptions())
    maker = job.maker()
    with maker.gallery:
        everybody = len(maker.names)
        _begin(job, maker)
        spans = [(at, min(at + PART, everybody)) for at in range(0, everybody, PART)]
        missing = [span for span in spans if not job.part(span[0]).exists()]
        there = done = everybody - sum(end - start for start, end in missing)
        for count in _each(job, maker, missing, workers):
            done += count
            progress("making lists", done, everybody)
        rejected = list(maker.rated.rejected) if maker.rated is not None else []
    for start, _ in spans:
        rejected += [(name, "", why) for name, why in _without_list(job.part(start))]
    write_bytes(folder / _REJECTED, csv_bytes(("person", "id", "why"), rejected[:_MOST_REJECTED]))
    return Lists(everybody, done - there, len(rejected), time.monotonic() - begun)


def _begin(job: _Job, maker: _Maker) -> None:
    """Say in the folder which request its lists answer; refuse one that holds those of another."""
    asked = asdict(job.options) | {"where": [str(each) for each in _several(job.options.where)]}
    about = {"fingerprint": maker.gallery.fingerprint, "people": len(maker.names), "options": asked}
    if maker.rated is not None:
        about["ratings"] = digest(maker.rated.ratings.tobytes(), maker.rated.starts.tobytes(), *_bytes(maker.rated))
    else:
        about["changes"] = maker.gallery.snapshot.version
    place, text = job.folder / _ABOUT, json.dumps(about, sort_keys=True, indent=1)
    if place.exists():
        if place.read_text("utf-8") != text:
            told = "the works, the ratings or the options have changed since"
            raise RequestError(
                f"{job.folder} holds lists of another request: {told}; write to another folder, or delete this one",
                kind=Kind.CONFLICT,
            )
    elif job.folder.exists() and (job.folder.is_file() or any(job.folder.iterdir())):
        raise RequestError(f"{job.folder} is no folder of lists; name one that is new or empty", kind=Kind.CONFLICT)
    write_bytes(place, text.encode())


def _bytes(rated: RatedPeople) -> Iterator[bytes]:
    for buffer in (*rated.works.buffers()[1:], "\0".join(rated.names).encode()):
        yield buffer if isinstance(buffer, bytes) else memoryview(buffer).tobytes()


def _several(where: Where) -> Sequence[object]:
    return [where] if isinstance(where, str | Condition) else list(where)


def _each(job: _Job, maker: _Maker, spans: Sequence[tuple[int, int]], workers: int) -> Iterator[int]:
    """Write files; how many people more have their lists, as files and blocks of the first are done."""
    if workers > 1 and len(spans) > 1:
        with ProcessPoolExecutor(min(workers, len(spans)), get_context("spawn"), _open, (job,)) as pool:
            yield from pool.map(_in_worker, spans)
        return
    for span in spans:
        yield _write(job, maker, span)


_worker: list[tuple[_Job, _Maker]] = []


def _open(job: _Job) -> None:
    threadpool_limits(1)  # the processes share the cores
    _worker[:] = [(job, job.maker())]


def _in_worker(span: tuple[int, int]) -> int:
    return _write(*_worker[0], span)


def _write(job: _Job, maker: _Maker, span: tuple[int, int]) -> int:
    """Write the lists of some people; who has none is named in the file's metadata."""
    import pyarrow as pa

    lists, without = list[tuple[str, list[Listed]]](), list[tuple[str, str]]()
    for name, made in maker.lists(*span):
        if isinstance(made, str):
            without.append((name, made))
        else:
            lists.append((name, made))
    works = [work for _, made in lists for work in made]
    reasons = [reason for _, _, parts in works for reason in parts]
    ends = np.cumsum([0, *(len(parts) for _, _, parts in works)], dtype=np.int32)
    kinds = (pa.string(), pa.string(), pa.float64())
    columns = [pa.array([reason[at] for reason in reasons], kind) for at, kind in enumerate(kinds)]
    told = pa.StructArray.from_arrays(columns, ["kind", "id", "contribution"])
    rows = {
        "person": pa.array([name for name, made in lists for _ in made], pa.string()),
        "rank": pa.array([rank for _, made in lists for rank in range(1, len(made) + 1)], pa.int32()),
        "id": pa.array([work[0] for work in works], pa.string()),
        "score": pa.array([work[1] for work in works], pa.float64()),
        "reasons": pa.ListArray.from_arrays(pa.array(ends), told),
    }
    batch = pa.RecordBatch.from_pydict(rows)
    schema = batch.schema.with_metadata({_WITHOUT: json.dumps(without)})
    write_parquet(job.part(span[0]), schema, [batch.replace_schema_metadata(schema.metadata)])
    return span[1] - span[0]


def _without_list(part: Path) -> list[tuple[str, str]]:
    """Who has no list in a file, and why.

    Raises:
        ProvenanceError: it is damaged.
    """
    import pyarrow.parquet as pq

    metadata = read_checked(part, lambda: pq.read_schema(part).metadata)
    return [(str(name), str(why)) for name, why in json.loads((metadata or {}).get(_WITHOUT.encode(), b"[]"))]
