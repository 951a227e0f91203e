"""Museums' interfaces from a server on this machine: pages, a call for each record, references, keys, faults."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.catalog.museum_shapes import SHAPES, WORKS, aic_record, met_answer
from tests.catalog.picture_server import PictureServer, serving
from tests.contracts.sources import SourceContract

from vernissage.catalog import web_client
from vernissage.catalog.credits import link_of
from vernissage.catalog.documents import with_parameters
from vernissage.catalog.fetching import FetchedPictures, FetchOptions
from vernissage.catalog.loading import source_of
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.contract import Changes, RemoteSource, Source
from vernissage.catalog.sources.dump import DumpSource
from vernissage.catalog.sources.interface import KEY, InterfaceSource, documents_of
from vernissage.catalog.sources.mapping import load_mapping, mapping_text
from vernissage.cli.main import main
from vernissage.errors import CollectionError, Kind

HERE = FetchOptions(private_hosts=True, rate=500, contact="ann@museum.example")
RECORDS_ALONE = replace(HERE, pictures=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureServer]:
    monkeypatch.setattr(web_client, "_BACK_OFF", 0.01)
    with serving() as running:
        yield running


def source(
    address: str, mapping: str | Path, folder: Path, options: FetchOptions | None = RECORDS_ALONE
) -> InterfaceSource:
    return InterfaceSource(address, FetchedPictures(folder / "fetched", options), TableOptions(mapping=str(mapping)))


def moved(name: str, server: PictureServer, host: str, folder: Path) -> Path:
    """A shipped mapping whose interface is the server."""
    place = folder / f"{name}.toml"
    place.write_text(mapping_text(name).decode().replace(host, server.base), "utf-8")
    return place


def write(folder: Path, api: str, records: str = "records") -> Path:
    place = folder / "ours.toml"
    place.write_text(
        f'museum = "x"\nrecords = "{records}"\n[fields]\nid = "id"\ntitle = "title"\n[api]\naddress = "x"\n{api}\n'
    )
    return place


def ids(of: Source) -> list[str]:
    return [record.item.id for record in of.records()]


def aic_page(number: int) -> str:
    """The path of a page of Chicago's interface: the first, or one that another page names."""
    api = load_mapping("aic").api
    assert api is not None
    return "/api/v1/artworks" if number == 1 else with_parameters(f"/api/v1/artworks?page={number}", api.parameters)


def publish_aic(server: PictureServer) -> str:
    """Chicago's interface in three pages, each of which names the next."""
    address = f"{server.base}/api/v1/artworks"
    parts = [WORKS[:8], WORKS[8:16], WORKS[16:]]
    for page, works in enumerate(parts, start=1):
        following = {"next_url": f"{address}?page={page + 1}"} if page < len(parts) else {}
        answer = {"pagination": {"current_page": page, **following}, "data": [aic_record(work) for work in works]}
        server.documents[aic_page(page)] = answer
    return address


class TestInterface(SourceContract):
    @pytest.fixture(autouse=True)
    def _serving(self) -> Iterator[None]:
        with serving() as self.server:
            yield

    def source(self, folder: Path) -> Source:
        work = {"id": "a", "title": "Boats", "picture": f"{self.server.base}/a.png"}
        self.server.documents["/list"] = {"records": [work, {"id": "b", "title": "Trees"}]}
        mapping = write(folder, "")
        mapping.write_text(mapping.read_text().replace("[api]", 'picture = "picture"\n[api]'))
        return source(f"{self.server.base}/list", mapping, folder, HERE)


def test_pages_follow_each_other_and_the_copy_is_read_without_the_server(server: PictureServer, tmp_path: Path) -> None:
    address = publish_aic(server)
    first = source(address, "aic", tmp_path)
    found = [record.item for record in first.records()]
    assert [(item.title, item.licence, link_of(item)) for item in found] == [
        (work.title, SHAPES["aic"].rights(work), SHAPES["aic"].link(work)) for work in WORKS
    ]
    assert isinstance(first, RemoteSource)
    assert server.headers["AIC-User-Agent"] == server.headers["User-Agent"]
    assert "ann@museum.example" in server.headers["AIC-User-Agent"]
    assert next(each for each in server.addresses if "limit=100" in each).startswith("/api/v1/artworks?")
    asked = server.asked.total()
    assert ids(source(address, "aic", tmp_path, None)) == [str(work.number) for work in WORKS]
    assert server.asked.total() == asked


