"""Pictures at web addresses: politeness, bounds, refusals, the cache. The server is the real one of `picture_server`."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.catalog.picture_server import PictureServer, png, serving

from vernissage.catalog import fetching, web_client
from vernissage.catalog.fetching import MARK, FetchedPictures, FetchOptions, NotFetchedError, name_of
from vernissage.catalog.loading import inspect_collection, load_collection
from vernissage.catalog.report import CollectionReport, Tolerance
from vernissage.catalog.sources.folder import FolderSource
from vernissage.catalog.web_client import Reply, WebClient, iiif_picture, is_public
from vernissage.catalog.words import holds_credentials, picture_link
from vernissage.errors import CollectionError

HERE = FetchOptions(private_hosts=True, rate=200)


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with serving() as running:
        yield running


def fetched(folder: Path, *addresses: str, options: FetchOptions | None = HERE) -> FetchedPictures:
    pictures = FetchedPictures(folder, options)
    pictures.fetch(addresses)
    return pictures


def test_a_picture_is_fetched_once_and_the_server_is_told_by_whom(server: PictureServer, tmp_path: Path) -> None:
    address = f"{server.base}/a.png?size=large image&x=%20"
    pictures = fetched(tmp_path, address, address)
    assert pictures.unfetched == {}
    assert (tmp_path / name_of(address)).read_bytes() == png()
    assert pictures.picture(address) == MARK + name_of(address)
    assert server.headers["User-Agent"].startswith("Vernissage/")
    assert server.headers["Host"] == server.base.removeprefix("http://")
    assert "Cookie" not in server.headers
    assert "Authorization" not in server.headers
    assert fetched(tmp_path, address).unfetched == {}
    assert server.asked == {"/robots.txt": 1, "/a.png": 1}


def test_a_contact_is_sent_along_without_what_could_break_a_header(server: PictureServer, tmp_path: Path) -> None:
    options = FetchOptions(private_hosts=True, contact="web@museum.example\r\nX-Evil: 1")
    fetched(tmp_path, f"{server.base}/a.png", options=options)
    assert server.headers["User-Agent"].endswith("(web@museum.example X-Evil: 1)")
    assert "X-Evil" not in server.headers


FAULTS = {
    "/404/a.png": ("does not have it (HTTP 404)", True),
    "/403/a.png": ("forbids it (HTTP 403)", True),
    "/500/a.png": ("does not give it (HTTP 500)", False),
    "/html/a.jpg": ("what its server gives is a web page, not a picture", True),
    "/endless/0": ("leads from address to address, more than 5 times", True),
    "/to-file/a.png": ("no web address but begins with file:", True),
    "/large/a.png": ("more than 20 MiB", True),
    "/large-untold/a.png": ("more than 20 MiB", True),
    "/packed/a.png": ("packs it (gzip) though asked not to", True),
    "/cut/a.png": ("breaks off", False),
    "/429/a.png": ("asks to come back in 7200 seconds (HTTP 429)", False),
}


@pytest.mark.parametrize("path", FAULTS)
def test_what_gives_no_picture_says_why_and_leaves_no_file(server: PictureServer, tmp_path: Path, path: str) -> None:
    reason, lasting = FAULTS[path]
    address = server.base + path
    assert reason in fetched(tmp_path, address).unfetched[address]
    asked = server.asked.total()
    kept = {file.name for file in tmp_path.iterdir()}
    assert kept == ({f"{name_of(address)}.refused"} if lasting else set())
    assert reason in fetched(tmp_path, address).unfetched[address]
    assert (server.asked.total() > asked) is not lasting


def test_redirects_and_short_waits_are_followed(server: PictureServer, tmp_path: Path) -> None:
    addresses = [f"{server.base}/moved/a", f"{server.base}/429/soon.png", f"{server.base}/503/soon.png"]
    assert fetched(tmp_path, *addresses).unfetched == {}
    assert server.asked["/429/soon.png"] == 2


def test_a_redirect_to_an_own_network_is_refused(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = str(server.server_address[1])
    public = {"127.0.0.1"}  # stands for a public host, which this machine cannot be
    monkeypatch.setattr(web_client, "is_public", lambda address: address in public)
    address = f"http://127.0.0.1:{port}/inward/a.png"
    why = fetched(tmp_path, address, options=FetchOptions(rate=200)).unfetched[address]
    assert "169.254.1.1 is on a private network or this machine" in why


INWARD = [
    "127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0", "localhost", "localhost.", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fd00::1]",
    "10.0.0.1", "192.168.1.1", "172.16.0.9", "169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1", "[ff02::1]",
    "255.255.255.255", "１２７.０.０.１",
]  # fmt: skip


@pytest.mark.parametrize("host", INWARD)
def test_hosts_of_this_machine_and_private_networks_are_refused_in_every_spelling(
    server: PictureServer, tmp_path: Path, host: str
) -> None:
    address = f"http://{host}:{server.server_address[1]}/a.png"
    why = fetched(tmp_path, address, options=FetchOptions(rate=200)).unfetched[address]
    assert "on a private network or this machine" in why or "there is no host" in why
    assert not server.asked


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)


def test_the_address_that_was_checked_is_the_one_connected_to(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means a public address when it is checked and this machine when it is asked again."""
    answers = iter(["127.0.0.1"] * 2)
    resolve = socket.getaddrinfo

    def once(host: str, *arguments: Any, **named: Any) -> Any:
        if host == "pictures.museum.example":
            return resolve(next(answers), *arguments, **named)
        return resolve(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    address = f"http://pictures.museum.example:{server.server_address[1]}/a.png"
    assert fetched(tmp_path, address).unfetched == {}  # robots.txt and the picture: one resolution each
    assert server.headers["Host"].startswith("pictures.museum.example:")
    assert next(answers, None) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://no-such-host.invalid/a.png", "there is no host no-such-host.invalid"),
        ("http:///a.png", "not written as one of the web"),
        ("http://a b/a.png", "not written as one of the web"),
        ("http://127.0.0.1:99999/a.png", "not written as one of the web"),
        ("http://exa%6dple.org/a.png", "not written as one of the web"),
        ("ftp://example.org/a.png", "begins with ftp:"),
    ],
)
def test_addresses_that_lead_nowhere_are_told(tmp_path: Path, address: str, reason: str) -> None:
    assert reason in fetched(tmp_path, address).unfetched[address]


