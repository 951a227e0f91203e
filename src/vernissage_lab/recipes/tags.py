"""`tags`: areas of interest against recommendations by tags, and where tags come from (Figs. 19 and 20).

tags/TAGGER-KEY/*.json    tags of some works each; KEY stands for the works and for the tagger with all its settings
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import note
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import digest, read_json, write_json
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.directions import mean_direction
from vernissage.progress import Progress, silent
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.recommenders.tags import CommonRule, TagOverlap, common_rule, embed_tags, known_tags
from vernissage.taggers.contract import ImageTagger, Tags, TextTagger, once, tagger_key
from vernissage.taggers.register import TAGGERS, load_tagger, weights_of_each
from vernissage.values import ENCODED, Modality, Vectors
from vernissage.workspace.repository import open_repository
from vernissage.workspace.tagging import kept_taggers, kept_tags, tag_pictures, tag_texts, words_to_tag
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.datasets.captioned import CaptionedSet, one_caption_each
from vernissage_lab.lists import SHOWN, Seeker, Task, named, recall_by_areas, tasks_of
from vernissage_lab.material import IN_WORDS, Material, measured_part
from vernissage_lab.method_grid import method_pictures, method_views
from vernissage_lab.published.beside import beside_tags
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables, Words
from vernissage_lab.set_encoders import key_of
from vernissage_lab.tables import Row, differences, means, parts
from vernissage_lab.users import PointNumbers, Rows, SimulatedUser, Tasks, simulated_users
from vernissage_lab.works import UserOptions, whole_numbers

_PICTURES_AT_ONCE = 16


@dataclass(frozen=True)
class TagOptions(UserOptions):
    """How many interests and uploads, whose tags, and which of them count for overlap."""

    points: PointNumbers = "5,10,20,30"
    task: Tasks = None
    overlap: Words = None
    tags: Words = None
    tagger: Words = None
    tagger_weights: Words = None
    database: DatabasePlace = None

    def __post_init__(self) -> None:
        self.rules, self.grid  # noqa: B018, refuses words that mean nothing

    @cached_property
    def rules(self) -> tuple[CommonRule, ...]:
        """Which tags count for overlap."""
        return tuple(common_rule(word) for word in dict.fromkeys(self.overlap or ["mass"]))

    @cached_property
    def grid(self) -> list[tuple[int, int]]:
        """Numbers of interests with numbers of uploads in each."""
        return list(product(self.interests, whole_numbers(self.points, "the points")))

    def record(self) -> dict[str, Any]:
        return {**super().record(), "rules": self.rules}

    def tagged(self, cells: Cells) -> list[Material]:
        """The works by each encoder, with these tags; what was found or made for it is kept in the run's folder.

        Raises:
            RequestError: a word means nothing here, or there are no such tags.
        """
        places = weights_of_each(self.tagger or (), self.tagger_weights or ())
        if self.kind is not None and not self.tagger:
            found = measured_part(self.dataset)
            if not found.image_tags and not found.text_tags:
                raise RequestError(no_tags(found.name))
        materials = self.materials(cells)
        tags = [*self._stored(), *self._anew(places, cells)]
        own = "keywords" if self.kind is None else "the set's own"
        return [with_tags(each, tags, own=own) for each in materials]

    def _anew(self, places: Mapping[str, Sequence[str]], cells: Cells) -> "Iterator[FoundTags]":
        """What taggers find in the works now, or found before."""
        if not places:
            return
        if self.kind is None:
            works = taggable_collection(self.workspace.collection, self.workspace.collection_name)
        else:
            works = taggable_set(measured_part(self.dataset), seed=cells.seed)
        for name, weights in places.items():
            works.readable(TAGGERS[name].modality, name)  # before weights are loaded, or fetched
            tagger = load_tagger(name, weights, (), Runtime(), None, cells.progress, tell=note)
            yield tag_works(works, tagger, cells.place, progress=cells.progress)

    def _stored(self) -> "Iterator[FoundTags]":
        """What the command tag keeps beside a workspace."""
        names = [word for word in dict.fromkeys(self.tags or ()) if word != "keywords"]
        if not names:
            return
        if "keywords" in (self.tags or ()):
            raise RequestError(f"--tags keywords and --tags {names[0]} exclude each other; leave one of them out")
        if self.kind is not None:
            raise RequestError(
                f"a data set keeps no tags, so there are none by {names[0]!r}; leave --tags out for its own tags, or "
                f"find some with --tagger"
            )
        with closing(open_repository(self.source, self.database)) as repository:
            for name in kept_taggers(repository) if "stored" in names else names:
                yield FoundTags(_modality_of(name), f"kept, by {name}", kept_tags(repository, name))


@dataclass(frozen=True)
class Taggable:
    """What taggers can read of the works of an experiment.

    Attributes:
        name, fingerprint: of the works.
        texts: by work; works without words are left out.
        pictures: the files, by work, as far as they are there.
    """

    name: str
    fingerprint: str
    texts: Mapping[str, str]
    pictures: Mapping[str, Path]

    def readable(self, modality: Modality, tagger: str) -> Mapping[str, object]:
        """The texts, or the pictures, for a tagger of that name. Raises RequestError: there are none."""
        found: Mapping[str, object] = self.texts if modality == "text" else self.pictures
        if not found:
            folder = "name their folder with --pictures, or choose a tagger of texts"
            way_out = folder if modality == "image" else "choose a tagger of pictures"
            raise RequestError(
                f"the tagger {tagger} reads {IN_WORDS[modality]}, but {self.name} has none here; {way_out}"
            )
        return found


@dataclass(frozen=True)
class FoundTags:
    """Tags of pictures or of texts: of which, by whom in words, and by work."""

    modality: Modality
    by: str
    tags: Mapping[str, Tags]


def no_tags(name: str) -> str:
    """What to say where no work has a tag."""
    return (
        f"no work of {name} has tags, so there is nothing to compare with; find some with --tagger, or take a "
        f"collection with a column keywords, or a classified set with the columns image_tags or text_tags"
    )


def taggable_collection(collection: Collection, name: str) -> Taggable:
    """The works of a workspace, with the words that the command tag reads: title, description and keywords."""
    works = [(item.id, words_to_tag(item, uploaded=False), collection.picture_path(item)) for item in collection]
    return _taggable(name, collection.fingerprint, works)


def taggable_set(found: CaptionedSet, *, seed: int) -> Taggable:
    """The pictures of a set, by picture id, each with the caption that is drawn of it by ``seed``."""
    drawn = one_caption_each(found, seed=seed)
    works = [(each.image_id, each.text, drawn.image_of[each.image_id].path) for each in drawn.captions]
    return _taggable(found.name, drawn.fingerprint, works)


def _taggable(name: str, fingerprint: str, works: Sequence[tuple[str, str, Path | None]]) -> Taggable:
    texts = {item_id: text for item_id, text, _ in works if text.strip()}
    return Taggable(name, fingerprint, texts, {item_id: path for item_id, _, path in works if path is not None})


def tag_works(
    works: Taggable, tagger: TextTagger | ImageTagger, folder: Path, *, progress: Progress = silent
) -> FoundTags:
    """The tags that a tagger finds in all texts, or all pictures, of these works.

    They are kept below ``folder``, some works at a time: an interrupted tagging goes on where it stopped, and the same
    tagger reads no work twice. Files that are damaged are made again.

    Raises:
        RequestError: there is nothing that the tagger reads.
        CollectionError: a picture cannot be opened.
        WorkspaceError: the folder cannot be written.
    """
    modality: Modality = "text" if isinstance(tagger, TextTagger) else "image"
    readable = works.readable(modality, tagger.name)
    home = folder / "tags" / f"{tagger.name}-{key_of(works.fingerprint, tagger_key(tagger))}"
    known = _kept(home)
    waiting = [item_id for item_id in readable if item_id not in known]
    step, done = f"Tagging with {tagger.name}", 0
    progress(step, 0, len(waiting))
    if isinstance(tagger, TextTagger):
        found = tag_texts(tagger, [(item_id, works.texts[item_id]) for item_id in waiting])
    else:
        found = tag_pictures(tagger, [(each, works.pictures[each]) for each in waiting], _PICTURES_AT_ONCE)
    for some in found:
        write_json(home / f"{key_of(*some)}.json", {"method": tagger.method, "tags": some})
        known |= some
        done += len(some)
        progress(step, done, len(waiting))
    return FoundTags(modality, told_by(tagger), {item_id: known[item_id] for item_id in readable})


def told_by(tagger: TextTagger | ImageTagger) -> str:
    """A tagger in one line: its method, with lexicon or weights, and the key that stands for all its settings."""
    return f"{tagger.method} ({tagger_key(tagger)})"


def with_tags(material: Material, found: Sequence[FoundTags], *, own: str) -> Material:
    """The material with these tags in place of its own for pictures, or texts, or both; ``own`` says whose those were.

    Several findings for one modality are joined, work by work, each tag once.
    """
    tags, by = dict(material.tags), {each: own for each, words in material.tags.items() if any(words.values())}
    for modality in IN_WORDS:
        some = [each for each in found if each.modality == modality]
        if some:
            tags[modality] = {
                item_id: once(chain.from_iterable(each.tags.get(item_id, ()) for each in some))
                for item_id in material.item_ids
            }
            by[modality] = "; ".join(each.by for each in some)
    return replace(material, tags=tags, tagged_by=by)


def tags_digest(material: Material) -> str:
    """16 hexadecimal digits that stand for all tags of its works."""
    lines = (
        "\0".join((modality, item_id, *tags[item_id]))
        for modality, tags in sorted(material.tags.items())
        for item_id in material.item_ids
        if tags.get(item_id)
    )
    return digest(*(line.encode() for line in lines))[:16]


def _modality_of(stored: str) -> Modality:
    """What a tagger of that name, or name and fingerprint, reads."""
    name = stored if stored in TAGGERS else stored.rpartition("-")[0]
    if name not in TAGGERS:
        raise RequestError(
            f"there are no tags {stored!r}; choose keywords, stored, or a tagger's: {', '.join(TAGGERS)}"
        )
    return TAGGERS[name].modality


def _kept(home: Path) -> dict[str, Tags]:
    found: dict[str, Tags] = {}
    for path in sorted(home.glob("*.json")):
        try:
            found |= {item_id: tuple(tags) for item_id, tags in read_json(path)["tags"].items()}
        except (ProvenanceError, TypeError, KeyError, AttributeError):
            path.unlink()
    return found


STEP = "Comparing areas with tags"
EMBEDDING_STEP = "Reading tags as texts"
MEASURES = ("recall", "recall_per_seed", "shown")
GROUP = ("encoder", "task", "classes", "points")
AREAS, EMBEDDING = "areas", "tag-embedding"
NOTHING: Mapping[str, float] = {"recall": 0.0, "recall_per_seed": 0.0, "shown": 0.0}
"""What somebody is shown for whom a method has no answer."""

_Means = Mapping[Modality, npt.NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Compared:
    """The same works by vectors and by tags.

    Attributes:
        own: by their own vectors, in the modalities that the encoder reads.
        present: by their tags alone, in the modalities that have tags, which are these or more; all vectors are equal.
        progress: told when tags are read as texts.
    """

    own: Material
    present: Material
    progress: Progress = silent

    @cached_property
    def embedded(self) -> Material:
        """By the vectors of their tags, in the same modalities; made when first asked for: it can take minutes."""
        self.progress(EMBEDDING_STEP, 0, 1)
        encoder, known = self.own.text_encoder, dict[int, Vectors]()
        for tags in self.own.tags.values() if encoder is not None else ():
            if id(tags) not in known:  # one column of keywords often serves both modalities
                words = [known_tags(tags, item_id) for item_id in self.own.item_ids]
                known[id(tags)] = embed_tags(words, encoder)  # type: ignore[arg-type]  # it is there
        self.progress(EMBEDDING_STEP, 1, 1)
        return replace(self.present, vectors={each: known[id(tags)] for each, tags in self.own.tags.items()})

    @cached_property
    def backgrounds(self) -> tuple[_Means, _Means]:
        """The mean directions of works that have a vector, float64 (dim,), by modality: of own vectors, and of tags."""
        return _mean_directions(self.own), _mean_directions(self.embedded)


def _mean_directions(material: Material) -> _Means:
    return {each: mean_direction(rows[rows.any(axis=1)]) for each, rows in material.vectors.items()}


def compared(material: Material, progress: Progress = silent) -> Compared:
    """The works of a material by their vectors and by their tags.

    Where pictures alone, or texts alone, have tags, they are the other's too, because both are of one work; then the
    modalities are those that the encoder reads. Else they are all that have tags.

    Raises:
        RequestError: no work has tags, or nothing reads them.
    """
    known = _modalities_with_tags(material)
    if not known:
        raise RequestError(no_tags(material.name))
    if material.text_encoder is None:
        raise RequestError(f"nothing in {material.name} reads tags; build an encoder of texts, such as lsa, beside it")
    there = material.modalities if set(material.modalities) - set(known) else known
    tags = {each: material.tags[each if each in known else known[0]] for each in there}
    tagged = replace(material, tags=tags)
    ones = np.ones((len(material), 1), dtype=np.float32)
    return Compared(tagged, replace(tagged, vectors=dict.fromkeys(there, ones)), progress)


def compute(options: TagOptions, cells: Cells) -> Outcome:
    """Compare areas of interest with overlap of tags, and with areas of embedded tags.

    \b
    Examples:
      vernissage lab experiment run tags workspace
      vernissage lab experiment run tags workspace --users 20 --points 10
      vernissage lab experiment run tags workspace --tagger lexicon --tagger objects --tagger-weights rtdetr_v2_r18vd
      vernissage lab experiment run tags set.csv --kind classified -e minilm --overlap mass --overlap twice-unique
    """
    options.require_classes()
    return run_tags(options.tagged(cells), options, cells)


def run_tags(materials: Sequence[Material], options: TagOptions, cells: Cells) -> Outcome:
    """Measure the three methods of the paper, the same users for all of them.

    ``areas``: areas of interest of the vectors, the centroids take turns. ``tag-overlap`` (BT): `TagOverlap` by each of
    the rules. ``tag-embedding`` (BTBA): as ``areas``, over vectors of the works' tags joined by blanks. Tasks are all
    between modalities that have tags; areas are left out of those in which one modality has no vectors.

    Raises:
        RequestError: a material has no tags, or nothing that reads them; too few classes or too little noise.
    """
    works = [compared(material, cells.progress) for material in materials]
    notes = [note for material, each in zip(materials, works, strict=True) for note in _notes(material, each)]
    grid: list[Part] = []
    for (material, each), (classes, points) in product(zip(materials, works, strict=True), options.grid):
        protocol = options.protocol(material)
        if why := protocol.too_small(classes, points, material.name):
            notes.append(why)
            continue
        tasks = tasks_of(each.present, options.task)
        people: dict[str, Any] = {"interests": classes, "points": points, "users": options.users}
        key: dict[str, Any] = {**material.describe(), **options.numbers(), **people}
        key |= {"rules": options.rules, "tasks": [named(task) for task in tasks], "tags_digest": tags_digest(material)}
        users = partial(simulated_users, protocol, **people, seed=cells.seed)
        grid.append(Part(key, partial(_rows, each, tasks, options.rules, users, (classes, points))))
    values = [row for rows in rows_of(grid, cells, STEP) for row in rows]
    if not values and not cells.skipped:
        raise RequestError(notes[0] if notes else "the grid has no cells; give classes and points")
    most = max((row["classes"] for row in values), default=max(classes for classes, _ in options.grid))
    for material in materials:
        protocol = options.protocol(material)
        notes += protocol.remarks(material.name, most, options.users)
    return Outcome(_tables(values), tuple(notes), tuple(material.describe() for material in materials))


def _notes(material: Material, works: Compared) -> Iterator[str]:
    """Where tags come from, whose are missing, and for which tasks areas are left out."""
    name, known, reader = material.name, _modalities_with_tags(material), material.text_encoder
    for each in material.modalities:
        if each not in known:
            yield f"{name}: its {each}s have no tags of their own, so those of the other half stand for them"
    for modality, by in material.tagged_by.items():
        without = sum(not material.tags[modality].get(item_id) for item_id in material.item_ids)
        some = f"; {without} of {len(material)} works have none" if without else ""
        yield f"{name}: tags of its {IN_WORDS[modality]}: {by}{some}"
    if blind := [IN_WORDS[each] for each in works.present.modalities if each not in material.modalities]:
        there = " and ".join(IN_WORDS[each] for each in material.modalities)
        yield (
            f"{name}: {material.encoder} has vectors of {there} alone, so areas are left out of the tasks with "
            f"{blind[0]}, which are compared by tags alone"
        )
    if reader is not None:
        which = f" ({variant})" if (variant := getattr(reader, "variant", "")) else ""
        yield f"{name}: {EMBEDDING} reads tags by {reader.name}{which}, fingerprint {reader.fingerprint}"


def _rows(
    works: Compared,
    tasks: Sequence[Task],
    rules: Sequence[CommonRule],
    users: "partial[Iterator[SimulatedUser]]",
    numbers: tuple[int, int],
) -> Iterator[Row]:
    for number, user in enumerate(users()):
        for task, method, told in shown_to(user, works, tasks, rules):
            place = {"encoder": works.own.encoder, **named(task), "classes": numbers[0], "points": numbers[1]}
            yield place | {"method": method, "user": number} | {measure: told[measure] for measure in MEASURES}


def shown_to(
    user: SimulatedUser, works: Compared, tasks: Sequence[Task], rules: Sequence[CommonRule]
) -> Iterator[tuple[Task, str, Mapping[str, float]]]:
    """Task by task what each method shows to one user."""
    own, embedded = works.backgrounds
    with_vectors = [task for task in tasks if set(task) <= set(works.own.modalities)]
    by_areas = _shown_by_areas(Seeker(works.own, user), with_vectors, own)
    by_tag_vectors = _shown_by_areas(Seeker(works.embedded, user), tasks, embedded)
    present = Seeker(works.present, user)
    for task in tasks:
        if task in by_areas:
            yield task, AREAS, by_areas[task]
        for rule, told in _shown_by_overlap(present, task, rules).items():
            yield task, "tag-overlap" if rule == "mass" else f"tag-overlap:{rule}", told
        yield task, EMBEDDING, by_tag_vectors[task]


def _shown_by_areas(seeker: Seeker, tasks: Sequence[Task], means: _Means) -> dict[Task, Mapping[str, float]]:
    """What areas of interest find of each task, the centroids taking turns; see `recall_by_areas`."""
    indexes = seeker.indexes(tasks)
    areas = {
        source: areas_of_interest(vectors, background=means[source])
        for source in {source for source, _ in tasks}
        if (vectors := seeker.vectors(source)).any()
    }
    return {
        task: recall_by_areas(seeker, indexes, task, areas[task[0]], "centroid")
        if task[0] in areas and len(indexes[task[1]])
        else NOTHING
        for task in tasks
    }


def _shown_by_overlap(seeker: Seeker, task: Task, rules: Sequence[CommonRule]) -> dict[CommonRule, Mapping[str, float]]:
    """What overlap of tags by each rule finds, of works that are `Compared.present`.

    Uploads have the tags of their modality, and works of the pool those of theirs; nothing is both. A rule that cuts
    within areas is told the true interests, as the code of the paper is.
    """
    source, target = task
    uploads = dict(zip(seeker.upload_ids, _tags_of(seeker.material, source, seeker.user.uploads), strict=True))
    works = dict(zip(seeker.pool_ids, _tags_of(seeker.material, target, seeker.user.pool), strict=True))
    if not any(known_tags(uploads, item_id) for item_id in uploads):
        return dict.fromkeys(rules, NOTHING)
    areas = seeker.true_areas(source)
    found: dict[CommonRule, Mapping[str, float]] = {}
    for rule in rules:
        recommender = TagOverlap(uploads | works, {target: ListedWorks(seeker.pool_ids)}, rule=rule)
        shown = recommender.recommend(seeker.profile(source, areas), target, SHOWN).ranking.item_ids
        recall = seeker.found(shown)
        found[rule] = {"recall": recall, "recall_per_seed": recall, "shown": float(len(shown))}
    return found


def _modalities_with_tags(material: Material) -> tuple[Modality, ...]:
    return tuple(each for each in ENCODED if any(material.tags.get(each, {}).values()))


def _tags_of(material: Material, modality: Modality, rows: Rows) -> list[Sequence[str]]:
    return [material.tags[modality].get(material.item_ids[row], ()) for row in rows.tolist()]


def _tables(values: Sequence[Row]) -> Tables:
    """Differences are from areas, or from the first method where there are none, by encoder and task."""
    tests = [
        row
        for _, some in parts(values, "encoder", "task")
        for row in differences(some, GROUP, ("method",), (some[0]["method"],), MEASURES[:2], "user")
    ]
    return {"values": values, "means": means(values, (*GROUP, "method"), MEASURES), "differences": tests}


def _pictures(tables: Tables) -> Mapping[str, Picture]:
    return method_pictures(tables, {"recall": "one list of ten", "recall_per_seed": "ten works from every area"})


RECIPE = Recipe(EXPERIMENTS["tags"], TagOptions, compute, _pictures, method_views, beside=beside_tags)
