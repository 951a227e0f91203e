"""Somebody who owns works, uploads or rates: what is kept of them, their areas of interest, works for them."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from vernissage.encoders import register
from vernissage.encoders.contract import TextEncoder
from vernissage.errors import Kind, RatingsError, RequestError, StorageError
from vernissage.files import as_path, json_text, writing
from vernissage.gallery.answer import Answer, AnswerList, Reason, Work, scale_of
from vernissage.gallery.areas import (
    AreaChanges,
    AreaOptions,
    PersonAreas,
    area_key,
    area_options,
    find_areas,
    published_notes,
)
from vernissage.gallery.engines import require_person_engine
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
    shortfall,
)
from vernissage.profiles.uploads import UploadProfile
from vernissage.progress import Progress, silent
from vernissage.rankings import PRECISION
from vernissage.recommenders.area_searches import Seed, rank_areas, resembling_uploads
from vernissage.recommenders.upload_rules import FusionRule, csls, knn3z, mean_vector, round_robin, rrf
from vernissage.recommenders.uploads import BY_WEIGHT, UploadFusion, UploadReason, UploadRecommender
from vernissage.sentences import Sentence
from vernissage.taggers.contract import marked
from vernissage.values import MODALITIES, Index, Modality, Vectors, encoded_as
from vernissage.workspace.repository import PersonRecord
from vernissage.workspace.workspace import Workspace

if TYPE_CHECKING:
    from vernissage.gallery.gallery import Gallery
    from vernissage.storage.uploads import Removal, Upload
    from vernissage.workspace.uploading import Submission

DEFAULT_FUSION = "knn3z"
_IN_TURN = "round-robin"
"""How areas of interest, which have a list each in the published system, come to share one."""
FUSION_RULES: Mapping[str, FusionRule] = MappingProxyType(
    {"knn3z": knn3z, "csls": csls, "round-robin": round_robin, "rrf": rrf, "mean-vector": mean_vector}
)
_BY_LISTS = ("rrf", "round-robin")
"""Rules over lists of works, in which a disliked work has no place: it is left out and pushes nothing away."""
BY_TAGS = ("tag-overlap", "tag-embedding")
"""With `FUSION_RULES` every word for a fusion: rules over vectors, and baselines that go by tags."""


@dataclass(frozen=True)
class _Request:
    """What is asked for a person: which works, from which areas and uploads, and how one list is made of them."""

    asked: Selection
    found: PersonAreas
    profile: UploadProfile
    indexes: Mapping[Modality, Index]
    fusion: str
    query: Seed
    at_least: float


_ONE_KIND = (
    "no encoder here reads pictures and texts alike, so {encoder} serves for {kinds} alone; "
    "build the workspace with aligned or clip for both"
)


class Person:
    """One person of a gallery. Nothing is kept of them before they upload, rate or change an area."""

    def __init__(self, gallery: "Gallery", name: str) -> None:
        """Stand for somebody by name; `Gallery.person` makes one."""
        self.gallery = gallery
        self.name = name

    def __repr__(self) -> str:
        return f"Person({self.name!r})"

    @property
    def record(self) -> PersonRecord:
        """Everything that is theirs, read anew."""
        return self.gallery.snapshot.person(self.name)

    @property
    def ratings(self) -> dict[str, float]:
        """What they rated, 1 to 5, by work; the latest last."""
        return dict(self.record.ratings)

    @property
    def uploads(self) -> tuple[str, ...]:
        """The ids of what they uploaded, the oldest first."""
        return tuple(self.record.times)

    def rate(self, ratings: str | Mapping[str, float | None], rating: float | None = None) -> None:
        """Keep ratings from 1 to 5, all or none: of one work, or by work id, where None takes one back (see `unrate`).

        Raises:
            RatingsError: a rating is outside 1 to 5, or that of the one work is missing.
            UnknownItemError: there is no such work or upload.
        """
        if isinstance(ratings, str) and rating is None:
            raise RatingsError(f"{ratings} is given no rating; give a number from 1 to 5, or take it back with unrate")
        given = {ratings: rating} if isinstance(ratings, str) else ratings
        require_ratings(given)
        self.gallery.repository.rate(self.name, given)

    def unrate(self, works: str | Iterable[str]) -> None:
        """Take the rating of one work or of several back; of works without one, nothing is changed.

        Raises:
            UnknownItemError: there is no such work or upload.
        """
        self.rate(dict.fromkeys([works] if isinstance(works, str) else works))

    def upload(
        self, submissions: "Submission | str | Path | Sequence[Submission | str | Path]", *, progress: Progress = silent
    ) -> "tuple[tuple[Upload, ...], frozenset[str]]":
        """Keep pictures and texts of theirs, all or none (see `Repository.upload`); the uploads, and which are new.

        A path alone is a picture without words.
        """
        from vernissage.workspace.uploading import Submission

        some = [submissions] if isinstance(submissions, Submission | str | Path) else submissions
        expected = "upload takes a Submission or the path of a picture, or a list of them"
        paths = listed(some, Submission | str | Path, expected)
        given = [each if isinstance(each, Submission) else Submission(as_path(each, "picture")) for each in paths]
        return self.gallery.repository.upload(self.name, given, progress=progress)

    def remove(self, ids: str | Iterable[str]) -> "Removal":
        """Remove uploads of theirs with pictures and vectors.

        Raises:
            UnknownItemError: one of them is not there, is another person's, or is a work of the collection.
        """
        return self.gallery.repository.remove([ids] if isinstance(ids, str) else ids, owner=self.name)

    def delete(self, *, wait: bool = True) -> "Removal":
        """Remove everything that is kept of them; works of the collection that name them stay.

        Without ``wait`` traces in files that cannot go now are left to whoever opens the database next.

        Raises:
            StorageError: nothing is kept of them; or all is removed, and with ``wait`` its traces could not go yet.
        """
        return self.gallery.repository.remove_person(self.name, wait=wait)

    def export(self, path: str | Path) -> dict[str, int]:
        """Write everything that is kept of them into a new .zip: ``person.json`` and the pictures of uploads.

        Beside what is made to be read, ``tables`` of ``person.json`` has every row of theirs in the database.

        Returns how many uploads, ratings and changes of areas are in it.

        Raises:
            StorageError: nothing is kept of them, or there is such a file already.
        """
        path = as_path(path, "export")
        if path.exists():
            raise StorageError(f"{path} is there already; choose another name", kind=Kind.CONFLICT)
        snapshot, record = self.gallery.snapshot, self.record
        uploads = [record.items[item_id] for item_id in record.times]
        kept = snapshot.everything_of(self.name)
        if not any(kept.values()):
            told = f"nothing is kept of a person named {self.name!r}; check the name, letter by letter"
            raise StorageError(told, kind=Kind.NOT_FOUND)
        content = {
            "name": self.name,
            "written": datetime.now(UTC).isoformat(),
            "uploads": [
                {"id": item.id, "time": record.times[item.id].isoformat(), "title": item.title, "text": item.text}
                | {"keywords": list(item.keywords), "picture": f"pictures/{item.picture}" if item.picture else ""}
                for item in uploads
            ],
            "ratings": dict(record.ratings),
            "edits": [
                {"kind": each.kind, "time": each.time.isoformat(), **dict(each.payload)} for each in record.edits
            ],
            # Whatever has a row of theirs, as it is stored: a table that is added later is in it by itself.
            "tables": kept,
        }
        with writing(path, secret=True) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("person.json", json_text(content))
            for item in uploads:
                picture = snapshot.picture_path(item)
                if picture is not None:
                    archive.write(picture, f"pictures/{picture.name}")
        return {"uploads": len(uploads), "ratings": len(record.ratings), "changes of areas": len(record.edits)}

    def areas(
        self, encoder: str | None = None, options: AreaOptions | None = None, *, progress: Progress = silent
    ) -> PersonAreas:
        """Their areas of interest by an encoder, or by the one that serves best here, with their changes applied.

        Raises:
            RequestError: nobody of that name owns or uploaded anything, or the encoder found nothing in it.
        """
        snapshot = self.gallery.snapshot
        name = encoder or areas_encoder(snapshot.workspace)
        return find_areas(snapshot, snapshot.person(self.name), name, options, progress=progress)

    def edit(
        self,
        changes: AreaChanges,
        *,
        encoder: str | None = None,
        areas: AreaOptions | None = None,
        progress: Progress = silent,
    ) -> PersonAreas:
        """Change their areas, all changes or none, and answer with the areas as they are then.

        Raises:
            RequestError: there is no such area, or a change means nothing.
        """
        found = self.areas(encoder, areas, progress=progress)
        edits = changes.edits(found.profile)
        self.gallery.repository.keep_edits(self.name, [(edit.kind, edit.payload) for edit in edits])
        return self.areas(found.encoder, areas, progress=progress)

    def undo(self) -> str:
        """Take the latest change of their areas back; returns its kind.

        Raises:
            RequestError: there is none.
        """
        undone = self.gallery.repository.undo_edit(self.name) if self.record.edits else None
        if undone is None:
            raise RequestError(f"{self.name} has changed nothing about these areas, so there is nothing to undo")
        return undone.kind

    def recommend(
        self,
        n: int = USUAL_COUNT,
        *,
        engine: str | None = None,
        task: str | None = None,
        fusion: str | None = None,
        encoder: str | None = None,
        where: Where = (),
        exclude: Iterable[str] = (),
        per: Caps = MappingProxyType({}),
        diversity: float = 0.0,
        quota: int | None = None,
        query: str | None = None,
        tags: str | None = None,
        areas: AreaOptions | None = None,
        per_area: bool = False,
        show_copies: bool = False,
        progress: Progress = silent,
    ) -> Answer:
        """Other people's works for this person, by what they own, uploaded and rated, with reasons that add up.

        The answer's works are one list, in which a work that was found as picture and as text stands once; its
        ``lists`` hold the list of each target modality and, with ``per_area``, what each area found for each task.
        Every area that is not muted has a place in each list while places last, and more by weight (`UploadFusion`).

        Args:
            n: how many works; also in each of the lists.
            engine: ``zccr``, the system of D'Asaro et al. (2024): areas as `area_options` tells, lists of each area and
                task, and in one list areas in turn; what is given beside it takes the place of its parts.
            task: ``image-to-text`` and so on: which uploads search and what is searched; None takes all.
            fusion: the rule that ranks works: ``knn3z``, ``csls``, ``round-robin``, ``rrf``, ``mean-vector``, or the
                baselines ``tag-overlap`` and ``tag-embedding``. Without a name areas share the places and ``knn3z``
                ranks within each; with a name the rule alone makes the list, unless there is a quota.
            encoder: whose vectors; None takes the one that serves best here.
            where, exclude, per, diversity: as in `Gallery.recommend`.
            quota: places that each area has at least; the rule gives all others.
            query: what of an area searches: its ``centroid`` (default) or its ``medoid``.
            tags: for the baselines, ``keywords`` (default) or whose tags: ``lexicon``, ``caption`` …
            areas: how areas are found.
            per_area: whether the answer holds a list for each area and task.
            show_copies: whether works that are the same have a place each, those that show what is theirs included.
            progress: told of long steps.

        Raises:
            RequestError: nothing is theirs, or what was asked for is not understood or cannot be answered.
        """
        snapshot, options = self.gallery.snapshot, areas or area_options(engine=require_person_engine(engine))
        asked = selection(snapshot, n, where, exclude, per, diversity, show_copies=show_copies)
        rule = _require_rule(fusion, engine, tags)
        seed = cast(Seed, one_of(("centroid", "medoid"), query or "centroid", "query"))
        found = self.areas(encoder, options, progress=progress)
        asked = asked.unlike(list(found.items))
        asked = replace(asked, allow=asked.allow.without(snapshot.withheld()))
        profile, targets = _searching(found, task)
        notes = [*found.notes, *asked.notes, *published_notes(snapshot.workspace, found.encoder, options)]
        if len(encoded_as(found.reads)) == 1 and encoder is None:
            notes.insert(0, Sentence(_ONE_KIND, encoder=found.encoder, kinds=Sentence(KINDS[found.reads[0]])))
        if profile.disliked and rule in _BY_LISTS:
            low = [item_id for works in profile.disliked.values() for item_id in works.item_ids]
            profile = UploadProfile(profile.owner, profile.by_modality)
            asked = replace(asked, allow=asked.allow.without(low))
            told = "{rule} leaves works out that were rated low, but does not learn from them"
            notes.append(Sentence(told, rule=rule))
        indexes: dict[Modality, Index] = {each: snapshot.index(found.encoder, each) for each in found.reads}
        at_least = quota if quota is not None else 0 if fusion or engine else BY_WEIGHT
        request = _Request(asked, found, profile, indexes, rule, seed, at_least)
        recommender = _recommender(self.gallery, request, tags or "keywords", options)
        whole = [AnswerList(target, _works(recommender, [target], request)) for target in targets]
        notes += _lacking(recommender, request, whole)
        return Answer(
            "person",
            whole[0].works if len(whole) == 1 else _works(recommender, targets, request),
            engine or rule,
            self.gallery.fingerprint,
            tuple(notes),
            (*whole, *(_by_area(targets, request) if per_area or engine else ())),
            {"owner": self.name, "encoder": found.encoder, "fusion": rule}
            | {"quota": "by weight" if at_least == BY_WEIGHT else at_least},
            snapshot.picture_path,
            found,
            snapshot.seen,
        )


def _require_rule(fusion: str | None, engine: str | None, tags: str | None) -> str:
    """The rule that ranks works.

    Raises:
        RequestError: there is none of that name, or what is given beside it does not go with it.
    """
    rule = one_of((*FUSION_RULES, *BY_TAGS), fusion or (_IN_TURN if engine else DEFAULT_FUSION), "fusion")
    if engine is not None and rule in BY_TAGS:
        raise RequestError(f"{rule} goes by tags, and {engine} by areas of interest; give one of the two")
    if tags is not None and rule not in BY_TAGS:
        raise RequestError(f"{rule} reads no tags; leave --tags out, or choose from {', '.join(BY_TAGS)}")
    return rule


def areas_encoder(workspace: Workspace) -> str:
    """The encoder that areas are found with: one of both modalities where there is one.

    Raises:
        RequestError: the workspace has no vectors.
    """
    there = register.for_areas({name: workspace.modalities(name) for name in workspace.encoder_names})
    if not there:
        raise RequestError(f"{workspace.path} has no vectors; run `vernissage build` again to make some")
    return there[0]


def _searching(found: PersonAreas, task: str | None) -> tuple[UploadProfile, tuple[Modality, ...]]:
    """The uploads that search, and the modalities that are searched."""
    if task is None:
        return found.profile, found.reads
    tasks = {f"{source}-to-{target}": (source, target) for source in MODALITIES for target in MODALITIES}
    source, target = tasks[one_of(tasks, task, "task")]
    if missing := [each for each in (source, target) if each not in found.reads]:
        raise RequestError(f"{found.encoder} does not read {KINDS[missing[0]]}; choose another encoder for {task}")
    if source not in found.by_modality:
        raise RequestError(f"{found.owner} has no {KINDS[source]} that {found.encoder} reads; choose another task")
    return UploadProfile(found.owner, {source: found.profile.by_modality[source]}, found.disliked), (target,)


def _recommender(gallery: "Gallery", request: _Request, tags: str, options: AreaOptions) -> UploadRecommender:
    """What a word for a fusion stands for."""
    fusion, asked, found = request.fusion, request.asked, request.found
    if fusion in FUSION_RULES:
        return UploadFusion(
            request.indexes,
            rule=FUSION_RULES[fusion],
            seed=request.query,
            diversity=asked.diversity,
            at_least=request.at_least,
        )
    if request.at_least or asked.diversity:
        raise RequestError(f"--quota and --diversity re-rank by vectors, and {fusion} has none; choose a rule")
    from vernissage.profiles.areas import areas_of_interest
    from vernissage.recommenders.listed_works import ListedWorks
    from vernissage.recommenders.tags import TagEmbedding, TagOverlap
    from vernissage.search.exact import exact_index
    from vernissage.search.vectors import make_vector_table
    from vernissage.workspace.tagging import kept_tags

    snapshot = asked.snapshot
    works = {each: ListedWorks(snapshot.ids(found.encoder, each), snapshot.columns) for each in request.indexes}
    if tags == "keywords":
        everything = dict.fromkeys(item_id for each in works.values() for item_id in each.item_ids)
        words = {item_id: item.keywords for item_id, item in snapshot.items(everything).items()}
    else:
        words = kept_tags(gallery.repository, tags)
    if fusion == "tag-overlap":
        return TagOverlap(words, works)
    reader = snapshot.workspace.encoder(found.encoder)
    if not isinstance(reader, TextEncoder):
        raise RequestError(f"{found.encoder} does not read texts, so it cannot embed tags; choose another encoder")

    def index_of(ids: Sequence[str], vectors: Vectors, _: object) -> Index:
        contents, card = [""] * len(ids), {"encoder": "tags", "fingerprint": "", "modality": "text", "collection": ""}
        return exact_index(make_vector_table(vectors, ids, contents, **card), snapshot.columns)

    return TagEmbedding(
        words,
        works,
        reader,
        index_of,
        find_areas=lambda vectors, background: areas_of_interest(
            vectors, background=background, rule=options.rule, projection=options.projection
        ),
    )


def _lacking(recommender: UploadRecommender, request: _Request, lists: Sequence[AnswerList]) -> list[str]:
    """What to say of lists that are empty or shorter than was asked for."""
    found, asked = request.found, request.asked
    told = "{encoder} finds no {kinds} that resemble what {person} owns, uploaded or rated"
    notes: list[str] = [
        Sentence(told, encoder=found.encoder, kinds=Sentence(KINDS[each.target]), person=found.owner)
        for each in lists
        if not each.works and recommender.count(request.profile, each.target, asked.allow)
    ]
    notes += () if any(each.works for each in lists) else asked.unmet()
    return notes + [line for each in lists for line in shortfall(len(each.works), asked.n, KINDS[each.target])]


def _works(recommender: UploadRecommender, targets: Sequence[Modality], request: _Request) -> tuple[Work, ...]:
    """The list of one target modality, or of several together."""
    asked = request.asked
    answer = recommender.recommend(request.profile, targets, asked.n, asked.allow, asked.fitting())
    ids, scores = answer.ranking.item_ids, dict(answer.ranking)
    items, also = asked.snapshot.items(ids), asked.folded_into(ids)
    whys = answer.explanations or [None] * len(ids)
    if all(why is not None and all(abs(each.similarity) <= PRECISION for each in why.uploads) for why in whys):
        return ()  # else rounding would decide the order
    return tuple(
        Work(items[each], scores[each], _reasons(why, request.found) if why else (), found_as, also.get(each, ()))
        for (each, found_as), why in zip(answer.found_as.items(), whys, strict=True)
        if each in items  # an upload may have been removed since it was found
    )


def _reasons(why: UploadReason, found: PersonAreas) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    if why.area.name:  # areas of tags are no areas of the person's
        key = area_key(why.area.source, why.area.number)
        made = found.by_software(why.area.source, why.area.number)
        words = Sentence("belongs to {area}", area=marked(why.area.name, made))
        reasons.append(Reason("area", key, why.area.name, why.score, 1.0, words, by_software=made))
    scale = scale_of([*(each.contribution for each in why.uploads), why.rest])
    for each in why.uploads:
        reason = _resemblance(found, each.item_id, each.similarity)
        share = each.contribution * scale
        more: dict[str, Any] = {"weight": each.weight, "modality": each.source}
        reasons.append(replace(reason, contribution=each.contribution, share=share, **more))
    if why.rest:
        reasons.append(Reason("upload", "", "", why.rest, why.rest * scale, Sentence("other uploads")))
    return tuple(reasons)


def _resemblance(found: PersonAreas, item_id: str, cosine: float) -> Reason:
    title = found.called(item_id)
    return Reason("upload", item_id, title, 0.0, 0.0, Sentence("resembles {title}", title=title), similarity=cosine)


def _by_area(targets: Sequence[Modality], request: _Request) -> list[AnswerList]:
    """What each area found for each task; the weightiest area first."""
    found, profile, asked = request.found, request.profile, request.asked
    indexes = {target: request.indexes[target] for target in targets}
    lists = []
    ranked = asked.first_of_each(
        lambda count: rank_areas(indexes, profile, count, asked.allow, seed=request.query),
        attrgetter("ranking.item_ids"),
    )
    for each, places in ranked:
        uploads, scores = profile.by_modality[each.source], each.ranking.scores
        ids = [each.ranking.item_ids[place] for place in places]
        near = resembling_uploads(uploads, each.area, indexes[each.target], ids)
        items, also = asked.snapshot.items(ids), asked.folded_into(ids)
        works = [
            Work(items[item_id], float(scores[place]), reasons, each.target, also.get(item_id, ()))
            for item_id, place, resembling in zip(ids, places, near, strict=True)
            if item_id in items
            for reasons in [tuple([_resemblance(found, *one) for one in resembling])]
        ]
        key, made = area_key(each.source, each.area), found.by_software(each.source, each.area)
        lists.append(AnswerList(each.target, tuple(works), each.source, key, uploads.names[each.area], made))
    order = [area_key(source, area) for source in profile.sources for area in profile.by_modality[source].unmuted]
    return sorted(lists, key=lambda each: order.index(each.area))
