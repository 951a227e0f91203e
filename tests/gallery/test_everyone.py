"""Lists for everybody: those that are given one by one, in files that a run goes on with after a kill."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import vernissage.gallery.everyone as module
from vernissage.errors import RatingsError, RequestError
from vernissage.gallery.engines import Fusion
from vernissage.gallery.everyone import ListOptions, lists_for_everyone, read_rated_people
from vernissage.gallery.gallery import open_gallery
from vernissage.workspace.editorial import place

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and blocks of few people."""
    monkeypatch.setattr(module, "PART", 7)
    monkeypatch.setattr(module, "_BLOCK", 3)


def ratings_of(workspace: Path, people: int, file: Path) -> dict[str, dict[str, float]]:
    """Random ratings of works, also written to a file, its rows shuffled."""
    random = np.random.default_rng(0)
    with open_gallery(workspace, writing=False, people=False) as gallery:
        ids = list(gallery.collection.ids)
    rows = [
        (f"visitor {number}", ids[row], int(random.integers(1, 6)))
        for number in range(people)
        for row in random.choice(len(ids), 1 + number % 9, replace=False)
    ]
    random.shuffle(rows)
    made: dict[str, dict[str, float]] = {}
    for name, item_id, rating in rows:
        made.setdefault(name, {})[item_id] = rating
    file.write_text("\n".join(["Person,id,rating", *(",".join(map(str, row)) for row in rows)]), "utf-8")
    return made


def lists_in(folder: Path) -> Rows:
    found: Rows = {}
    for row in pq.read_table(folder, columns=["person", "rank", "id", "score", "reasons"]).to_pylist():
        found.setdefault(row["person"], []).append(row)
    return found


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    "options",
    [
        ListOptions(),
        ListOptions(4, "lsa", "linear"),
        ListOptions(5, "late-partial"),
        ListOptions(5, "lda+colour-texture", fusion=Fusion("minmax")),
        ListOptions(3, where=("year>=1880",), per={"artist": 1}, diversity=0.4, exclude=("w001", "w002")),
    ],
    ids=["default", "one engine", "late-partial", "minmax", "selected"],
)
def test_everybody_gets_the_list_that_one_gets(built: Path, tmp_path: Path, options: ListOptions) -> None:
    ratings = ratings_of(built, 16, tmp_path / "ratings.csv")
    made = lists_for_everyone(built, tmp_path / "lists", tmp_path / "ratings.csv", options)
    found = lists_in(tmp_path / "lists")
    assert (made.people, made.lists) == (16, 16)
    how = {
        name: getattr(options, name) for name in ("engine", "rule", "where", "exclude", "per", "diversity", "fusion")
    }
    without = 0
    with open_gallery(built, writing=False, people=False) as gallery:
        for name, rated in ratings.items():
            try:
                answer = gallery.recommend(rated, options.n, **how)
            except (RatingsError, RequestError):
                assert name not in found
                without += 1
                continue
            assert [(row["rank"], row["id"], row["score"]) for row in found.get(name, [])] == [
                (rank, work.id, work.score) for rank, work in enumerate(answer.works, 1)
            ]
            for row, work in zip(found.get(name, []), answer.works, strict=True):
                told = [(each["kind"], each["id"], each["contribution"]) for each in row["reasons"]]
                reasons = [(reason.kind, reason.id, reason.contribution) for reason in work.reasons]
                assert sorted(told) == sorted(reasons)
                assert sum(each[2] for each in told if each[0] == "rated") == pytest.approx(work.score)
    assert without == made.without


def test_pinned_works_say_so_and_banned_ones_are_in_no_list(built: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(built, tmp_path / "workspace"))
    place(workspace, ["w003"], "pinned")
    place(workspace, ["w004", "w005"], "banned")
    (tmp_path / "ratings.csv").write_text("person,id,rating\nann,w001,5\nann,w002,2\n", "utf-8")
    lists_for_everyone(workspace, tmp_path / "lists", tmp_path / "ratings.csv", ListOptions(40, "lsa"))
    with open_gallery(workspace, writing=False, people=False) as gallery:
        works = gallery.recommend({"w001": 5, "w002": 2}, 40, engine="lsa").works
    found = lists_in(tmp_path / "lists")["ann"]
    assert [each["id"] for each in found] == [work.id for work in works]
    assert (found[0]["id"], found[0]["reasons"][-1]) == (
        "w003",
        {"kind": "field", "id": "pinned", "contribution": works[0].score},
    )
    assert not {"w004", "w005"} & {each["id"] for each in found}


