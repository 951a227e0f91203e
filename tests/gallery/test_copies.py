"""Works that show the same picture take one place, and nobody is recommended a copy of what is theirs."""

import csv
import shutil
from pathlib import Path

import jsonschema
import pytest
from PIL import Image
from tests.galleries import owner_of, paint, toy_row, write_table

from vernissage.gallery.answer import answer_schema
from vernissage.gallery.building import build
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.workspace.uploading import Submission

GROUPS = [{"w000", "w060", "w061"}, {"w005", "w062"}]
RATINGS = {"w000": 5.0, "w003": 4.0, "w001": 2.0}
COUNT = 60


def doubled_gallery(folder: Path) -> Path:
    """The toy gallery with two copies of w000, of which one is in another format, and one of w005."""
    rows = [toy_row(number) | {"owner": owner_of(number)} for number in range(COUNT)]
    for number in range(COUNT):
        paint(folder / "images" / f"w{number:03d}.png", number)
    for number, of, suffix in ((60, 0, "png"), (61, 0, "bmp"), (62, 5, "bmp")):
        original = folder / "images" / f"w{of:03d}.png"
        copy = folder / "images" / f"w{number:03d}.{suffix}"
        shutil.copy(original, copy) if suffix == "png" else Image.open(original).save(copy)
        told = {"id": f"w{number:03d}", "file_name": f"images/{copy.name}", "owner": "zoe"}
        rows.append(toy_row(of) | told | {"year": "1900", "title": f"Again {number}"})
    write_table(folder, rows)
    return folder


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doubled")
    outcome = build(doubled_gallery(folder / "gallery"), folder / "workspace")
    expected = "3 works show the same picture as another: w000 = w060 = w061; w005 = w062"
    assert expected in outcome.result.notes
    return folder / "workspace"


@pytest.fixture(scope="module")
def toy(doubled: Path) -> Gallery:
    return open_gallery(doubled, writing=False)


@pytest.fixture
def peopled(doubled: Path, tmp_path: Path) -> Gallery:
    return open_gallery(shutil.copytree(doubled, tmp_path / "workspace"))


def test_info_tells_the_groups(toy: Gallery) -> None:
    assert toy.info()["copies"]["groups"] == [["w000", "w060", "w061"], ["w005", "w062"]]


@pytest.mark.parametrize("engine", ["lsa", "colour-texture", "late-partial", "late-total", "late-zscore", "aligned"])
def test_a_group_takes_one_place_and_copies_of_rated_works_none(toy: Gallery, engine: str) -> None:
    everything = toy.recommend(RATINGS, n=80, engine=engine)
    assert len(everything) == COUNT - len(RATINGS)
    assert not GROUPS[0] & set(everything.ids)
    assert len(GROUPS[1] & set(everything.ids)) == 1
    if engine != "late-partial":  # which looks at as many works of each engine as are asked for
        for n in (1, 5, 56):
            assert toy.recommend(RATINGS, n=n, engine=engine).ids == everything.ids[:n]
    shown = toy.recommend(RATINGS, n=80, engine=engine, show_copies=True)
    assert len(shown) == COUNT + 3 - len(RATINGS)
    assert all(not work.also for work in shown)


def test_what_is_folded_is_named_in_python_json_and_table(toy: Gallery) -> None:
    answer = toy.recommend({"w003": 5.0}, n=80, engine="colour-texture")
    folded = {work.id: work.also for work in answer if work.also}
    assert folded == {"w000": ("w060", "w061"), "w005": ("w062",)}
    jsonschema.Draft202012Validator(answer_schema()).validate(answer.to_dict())
    told = {work["id"]: tuple(work["also"]) for work in answer.to_dict()["works"] if "also" in work}
    assert told == folded
    assert "w060, w061" in repr(answer)
    assert ", also w060, w061" in answer._repr_html_()


def test_conditions_decide_who_stands_for_a_group_and_who_is_named(toy: Gallery) -> None:
    late = toy.recommend({"w003": 5.0}, n=80, engine="colour-texture", where="year>=1900")
    assert {work.id: work.also for work in late} == {"w060": ("w061",), "w062": ()}
    without = toy.recommend({"w003": 5.0}, n=80, engine="colour-texture", exclude=["w060"])
    assert {work.id: work.also for work in without if work.also} == {"w000": ("w061",), "w005": ("w062",)}


