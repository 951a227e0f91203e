"""Harvests of a repository: whole or an error, gone on with after interruptions, and kept up by what changed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.catalog.oai_server import Answer, Repository, bomb, repository
from tests.catalog.picture_server import serving
from tests.catalog.xml_works import XmlWork
from tests.contracts.sources import SourceContract

from vernissage.catalog.fetching import FetchedPictures, FetchOptions
from vernissage.catalog.loading import load_collection, source_of
from vernissage.catalog.sources import oai
from vernissage.catalog.sources.contract import RemoteSource, Source
from vernissage.catalog.sources.oai import OaiSource
from vernissage.errors import CollectionError, Kind


@pytest.fixture
def server() -> Iterator[Repository]:
    with repository() as running:
        yield running


def opened(server: Repository, folder: Path, more: str = "&metadataPrefix=oai_dc") -> OaiSource:
    options = FetchOptions(private_hosts=True, pictures=False)
    source = source_of(server.address + more, None, FetchedPictures(folder / "fetched", options))
    assert isinstance(source, OaiSource)
    return source


def titles(source: OaiSource) -> dict[str, str]:
    return {item.id.rpartition(":")[2]: item.title for item in load_collection(source)}


class TestRepository(SourceContract):
    """A repository whose records name pictures at web addresses, which are fetched."""

    @pytest.fixture(autouse=True)
    def _serving(self) -> Iterator[None]:
        with repository(3) as self.server, serving() as pictures:
            self.server.put(XmlWork("w-00", picture=f"{pictures.base}/a.png"))
            yield

    def source(self, folder: Path) -> Source:
        fetched = FetchedPictures(folder / "fetched", FetchOptions(private_hosts=True))
        return source_of(self.server.address + "&metadataPrefix=lido", None, fetched)

    def test_it_is_a_remote_source(self, tmp_path: Path) -> None:
        source = self.source(tmp_path)
        assert isinstance(source, RemoteSource)
        assert source.address.startswith(self.server.address)


ALL = {f"w-{number:02}": f"Boats {number}" for number in range(10)}


@pytest.mark.parametrize("prefix", ["lido", "marc21", "oai_dc", "edm"])
def test_every_format_is_harvested_page_by_page(prefix: str, server: Repository, tmp_path: Path) -> None:
    source = opened(server, tmp_path, f"&metadataPrefix={prefix}")
    works = load_collection(source)
    assert server.pages == 3
    assert {item.id for item in works} == {f"oai:museum.example:{name}" for name in ALL}
    one = works["oai:museum.example:w-03"]
    assert (one.title, one.artist, one.year, one.medium) == ("Boats 3", "Anna Lind", "1883", "oil on canvas")
    assert source.name == "127.0.0.1"
    assert works.report is not None
    assert f"records of OAI-PMH in {prefix}: 10, harvested in 3 pages" in "\n".join(works.report.lines())


def test_the_richest_format_is_taken_where_none_is_named(server: Repository, tmp_path: Path) -> None:
    server.formats = ("oai_dc", "mods", "marc21")
    assert titles(opened(server, tmp_path / "a", "")) == ALL
    assert {each["metadataPrefix"] for each in server.asked if "metadataPrefix" in each} == {"marc21"}
    server.formats = ("mods",)
    with pytest.raises(CollectionError, match="offers mods, and none of lido, edm, marc21, marcxml, oai_dc; name one"):
        titles(opened(server, tmp_path / "b", ""))


def test_a_set_is_asked_for_and_nothing_else_of_the_address(server: Repository, tmp_path: Path) -> None:
    titles(opened(server, tmp_path, "&metadataPrefix=oai_dc&set=prints&from=2031-01-01"))
    assert server.asked[0] == {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "prints"}


HTML = Answer(b"<!DOCTYPE html><html><body>Log in</body></html>")
BROKEN = {
    "html": (HTML, "page 2 of the harvest of .* is no answer of OAI-PMH but html; the harvest is not complete"),
    "open html": (Answer(b"<!DOCTYPE html><html><p>Log in"), "page 2 .* is a web page .HTML., not XML"),
    "cut": (Answer(b"<?xml version='1.0'?><OAI-PMH>"), "page 2 .* is not well-formed XML"),
    "entities": (Answer(b'<!DOCTYPE a [<!ENTITY a "b">]><OAI-PMH>&a;</OAI-PMH>'), "page 2 .* declares entities"),
    "other": (Answer(b"<rss/>"), "page 2 .* is no answer of OAI-PMH but rss"),
    "identify": (
        Answer(b"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'><Identify/></OAI-PMH>"),
        "page 2 .* holds no list of records",
    ),
    "gone": (
        Answer(b"", 404),
        "page 2 .* was not fetched: its server does not have it .HTTP 404.; correct the address",
    ),
    "later": (
        Answer(b"", 429, (("Retry-After", "7200"),)),
        "asks to come back in 7200 seconds .*kept: try again later",
    ),
    "bomb": (bomb(), "page 2 .* was not fetched: it has more than 20 MiB"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_harvest_that_breaks_off_is_an_error_and_goes_on_there(
    fault: str, server: Repository, tmp_path: Path
) -> None:
    """What came before the fault is kept and not asked for again; what came with it is."""
    answer, told = BROKEN[fault]
    server.faults[2] = answer
    with pytest.raises(CollectionError, match=told):
        titles(opened(server, tmp_path))
    assert server.pages == 2
    assert titles(opened(server, tmp_path)) == ALL
    assert server.pages == 4
    assert titles(opened(server, tmp_path)) == ALL  # from the copy
    assert server.pages == 4


def test_a_server_in_trouble_is_asked_again(server: Repository, tmp_path: Path) -> None:
    server.faults = {2: Answer(b"", 503, (("Retry-After", "0"),)), 3: Answer(b"", 429, (("Retry-After", "0"),))}
    assert titles(opened(server, tmp_path)) == ALL
    assert server.pages == 5


def test_a_server_that_stays_in_trouble_ends_the_harvest_which_goes_on_there(
    server: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vernissage.catalog.web_client._BACK_OFF", 0.01)
    server.faults = dict.fromkeys((2, 3, 4), Answer(b"", 500))
    with pytest.raises(
        CollectionError, match="page 2 .*HTTP 500.; what was harvested is kept: try again later"
    ) as told:
        titles(opened(server, tmp_path))
    assert told.value.kind is Kind.UNAVAILABLE
    assert server.pages == 4
    assert titles(opened(server, tmp_path)) == ALL


def test_a_repeated_token_is_an_error(server: Repository, tmp_path: Path) -> None:
    first = server.answer({"verb": "ListRecords", "metadataPrefix": "oai_dc"})
    server.change = lambda told, asked: first if asked.get("verb") == "ListRecords" else told
    with pytest.raises(CollectionError, match="page 2 .* repeats the token of an earlier page: .* for ever"):
        titles(opened(server, tmp_path))
    assert server.pages == 2


def test_tokens_that_never_end_are_an_error(
    server: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New tokens with the same records end after three pages; with new records, at a bound."""

    def again(told: str, asked: dict[str, str]) -> str:
        if asked.get("verb") != "ListRecords":
            return told
        page = server.answer({"verb": "ListRecords", "metadataPrefix": "oai_dc"})
        page = page.replace("oai_dc||4", f"oai_dc||{server.pages}")
        return page.replace("museum.example:", f"museum.example:{server.pages}-") if endless else page

    endless = False
    server.change = again
    with pytest.raises(CollectionError, match="page 4 .* brings nothing new, and no end: .* for ever"):
        titles(opened(server, tmp_path / "a"))
    endless = True
    monkeypatch.setattr(oai, "MOST_PAGES", 7)
    server.asked.clear()
    with pytest.raises(CollectionError, match="page 7"):
        titles(opened(server, tmp_path / "b"))