def test_a_server_that_drips_is_left_after_the_whole_time(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_client, "MOST_SECONDS", 0.5)
    address = f"{server.base}/drip/a.png"
    started = time.monotonic()
    assert "takes longer than" in fetched(tmp_path, address).unfetched[address]
    assert time.monotonic() - started < 5
    assert list(tmp_path.iterdir()) == []


def test_robots_are_obeyed_wildcards_too(server: PictureServer, tmp_path: Path) -> None:
    server.robots = "User-agent: *\nDisallow: /private/\nDisallow: /*.tif$\n"
    addresses = [f"{server.base}/{path}" for path in ("private/a.png", "b.tif", "c.png")]
    assert set(fetched(tmp_path, *addresses).unfetched) == set(addresses[:2])
    assert server.asked == {"/robots.txt": 1, "/c.png": 1}


def test_a_host_whose_robots_cannot_be_read_is_asked_for_nothing(server: PictureServer, tmp_path: Path) -> None:
    server.robots_status = 500
    addresses = [f"{server.base}/{n}.png" for n in range(5)]
    why = fetched(tmp_path, *addresses).unfetched
    assert all("does not give its robots.txt (HTTP 500)" in why[address] for address in addresses)
    assert server.asked == {"/robots.txt": 1}


def test_requests_to_a_host_are_paced(server: PictureServer, tmp_path: Path) -> None:
    addresses = [f"{server.base}/{n}.png" for n in range(5)]
    assert fetched(tmp_path, *addresses, options=FetchOptions(private_hosts=True, rate=10)).unfetched == {}
    assert max(server.times) - min(server.times) >= 0.35


