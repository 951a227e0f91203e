"""Bad input about people and uploads: one line that names the way out, a code other than 0, and nothing changed."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.galleries import owned_gallery, paint, toy_gallery, toy_row, write_table

from vernissage.cli.main import main
from vernissage.errors import Kind
from vernissage.workspace.build import build_workspace
from vernissage.workspace.repository import open_repository


@dataclass(frozen=True)
class Place:
    """A folder of its own, and in it a workspace with owners, to which dora has uploaded something."""

    folder: Path
    workspace: Path

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def picture(self, name: str, *, cut: int = 0) -> str:
        paint(self.folder / name, 7)
        content = (self.folder / name).read_bytes()
        (self.folder / name).write_bytes(content[: len(content) - cut])
        return str(self.folder / name)


Words = Callable[[Place], list[str]]


def upload(*words: str) -> Words:
    return lambda place: ["upload", str(place.workspace), "--owner", "emil", *words]


def table(content: str, name: str = "uploads.csv") -> Words:
    return lambda place: ["upload", str(place.workspace), "--owner", "emil", place.file(name, content)]


def areas(*words: str) -> Words:
    return lambda place: ["areas", str(place.workspace), *words]


def recommend(*words: str) -> Words:
    return lambda place: ["recommend", str(place.workspace), *words]


def remove(*words: str) -> Words:
    return lambda place: ["remove", str(place.workspace), *words]


def monopoly(place: Place) -> list[str]:
    """A workspace whose every work is one person's."""
    toy_gallery(place.folder / "all", 16)
    write_table(place.folder / "all", [toy_row(number) | {"owner": "ann"} for number in range(16)])
    build_workspace(place.folder / "all", place.folder / "monopoly")
    return ["recommend", str(place.folder / "monopoly"), "--owner", "ann"]


def texts_alone(*words: str) -> Words:
    def prepare(place: Place) -> list[str]:
        build_workspace(owned_gallery(place.folder / "texts"), place.folder / "texts-only", encoders=["lsa"])
        return [words[0], str(place.folder / "texts-only"), *words[1:]]

    return prepare