def test_similar_and_search_fold_too(toy: Gallery) -> None:
    assert not GROUPS[0] & set(toy.similar("w060", n=80).ids)
    assert set(toy.similar("w060", n=2, engine="colour-texture", show_copies=True).ids) == {"w000", "w061"}
    picture = toy.path.parent / "gallery" / "images" / "w061.bmp"
    for within in ("pictures", "mixed"):
        encoder = "aligned" if within == "mixed" else None
        found = toy.search(picture, n=150, within=within, encoder=encoder)  # type: ignore[arg-type]
        assert [len(group & set(found.ids)) for group in GROUPS] == [1, 1]
    assert toy.search(picture, n=1).works[0].also == ("w060", "w061")


def test_works_to_rate_are_each_another(toy: Gallery) -> None:
    for by in ("central", "group", "coverage"):
        ids = toy.elicitation(63, by=by).ids  # type: ignore[arg-type]
        assert all(len(group & set(ids)) <= 1 for group in GROUPS)
        assert len(ids) == COUNT


def reencoded(folder: Path, number: int, name: str) -> Path:
    paint(folder / "own.png", number)
    Image.open(folder / "own.png").save(folder / name)
    return folder / name


@pytest.mark.parametrize("fusion", ["knn3z", "csls", "round-robin", "rrf", "mean-vector", "tag-embedding"])
def test_nobody_is_recommended_a_copy_of_their_upload(peopled: Gallery, tmp_path: Path, fusion: str) -> None:
    ann, bob = peopled.person("dora"), peopled.person("emil")
    words = {"title": "Ship", "keywords": ("ship",)}
    [own], _ = ann.upload(Submission(reencoded(tmp_path, 0, "a.tiff"), **words))  # type: ignore[arg-type]
    [new], _ = ann.upload(Submission(reencoded(tmp_path, 87, "c.png"), **words))  # type: ignore[arg-type]
    [same], _ = bob.upload(Submission(reencoded(tmp_path, 0, "b.gif"), **words))  # type: ignore[arg-type]
    [also], _ = bob.upload(Submission(reencoded(tmp_path, 87, "d.bmp"), **words))  # type: ignore[arg-type]
    assert set(peopled.snapshot.copies_of([own.id])[own.id]) == GROUPS[0] | {same.id}
    assert peopled.snapshot.copies_of([new.id]) == {new.id: (also.id,)}
    theirs = GROUPS[0] | {same.id, also.id}
    answer = ann.recommend(80, fusion=fusion, encoder="aligned", per_area=fusion != "tag-embedding")
    assert not theirs & set(answer.ids)
    for each in answer.lists:
        ids = {work.id for work in each.works}
        assert not theirs & ids
        assert len(GROUPS[1] & ids) == (0 if fusion == "tag-embedding" else 1)
        assert fusion == "tag-embedding" or len(ids) == COUNT - 1
    if fusion != "tag-embedding":
        assert theirs < set(ann.recommend(80, fusion=fusion, encoder="aligned", show_copies=True).ids)
        found = set(peopled.person("carl").recommend(80, fusion=fusion, encoder="aligned", task="image-to-image").ids)
        assert len({own.id, same.id, *GROUPS[0]} & found) == len({new.id, also.id} & found) == 1


def test_a_later_build_compares_uploads_with_new_works(peopled: Gallery, tmp_path: Path) -> None:
    [upload], _ = peopled.person("dora").upload(Submission(reencoded(tmp_path, 87, "c.gif")))
    assert peopled.snapshot.copies_of([upload.id]) == {}
    peopled.close()
    source = doubled_gallery(tmp_path / "gallery")
    paint(source / "images" / "w087.png", 87)
    with (source / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    write_table(source, [*rows, rows[0] | {"id": "w087", "file_name": "images/w087.png"}])
    build(source, peopled.path)
    with open_gallery(peopled.path) as later:
        assert later.snapshot.copies_of([upload.id]) == {upload.id: ("w087",)}
        assert "w087" not in later.person("dora").recommend(80, task="image-to-image", encoder="colour-texture").ids
    write_table(source, rows)
    build(source, peopled.path)
    with open_gallery(peopled.path) as later:
        assert later.snapshot.copies_of([upload.id]) == {}


def test_words_find_copies_too_where_no_encoder_reads_texts(tmp_path: Path) -> None:
    build(doubled_gallery(tmp_path / "gallery"), tmp_path / "workspace", encoders=["colour-texture"])
    with open_gallery(tmp_path / "workspace", writing=False) as gallery:
        once, every = (gallery.search("red master", n=80, show_copies=show).ids for show in (False, True))
    assert len(GROUPS[0] & set(once)) == 1
    assert set(every) >= set(once) | GROUPS[0]