def test_no_more_than_so_many_are_fetched_and_the_next_build_does_not_exceed_it_either(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [f"{server.base}/{n}.png" for n in range(6)]
    for _ in range(2):
        pictures = fetched(tmp_path, *addresses, options=FetchOptions(private_hosts=True, rate=200, most=4))
        assert (pictures.unfetched, pictures.beyond, len(list(tmp_path.iterdir()))) == ({}, 2, 4)
    monkeypatch.setattr(fetching, "MOST_BYTES", 1)
    assert fetched(tmp_path, *addresses).beyond == 2


def test_an_interruption_leaves_whole_pictures_alone_and_the_next_build_goes_on(
    server: PictureServer, tmp_path: Path
) -> None:
    addresses = [f"{server.base}/{n}.png" for n in range(12)] + [f"{server.base}/drip/a.png"]

    def interrupting(step: str, done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    pictures = FetchedPictures(tmp_path, HERE)
    with pytest.raises(KeyboardInterrupt):
        pictures.fetch(addresses, interrupting)
    there = [file for file in tmp_path.iterdir() if file.suffix == ""]
    assert 4 <= len(there) < 12
    assert all(file.read_bytes() == png() for file in there)
    assert not any(thread.name.startswith("fetch") for thread in threading.enumerate())
    assert fetched(tmp_path, *addresses[:12]).unfetched == {}
    assert all(server.asked[f"/{n}.png"] <= 2 for n in range(12))
    assert sum(server.asked[f"/{n}.png"] for n in range(12)) <= 12 + 4


def test_what_is_half_written_is_not_taken(tmp_path: Path) -> None:
    address = "https://museum.example/a.png"
    (tmp_path / f"{name_of(address)}.new").write_bytes(png()[:40])
    pictures = fetched(tmp_path, address, options=None)
    assert pictures.picture(address) == ""
    pictures.keep_only([])
    assert list(tmp_path.iterdir()) == []


def test_images_of_iiif_are_found_by_their_address_and_by_their_description(
    server: PictureServer, tmp_path: Path
) -> None:
    addresses = [
        f"{server.base}/iiif/1",
        f"{server.base}/iiif/2/info.json",
        f"{server.base}/iiif/3/full/max/0/default.jpg",
    ]
    assert fetched(tmp_path, *addresses).unfetched == {}
    assert server.asked["/iiif/1/full/1000,750/0/default.jpg"] == 1
    assert server.asked["/iiif/2/full/1000,750/0/default.jpg"] == 1
    second = b'{"@context": "http://iiif.io/api/image/2/context.json", "width": 800, "height": 900}'
    assert iiif_picture(Reply("https://x/i/4", second)) == "https://x/i/4/full/800,/0/default.jpg"
    assert iiif_picture(Reply("https://x/i/4", b'{"width": 1}')) == ""


def table(folder: Path, rows: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "metadata.csv").write_text(f"id,title,image\n{rows}", encoding="utf-8")
    return folder


def report_of(source: FolderSource) -> CollectionReport:
    report = inspect_collection(source).report
    assert report is not None
    return report


def test_works_whose_pictures_are_not_fetched_are_kept_and_the_reason_is_told(
    server: PictureServer, tmp_path: Path
) -> None:
    paths = ["a.png", "b.png", "404/c.png", "d.png"]
    rows = "".join(f"{n},Boat {n},{server.base}/{path}\n" for n, path in enumerate(paths))
    source = FolderSource(table(tmp_path / "works", rows), fetched=FetchedPictures(tmp_path / "fetched", HERE))
    collection = load_collection(source)
    assert [bool(item.picture) for item in collection] == [True, True, False, True]
    assert [item.picture_link for item in collection] == [f"{server.base}/{path}" for path in paths]
    place = collection.picture_path(collection["0"])
    assert place is not None
    assert place.read_bytes() == png()
    report = report_of(source)
    assert [(problem.kind, problem.id, problem.kept) for problem in report.problems] == [
        ("picture not fetched", "2", True)
    ]
    assert "does not have it (HTTP 404)" in report.problems[0].line()


def test_where_most_cannot_be_fetched_nothing_is_built_unless_without_pictures(
    server: PictureServer, tmp_path: Path
) -> None:
    rows = "".join(f"{n},Boat {n},{server.base}/404/{n}\n" for n in range(3))
    source = FolderSource(table(tmp_path / "works", rows), fetched=FetchedPictures(tmp_path / "fetched", HERE))
    with pytest.raises(CollectionError, match="3 of them cannot be fetched"):
        load_collection(source)
    assert len(load_collection(source, tolerance=Tolerance(without_pictures=True))) == 3


def test_a_folder_of_fetched_pictures_is_not_left_by_links_and_odd_names(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    address = "https://museum.example/a.png"
    kept = FetchedPictures(tmp_path / "fetched")
    kept.folder.mkdir()
    (kept.folder / name_of(address)).symlink_to(tmp_path / "secret.png")
    works = load_collection(FolderSource(table(tmp_path / "works", f"1,Boat,{address}\n"), fetched=kept))
    with pytest.raises(CollectionError, match="outside"):
        works.picture_path(works["1"])
    with pytest.raises(CollectionError, match="none that was fetched"):
        fetching.fetched_path(kept.folder, f"{MARK}../secret.png")


@pytest.mark.parametrize(
    ("cell", "link"),
    [
        ("https://a.example/b.jpg", "https://a.example/b.jpg"),
        ("//a.example/b.jpg", "https://a.example/b.jpg"),
        ("www.a.example/b.jpg", "https://www.a.example/b.jpg"),
        ("https://a.example/b;c.jpg?x=1,2", "https://a.example/b;c.jpg?x=1,2"),
        ("https://a.example/b.jpg | https://a.example/c.jpg", "https://a.example/b.jpg"),
        ("https://a.example/b.jpg;https://a.example/c.jpg", "https://a.example/b.jpg"),
        ("https://me:secret@a.example/b.jpg", "https://a.example/b.jpg"),
        ("ftp://a.example/b.jpg", ""),
        ("data:image/png;base64,AAAA", ""),
        ("s3://bucket/a.jpg", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_the_link_of_a_cell(cell: str, link: str) -> None:
    assert picture_link(cell) == link
    assert holds_credentials(cell) is ("secret" in cell)


def test_a_password_in_an_address_is_neither_kept_nor_sent(server: PictureServer, tmp_path: Path) -> None:
    address = f"{server.base}/a.png".replace("//", "//me:secret@")
    source = FolderSource(
        table(tmp_path / "works", f"1,Boat,{address}\n"), fetched=FetchedPictures(tmp_path / "fetched", HERE)
    )
    collection = load_collection(source)
    assert "secret" not in repr(list(collection))
    assert "Authorization" not in server.headers
    assert collection.report is not None
    assert "addresses with a name or password, which are neither kept nor sent: 1" in collection.report.remarks


def test_a_client_that_is_stopped_asks_nothing(server: PictureServer) -> None:
    client = WebClient(HERE)
    client.stop()
    with pytest.raises(NotFetchedError, match="interrupted"):
        client.get(f"{server.base}/a.png")
    assert not server.asked
