"""Bad input of every kind: one line that names the way out, a code other than 0, and nothing changed."""

import json
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.galleries import toy_gallery, toy_row, write_table
from tests.workspace.test_build import snapshot

from vernissage.cli.main import main
from vernissage.errors import Kind
from vernissage.workspace.build import build_workspace


@dataclass(frozen=True)
class Place:
    """Where a case happens: a folder of its own with a small gallery and a workspace."""

    folder: Path
    gallery: Path
    workspace: Path

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)


Case = tuple[Callable[[Place], list[str]], str]


def build(place: Place, *more: str) -> list[str]:
    return ["build", str(place.gallery), "-o", str(place.folder / "new"), *more]


def recommend(place: Place, *more: str) -> list[str]:
    return ["recommend", str(place.workspace), *more]


def picture(content: bytes) -> Callable[[Place], list[str]]:
    def prepare(place: Place) -> list[str]:
        (place.gallery / "images/w003.png").write_bytes(content)
        return build(place, "--strict")

    return prepare


def truncated(place: Place) -> list[str]:
    file = place.gallery / "images/w003.png"
    file.write_bytes(file.read_bytes()[:-200])
    return build(place, "--strict")


def table(content: str | bytes) -> Callable[[Place], list[str]]:
    def prepare(place: Place) -> list[str]:
        (place.gallery / "metadata.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        return build(place)

    return prepare


def wide_png(width: int, height: int = 1) -> bytes:
    """A PNG whose header claims a size, with next to no data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * (1 + 3 * width))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def duplicate_ids(place: Place) -> list[str]:
    write_table(place.gallery, [toy_row(0), toy_row(0) | {"title": "Another", "file_name": "images/w001.png"}])
    return build(place, "--strict")


def missing_picture(place: Place) -> list[str]:
    (place.gallery / "images/w003.png").unlink()
    return build(place, "--strict")


def picture_is_folder(place: Place) -> list[str]:
    (place.gallery / "images/w003.png").unlink()
    (place.gallery / "images/w003.png").mkdir()
    return build(place, "--strict")


def two_tables(place: Place) -> list[str]:
    (place.gallery / "metadata.jsonl").write_text("{}\n")
    return build(place)


def online(place: Place, address: str) -> list[str]:
    return ["build", address, "-o", str(place.folder / "new")]


def empty_folder(place: Place) -> list[str]:
    (place.folder / "empty").mkdir()
    return ["build", str(place.folder / "empty"), "-o", str(place.folder / "new")]


def xml(content: str) -> Callable[[Place], list[str]]:
    def prepare(place: Place) -> list[str]:
        (place.folder / "xml").mkdir()
        return ["build", place.file("xml/works.xml", content), "-o", str(place.folder / "new")]

    return prepare


def vectors(columns: dict[str, Any], cut: float = 1.0) -> Callable[[Place], list[str]]:
    """A file of ready-made vectors, of which a part is there."""

    def prepare(place: Place) -> list[str]:
        file = place.folder / "vectors" / "vectors.parquet"
        file.parent.mkdir()
        pq.write_table(pa.table({"embeddings": [[0.6, 0.8]] * 4, **columns}), file)
        file.write_bytes(file.read_bytes()[: round(cut * file.stat().st_size)])
        return ["build", str(file), "-o", str(place.workspace)]

    return prepare


def works_of_others(place: Place) -> list[str]:
    return [*vectors({"id": ["a", "b", "c", "d"]})(place), "--works", str(place.gallery)]


def other_version(place: Place) -> list[str]:
    file = place.workspace / "workspace.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 7}))
    return recommend(place, "--rate", "w001=5")


def corrupted_vectors(place: Place) -> list[str]:
    file = next((place.workspace / "vectors").glob("lda.text-*.npy"))
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    return recommend(place, "--rate", "w001=5", "--engine", "lda")


def corrupted_model(place: Place) -> list[str]:
    next((place.workspace / "models").glob("lda-*/arrays.npz")).write_bytes(b"PK\x03\x04")
    return ["search", str(place.workspace), "storm", "--encoder", "lda"]


def missing_vectors(place: Place) -> list[str]:
    next((place.workspace / "vectors").glob("lda.text-*.npy")).unlink()
    return recommend(place, "--rate", "w001=5", "--engine", "lda")


def damaged_collection(place: Place) -> list[str]:
    next(place.workspace.glob("works-*.parquet")).write_bytes(b"PAR1")
    return recommend(place, "--rate", "w001=5")


def ratings(name: str, content: str | bytes) -> Callable[[Place], list[str]]:
    return lambda place: recommend(place, "--ratings", place.file(name, content))


def rate(*words: str) -> Callable[[Place], list[str]]:
    return lambda place: recommend(place, *words)


def data(kind: str, name: str, content: str | bytes | None = None, *more: str) -> Callable[[Place], list[str]]:
    """Describe a data set, of a file that is written first unless there is no content."""

    def prepare(place: Place) -> list[str]:
        path = str(place.folder / name) if content is None else place.file(name, content)
        return ["experiment", "data", kind, path, *more]

    return prepare


def experiment(name: str, *more: str, source: str = "gallery", kind: str = "gallery") -> Callable[[Place], list[str]]:
    """Run an experiment on the place's gallery, or with another ``source`` on what lies there."""

    def prepare(place: Place) -> list[str]:
        of_kind = ["--kind", kind] if kind else []
        out = [] if "-o" in more else ["-o", str(place.folder / "out")]
        return ["experiment", "run", name, str(place.folder / source), *of_kind, *out, *more]

    return prepare


def unclassified(place: Place) -> list[str]:
    place.file("captions.txt", "image,caption\n1.jpg,A boy .\n2.jpg,A girl .\n")
    return experiment("ablation", "-e", "lsa", source="captions.txt", kind="flickr8k")(place)


def run_into_a_file(place: Place) -> list[str]:
    return experiment("maps", "-e", "lsa", "-o", place.file("taken", "x"))(place)


def pictures_in_a_file(place: Place) -> list[str]:
    return ["experiment", "data", "gallery", str(place.gallery), "--pictures", place.file("pictures", "x")]


_OFFICIAL = {
    "coco-karpathy": "https://cs.stanford.edu",
    "coco": "https://cocodataset.org",
    "flickr30k": "https://shannon.cs.illinois.edu",
    "flickr8k": "https://hockenmaier.cs.illinois.edu",
    "classified": "https://github.com/fedasaro62/ZCCR-Exp",
    "national-gallery": "https://www.nationalgallery.org.uk",
}

EXPERIMENTS: dict[str, Case] = {
    **{
        f"missing {kind}": (data(kind, "nowhere"), f"nothing at .*nowhere.*get it from {source}")
        for kind, source in _OFFICIAL.items()
    },
    "missing gallery": (data("gallery", "nowhere"), "no file or folder .*nowhere; give the folder"),
    "folder instead of a table": (data("classified", "gallery"), "gallery is a folder, but a file is expected"),
    "folder without captions": (data("coco", "gallery"), "holds no captions_.*name the file, or get it from https"),
    "file of another kind": (
        data("coco", "a.json", '{"photos": []}'),
        r"no list of objects 'images' \(it has photos\)",
    ),
    "JSON cut short": (data("coco-karpathy", "a.json", '{"images": [{"filena'), "is not JSON.*cut short"),
    "JSON of nothing": (data("coco", "a.json", ""), "is empty, but an object with images and annotations is expected"),
    "set of nothing": (data("coco", "a.json", '{"images": [], "annotations": []}'), "0 pictures and 0 captions"),
    "set without a column": (data("flickr30k", "a.csv", "image_name,x\n1.jpg,A\n"), "no column comment .*rename"),
    "set in Latin-1": (data("flickr8k", "a.txt", "image,caption\n1.jpg,caf\xe9\n".encode("latin-1")), "0xe9 in line 2"),
    "more cells than columns": (
        data("classified", "a.csv", "id,caption,class_index\n1,a,3,b\n"),
        "line 2 has 4 cells where the first line has 3; put quotation marks around a text that holds commas",
    ),
    "pictures in a file": (pictures_in_a_file, "no folder .*pictures: it is a file; name the folder"),
    "pictures nowhere": (data("gallery", "gallery", None, "--pictures", "/nowhere"), "no folder /nowhere: it does not"),
    "unknown caption": (
        data("gallery", "gallery", None, "--caption", "title+epoch"),
        "no column 'epoch'; its columns are",
    ),
    "unknown class column": (
        experiment("ablation", "--class-column", "epoch"),
        "no column 'epoch'; its columns are id",
    ),
    "fewer classes than asked": (experiment("ablation"), "2 classes, but 25 are needed; ask for fewer with --query-cl"),
    "no noise": (
        experiment("tags", "--query-classes", "2"),
        "nothing is left for noise; ask for fewer with --query-cl",
    ),
    "no classes": (unclassified, "Flickr8k has no classes, but 25 are needed; classify it"),
    "no tags": (experiment("tags", "--query-classes", "1"), "no work of gallery has tags.*take a .* column keywords"),
    "pairs by an encoder of texts": (
        experiment("retrieval", "-e", "lsa"),
        "lsa does not read both .*choose one.*aligned",
    ),
    "a gap of an encoder of pictures": (experiment("gap", "-e", "colour-texture"), "colour-texture does not read both"),
    "too few works to align": (experiment("retrieval"), "aligned is fitted on 50 works or more, but gallery has 6"),
    "too small a pool": (experiment("retrieval", "--pairs", "19"), "--pairs 19 cannot be; give 20 or more"),
    "too few pairs for the gap": (experiment("gap", "--pairs", "0"), "--pairs 0 cannot be; give 10 or more"),
    "too few works for a map": (experiment("maps", "--works", "3"), "--works 3 cannot be; give 21 or more"),
    "unknown encoder of a set": (experiment("maps", "-e", "eye"), "no encoder 'eye'; choose from lda, lsa"),
    "weights of what has none": (experiment("gap", "-e", "aligned", "--weights", "x"), "aligned .*leave --weights out"),
    "options of sets for a workspace": (
        experiment("retrieval", "--caption", "title", source="workspace", kind=""),
        "--caption is for data sets, but .*workspace is read as a workspace; name the kind",
    ),
    "pictures of a set for a timed workspace": (
        experiment("encoding-time", "-e", "lsa", "--pictures", "x", source="workspace", kind=""),
        "--pictures is for data sets, but .*workspace is read as a workspace",
    ),
    "a set without its kind": (experiment("maps", kind=""), "gallery holds no workspace"),
    "run into a file": (run_into_a_file, "taken is there already.*choose another name"),
}

CASES: dict[str, Case] = {
    "vectors that are cut short": (vectors({"id": ["a", "b", "c", "d"]}, 0.9), "cannot be read as Parquet"),
    "vectors without ids": (vectors({"label": ["a", "b", "c", "d"]}), "has vectors and no column of ids"),
    "vectors of one id": (
        lambda p: [*vectors({"id": ["a"] * 4})(p), "--strict"],
        "has the depiction_id a of an earlier row",
    ),
    "vectors of works that the table lacks": (works_of_others, "no work of .* has an id of"),
    "works for no vectors": (lambda place: [*build(place), "--works", str(place.gallery)], "holds no vectors to join"),
    "missing collection": (lambda p: ["build", str(p.folder / "nowhere"), "-o", str(p.folder / "new")], "nowhere"),
    "XML with entities": (xml('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "works.xml declares entities, .*DOCTYPE"),
    "XML that is HTML": (xml("<!doctype html><p>Log in"), "works.xml is a web page .*export the works as LIDO"),
    "XML cut off": (xml("<lido:lido"), "works.xml is not well-formed XML .*line 1, column 0"),
    "a share that is none": (
        lambda p: ["sync", str(p.workspace), "--most-changed", "5"],
        "'5' is no number; write 10%",
    ),
    "sync of no workspace": (lambda p: ["sync", str(p.folder / "none")], "there is no workspace"),
    "an address with a password": (lambda p: online(p, "https://me:secret@museum.example/c"), "neither kept nor sent"),
    "an address of this machine": (lambda p: online(p, "http://127.0.0.1:9/c"), "--allow-private-hosts lets it"),
    "a repository of this machine": (
        lambda p: online(p, "http://127.0.0.1:9/oai?verb=ListRecords"),
        "ListMetadataFormats was not fetched: .*--allow-private-hosts lets it",
    ),
    "an address of nothing": (lambda p: online(p, "http:///c"), "not written as one of the web"),
    "no rate": (
        lambda p: [*online(p, "https://museum.example/c"), "--rate", "-1"],
        "--rate -1 is no number of requests",
    ),
    "empty folder": (empty_folder, "no metadata table|neither|holds no"),
    "two tables": (two_tables, "metadata.csv.*metadata.jsonl"),
    "empty table": (table("id,title,file_name\n"), "no rows|no row|empty"),
    "table of nothing": (table(""), "no header"),
    "table of noise": (table(bytes(range(256)) * 40), "metadata.csv"),
    "ragged table": (table("id,title\nw001,a,b,c,d\n"), "row 2"),
    "missing picture": (missing_picture, "w003.png.*--skip-bad"),
    "picture outside": (table("id,file_name\nx,../../etc/hostname.png\n"), "outside"),
    "picture is a folder": (picture_is_folder, "w003"),
    "truncated picture": (truncated, "row 5.*cut short|row 5.*truncated"),
    "text named .png": (picture(b"hello, I am a text"), "row 5.*(not a picture|no picture|text)"),
    "empty picture file": (picture(b""), "row 5.*(empty|0 bytes)"),
    "30,000 pixels wide": (picture(wide_png(30_000)), "30,?000"),
    "decompression bomb": (picture(wide_png(19_000, 19_000)[:60]), "row 5"),
    "duplicate ids": (duplicate_ids, "w000.*--skip-bad"),
    "target is a file": (lambda p: ["build", str(p.gallery), "-o", p.file("taken", "x")], "is a file"),
    "target in use": (lambda p: ["build", str(p.gallery), "-o", str(p.folder)], "holds files but no workspace"),
    "target in the collection": (
        lambda p: ["build", str(p.gallery), "-o", str(p.gallery / "x")],
        "inside the collection",
    ),
    "unknown encoder": (lambda p: build(p, "--encoder", "resnet"), "choose from lda"),
    "no topics": (lambda p: build(p, "--encoder", "lda", "--topics", "0"), "topics"),
    "no workspace": (lambda p: ["info", str(p.folder / "nothing")], "vernissage build"),
    "folder without a workspace": (lambda p: ["info", str(p.gallery)], "holds no workspace"),
    "workspace of another version": (other_version, "format 7"),
    "corrupted vectors": (corrupted_vectors, "damaged.*vernissage build"),
    "corrupted model": (corrupted_model, "damaged.*vernissage build"),
    "missing vectors": (missing_vectors, "missing.*vernissage build"),
    "damaged collection": (damaged_collection, "vernissage build"),
    "no ratings": (rate(), "--rate ID=5"),
    "rating 0": (rate("--rate", "w001=0"), "from 1 to 5"),
    "rating 6": (rate("--rate", "w001=6"), "from 1 to 5"),
    "rating five": (rate("--rate", "w001=five"), "no number"),
    "rating without id": (rate("--rate", "5"), "ID=RATING"),
    "rated twice": (rate("--rate", "w001=5", "--rate", "w001=4"), "rated twice"),
    "unknown work": (rate("--rate", "w999=5"), "no work 'w999'.*w0"),
    "equal ratings with minmax": (rate("--rate", "w001=4", "--rate", "w002=4", "--rule", "minmax"), "linear"),
    "only the lowest rating": (rate("--rate", "w001=1"), "counts as 0"),
    "unknown rule": (rate("--rate", "w001=5", "--rule", "cubic"), "signed, linear, minmax"),
    "no works": (rate("--rate", "w001=5", "-n", "0"), "1 or more"),
    "n is a word": (rate("--rate", "w001=5", "-n", "many"), "--help"),
    "unknown engine": (rate("--rate", "w001=5", "--engine", "oracle"), "late-total"),
    "fusion options without a fusion": (rate("--rate", "w001=5", "--engine", "lda", "--k", "3"), "join several"),
    "weight without a part": (rate("--rate", "w001=5", "--engine", "late-total", "--weight", "lsa=2"), "no part"),
    "negative weight": (rate("--rate", "w001=5", "--weight", "lda=-2"), "0 or more"),
    "depth without rrf": (
        rate("--rate", "w001=5", "--engine", "lda+lsa", "--method", "minmax", "--depth", "3"),
        "rrf only",
    ),
    "z-scores by another method": (rate("--rate", "w001=5", "--method", "minmax"), "join engines with"),
    "diversity out of range": (rate("--rate", "w001=5", "--diversity", "2"), "from 0"),
    "unknown field": (rate("--rate", "w001=5", "--where", "colour=red"), "no field 'colour'"),
    "condition without sign": (rate("--rate", "w001=5", "--where", "red"), "FIELD=VALUE"),
    "nothing fits": (rate("--rate", "w001=5", "--where", "artist=Nobody"), "no works fit.*loosen the conditions"),
    "missing ratings file": (lambda p: recommend(p, "--ratings", "nowhere.csv"), "nowhere.csv"),
    "ratings file is a folder": (lambda p: recommend(p, "--ratings", str(p.folder)), "cannot be read"),
    "ratings without columns": (ratings("r.csv", "a,b\nw001,5\n"), "columns id and rating"),
    "ratings that are no JSON": (ratings("r.json", "{"), "no JSON"),
    "ratings of another shape": (ratings("r.json", "[1, 2]"), "must hold"),
    "ratings not in UTF-8": (ratings("r.csv", "id,rating\nw001,5\né".encode("latin-1")), "UTF-8"),
    "unknown option": (lambda p: ["info", str(p.workspace), "--colour"], "--help"),
    "unknown command": (lambda p: ["paint"], "--help"),
    "similar to nothing": (lambda p: ["similar", str(p.workspace), "w999"], "no work 'w999'"),
    "curve of one number": (
        lambda p: ["topics", str(p.workspace), "--curve", str(p.folder / "c.png")],
        "only one number",
    ),
    "map to nowhere": (lambda p: ["map", str(p.workspace)], "-o map.png"),
    "map in an unknown format": (lambda p: ["map", str(p.workspace), "-o", str(p.folder / "map.bmp")], "png"),
    "map by an unknown field": (
        lambda p: ["map", str(p.workspace), "-o", str(p.folder / "m.png"), "--by", "colour"],
        "no work has a field",
    ),
    "sample into a full folder": (lambda p: ["sample", str(p.gallery)], "empty"),
    "sample of nothing": (lambda p: ["sample", str(p.folder / "s"), "-n", "0"], "8|count"),
    "page into a missing drive": (
        lambda p: (
            recommend(p, "--rate", "w001=5", "--html", str(p.folder / "r.csv" / "x.html"))
            if p.file("r.csv", "taken")
            else []
        ),
        "cannot write",
    ),
    **EXPERIMENTS,
}


CODES = {
    **dict.fromkeys(["unknown encoder", "unknown work", "similar to nothing"], Kind.NOT_FOUND),
    **dict.fromkeys(["corrupted vectors", "corrupted model", "missing vectors", "damaged collection"], Kind.CONFLICT),
    **dict.fromkeys(
        ["no workspace", "folder without a workspace", "sync of no workspace", "a set without its kind"], Kind.NOT_FOUND
    ),
    "workspace of another version": Kind.CONFLICT,
    "page into a missing drive": Kind.UNAVAILABLE,
}
"""Cases whose code says more than that the request is bad (1) or misspelled (2)."""


@pytest.fixture
def place(gallery: Path, built: Path, tmp_path: Path) -> Place:
    return Place(
        tmp_path,
        toy_gallery(tmp_path / "gallery", count=12),
        Path(shutil.copytree(built, tmp_path / "workspace")),
    )


@pytest.mark.parametrize("name", CASES)
def test_bad_input_gets_one_line_and_changes_nothing(
    name: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare, words = CASES[name]
    arguments = prepare(place)
    before = snapshot(place.folder)
    with pytest.raises(SystemExit) as end:
        main(arguments)
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.strip() and not line.startswith("note: ")]
    assert end.value.code in ((CODES[name].exit_code,) if name in CODES else (1, 2))
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("error: ")
    assert pytest.approx(len(lines[0]), abs=500) == 100  # a sentence or three, not a dump
    assert re.search(words, lines[0]), lines[0]
    assert captured.out == ""
    assert snapshot(place.folder) == before


def _run(arguments: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vernissage", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def _no_room() -> None:
    """From here on no file may grow beyond a few kilobytes, which the system reports as a failed write."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))


def test_a_full_disk_leaves_the_old_state(place: Place) -> None:
    write_table(place.gallery, [toy_row(number) for number in range(8)])
    shutil.rmtree(place.workspace)
    build_workspace(place.gallery, place.workspace)
    before = snapshot(place.workspace)
    write_table(place.gallery, [toy_row(number) for number in range(12)])
    failed = _run(["build", str(place.gallery), "-o", str(place.workspace)], preexec_fn=_no_room)
    assert failed.returncode == Kind.UNAVAILABLE.exit_code
    told = [line for line in failed.stderr.splitlines() if " after " not in line]  # progress, on a slow machine
    assert told[0].startswith("error: cannot write")
    assert len(told) == 1
    after = snapshot(place.workspace)
    assert {name: after[name] for name in before} == before
    with pytest.raises(SystemExit, match="0"):
        main(["recommend", str(place.workspace), "--rate", "w001=5", "-n", "3", "--engine", "lda"])


def test_a_read_only_folder_is_told(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    closed = place.folder / "closed"
    closed.mkdir(mode=0o500)
    if os.geteuid() == 0:  # to whom permissions do not apply, but not even root can make folders here
        closed = Path("/proc")
    with pytest.raises(SystemExit) as end:
        main(["build", str(place.gallery), "-o", str(closed / "new")])
    lines = capsys.readouterr().err.splitlines()
    assert end.value.code == Kind.UNAVAILABLE.exit_code
    assert len(lines) == 1
    assert lines[0].startswith("error: cannot write to")
    assert "choose a folder that you may write to" in lines[0]