def test_a_list_that_is_shorter_than_it_says_is_not_complete(server: Repository, tmp_path: Path) -> None:
    server.change = lambda told, _: told.replace('completeListSize="10"', 'completeListSize="11"')
    with pytest.raises(
        CollectionError, match="says that it has 11 records and ended after 10; nothing was made of them"
    ):
        titles(opened(server, tmp_path))


def test_records_that_come_twice_count_as_the_repository_counts(server: Repository, tmp_path: Path) -> None:
    server.change = lambda told, _: told.replace("museum.example:w-05", "museum.example:w-03")
    steps = list[tuple[int, int]]()
    found = [record.item.title for record in opened(server, tmp_path).records(lambda _, *done: steps.append(done))]
    assert len(found) == len(ALL) - 1
    assert steps == [(4, 10), (8, 10), (10, 10)]


def test_a_page_that_comes_twice_is_missed(server: Repository, tmp_path: Path) -> None:
    again = server.answer({"verb": "ListRecords", "metadataPrefix": "oai_dc"}).replace("||4", "||8")
    server.faults[2] = Answer(again.encode())
    with pytest.raises(CollectionError, match="has 10 records and ended after 6"):
        titles(opened(server, tmp_path))


def test_a_token_that_has_expired_begins_the_harvest_anew(server: Repository, tmp_path: Path) -> None:
    server.faults[3] = HTML
    with pytest.raises(CollectionError, match="page 3"):
        titles(opened(server, tmp_path))
    expired = server._enclosed('<error code="badResumptionToken">expired</error>')
    server.faults = {4: Answer(expired.encode())}
    assert titles(opened(server, tmp_path)) == ALL
    assert server.pages == 7
    server.faults = {9: Answer(expired.encode()), 11: Answer(expired.encode())}
    with pytest.raises(CollectionError, match="refuses a token that it gave just before"):
        titles(opened(server, tmp_path / "another"))


