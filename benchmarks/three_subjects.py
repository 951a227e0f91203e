"""A person with three interests, as in Fig. 1 of the second paper: how many works of each come back.

    python benchmarks/three_subjects.py WORKSPACE --keyword cat --keyword book --keyword dog
    python benchmarks/three_subjects.py WORKSPACE --draws 30

Somebody uploads five pictures of the first subject and five of the second, without a word, and five texts of the third.
They are works of the collection, which cannot come back. The first form takes works by keywords and prints areas of
interest and counts; the second draws works of three groups that have ten works or more, so that each has five or more
left to find, and prints in how many draws a list of nine holds at least one, and at least two, of each subject that
the uploads of its task are of. ``all`` is one list by all uploads.

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
"""Encoder, fusion and quota, as `Person.recommend` takes them."""


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
    parser.add_argument("--fusion", action="append", help="rule, as rrf, or rule:places of each area, as knn3z:2")
    parser.add_argument("--encoder", help="whose vectors; default: the best that is here")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    fusions = [each.partition(":") for each in options.fusion or ["knn3z"]]
    ways = [{"encoder": options.encoder, "fusion": rule, "quota": int(places or 0)} for rule, _, places in fusions]
    with tempfile.TemporaryDirectory() as folder:
        gallery = vernissage.open(options.workspace, database=str(Path(folder) / "people.db"))
        if options.keyword:
            words = {word: [each for each in gallery.collection if word in each.keywords] for word in options.keyword}
            print_counts(gallery, words, np.random.default_rng(options.seed), ways)
        else:
            print_shares(gallery, options.draws, options.seed, ways)


def print_counts(gallery: Gallery, subjects: Subjects, rng: np.random.Generator, ways: Sequence[Way]) -> None:
    """One person's areas, and of every task how many works of each subject are among nine."""
    for shown, found in lists(gallery, subjects, rng, ways, areas=True):
        print(str(shown) + ", ".join(f"{found[name]} {name}" for name in (*subjects, "other")))


def print_shares(gallery: Gallery, draws: int, seed: int, ways: Sequence[Way]) -> None:
    """Of every task the share of draws whose nine works hold each subject once, or twice; and the works that fit."""
    groups: dict[str, list[Item]] = {}
    for item in gallery.collection:
        if item.group and item.picture and item.text:
            groups.setdefault(item.group, []).append(item)
    large = sorted(name for name, items in groups.items() if len(items) >= FEWEST)
    fewest: dict[Shown, list[int]] = {}
    fitting: dict[Shown, list[int]] = {}
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        subjects = {name: groups[name] for name in rng.choice(large, 3, replace=False).tolist()}
        for shown, found in lists(gallery, subjects, rng, ways):
            counts = [found[list(subjects)[place]] for place in EXPECTED[shown.task]]
            fewest.setdefault(shown, []).append(min(counts))
            fitting.setdefault(shown, []).append(sum(counts))
    print(f"{len(large)} groups, {draws} draws\n{'':42s}one of each  two of each  fitting of {SHOWN}")
    for shown, least in fewest.items():
        one, two = (np.mean(np.array(least) >= wanted) for wanted in (1, 2))
        print(f"{shown}{one:11.2f}{two:13.2f}{np.mean(fitting[shown]):13.2f}")


def lists(
    gallery: Gallery, subjects: Subjects, rng: np.random.Generator, ways: Sequence[Way], *, areas: bool = False
) -> Iterator[tuple[Shown, Counter[str]]]:
    """Of every task, and of all together, how many works of each subject are shown; ``areas`` prints the areas, too."""
    drawn = [[items[row] for row in rng.permutation(len(items))[:UPLOADS]] for items in subjects.values()]
    folder = gallery.collection.folder
    submissions = [
        vernissage.Submission(folder / item.picture, id=f"upload-{item.id}") for items in drawn[:2] for item in items
    ]
    submissions += [vernissage.Submission(text=item.text, id=f"upload-{item.id}") for item in drawn[2]]
    person = gallery.person("three subjects")
    person.upload(submissions)
    subject_of = {item.id: name for name, items in subjects.items() for item in items}
    exclude = [item.id for items in drawn for item in items]
    try:
        if areas:
            for uploads in person.areas(ways[0]["encoder"]).profile.by_modality.values():
                for area, name in zip(uploads.areas, uploads.names, strict=True):
                    ids = [uploads.item_ids[row].removeprefix("upload-") for row in area.members]
                    print(f"area {name}: {dict(Counter(subject_of[each] for each in ids))}")
        for way, task in product(ways, EXPECTED):
            answer = person.recommend(SHOWN, task=task, exclude=exclude, **way)
            shown = {each.target: each.works for each in answer.lists} if task is None else {}
            for target, works in {**shown, "": answer.works}.items():
                name = f"{way['fusion']}:{way['quota']}"
                yield Shown(name, task, target), Counter(subject_of.get(work.id, "other") for work in works)
    finally:
        person.delete()


if __name__ == "__main__":
    main()