def test_an_update_takes_what_changed_and_what_went(server: PictureServer, tmp_path: Path) -> None:
    address = publish_aic(server)
    assert len(ids(source(address, "aic", tmp_path))) == 20
    last = server.documents[aic_page(3)]
    last["data"] = [last["data"][0] | {"title": "Another"}, *last["data"][2:]]
    changed = source(address, "aic", tmp_path)
    assert changed.changes() == Changes(("17",), ("18",))
    assert server.unchanged == 2


def test_a_harvest_that_broke_off_goes_on_where_it_was(server: PictureServer, tmp_path: Path) -> None:
    address = publish_aic(server)
    whole = server.documents.pop(aic_page(2))
    server.documents[aic_page(2)] = b"<html>Log in</html>"
    with pytest.raises(CollectionError, match="gives no JSON"):
        ids(source(address, "aic", tmp_path))
    server.documents[aic_page(2)] = whole
    before = server.asked["/api/v1/artworks"]
    assert len(ids(source(address, "aic", tmp_path))) == 20
    assert server.asked["/api/v1/artworks"] == before + 2


@pytest.mark.parametrize(
    ("api", "address", "asked"),
    [
        ('page = "page"', "/list", ["/list", "/list?page=2", "/list?page=3"]),
        ('page = "p"\nfirst = 0', "/list", ["/list", "/list?p=1", "/list?p=2"]),
        ('page = "page"', "/list?page=2", ["/list?page=2", "/list?page=3", "/list?page=4"]),
        (
            'skip = "skip"\nparameters = { limit = "2" }',
            "/list",
            [f"/list?limit=2{more}" for more in ("", "&skip=2", "&skip=4")],
        ),
    ],
)
def test_pages_may_be_counted(server: PictureServer, tmp_path: Path, api: str, address: str, asked: list[str]) -> None:
    for place, name in enumerate(asked):
        works = [{"id": f"{place}-{each}", "title": "Boats"} for each in range(2)]
        server.documents[name] = {"records": works if place < 2 else []}
    found = ids(source(server.base + address, write(tmp_path, api), tmp_path))
    assert found == ["0-0", "0-1", "1-0", "1-1"]
    assert server.addresses[1:] == asked


def test_each_record_may_take_a_call_of_its_own(server: PictureServer, tmp_path: Path) -> None:
    base = "/public/collection/v1/objects"
    server.documents[base] = {"total": 20, "objectIDs": [work.number for work in WORKS]}
    server.documents |= {f"{base}/{work.number}": met_answer(work) for work in WORKS}
    server.faults[f"{base}/7"] = 404
    mapping = moved("met", server, "https://collectionapi.metmuseum.org", tmp_path)
    found = source(f"{server.base}{base}?departmentIds=11", mapping, tmp_path)
    items = [record.item for record in found.records()]
    assert [item.id for item in items] == [str(work.number) for work in WORKS if work.number != 7]
    assert [item.picture_link.rpartition("/")[2] for item in items[:5]] == ["p1.jpg", "p2.jpg", "p3.jpg", "p4.jpg", ""]
    (problem,) = found.reading().problems
    assert (problem.kind, problem.id) == ("record not fetched", f"{server.base}{base}/7")
    assert "does not have it (HTTP 404)" in problem.what


