"""A person with three interests, as in Fig. 1 of the second paper: how many works of each come back.

    python benchmarks/three_subjects.py WORKSPACE --keyword cat --keyword book --keyword dog
    python benchmarks/three_subjects.py WORKSPACE --draws 30 --fusion areas --fusion areas:1 --fusion knn3z

Somebody uploads five pictures of the first subject and five of the second, without a word, and five texts of the third;
with ``--titles`` the pictures have their titles. They are works of the collection, which cannot come back. The first
form takes works by keywords and prints areas of interest and counts; the second draws works of three groups that have
ten works or more, so that each has five or more left to find, and prints in how many draws a list of nine holds at
least one, and at least two, of each subject that the uploads of its task are of. ``all`` is one list by all uploads.
Both print the adjusted Rand index of the pictures' areas to the two subjects; draws as a mean.

D'Asaro et al. 2024, Expert Systems with Applications 258, doi 10.1016/j.eswa.2024.125108.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import adjusted_rand_score

import vernissage
from vernissage.catalog.item import Item
from vernissage.gallery.gallery import Gallery

UPLOADS = 5
FEWEST = 10
SHOWN = 9
EXPECTED: Mapping[str | None, tuple[int, ...]] = {
    "image-to-image": (0, 1),
    "image-to-text": (0, 1),
    "text-to-image": (2,),
    "text-to-text": (2,),
    None: (0, 1, 2),
}
"""Which of the three subjects the uploads of a task are of."""

Subjects = Mapping[str, Sequence[Item]]
Way = Mapping[str, Any]
"""Encoder, fusion and quota, as `Person.recommend` takes them; no fusion is the default, in which areas share."""


class Shown(NamedTuple):
    """Which list: by what rule, of which uploads, and of what where all uploads search."""

    rule: str
    task: str | None
    target: str

    def __str__(self) -> str:
        return f"{self.rule:14s}{self.task or 'all':16s}{self.target:12s}"


def main() -> None:
    """Print counts of one person, or shares of draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, help="whose works have pictures and texts")
    parser.add_argument("--keyword", action="append", default=[], help="three: two for pictures, one for texts")
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument(
        "--fusion", action="append", help="areas, or rule, as rrf; with places of each area, as areas:2"
    )
    parser.add_argument("--titles", action="store_true", help="pictures are uploaded with their titles")
    parser.add_argument("--encoder", help="whose vectors; default: the best that is here")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    ways = {}
    for each in options.fusion or ["areas"]:
        rule, _, places = each.partition(":")
        fusion = None if rule == "areas" else rule
        ways[each] = {"encoder": options.encoder, "fusion": fusion, "quota": int(places) if places else None}
    with tempfile.TemporaryDirectory() as folder:
        gallery = vernissage.open(options.workspace, database=str(Path(folder) / "people.db"))
        if options.keyword:
            words = {word: [each for each in gallery.collection if word in each.keywords] for word in options.keyword}
            person = ThreeSubjects(gallery, words, np.random.default_rng(options.seed), titles=options.titles)
            print_counts(person, ways)
        else:
            print_shares(gallery, options.draws, options.seed, ways, titles=options.titles)


def print_counts(person: "ThreeSubjects", ways: Mapping[str, Way]) -> None:
    """One person's areas, and of every task how many works of each subject are among nine."""
    with person:
        for key, found in person.areas().items():
            print(f"area {key}: {dict(found)}")
        print(f"adjusted Rand of the pictures: {person.adjusted_rand():.2f}")
        for shown, found in person.lists(ways):
            print(str(shown) + ", ".join(f"{found[name]} {name}" for name in (*person.subjects, "other")))