CASES: dict[str, tuple[Words, str]] = {
    "nobody's upload": (lambda p: ["upload", str(p.workspace), "--text", "Fog"], "name the person"),
    "nothing to upload": (upload(), "--text WORDS"),
    "an id alone": (upload("--id", "x"), "nothing was given"),
    "a missing picture": (upload("nowhere.png"), "nowhere.png cannot be read"),
    "a missing text": (upload("nowhere.txt"), "nowhere.txt cannot be read"),
    "a damaged picture among others": (
        lambda p: ["upload", str(p.workspace), "--owner", "emil", p.picture("a.png"), p.picture("b.png", cut=200)],
        "b.png is cut short",
    ),
    "a text that is called a picture": (
        lambda p: ["upload", str(p.workspace), "--owner", "emil", p.file("x.jpg", "hello")],
        "x.jpg holds text",
    ),
    "an empty text": (lambda p: ["upload", str(p.workspace), "--owner", "emil", p.file("x.txt", " \n")], "is empty"),
    "a program": (
        lambda p: ["upload", str(p.workspace), "--owner", "emil", p.file("x.exe", "MZ")],
        "does not say what it is",
    ),
    "words about two files": (
        lambda p: [
            "upload",
            str(p.workspace),
            "--owner",
            "emil",
            p.picture("a.png"),
            p.picture("b.png"),
            "--title",
            "A",
        ],
        "about one picture or text",
    ),
    "two texts for one": (
        lambda p: ["upload", str(p.workspace), "--owner", "emil", p.file("x.txt", "A rose"), "--text", "A hedge"],
        "give one of them",
    ),
    "the id of a work": (upload("--text", "A rose", "--id", "w001"), "id of a work"),
    "the id of another's upload": (upload("--text", "A rose", "--id", "hers"), "'hers' is there already"),
    "an id with a slash": (upload("--text", "A rose", "--id", "../x"), "without slashes"),
    "a name on two lines": (lambda p: ["upload", str(p.workspace), "--owner", "a\nb", "--text", "A"], "on one line"),
    "a table without columns": (table("a,b\n1,2\n"), "column picture or text"),
    "a table without rows": (table("id,text\n"), "no rows"),
    "a ragged table": (table("id,text\na,b,c,d\n"), "row 2"),
    "a row of nothing": (table("id,text\na,rose\nb,\n"), "row 3 has neither"),
    "a time that is none": (table("text,time\nrose,yesterday\n"), "row 2: the time 'yesterday'"),
    "a table of missing pictures": (table("picture\nnowhere.png\n"), "nowhere.png cannot be read"),
    "a row of two pictures": (
        table("picture,text\na.png|b.png,rose\n"),
        "row 2 names 2 pictures, and an upload has one",
    ),
    "a table that is no JSON": (table("{", "uploads.json"), "uploads.json"),
    "a database that is none": (
        lambda p: [*upload("--text", "A rose")(p), "--database", p.file("x.db", b"no database" * 99)],
        "x.db",
    ),
    "removing nothing": (remove(), "name the uploads"),
    "removing both ways": (remove("hers", "--person", "dora"), "name the uploads"),
    "removing what is not there": (remove("nothing"), "nothing"),
    "removing another's": (remove("hers", "--owner", "emil"), "emil has"),
    "removing a work": (remove("w001"), "work of the collection"),
    "removing a stranger": (remove("--person", "emil", "--yes"), "nothing is kept of a person named 'emil'"),
    "areas of a stranger": (areas("doro"), "nobody named 'doro'.*dora"),
    "areas of whom": (areas(), "vernissage person list"),
    "an unknown encoder": (areas("ann", "--encoder", "clip"), "no vectors of 'clip'.*aligned"),
    "an encoder that finds nothing": (areas("dora", "--encoder", "colour-texture"), "finds nothing in what dora"),
    "a seed of another kind": (
        lambda p: ["recommend", str(p.workspace), "--owner", "ann", "--seed", "x"],
        "centroid, medoid",
    ),
    "tags for a rule without": (
        lambda p: ["recommend", str(p.workspace), "--owner", "ann", "--tags", "lexicon"],
        "reads no tags",
    ),
    "tags that nobody found": (
        lambda p: ["recommend", str(p.workspace), "--owner", "ann", "--fusion", "tag-overlap", "--tags", "lexicon"],
        "vernissage encoders tag",
    ),
    "an unknown rule": (areas("ann", "--rule", "magic"), "no rule 'magic'"),
    "a half-life below 0": (areas("dora", "--half-life", "-3"), "more than 0 days"),
    "muting what is not there": (areas("ann", "--mute", "image:9"), "no area 'image:9'; choose from image:1"),
    "muting by a bare number": (areas("ann", "--mute", "1"), "no area '1'"),
    "a weight of nothing": (areas("ann", "--weight", "image:1"), "AREA=NUMBER"),
    "a weight in words": (areas("ann", "--weight", "image:1=much"), "AREA=NUMBER"),
    "a negative weight": (areas("ann", "--weight", "image:1=-1"), "from 0"),
    "merging one": (areas("ann", "--merge", "image:1"), "two different areas"),
    "merging pictures and texts": (areas("ann", "--merge", "image:1,text:1"), "like with like"),
    "splitting one": (areas("dora", "--split", "text:1"), "cannot be split"),
    "splitting by strangers": (areas("ann", "--split", "image:1=w001"), "not an upload in this area"),
    "a change among good ones": (areas("ann", "--mute", "image:1", "--mute", "image:7"), "no area 'image:7'"),
    "undoing nothing": (areas("ann", "--undo"), "nothing to undo"),
    "vectors and a workspace": (areas("ann", "--vectors", "x.npy"), "without a workspace"),
    "a background for a person": (areas("ann", "--background", "x.npy"), "is for --vectors"),
    "recommending to a stranger": (recommend("--owner", "anna"), "nobody named 'anna'.*ann"),
    "ratings and an owner": (recommend("--owner", "ann", "--rate", "w001=5"), "one or the other"),
    "a task for ratings": (recommend("--rate", "w001=5", "--task", "image-to-text"), "--owner"),
    "an unknown task": (recommend("--owner", "ann", "--task", "image-to-music"), "choose from image-to-image"),
    "a task without uploads": (recommend("--owner", "dora", "--task", "image-to-text"), "dora has no pictures"),
    "an unknown fusion": (recommend("--owner", "ann", "--fusion", "magic"), "knn3z"),
    "no tags": (recommend("--owner", "ann", "--fusion", "tag-overlap"), "has a tag"),
    "a quota of tags": (recommend("--owner", "ann", "--fusion", "tag-overlap", "--quota", "1"), "re-rank"),
    "a negative quota": (recommend("--owner", "ann", "--quota", "-1"), "-1"),
    "no works": (recommend("--owner", "ann", "-n", "0"), "1 or more"),
    "nothing of others fits": (
        recommend("--owner", "carl", "--where", "year>=1850"),
        "no works of anybody but carl fit.*loosen the conditions",
    ),
    "an owner of everything": (monopoly, "no works of anybody but ann"),
    "a task that the encoder cannot do": (
        texts_alone("recommend", "--owner", "ann", "--task", "image-to-text"),
        "lsa does not read pictures",
    ),
}