def test_documents_take_the_places_of_references(server: PictureServer, tmp_path: Path) -> None:
    objects = [json.loads(line) for line in SHAPES["rijksmuseum"].write(tmp_path).read_text("utf-8").splitlines()]
    listed = []
    for work, content in zip(WORKS, objects, strict=True):
        (visual,) = content["shows"]
        shown = [
            each | {"id": f"{server.base}/d/{name}"}
            for name, each in zip(work.pictures, visual["digitally_shown_by"], strict=True)
        ]
        server.documents |= {f"/d/{name}": each for name, each in zip(work.pictures, shown, strict=True)}
        references = [{"id": each["id"], "type": "DigitalObject"} for each in shown]
        server.documents[f"/v/{work.number}"] = visual | {"digitally_shown_by": references}
        server.documents[f"/o/{work.number}"] = content | {"shows": [{"id": f"{server.base}/v/{work.number}"}]}
        listed.append({"id": f"{server.base}/o/{work.number}", "type": "HumanMadeObject"})
    server.documents["/search"] = {"orderedItems": listed[:12], "next": {"id": f"{server.base}/search?pageToken=x"}}
    server.documents["/search?pageToken=x"] = {"orderedItems": listed[12:]}
    found = [record.item for record in source(f"{server.base}/search", "rijksmuseum", tmp_path).records()]
    shape = SHAPES["rijksmuseum"]
    assert [(item.title, item.licence, item.picture_link) for item in found] == [
        (work.title, shape.rights(work), next(iter(shape.pictures(work)), "")) for work in WORKS
    ]


def test_a_key_is_sent_to_its_host_and_kept_nowhere(
    server: PictureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = 'key = "apikey"\nnext = "next"'
    address = f"{server.base}/list"
    with pytest.raises(CollectionError, match=f"127.0.0.1 wants a key; get one from the museum, and set {KEY} to it"):
        source(address, write(tmp_path, key), tmp_path)
    with pytest.raises(CollectionError, match="the address holds a key, which would be kept"):
        source(f"{address}?apikey=s3cret", write(tmp_path, key), tmp_path)
    monkeypatch.setenv(KEY, "s3cret&more")
    with serving() as other:
        server.documents["/list"] = {
            "records": [{"id": "a", "title": "A"}],
            "next": f"{server.base}/list?page=2&apikey=s3cret%26more",
        }
        server.documents["/list?page=2&apikey=s3cret%26more"] = {
            "records": [{"id": "b", "title": "B"}],
            "next": f"{other.base}/list",
        }
        other.documents["/list"] = {"records": [{"id": "c", "title": "C"}]}
        assert ids(source(address, write(tmp_path, key), tmp_path)) == ["a", "b", "c"]
        assert [each for each in server.addresses if "apikey=s3cret%26more" in each] == server.addresses[1:]
        assert not any("s3cret" in each for each in other.addresses)
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and "documents" in file.parts)
    assert b'"id": "b"' in kept
    assert b"s3cret" not in kept.replace(b"apikey=s3cret%26more", b"", 1)  # what the server itself wrote into its page
    monkeypatch.delenv(KEY)
    assert ids(source(address, write(tmp_path, key), tmp_path, None)) == ["a", "b", "c"]


def test_lists_without_an_end_are_bounded(server: PictureServer, tmp_path: Path) -> None:
    address = f"{server.base}/list"
    server.documents["/list"] = {"records": [{"id": "a", "title": "A"}], "next": address}
    with pytest.raises(CollectionError, match="named as the next page a second time"):
        ids(source(address, write(tmp_path, 'next = "next"'), tmp_path))
    server.documents |= {
        f"/counted{more}": {"records": [{"id": f"{more}{n}", "title": "A"} for n in range(5)]}
        for more in ("", *(f"?page={n}" for n in range(2, 9)))
    }
    bounded = source(
        f"{server.base}/counted", write(tmp_path, 'page = "page"'), tmp_path, replace(RECORDS_ALONE, most=7)
    )
    assert len(ids(bounded)) == 7
    assert any("beyond the first 7" in remark for remark in bounded.reading().remarks)
    assert server.asked["/counted"] == 2


@pytest.mark.parametrize(
    ("answer", "said", "kind"),
    [
        (b"<html>Log in</html>", "gives no JSON", Kind.BAD_REQUEST),
        ({"error": "no such thing"}, r"lists nothing in records \(there are: error\)", Kind.BAD_REQUEST),
        ({"records": [{"nr": 1}]}, r"id comes from id, and there is none \(there are: nr\)", Kind.BAD_REQUEST),
        (404, "does not have it", Kind.BAD_REQUEST),
        (500, "try again later: what was fetched is kept", Kind.UNAVAILABLE),
    ],
)
def test_a_list_that_is_none_is_refused(
    server: PictureServer, tmp_path: Path, answer: Any, said: str, kind: Kind
) -> None:
    if isinstance(answer, int):
        server.faults["/list"] = answer
    else:
        server.documents["/list"] = answer
    with pytest.raises(CollectionError, match=said) as raised:
        ids(source(f"{server.base}/list", write(tmp_path, ""), tmp_path))
    assert raised.value.kind == kind