@pytest.mark.usefixtures("few")
def test_a_run_goes_on_after_the_last_whole_file_and_refuses_another_request(built: Path, tmp_path: Path) -> None:
    ratings_of(built, 20, tmp_path / "ratings.csv")
    folder, file = tmp_path / "lists", tmp_path / "ratings.csv"
    lists_for_everyone(built, folder, file, ListOptions(3, "lsa"))
    parts = sorted(folder.glob("part-*.parquet"))
    before = [part.read_bytes() for part in parts]
    assert len(parts) == 3
    parts[1].unlink()
    again = lists_for_everyone(built, folder, file, ListOptions(3, "lsa"))
    assert (again.people, again.lists) == (20, 7)
    assert [part.read_bytes() for part in parts] == before
    with pytest.raises(RequestError, match="lists of another request"):
        lists_for_everyone(built, folder, file, ListOptions(4, "lsa"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(RequestError, match="no folder of lists"):
        lists_for_everyone(built, tmp_path / "other", file, ListOptions(3, "lsa"))
    assert (tmp_path / "other" / "notes.txt").read_text() == "mine"


def test_ratings_and_people_that_come_to_nothing_are_listed(built: Path, tmp_path: Path) -> None:
    rows = [
        "ann,w001,5",
        "ann,w001,2",
        "ann,gone,5",
        "bob,gone,4",
        "cleo,w002,six",
        "dora,w003,9",
        ",w004,5",
        "eve,w005,3",
    ]
    (tmp_path / "ratings.csv").write_text("\n".join(["user,work,stars", *rows]), "utf-8")
    made = lists_for_everyone(built, tmp_path / "lists", tmp_path / "ratings.csv", ListOptions(2, "lsa", "minmax"))
    told = (tmp_path / "lists" / "_rejected.csv").read_text("utf-8").splitlines()
    assert lists_in(tmp_path / "lists") == {}
    assert made.without == len(told) - 1
    assert [line.split(",")[0] for line in told[1:]] == ["cleo", "dora", "", "ann", "bob", "eve"]
    assert "none of the rated works is in the collection" in told[5]
    signed = lists_for_everyone(built, tmp_path / "signed", tmp_path / "ratings.csv", ListOptions(2, "lsa"))
    with open_gallery(built, writing=False, people=False) as gallery:
        later = [work.id for work in gallery.recommend({"w001": 2}, 2, engine="lsa").works]
    assert [row["id"] for row in lists_in(tmp_path / "signed")["ann"]] == later
    assert signed.people == 3


def test_a_file_of_numbers_as_ids_is_read_as_texts(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("person,id,rating\n007,0042,5\n007,1,2\n", "utf-8")
    found = read_rated_people(tmp_path / "ratings.csv")
    assert list(found.between(0, 1)) == [("007", {"0042": 5.0, "1": 2.0})]


def test_files_that_are_no_ratings_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,mark\nx,1\n", "utf-8")
    with pytest.raises(RatingsError, match="needs the columns person, id and rating, but has name, mark"):
        read_rated_people(tmp_path / "a.csv")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    for name in ("a.parquet", "gone.csv"):
        with pytest.raises(RatingsError, match=f"{name} cannot be read as ratings"):
            read_rated_people(tmp_path / name)


@pytest.mark.usefixtures("few")
def test_people_of_the_database_get_the_list_that_is_theirs(peopled: Path, tmp_path: Path) -> None:
    with open_gallery(peopled) as gallery:
        for number in range(3):
            gallery.person(f"p{number}").rate({f"w00{number + 1}": 5, f"w01{number}": 2})
        expected = {name: gallery.person(name).recommend(4) for name in ("p0", "p1", "p2")}
    made = lists_for_everyone(peopled, tmp_path / "lists", options=ListOptions(4))
    found = lists_in(tmp_path / "lists")
    assert made.people >= 3
    for name, answer in expected.items():
        assert [(row["id"], row["score"]) for row in found[name]] == [(work.id, work.score) for work in answer.works]


@pytest.mark.long  # as many people as make two files
def test_processes_side_by_side_write_the_same_bytes(built: Path, tmp_path: Path) -> None:
    ratings_of(built, module.PART + 40, tmp_path / "ratings.csv")
    options = ListOptions(2, "lsa")
    for name, workers in (("one", 1), ("two", 2)):
        lists_for_everyone(built, tmp_path / name, tmp_path / "ratings.csv", options, workers=workers)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 4
    assert [(tmp_path / "one" / each).read_bytes() == (tmp_path / "two" / each).read_bytes() for each in files] == [
        True
    ] * 4