CODES = {
    **dict.fromkeys(["the id of a work", "the id of another's upload"], Kind.CONFLICT),
    **dict.fromkeys(["removing what is not there", "removing another's", "removing a work"], Kind.NOT_FOUND),
    **dict.fromkeys(["removing a stranger", "areas of a stranger", "recommending to a stranger"], Kind.NOT_FOUND),
    **dict.fromkeys(["muting what is not there", "muting by a bare number"], Kind.NOT_FOUND),
    "a change among good ones": Kind.NOT_FOUND,
    "a database that is none": Kind.UNAVAILABLE,
}
"""Cases whose code says more than that the request is bad (1) or misspelled (2)."""


@pytest.fixture(scope="module")
def settled(owned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace with owners and dora's upload; read it only."""
    workspace = Path(shutil.copytree(owned, tmp_path_factory.mktemp("settled") / "workspace"))
    with pytest.raises(SystemExit, match="0"):
        main(["upload", str(workspace), "--owner", "dora", "--text", "A ship in a storm", "--id", "hers"])
    return workspace


@pytest.fixture
def place(settled: Path, tmp_path: Path) -> Place:
    return Place(tmp_path, Path(shutil.copytree(settled, tmp_path / "workspace")))


def state(workspace: Path) -> tuple[object, ...]:
    """What is kept of people, as anybody reads it."""
    repository = open_repository(workspace)
    folder = repository.uploads_folder
    files = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    everything = [repository.snapshot.person(name) for name in repository.snapshot.owners()]
    repository.close()
    return everything, files


@pytest.mark.parametrize("name", CASES)
def test_bad_input_gets_one_line_and_changes_nothing(
    name: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare, words = CASES[name]
    arguments = prepare(place)
    before = state(place.workspace)
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(arguments)
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.strip() and not line.startswith("note: ")]
    assert end.value.code in ((CODES[name].exit_code,) if name in CODES else (1, 2))
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("error: ")
    assert len(lines[0]) < 600
    assert re.search(words, lines[0]), lines[0]
    assert captured.out == ""
    assert state(place.workspace) == before


def test_a_person_whose_uploads_are_all_removed_is_unknown(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["remove", str(place.workspace), "hers"])
    for command in ("areas", "recommend"):
        with pytest.raises(SystemExit, match=str(Kind.NOT_FOUND.exit_code)):
            main([command, str(place.workspace), *(["--owner"] if command == "recommend" else []), "dora"])
        assert "nobody named 'dora'" in capsys.readouterr().err


def test_a_workspace_without_uploads_says_how_to_begin(
    owned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Path(shutil.copytree(owned, tmp_path / "fresh"))
    with pytest.raises(SystemExit, match=str(Kind.UNAVAILABLE.exit_code)):
        main(["remove", str(workspace), "x"])
    assert "vernissage person upload" in capsys.readouterr().err
    assert not (workspace / "vernissage.db").exists()
