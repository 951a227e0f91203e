"""A collection as files: what lies where, what a second run does, and what it never touches."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from vernissage.errors import RequestError, WorkspaceError
from vernissage.gallery.gallery import open_gallery
from vernissage.pages import publishing
from vernissage.pages.addresses import Addressed, Addresses
from vernissage.pages.look import Look, read_look
from vernissage.pages.map_tiles import files_of_map, keep_map
from vernissage.pages.publishing import CARD, PublishOptions, publish
from vernissage.pages.thumbnails import Thumbnails

LEADING = ("index.html", "about.html", "map.html")


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published") / "site"
    with open_gallery(built, writing=False) as gallery:
        done = publish(gallery, out, PublishOptions(related=3, base_url="https://museum.example/works/"))
    assert done.works == 64
    assert done.written == len(files_below(out)) - 1
    return out


def test_related_works_are_those_of_python_in_json_and_parquet(site: Path, built: Path) -> None:
    with open_gallery(built, writing=False) as gallery:
        expected = gallery.similar("w007", 3)
    content = json.loads((site / "related" / "w007.json").read_text())
    assert content["work"]["id"] == "w007"
    assert [work["id"] for work in content["works"]] == list(expected.ids)
    assert all(work["reasons"] for work in content["works"])
    rows = [row for row in pq.read_table(site / "related.parquet").to_pylist() if row["id"] == "w007"]
    assert [(row["rank"], row["related"]) for row in rows] == list(enumerate(expected.ids, start=1))


def test_a_published_work_lists_works_like_it_by_kinds_of_likeness(site: Path, built: Path) -> None:
    with open_gallery(built, writing=False) as gallery:
        kinds = {each.name: each.works for each in gallery.similar("w007", 3, by=("look", "text", "artist")).kinds}
    page = (site / "works" / "w007.html").read_text()
    parts = dict(re.findall(r'<h2 id="alike-\d+">([^<]+?) ?<(.*?)</section>', page, re.DOTALL))
    for name, heading in (("look", "Looks alike"), ("text", "Described in like words")):
        assert re.findall(r'href="\.\./works/(w\d+)\.html"', parts[heading]) == [work.id for work in kinds[name]]


def test_addresses_lead_to_files_that_are_there(site: Path) -> None:
    page = (site / "works" / "w007.html").read_text()
    for place, text in (("works/w007.html", page), *((name, (site / name).read_text()) for name in LEADING)):
        for attribute in ('href="', ' src="', 'data-viewer="'):
            for part in text.split(attribute)[1:]:
                address = part.split('"')[0].partition("#")[0]
                if not address.startswith(("https://", "http://")):
                    assert (site / place).parent.joinpath(address).resolve().exists(), address
        assert "<script>" not in text
        assert "Content-Security-Policy" in text
    manifest = json.loads((site / "iiif" / "w007.json").read_text())
    assert manifest["id"] == "https://museum.example/works/iiif/w007.json"
    image = manifest["items"][0]["items"][0]["items"][0]["body"]["id"]
    assert (site / image.removeprefix("https://museum.example/works/")).read_bytes()[8:12] == b"WEBP"
    assert 'href="works/w007.html"' in (site / "index.html").read_text().replace("./works", "works")


def test_a_second_run_writes_nothing_and_mends_what_is_missing(workspace: Path, tmp_path: Path) -> None:
    out, asked = tmp_path / "site", PublishOptions(related=2)
    with open_gallery(workspace, writing=False) as gallery:
        first = publish(gallery, out, asked)
        before = files_below(out)
        again = publish(gallery, out, asked)
        assert (again.written, again.unchanged) == (0, first.written)
        (out / "related" / "w001.json").unlink()
        stranger = out / "works" / "gone.html"
        stranger.write_text("of a work that is gone")
        mended = publish(gallery, out, asked)
    assert (mended.written, mended.removed) == (2, 1)  # the file, and the table that is always written
    assert files_below(out) == before


@pytest.mark.long
def test_processes_side_by_side_write_the_same(site: Path, built: Path, tmp_path: Path) -> None:
    with open_gallery(built, writing=False) as gallery:
        asked = PublishOptions(related=3, base_url="https://museum.example/works/")
        publish(gallery, tmp_path / "other", asked, processes=2)
    assert files_below(tmp_path / "other") == files_below(site)


def test_a_folder_of_other_things_is_left_alone(built: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with open_gallery(built, writing=False) as gallery, pytest.raises(WorkspaceError, match="holds other things"):
        publish(gallery, tmp_path)
    assert files_below(tmp_path) == {"letter.txt": b"mine"}


def test_links_are_not_followed_out_of_the_folder(built: Path, tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "site"
    outside.mkdir()
    (outside / "letter.html").write_text("mine")
    with open_gallery(built, writing=False) as gallery:
        publish(gallery, out, PublishOptions(related=1))
        for path in sorted((out / "works").iterdir()):
            path.unlink()
        (out / "works").rmdir()
        (out / "works").symlink_to(outside)
        with pytest.raises(WorkspaceError, match="is a link to another place"):
            publish(gallery, out, PublishOptions(related=2))
    assert files_below(outside) == {"letter.html": b"mine"}


@pytest.mark.long
def test_a_run_that_was_interrupted_is_gone_on_with(built: Path, tmp_path: Path, site: Path) -> None:
    out = tmp_path / "site"
    asked = PublishOptions(related=3, base_url="https://museum.example/works/")

    def interrupt(step: str, done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with open_gallery(built, writing=False) as gallery:
        with pytest.raises(KeyboardInterrupt):
            publish(gallery, out, asked, progress=interrupt)
        assert "state" not in json.loads((out / CARD).read_text())
        publish(gallery, out, asked)
    assert files_below(out) == files_below(site)


@pytest.mark.parametrize("wrong", [{"related": 0}, {"widths": ()}, {"widths": (1,)}, {"base_url": "museum.example"}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        PublishOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.long
def test_a_look_is_in_every_page_and_another_one_writes_pages_anew(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "museum.toml"
    file.write_text('[look]\nname = "Harbours"\nlanguages = ["de"]\nlight.accent = "#004488"\n')
    with open_gallery(workspace, writing=False) as gallery:
        publish(gallery, tmp_path / "site", PublishOptions(related=1))
        plain = {name for name in files_below(tmp_path / "site") if name.startswith("static/")}
        done = publish(gallery, tmp_path / "site", PublishOptions(related=1, look=read_look(file)))
    assert done.removed == 1  # the style sheet without it
    page = (tmp_path / "site" / "works" / "w007.html").read_text()
    assert '<html lang="de">' in page
    assert "Harbours" in page
    assert "Sieht ähnlich aus" in page
    css = {name for name in files_below(tmp_path / "site") if name.startswith("static/")} - plain
    assert "#004488" in (tmp_path / "site" / css.pop()).read_text()


def test_what_is_filled_into_records_is_kept_for_works_whose_pictures_can_be_read(workspace: Path) -> None:
    with open_gallery(workspace, writing=False) as gallery:
        first = Addressed(
            gallery.snapshot, Thumbnails(), Addresses("https://a/{key}", "https://a/{picture}", "https://a/iiif/{key}")
        )
        other = replace(first, addresses=Addresses("https://b/{key}", "https://b/{picture}"))
        item = gallery["w007"]
        path = gallery.snapshot.picture_path(item)
        assert path is not None
        away = path.rename(path.with_suffix(".away"))
        assert first.record(item)["thumbnail"] is None
        assert first.record(item)["manifest"] is None  # at its address there is none
        away.rename(path)
        expected = first.record(item)
        assert expected["thumbnail"]["src"].startswith("https://a/")
        assert expected["manifest"] == "https://a/iiif/w007"
        assert first.record(item) == expected
        assert other.record(item)["url"] == "https://b/w007"
        assert {key for _, key in first.kept} == {"w007"}


def test_for_you_asks_the_service_that_the_look_names_else_the_files(workspace: Path, tmp_path: Path) -> None:
    with open_gallery(workspace, people=False) as gallery:
        look = Look(service="https://works.museum.example", key="vk_1")
        publish(gallery, tmp_path / "with", PublishOptions(look=look))
        page = (tmp_path / "with" / "for-you.html").read_text()
        assert 'api="https://works.museum.example" key="vk_1"' in page
        assert "connect-src &#39;self&#39; https://works.museum.example" in page
        assert 'href="for-you.html"' in (tmp_path / "with" / "index.html").read_text()
        publish(gallery, tmp_path / "without")
        expected = gallery.elicitation().ids
    page = (tmp_path / "without" / "for-you.html").read_text()
    assert '<vernissage-for-you-files class="widget" limit="12" files=".">' in page
    works = json.loads((tmp_path / "without" / "for-you.json").read_text())["works"]
    assert tuple(work["id"] for work in works) == expected
    assert not (tmp_path / "with" / "for-you.json").exists()


def test_the_map_is_drawn_once_and_its_lists_lead_to_every_work(
    site: Path, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (site / "map.html").read_text()
    (folder,) = [each for each in (site / "map").iterdir() if each.is_dir()]
    assert f'data-tiles="map/{folder.name}/"' in page
    assert set(files_of_map(folder)) == set(files_below(folder))
    monkeypatch.setattr(publishing, "_PER_PAGE", 2)
    monkeypatch.setattr(publishing, "draw_map", None)
    with open_gallery(workspace, people=False) as gallery:
        kept, _ = keep_map(gallery)
        publish(gallery, tmp_path / "site", PublishOptions(related=1))
    written = files_below(tmp_path / "site")
    assert {name: written[f"map/{kept.name}/{name}"] for name in files_of_map(kept)} == files_below(folder)
    lists = [content.decode() for name, content in written.items() if name.startswith(("map.html", "map/list-"))]
    works = re.findall(r'<a href="[./]*/works/(w\d+)\.html"', "".join(lists))
    assert sorted(works) == sorted(f"w{number:03}" for number in range(64))
    for name in re.findall(r'class="button" href="([^"]+)"', "".join(lists)):
        assert name.removeprefix("../") in written
