"""Collections behind IIIF from a server on this machine: harvests, their faults, going on with them, and changes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.catalog.picture_server import PictureServer, serving
from tests.catalog.test_iiif import PAINTED, canvas, third
from tests.contracts.sources import SourceContract

from vernissage.catalog import web_client
from vernissage.catalog.fetching import FetchedPictures, FetchOptions
from vernissage.catalog.loading import load_collection, source_of
from vernissage.catalog.report import SKIP_BAD
from vernissage.catalog.sources import iiif_source
from vernissage.catalog.sources.contract import Changes, RemoteSource, Source
from vernissage.catalog.sources.iiif_source import IiifSource
from vernissage.errors import CollectionError, Kind

HERE = FetchOptions(private_hosts=True, rate=500)
WITHOUT_PICTURES = replace(HERE, pictures=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureServer]:
    monkeypatch.setattr(web_client, "_BACK_OFF", 0.01)
    with serving() as running:
        yield running


def manifest(server: PictureServer, name: str, **more: Any) -> dict[str, Any]:
    """A manifest of the server, with one picture."""
    made = third(canvas(PAINTED | {"id": f"{server.base}/{name}.png"}, f"{name}/1"), id=f"{server.base}/m/{name}")
    return made | {"label": {"en": [f"The boat {name}"]}} | more


def collection(server: PictureServer, path: str, *names: str, **more: Any) -> dict[str, Any]:
    """A collection of the server that names manifests (a, b …) and collections (by paths that begin with /)."""
    kinds = {True: "Collection", False: "Manifest"}
    items = [
        {"id": server.base + (name if name[0] == "/" else f"/m/{name}"), "type": kinds[name[0] == "/"]}
        for name in names
    ]
    told = {"@context": "http://iiif.io/api/presentation/3/context.json", "id": server.base + path}
    return told | {"type": "Collection", "label": {"en": [f"Room {path}"]}, "items": items} | more


def publish(server: PictureServer, *names: str) -> str:
    """Let a server have a collection of these manifests, and give its address."""
    server.documents |= {f"/m/{name}": manifest(server, name) for name in names}
    server.documents["/c"] = collection(server, "/c", *names)
    return f"{server.base}/c"


def source(address: str, folder: Path, options: FetchOptions | None = WITHOUT_PICTURES) -> IiifSource:
    return IiifSource(address, FetchedPictures(folder / "fetched", options))


def ids(of: Source) -> list[str]:
    return [record.item.id.rpartition("/")[2] for record in of.records()]


class TestCollection(SourceContract):
    @pytest.fixture(autouse=True)
    def _serving(self) -> Iterator[None]:
        with serving() as self.server:
            yield

    def source(self, folder: Path) -> Source:
        return source(publish(self.server, "a", "b"), folder, HERE)


def test_collections_of_collections_give_groups_each_work_once_and_end_in_circles(
    server: PictureServer, tmp_path: Path
) -> None:
    address = publish(server, "a", "b", "c", "d")
    server.documents["/c"] = collection(server, "/c", "a", "/rooms/1", "/rooms/2", "/c")
    server.documents["/rooms/1"] = collection(server, "/rooms/1", "b", "a", "/rooms/2", "/c")
    old = {"@context": "http://iiif.io/api/presentation/2/context.json", "@type": "sc:Collection", "label": "Old room"}
    server.documents["/rooms/2"] = old | {"@id": f"{server.base}/rooms/2", "first": f"{server.base}/pages/1"}
    page = {"@type": "sc:Collection", "label": "page", "manifests": [{"@id": f"{server.base}/m/c"}]}
    server.documents["/pages/1"] = page | {"next": f"{server.base}/pages/2"}
    server.documents["/pages/2"] = page | {"manifests": [manifest(server, "d")], "next": f"{server.base}/pages/1"}
    found = source(address, tmp_path)
    works = {record.item.id.rpartition("/")[2]: record.item for record in found.records()}
    assert {name: item.group for name, item in works.items()} == {
        "a": "", "b": "Room /rooms/1", "c": "Old room", "d": "Old room"
    }  # fmt: skip
    assert works["a"].id == f"{server.base}/m/a"
    assert works["a"].picture_link == f"{server.base}/a.png"
    assert works["a"].attributes["canvas ids"].endswith("/a/1")
    assert max(server.asked.values()) == 1
    assert isinstance(found, RemoteSource)
    assert found.address == address


def test_a_thousand_manifests_come_by_four_connections_at_most(server: PictureServer, tmp_path: Path) -> None:
    address = publish(server, *map(str, range(60)))
    server.slow = 0.01
    assert ids(source(address, tmp_path)) == [str(n) for n in range(60)]
    assert 2 <= server.at_once <= 4


def test_a_complete_copy_is_read_without_the_server(server: PictureServer, tmp_path: Path) -> None:
    address = publish(server, "a", "b")
    first = source(address, tmp_path)
    records = list(first.records())
    asked = server.asked.total()
    server.documents["/m/a"] = manifest(server, "a", label={"en": ["Another boat"]})
    again = source(address, tmp_path, None)
    assert list(again.records()) == records
    assert again.fingerprint() == first.fingerprint()
    assert server.asked.total() == asked


def test_an_interrupted_harvest_goes_on_and_asks_for_nothing_twice(server: PictureServer, tmp_path: Path) -> None:
    address = publish(server, *map(str, range(20)))

    def interrupting(step: str, done: int, total: int) -> None:
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source(address, tmp_path).records(interrupting)
    assert server.asked.total() < 20
    assert len(ids(source(address, tmp_path))) == 20
    again = {path for path, count in server.asked.items() if count > 1}
    assert again <= {"/robots.txt", *(f"/m/{n}" for n in range(20))}
    assert len(again) <= 1 + 8  # those that were on their way


def test_a_process_that_is_killed_while_it_fetches_leaves_what_the_next_goes_on_with(
    server: PictureServer, tmp_path: Path
) -> None:
    address = publish(server, *map(str, range(30)))
    server.slow = 0.05
    start = "from tests.catalog.test_iiif_source import *; source(sys.argv[1], Path(sys.argv[2])).records()"
    process = subprocess.Popen([sys.executable, "-c", start, address, str(tmp_path)])
    deadline = time.monotonic() + 60
    while server.asked.total() < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    server.slow = 0.0
    assert len(ids(source(address, tmp_path))) == 30
    twice = [path for path, count in server.asked.items() if count > 1 and path != "/robots.txt"]
    assert len(twice) <= 4


def test_what_has_not_changed_is_not_sent_again(server: PictureServer, tmp_path: Path) -> None:
    address = publish(server, "a", "b", "c")
    ids(source(address, tmp_path))
    server.documents["/m/a"] = manifest(server, "a", label={"en": ["Another boat"]})
    server.documents["/m/d"] = manifest(server, "d")
    server.documents["/c"] = collection(server, "/c", "a", "b", "d")
    found = source(address, tmp_path)
    base = f"{server.base}/m/"
    assert found.changes() == Changes((base + "a", base + "d"), (base + "c",))
    assert server.unchanged == 1  # b; c is named no more
    assert [record.item.title for record in found.records()] == ["Another boat", "The boat b", "The boat d"]
    assert len(list((tmp_path / "fetched/documents").rglob("??/*"))) == 4  # what is gone is not kept
    assert source(address, tmp_path).changes() == Changes()


def test_a_server_in_trouble_takes_no_work_away(server: PictureServer, tmp_path: Path) -> None:
    address = publish(server, "a", "b")
    ids(source(address, tmp_path))
    server.faults = {"/c": 500}
    with pytest.raises(CollectionError, match="/c was not fetched: its server does not give it now; try again later"):
        source(address, tmp_path).changes()
    server.faults = {"/m/a": 500}
    found = source(address, tmp_path)
    assert found.changes() == Changes()
    assert ids(found) == ["a", "b"]
    assert any("gave no newer one this time, so that the copy was used: 1" in each for each in found.reading().remarks)
    server.faults = {"/m/a": 410}
    found = source(address, tmp_path)
    assert found.changes() == Changes((), (f"{server.base}/m/a",))
    assert [problem.kind for problem in found.reading().problems] == ["record not fetched"]


def activity(server: PictureServer, kind: str, name: str, day: int, **more: Any) -> dict[str, Any]:
    thing = {"id": f"{server.base}/m/{name}", "type": "Manifest"}
    return {"type": kind, "object": thing, "endTime": f"2026-03-{day:02}T00:00:00Z"} | more


def stream(server: PictureServer, *pages: list[dict[str, Any]]) -> dict[str, Any]:
    """Let a server have a stream of changes in pages, the oldest first."""
    for n, page in enumerate(pages):
        before = {"prev": {"id": f"{server.base}/s/{n - 1}", "type": "OrderedCollectionPage"}} if n else {}
        server.documents[f"/s/{n}"] = {"type": "OrderedCollectionPage", "orderedItems": page} | before
    told = {"@context": "http://iiif.io/api/discovery/1/context.json", "id": f"{server.base}/s"}
    last = {"id": f"{server.base}/s/{len(pages) - 1}", "type": "OrderedCollectionPage"}
    server.documents["/s"] = told | {"type": "OrderedCollection", "last": last}
    return told | {"type": "OrderedCollection"}


def test_a_stream_of_changes_is_a_source_and_tells_what_to_ask_for(server: PictureServer, tmp_path: Path) -> None:
    publish(server, "a", "b", "c", "d", "e", "f")
    old = [activity(server, "Create", "e", 1), {"type": "Refresh", "endTime": "2026-03-02T00:00:00Z"}]
    first = [activity(server, kind, name, 3) for kind, name in (("Create", "a"), ("Create", "b"), ("Create", "c"))]
    stream(server, old, first, [activity(server, "Delete", "c", 4), activity(server, "Update", "a", 5)])
    address = f"{server.base}/s"
    assert ids(source(address, tmp_path)) == ["b", "a"]  # e was there before everything was named anew
    server.asked.clear()
    new = [
        activity(server, "Update", "b", 6), activity(server, "Move", "a", 7, target={"id": f"{server.base}/m/f"}),
        activity(server, "Create", "d", 8),
    ]  # fmt: skip
    server.documents["/m/b"] = manifest(server, "b", label={"en": ["Another boat"]})
    stream(server, old, first, [activity(server, "Delete", "c", 4), activity(server, "Update", "a", 5)], new)
    found = source(address, tmp_path)
    base = f"{server.base}/m/"
    assert found.changes() == Changes((base + "b", base + "f", base + "d"), (base + "a",))
    assert set(server.asked) == {"/robots.txt", "/s", "/s/3", "/s/2", "/m/b", "/m/f", "/m/d"}


def test_a_collection_that_names_a_stream_is_asked_for_what_has_changed_alone(
    server: PictureServer, tmp_path: Path
) -> None:
    address = publish(server, "a", "b", "c")
    old = [activity(server, "Create", name, day) for day, name in enumerate("acb", start=1)]
    server.documents["/c"] |= {"seeAlso": [stream(server, old)]}
    assert ids(source(address, tmp_path)) == ["a", "b", "c"]
    server.asked.clear()
    server.documents["/m/b"] = manifest(server, "b", label={"en": ["Another boat"]})
    stream(server, old, [activity(server, "Update", "b", 4)])
    assert source(address, tmp_path).changes() == Changes((f"{server.base}/m/b",))
    assert set(server.asked) == {"/robots.txt", "/s", "/s/1", "/s/0", "/c", "/m/b"}
    server.faults = {"/s": 404}
    found = source(address, tmp_path / "other")
    assert ids(found) == ["a", "b", "c"]
    assert any("its stream of changes cannot be read" in each for each in found.reading().remarks)


ROOTS = {
    "/html/c": "is a web page or XML, not JSON",
    "/404/c": "does not have it (HTTP 404); correct the address",
    "/500/c": "does not give it (HTTP 500); try again later",
    "/429/c": "asks to come back in 7200 seconds (HTTP 429)",
    "/endless/0": "leads from address to address, more than 5 times",
    "/inward": "lets it be asked); allow it, or give another address",
    "/bomb": "it has more than 20 MiB",
    "/large/c": "it has more than 20 MiB",
    "/deep": "is not JSON, or nested too deeply",
    "/image": "is ImageService3, and no manifest or collection",
}


@pytest.mark.parametrize("path", ROOTS)
def test_a_source_that_gives_nothing_says_why(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    server.documents |= {"/bomb": b" " * 50 * 2**20, "/deep": b"[" * 100_000, "/image": {"type": "ImageService3"}}
    if path == "/inward":  # this machine stands for a public host, which it cannot be
        monkeypatch.setattr(web_client, "is_public", lambda address: address == "127.0.0.1")
    options = replace(WITHOUT_PICTURES, private_hosts=path != "/inward")
    with pytest.raises(CollectionError) as error:
        source(server.base + path + ("/a" if path == "/inward" else ""), tmp_path, options).records()
    assert ROOTS[path] in str(error.value)
    assert error.value.kind is (Kind.UNAVAILABLE if path in ("/500/c", "/429/c") else Kind.BAD_REQUEST)


def test_a_server_that_recovers_is_asked_again(server: PictureServer, tmp_path: Path) -> None:
    address = publish(server, "a", "b")
    server.faults = {"/m/a": 502}
    waiting = source(address, tmp_path)
    assert len(list(waiting.records())) == 1
    assert server.asked["/m/a"] == 3
    server.faults = {}
    assert ids(source(address, tmp_path)) == ["a", "b"]
    assert server.asked["/m/b"] == 1


def test_a_page_in_place_of_a_document_does_not_stay(server: PictureServer, tmp_path: Path) -> None:
    address = publish(server, "a", "b")
    whole, server.documents["/c"] = server.documents["/c"], b"<p>Back soon"
    with pytest.raises(CollectionError, match="is a web page"):
        source(address, tmp_path).records()
    server.documents |= {"/c": whole, "/m/a": b"<p>Back soon"}
    assert ids(source(address, tmp_path)) == ["b"]
    server.documents["/m/a"] = manifest(server, "a")
    assert ids(source(address, tmp_path)) == ["a", "b"]


def test_manifests_that_cannot_be_read_are_left_out_and_told(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = publish(server, "a", "b", "c", "d", "e")
    server.documents["/m/a"] = b"<html>"
    server.documents["/m/b"] = {"type": "AnnotationPage"}
    server.documents["/m/c"] = manifest(server, "c", summary={"en": ["x" * 2_000_000]})
    inward = {"id": "http://10.0.0.1/m/d", "type": "Manifest"}
    server.documents["/c"]["items"].append(inward)
    # This machine stands for a public host, which it cannot be.
    monkeypatch.setattr(web_client, "is_public", lambda address: address == "127.0.0.1")
    found = load_collection(
        source(address, tmp_path, replace(WITHOUT_PICTURES, private_hosts=False)), tolerance=SKIP_BAD
    )
    assert [item.title for item in found] == ["The boat d", "The boat e"]
    assert found.report is not None
    told = "\n".join(problem.line() for problem in found.report.problems)
    for words in (
        "is a web page or XML, not JSON", "is AnnotationPage, not a manifest", "more than 1,048,576 letters",
        "10.0.0.1 is on a private network",
    ):  # fmt: skip
        assert words in told


def test_a_part_of_the_collection_that_is_missing_stops_everything(server: PictureServer, tmp_path: Path) -> None:
    address = publish(server, "a")
    server.documents["/c"] = collection(server, "/c", "a", "/rooms/1")
    server.faults = {"/rooms/1": 500}
    with pytest.raises(CollectionError, match=r"/rooms/1 was not fetched: its server does not give it \(HTTP 500\)"):
        source(address, tmp_path).records()


def test_collections_without_an_end_are_left(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iiif_source, "MOST_COLLECTIONS", 5)
    address = publish(server, "a")
    server.documents["/c"]["next"] = f"{server.base}/p/0"
    for n in range(10):
        server.documents[f"/p/{n}"] = {"type": "Collection", "items": [], "next": f"{server.base}/p/{n + 1}"}
    with pytest.raises(CollectionError, match="more than 5 collections and pages are named"):
        source(address, tmp_path).records()


def test_files_are_read_with_what_lies_beside_them_and_fetch_nothing_unasked(
    server: PictureServer, tmp_path: Path
) -> None:
    works = tmp_path / "works"
    works.mkdir()
    publish(server, "a", "b", "c")
    for name in ("c", "m/a", "m/b"):
        (works / f"{name[-1]}.json").write_text(json.dumps(server.documents[f"/{name}"]))
    alone = source_of(works, fetched=FetchedPictures(tmp_path / "w/fetched"))
    assert ids(alone) == ["a", "b"]
    assert alone.name == "works"
    assert ["nothing is fetched unless that is asked for" in each.what for each in alone.reading().problems] == [True]
    assert not server.asked
    assert not (tmp_path / "w").exists()
    assert ids(source_of(works, fetched=FetchedPictures(tmp_path / "w/fetched", WITHOUT_PICTURES))) == ["a", "b", "c"]
    assert set(server.asked) == {"/robots.txt", "/m/c"}
    assert ids(source_of(works / "a.json")) == ["a"]
    (works / "metadata.csv").write_text("id,title\n1,Sea\n")
    assert ids(source_of(works)) == ["1"]


def test_addresses_that_hold_a_password_or_are_none_are_refused() -> None:
    with pytest.raises(CollectionError, match="a name or a password"):
        source_of("https://me:secret@museum.example/c")
    with pytest.raises(CollectionError, match="no web address"):
        source_of("ftp://museum.example/c")