def test_private_hosts_are_refused_and_mappings_of_files_take_no_address(server: PictureServer, tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="on a private network or this machine"):
        ids(source(publish_aic(server), "aic", tmp_path, replace(RECORDS_ALONE, private_hosts=False)))
    assert server.asked.total() == 0
    with pytest.raises(CollectionError, match="the mapping nga is for files, not for addresses"):
        source(f"{server.base}/list", "nga", tmp_path)


def test_the_museums_pace_holds_unless_a_person_says_another(tmp_path: Path) -> None:
    api = load_mapping("aic").api
    assert api is not None

    def rate(options: FetchOptions) -> float | None:
        found = documents_of("https://museum.example/", FetchedPictures(tmp_path, options), api).options
        return found.rate if found else None

    assert rate(FetchOptions()) == 1.0
    assert rate(FetchOptions(rate=0.2)) == 0.2


def test_pictures_that_a_dump_does_not_name_are_asked_for_one_by_one(server: PictureServer, tmp_path: Path) -> None:
    base = "/public/collection/v1/objects"
    answers = {work.number: met_answer(work) for work in WORKS}
    for number, answer in answers.items():
        server.documents[f"{base}/{number}"] = answer | {
            "primaryImage": answer["primaryImage"].replace("https://images.metmuseum.org", server.base)
        }
    del server.documents[f"{base}/4"]
    server.faults[f"{base}/4"] = 404
    mapping = moved("met", server, "https://collectionapi.metmuseum.org", tmp_path)
    table = SHAPES["met"].write(tmp_path / "dump")

    def read(options: FetchOptions | None) -> DumpSource:
        found = source_of(table, TableOptions(mapping=str(mapping)), FetchedPictures(tmp_path / "w", options))
        assert isinstance(found, DumpSource)
        return found

    assert not any(record.item.picture_link for record in read(None).records())
    assert not any(record.item.picture_link for record in read(RECORDS_ALONE).records())
    assert server.asked.total() == 0
    fetching = read(HERE)
    records = list(fetching.records())
    names = [f"{server.base}/{work.pictures[0]}.jpg" if work.pictures else "" for work in WORKS]
    names[3] = ""
    assert [record.item.picture_link for record in records] == names
    assert [len(record.pictures) for record in records] == [bool(name) for name in names]
    assert records[0].item.licence == "CC0 1.0"
    assert "works whose pictures were not told: 1, such as" in fetching.reading().remarks[-1]
    asked = server.asked.total()
    assert [record.item.picture_link for record in read(None).records()] == names
    assert server.asked.total() == asked
    bounded = FetchedPictures(tmp_path / "other", replace(HERE, most=3))
    some = source_of(table, TableOptions(mapping=str(mapping)), bounded)
    assert sum(bool(record.item.picture_link) for record in some.records()) == 3


def test_an_address_is_built_like_any_source(
    server: PictureServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address, out = publish_aic(server), str(tmp_path / "w")

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([*words])
        told = capsys.readouterr()
        return int(end.value.code or 0), told.out, told.err

    code, printed, error = run("build", address, "-o", out, "-e", "lsa", "--mapping", "aic", "--allow-private-hosts")
    assert (code, error.count("error")) == (0, 0)
    assert "artist_titles or artist_title or artist_display → artist (the mapping aic)" in printed
    asked = server.asked.total()
    code, printed, _ = run("build", address, "-o", out, "--json")
    assert (code, json.loads(printed)["encoded"], server.asked.total()) == (0, {"lsa.text": 0}, asked)
    code, printed, _ = run("recommend", out, "--rate", "5=5", "-n", "3", "--where", "licence~CC0", "--json")
    assert len(json.loads(printed)["works"]) == 3
    code, _, error = run("build", address, "-o", str(tmp_path / "other"), "--mapping", "nga")
    assert (code, "the mapping nga is for files" in " ".join(error.split())) == (1, True)
    assert not (tmp_path / "other").exists()
