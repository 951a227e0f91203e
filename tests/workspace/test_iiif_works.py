"""A collection behind IIIF from its address to answers, pages and manifests: what a museum does with one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.catalog.picture_server import PictureServer, png, serving
from tests.catalog.test_iiif import PAINTED, canvas, third
from tests.catalog.test_iiif_source import collection, manifest
from tests.cli.test_bad_input import wide_png
from tests.web.test_api import ROOT, SECRET, open_to
from tests.workspace.test_fetched_pictures import run

import vernissage
from vernissage.catalog.fetching import FetchOptions
from vernissage.catalog.keys import id_of, key_of
from vernissage.gallery.gallery import open_gallery
from vernissage.pages.publishing import PublishOptions, publish
from vernissage.web.api.app import create_service
from vernissage.web.api.service import Service

HERE = FetchOptions(private_hosts=True, rate=500)
COLOURS = {"a": "navy", "b": "blue", "c": "green", "d": "red", "e": "orange", "1": "purple", "2": "white", "f": "teal"}
LONG = "https://museum.example/IIIF/Größe/" + "Ä" * 90 + "/Manifest"


@pytest.fixture(scope="module")
def server() -> Iterator[PictureServer]:
    with serving() as running:
        running.documents |= {f"/{name}.png": png(colour) for name, colour in COLOURS.items()}
        running.documents["/e.png"] = wide_png(30_000, 30_000)
        for name in "abcde":
            running.documents[f"/m/{name}"] = manifest(running, name, label={"de": [f"Das Boot {name} im Hafen"]})
        pages = [canvas(PAINTED | {"id": f"{running.base}/{n}.png"}, f"book/{n}") for n in (1, 2)]
        running.documents["/m/book"] = third(*pages, id=f"{running.base}/m/book", label={"en": ["A book"]})
        far = manifest(running, "f", id=LONG, label={"en": ["A far boat"], "de": ["Ein fernes Boot"]})
        running.documents["/rooms/1"] = collection(running, "/rooms/1", "c", "d", "e", "book")
        running.documents["/rooms/1"]["items"].append(far)
        running.documents["/c"] = collection(running, "/c", "a", "b", "/rooms/1")
        yield running


@pytest.fixture(scope="module")
def built(server: PictureServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("iiif") / "workspace"
    address = f"{server.base}/c"
    vernissage.build(address, workspace, encoders=["colour-texture", "lsa"], fetch_pictures=HERE)
    return workspace


def test_works_have_their_manifests_as_ids_and_their_canvases_in_answers(server: PictureServer, built: Path) -> None:
    with vernissage.open(built) as gallery:
        assert gallery.info()["source"] == f"{server.base}/c"
        answer = gallery.recommend({f"{server.base}/m/a": 5, LONG: 1}, n=5).to_dict()
        works = {work["id"]: work for work in answer["works"]}
        book = works[f"{server.base}/m/book"]
        assert [name.rpartition("/iiif/")[2] for name in book["canvases"]] == ["book/1", "book/2"]
        assert len(book["pictures"]) == 2
        assert works[f"{server.base}/m/c"]["lang"] == "de"
        assert gallery.collection[LONG].group == "Room /rooms/1"
        assert gallery.collection[LONG].attributes["title[de]"] == "Ein fernes Boot"
        report = json.loads((built / "workspace.json").read_text())
        assert report["source"]["address"] == f"{server.base}/c"


def test_a_picture_of_30_000_pixels_leaves_its_work_as_a_text(server: PictureServer, built: Path) -> None:
    found = vernissage.build(f"{server.base}/c", built, fetch_pictures=HERE).result.collection
    work = found[f"{server.base}/m/e"]
    assert (work.picture, work.picture_link) == ("", f"{server.base}/e.png")
    assert found.report is not None
    [problem] = found.report.problems
    assert problem.what.endswith("e.png was not fetched: what its server gives has more than 178,956,970 pixels")


def test_keys_of_addresses_are_the_same_in_server_and_files_and_manifests_are_whole(
    built: Path, tmp_path: Path
) -> None:
    iiif_prezi3 = pytest.importorskip("iiif_prezi3", reason="iiif-prezi3 is not installed")
    key = key_of(LONG)
    assert id_of(key) == LONG
    service = Service(open_gallery(built, writing=False), SECRET)
    with TestClient(create_service(service, open_to(service)), base_url="http://museum.example") as client:
        work: dict[str, Any] = client.get(f"{ROOT}/works/{key}").json()
        assert (work["id"], work["key"]) == (LONG, key)
        assert client.get(work["url"]).json()["id"] == LONG
        assert client.get(f"{ROOT}/works/{key}/similar").json()["similar_to"] == [LONG]
        iiif_prezi3.Manifest.model_validate(client.get(work["manifest"]).json())
        found = client.post(f"{ROOT}/recommendations", json={"ratings": {LONG: 5}, "limit": 3}).json()
        listed = client.get(f"{ROOT}/iiif/3/collection/{found['recommendation_id']}").json()
        shown = [each["manifest"] for each in found["works"] if each["manifest"]]  # one has no picture
        assert [str(each.id) for each in iiif_prezi3.Collection.model_validate(listed).items] == shown
        assert len(shown) >= 2
    with vernissage.open(built) as gallery:
        publish(gallery, tmp_path / "site", PublishOptions(base_url="https://museum.example/works"))
    for place in (f"works/{key}.html", f"related/{key}.json", f"iiif/{key}.json"):
        file = tmp_path / "site" / place
        assert file.is_file()
        assert max(len(part.encode()) for part in file.parts) <= 255
    made = json.loads((tmp_path / "site" / f"iiif/{key}.json").read_text())
    assert iiif_prezi3.Manifest.model_validate(made).items[0].width == 40
    assert made["label"]["none"] == ["A far boat"]


def test_the_command_takes_an_address_and_refuses_what_it_cannot_use(
    server: PictureServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = tmp_path / "w"
    assert run("build", f"{server.base}/c", "-o", workspace, "-e", "lsa") == 1
    assert "on a private network or this machine (--allow-private-hosts" in capsys.readouterr().err
    assert not (workspace / "workspace.json").exists()
    assert run("build", f"{server.base}/c", "-o", workspace, "--rate", "0") == 1
    assert "--rate 0 is no number of requests a second" in capsys.readouterr().err
    assert run("build", f"{server.base}/c", "-o", workspace, "--allow-private-hosts", "--dry-run") == 0
    told = capsys.readouterr().out
    assert "127.0.0.1: 7 rows, 7 works kept" in told
    assert "manifests of IIIF: 7, named by 2 documents" in told
    asked = server.asked.total()
    assert run("build", f"{server.base}/c", "-o", workspace, "-e", "lsa") == 0
    assert server.asked.total() == asked
    [copy] = (workspace / "fetched/documents").iterdir()
    assert run("build", f"{server.base}/rooms/1", "-o", workspace, "-e", "lsa", "--allow-private-hosts") == 0
    [other] = (workspace / "fetched/documents").iterdir()
    assert other != copy