def print_shares(gallery: Gallery, draws: int, seed: int, ways: Mapping[str, Way], *, titles: bool) -> None:
    """Of every task the share of draws whose nine works hold each subject once, or twice; and the works that fit."""
    groups: dict[str, list[Item]] = {}
    for item in gallery.collection:
        if item.group and item.picture and item.text:
            groups.setdefault(item.group, []).append(item)
    large = sorted(name for name, items in groups.items() if len(items) >= FEWEST)
    fewest: dict[Shown, list[int]] = {}
    fitting: dict[Shown, list[int]] = {}
    rand: list[float] = []
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        subjects = {name: groups[name] for name in rng.choice(large, 3, replace=False).tolist()}
        with ThreeSubjects(gallery, subjects, rng, titles=titles) as person:
            rand.append(person.adjusted_rand())
            for shown, found in person.lists(ways):
                counts = [found[list(subjects)[place]] for place in EXPECTED[shown.task]]
                fewest.setdefault(shown, []).append(min(counts))
                fitting.setdefault(shown, []).append(sum(counts))
    print(f"adjusted Rand of the pictures: {np.mean(rand):.3f}, 1 in {np.mean(np.array(rand) == 1):.2f} of draws")
    print(f"{len(large)} groups, {draws} draws\n{'':42s}one of each  two of each  fitting of {SHOWN}")
    for shown, least in fewest.items():
        one, two = (np.mean(np.array(least) >= wanted) for wanted in (1, 2))
        print(f"{shown}{one:11.2f}{two:13.2f}{np.mean(fitting[shown]):13.2f}")


class ThreeSubjects:
    """Somebody who uploads five works of each subject, and is deleted at the end of ``with``."""

    def __init__(self, gallery: Gallery, subjects: Subjects, rng: np.random.Generator, *, titles: bool) -> None:
        self.subjects = subjects
        self.drawn = [[items[row] for row in rng.permutation(len(items))[:UPLOADS]] for items in subjects.values()]
        self.subject_of = {item.id: name for name, items in subjects.items() for item in items}
        self.person, self.folder, self.titles = gallery.person("three subjects"), gallery.collection.folder, titles

    def __enter__(self) -> "ThreeSubjects":
        pictures = [item for items in self.drawn[:2] for item in items]
        submissions = [
            vernissage.Submission(self.folder / each.picture, each.title if self.titles else "", id=f"upload-{each.id}")
            for each in pictures
        ]
        texts = [vernissage.Submission(text=item.text, id=f"upload-{item.id}") for item in self.drawn[2]]
        self.person.upload([*submissions, *texts])
        return self

    def __exit__(self, *_: object) -> None:
        self.person.delete()

    def areas(self) -> dict[str, Counter[str]]:
        """Of each area, by key and name, how many uploads of each subject are in it."""
        return {
            f"{modality}:{number + 1} {found.uploads.names[number]}": Counter(
                self.subject_of[found.uploads.item_ids[row].removeprefix("upload-")] for row in area.members
            )
            for modality, found in self.person.areas().by_modality.items()
            for number, area in enumerate(found.uploads.areas)
        }

    def adjusted_rand(self) -> float:
        """How well the areas of pictures are the two subjects: 1 if they are, 0 as by chance."""
        uploads = self.person.areas().by_modality["image"].uploads
        true = [self.subject_of[each.removeprefix("upload-")] for each in uploads.item_ids]
        return float(adjusted_rand_score(true, uploads.area_of))

    def lists(self, ways: Mapping[str, Way]) -> Iterator[tuple[Shown, Counter[str]]]:
        """Of every task, and of all together, how many works of each subject are shown."""
        exclude = [item.id for items in self.drawn for item in items]
        for (name, way), task in product(ways.items(), EXPECTED):
            answer = self.person.recommend(SHOWN, task=task, exclude=exclude, **way)
            shown = [(str(each.target), each.works) for each in answer.lists] if task is None else []
            for target, works in [*shown, ("", answer.works)]:
                yield Shown(name, task, target), Counter(self.subject_of.get(work.id, "other") for work in works)


if __name__ == "__main__":
    main()
