"""A repository behind OAI-PMH 2.0 as a source: harvested page by page, strictly, and kept up by what changed since.

A harvest is complete at a well-formed last page alone, with as many records as the repository said that there are.
Every page is kept as it came, so that an interrupted harvest goes on; updates are kept beside and laid over.
Specification: https://www.openarchives.org/OAI/openarchivesprotocol.html.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree.ElementTree import Element

from vernissage.catalog.fetching import FetchedPictures
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.remote import Harvested, RemoteTable
from vernissage.catalog.sources.xml_records import OAI, XmlError, XmlRecord, parsed, xml_records
from vernissage.errors import CollectionError
from vernissage.progress import Progress

MOST_PAGES = 100_000
"""Of one harvest: a repository may make up new tokens for ever."""
MOST_BYTES = 2**32
MOST_IDLE = 3
"""Pages in a row that may bring no record that was not there already."""

_ACCEPT = "text/xml, application/xml;q=0.9, */*;q=0.1"
_PREFERRED = ("lido", "edm", "marc21", "marcxml", "oai_dc")
_PREFIXES = {"europeana_edm": "edm", "ese_edm": "edm", "marc": "marc21"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?")


@dataclass
class _Harvest:
    """What one harvest gave: the records by their identifiers, and the day or second from which the next one asks."""

    records: dict[str, XmlRecord] = field(default_factory=dict)
    until: str = ""
    pages: list[str] = field(default_factory=list)


class _ExpiredError(Exception):
    """The repository no longer knows a token that it gave earlier."""


def is_oai(address: str) -> bool:
    """Whether an address is one of OAI-PMH: it names a verb."""
    return "verb" in dict(parse_qsl(urlsplit(address).query))


class OaiSource(RemoteTable):
    """The records of a repository as works; a work's id is its identifier.

    The address is a request of the protocol, of which ``metadataPrefix`` and ``set`` count, as
    ``https://museum.example/oai?verb=ListRecords&metadataPrefix=lido&set=paintings``; without a prefix the richest
    format that is offered and read is taken.
    """

    def __init__(self, address: str, fetched: FetchedPictures, options: TableOptions | None = None) -> None:
        super().__init__(address, fetched, options, accept=_ACCEPT)
        asked = dict(parse_qsl(urlsplit(address).query))
        self._chosen = {name: asked[name] for name in ("metadataPrefix", "set") if asked.get(name)}
        self._updates, self._ask_for_more = 0, False

    def harvest(self, progress: Progress) -> Harvested:
        records: dict[str, dict[str, Any]] = {}
        chosen = self._chosen | {"metadataPrefix": self._chosen.get("metadataPrefix") or self._best_prefix()}
        found, number, pages = self._harvested_whole("", 0, chosen, progress), 0, list[str]()
        while True:
            new = {name: each.cells for name, each in found.records.items() if records.get(name) != each.cells}
            records = {name: cells for name, cells in records.items() if name not in new}
            records |= {name: cells for name, cells in new.items() if cells is not None}
            if number and not new:
                self._forget(found.pages)  # so that the next update asks from the same time again
                break
            number, pages = number + 1, pages + found.pages
            if not self.documents.has(self._first(chosen, found.until, number)):
                if not self._ask_for_more:
                    break
                self._ask_for_more = False
            found = self._harvested_whole(found.until, number, chosen, progress)
        if self.documents.asks:
            self.documents.keep_only({*pages, *map(self._about, ("Identify", "ListMetadataFormats"))})
        remark = f"records of OAI-PMH in {chosen['metadataPrefix']}: {len(records)}, harvested in {len(pages)} pages"
        return Harvested(records, remarks=(f"{remark}, of which the last updates are up to {found.until}",))

    def ask_again(self) -> bool:
        about = self._about("Identify")
        self.documents.ask_again(about)
        root = self._page(about)
        # Others may forget what they deleted, so that only a whole harvest tells.
        self._ask_for_more = root.findtext(f".//{OAI}deletedRecord", "").strip() == "persistent"
        return self._ask_for_more

    def _best_prefix(self) -> str:
        root = self._page(self._about("ListMetadataFormats"))
        offered = [(each.text or "").strip() for each in root.iter(f"{OAI}metadataPrefix")]
        known = {_PREFIXES.get(each.lower(), each.lower()): each for each in reversed(offered)}
        found = next((known[each] for each in _PREFERRED if each in known), "")
        if not found:
            raise CollectionError(
                f"{self._base} offers {', '.join(offered) or 'no format'}, and none of {', '.join(_PREFERRED)}; name "
                f"one that holds LIDO, EDM, MARC 21 or Dublin Core, as &metadataPrefix=… in the address"
            )
        return found

    def _harvested_whole(self, since: str, number: int, chosen: dict[str, str], progress: Progress) -> _Harvest:
        """One harvest from its first page to its last: from the copy as far as it goes, then from the repository."""
        try:
            return self._walk(since, number, chosen, progress)
        except _ExpiredError:  # what was harvested before an interruption cannot be gone on with
            try:
                return self._walk(since, number, chosen, progress)
            except _ExpiredError as error:
                raise CollectionError(f"{self._base} refuses a token that it gave just before; {_LATER}") from error

    def _walk(self, since: str, number: int, chosen: dict[str, str], progress: Progress) -> _Harvest:
        found, tokens, idle, total, given, held = _Harvest(), set[str](), 0, 0, 0, 0
        address = self._first(chosen, since, number)
        while True:
            found.pages.append(address)
            place = f"page {len(found.pages)} of the harvest of {self._base}"
            raw = self._document(address, place)
            root, page = self._root(raw, address, place), list(self._records(raw, address, place))
            if (fault := root.find(f"{OAI}error")) is not None:
                self._require(fault, found, since, place)
                break
            held += len(raw)
            if root.find(f"{OAI}ListRecords") is None or held > MOST_BYTES:
                self._forget([address])
                what = "holds no list of records" if held <= MOST_BYTES else f"goes beyond {MOST_BYTES / 2**30:.0f} GiB"
                raise CollectionError(f"{place} {what}; correct the address, or ask for a set")
            found.until = found.until or self._date(root, address, place)
            idle = 0 if any(each.identifier not in found.records for each in page) else idle + 1
            found.records |= {each.identifier: each for each in page}
            given += 0 if idle else len(page)  # with those that come twice, as the repository counts
            token = root.find(f"{OAI}ListRecords/{OAI}resumptionToken")
            told = (token.text or "").strip() if token is not None else ""
            if token is not None and token.get("completeListSize", "").isdecimal():
                total = int(token.get("completeListSize", ""))
            progress("harvesting records", given, total if total >= given else 0)
            if not told:
                break
            if told in tokens or idle >= MOST_IDLE or len(found.pages) >= MOST_PAGES:
                self._forget(found.pages)
                what = "repeats the token of an earlier page" if told in tokens else "brings nothing new, and no end"
                raise CollectionError(f"{place} {what}: the repository would be harvested for ever; tell who runs it")
            tokens.add(told)
            address = self._request({"verb": "ListRecords", "resumptionToken": told}, number)
        if given < total:
            self._forget(found.pages)
            raise CollectionError(
                f"{self._base} says that it has {total} records and ended after {given}; nothing was made of them, so "
                f"that none of the others counts as gone: {_LATER}, and tell who runs it if that stays so"
            )
        found.until = found.until or since
        return found

    def _require(self, fault: Element, found: _Harvest, since: str, place: str) -> None:
        """Let an answer pass that says that nothing has changed.

        Raises:
            _ExpiredError: the page before is too old to be gone on from.
            CollectionError: any other error.
        """
        code, words = fault.get("code", ""), " ".join((fault.text or "").split())[:200]
        if code == "noRecordsMatch" and since and len(found.pages) == 1:
            return
        self._forget(found.pages if code == "badResumptionToken" else found.pages[-1:])
        if code == "badResumptionToken" and len(found.pages) > 1:
            raise _ExpiredError
        raise CollectionError(f"{place} is an error, {code or 'without a code'} ({words}); correct the address")

    def _date(self, root: Element, address: str, place: str) -> str:
        """The time of the answer, as fine as the repository takes times."""
        told = (root.findtext(f"{OAI}responseDate") or "").strip()
        granularity = self._page(self._about("Identify")).findtext(f".//{OAI}granularity", "").strip()
        told = told[:10] if len(granularity) == len("YYYY-MM-DD") else told
        if not _DATE.fullmatch(told):
            self._forget([address])
            raise CollectionError(f"{place} has no date of its answer; that is no answer of OAI-PMH: {_LATER}")
        return told

    @property
    def _base(self) -> str:
        return self.address.partition("?")[0]

    def _first(self, chosen: dict[str, str], since: str, number: int) -> str:
        """The address of the first page of a harvest."""
        return self._request({"verb": "ListRecords", **chosen, **({"from": since} if since else {})}, number)

    def _request(self, arguments: dict[str, str], number: int) -> str:
        """An address of the protocol; what stands behind # is not sent, and tells pages of several harvests apart."""
        return f"{self._base}?{urlencode(arguments)}#{number}"

    def _about(self, verb: str) -> str:
        return self._request({"verb": verb}, 0)

    def _page(self, address: str) -> Element:
        place = address.partition("#")[0]
        return self._root(self._document(address, place), address, place)

    def _document(self, address: str, place: str) -> bytes:
        """A page; one that the server did not give this time is an error, though an older one is there."""
        later = f"what was harvested is kept: {_LATER}"
        return self.document(address, later, place=place, fresh=True)

    def _root(self, raw: bytes, address: str, place: str) -> Element:
        try:
            root = parsed(raw)
            if root.tag != f"{OAI}OAI-PMH":
                raise XmlError(f"is no answer of OAI-PMH but {root.tag.rpartition('}')[2]}")
        except XmlError as error:
            self._forget([address])
            raise CollectionError(f"{place} {error}; the harvest is not complete: {_LATER}") from error
        return root

    def _records(self, raw: bytes, address: str, place: str) -> Iterator[XmlRecord]:
        try:
            yield from xml_records(raw)
        except XmlError as error:
            self._forget([address])
            raise CollectionError(f"{place} {error}") from error

    def _forget(self, pages: list[str]) -> None:
        """Take pages out of the copy, so that they are asked for again; none where the copy is only looked at."""
        for address in pages if self.documents.asks else ():
            self.documents.forget(address)


_LATER = "try again later with the same command"