def test_errors_of_the_protocol_are_told_in_its_words(server: Repository, tmp_path: Path) -> None:
    told = server._enclosed('<error code="cannotDisseminateFormat">No LIDO here</error>')
    server.faults[1] = Answer(told.encode())
    with pytest.raises(CollectionError, match=r"page 1 .* is an error, cannotDisseminateFormat \(No LIDO here\)"):
        titles(opened(server, tmp_path))


def test_a_record_of_a_format_that_is_not_read_is_an_error(server: Repository, tmp_path: Path) -> None:
    server.change = lambda told, _: re.sub("<oai_dc:dc.*?</oai_dc:dc>", "<mods><titleInfo/></mods>", told)
    with pytest.raises(CollectionError, match="has mods as the metadata of oai:museum.example:w-00, which is not read"):
        titles(opened(server, tmp_path))


@pytest.mark.parametrize("days", [False, True])
def test_updates_ask_for_what_changed_alone(days: bool, server: Repository, tmp_path: Path) -> None:
    """New, changed and deleted records since the last time; also where times are days, and several fall on one."""
    server.days = days
    assert titles(opened(server, tmp_path)) == ALL
    assert opened(server, tmp_path).changes().changed == ()
    server.put(XmlWork("w-03", "Renamed"), XmlWork("w-10", "New"))
    server.take_out("w-00")
    pages = server.pages
    changes = opened(server, tmp_path).changes()
    assert ({*changes.changed}, changes.removed) == (
        {"oai:museum.example:w-03", "oai:museum.example:w-10"},
        ("oai:museum.example:w-00",),
    )
    updated = {**ALL, "w-03": "Renamed", "w-10": "New"}
    del updated["w-00"]
    if not days:  # by days, all works of the day are asked for
        assert server.pages == pages + 1
    assert titles(opened(server, tmp_path)) == updated  # without the server
    server.put(XmlWork("w-00", "Back again"))
    assert opened(server, tmp_path).changes().changed == ("oai:museum.example:w-00",)
    assert titles(opened(server, tmp_path)) == {**updated, "w-00": "Back again"}


def test_an_update_that_breaks_off_is_gone_on_with(server: Repository, tmp_path: Path) -> None:
    titles(opened(server, tmp_path))
    server.put(*(XmlWork(f"w-{number:02}", "Renamed") for number in range(9)))
    server.faults[server.pages + 2] = HTML
    with pytest.raises(CollectionError, match="page 2"):
        opened(server, tmp_path).changes()
    pages = server.pages
    opened(server, tmp_path).changes()
    assert server.pages == pages + 3  # two that were missing, and one that says that nothing more changed
    assert set(titles(opened(server, tmp_path)).values()) == {"Renamed", "Boats 9"}


def test_a_repository_that_forgets_deletions_is_harvested_whole(server: Repository, tmp_path: Path) -> None:
    server.deleted_record = "no"
    titles(opened(server, tmp_path))
    server.take_out("w-05")
    server.faults[server.pages + 3] = HTML
    with pytest.raises(CollectionError, match="page 3"):
        opened(server, tmp_path).changes()
    pages = server.pages
    opened(server, tmp_path).changes()
    assert server.pages == pages + 1
    rest = {name: title for name, title in ALL.items() if name != "w-05"}
    assert titles(opened(server, tmp_path)) == rest
    server.take_out("w-09")
    assert opened(server, tmp_path).changes().removed == ("oai:museum.example:w-09",)
