"""A museum's interface as a source: records page by page, one call for each where it needs that, by a mapping."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import islice
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from vernissage.catalog.documents import Documents, with_parameters
from vernissage.catalog.fetching import FetchedPictures, FetchOptions, NotFetchedError
from vernissage.catalog.report import Problem
from vernissage.catalog.sources.columns import FIELDS, TableOptions
from vernissage.catalog.sources.folder import Described, described_by_table
from vernissage.catalog.sources.mapping import (
    ESSENTIAL,
    Interface,
    Rule,
    Rules,
    cell_of,
    leaves,
    load_mapping,
    require_fields,
)
from vernissage.catalog.sources.remote import LATER, Harvested, RemoteTable
from vernissage.catalog.sources.tables import Table
from vernissage.errors import CollectionError
from vernissage.progress import Progress

KEY = "VERNISSAGE_SOURCE_KEY"
"""The environment variable with the key that an interface asks for."""
MOST_DOCUMENTS = 1_000_000
"""Pages, records and what they refer to: a server may name new pages for ever."""
ACCEPT = "application/ld+json, application/json;q=0.9, */*;q=0.1"

_AT_ONCE = 500


class InterfaceSource(RemoteTable):
    """What an interface lists from an address on, as far as the bound on records lets it; ids stay as they are."""

    def __init__(self, address: str, fetched: FetchedPictures, options: TableOptions) -> None:
        """Open the copy of what the interface lists, by the mapping that the options name.

        Raises:
            CollectionError: the mapping is for files, or the interface needs a key and none is there.
        """
        self._mapping = load_mapping(options.mapping)
        if self._mapping.api is None:
            raise CollectionError(f"the mapping {options.mapping} is for files, not for addresses; download the file")
        self._api: Interface = self._mapping.api
        self._rules = self._mapping.rules(options.columns)
        own, address = _parameters(address), self._with_usual(address)
        if self._api.key and self._api.key in own:
            raise CollectionError(f"the address holds a key, which would be kept; leave it out, and set {KEY} to it")
        super().__init__(address, fetched, options, accept=ACCEPT)
        self.documents = documents_of(address, fetched, self._api)
        self._used: set[str] = set()
        if any(not own.get(name, "0").isdecimal() for name in (self._api.page, self._api.skip)):
            raise CollectionError(f"{address} counts pages by no number; correct it")

    def harvest(self, progress: Progress) -> Harvested:
        records: dict[str, dict[str, str]] = {}
        names: dict[str, None] = {}
        problems: list[Problem] = []
        self._used = set()
        most = (self.documents.options or FetchOptions()).most
        listed = self._listed()
        within = islice(listed, most)
        while some := list(islice(within, _AT_ONCE)):
            progress("reading records", len(records), 0)
            for record in self._whole(some, problems):
                names.update(dict.fromkeys(record))
                cells = {name: cell_of(name, rules, record) for name, rules in self._rules.items()}
                records.setdefault(cells.get("id") or f"record {len(records) + 1}", cells)
        progress("reading records", len(records), len(records))
        empty = [name for name in ESSENTIAL if name in self._rules and not any(map(itemgetter(name), records.values()))]
        require_fields(self.address, self.options.mapping, self._rules, names, empty if records else (), empty=True)
        further = next(listed, None) is not None
        self.documents.keep_only(self._used)
        told = f"records beyond the first {most}, which were not fetched; --fetch-most raises the bound"
        return Harvested(records, tuple(problems), (told,) if further else ())

    def _understood(self, table: Table) -> Described:
        return described_by_mapping(table, self.name, self._rules, self.options, whole_ids=True)

    def _with_usual(self, address: str) -> str:
        own = _parameters(address)
        return with_parameters(address, {name: to for name, to in self._api.parameters.items() if name not in own})

    def _listed(self) -> Iterator[Any]:
        """What the pages list, in their order, until one lists nothing or names no next one."""
        path, address, own = self._api.records or self._mapping.records, self.address, _parameters(self.address)
        number, count = int(own.get(self._api.page, self._api.first)), int(own.get(self._api.skip, 0))
        while address:
            page = self._page(address)
            items = list(leaves(page, path)) if path else page if isinstance(page, list) else [page]
            if not items and address == self.address:
                known = ", ".join(page) if isinstance(page, dict) else "no object"
                raise CollectionError(f"{address} lists nothing in {path} (there are: {known}); correct the address")
            yield from items
            count, number = count + len(items), number + 1
            following = str(next(iter(leaves(page, self._api.next)), "")) if self._api.next else ""
            if following:
                address = self._with_usual(urljoin(address, following))
                address = with_parameters(address, {self._api.key: ""}) if self._api.key else address  # not to be kept
            elif items and (self._api.page or self._api.skip):
                counted = {self._api.page: str(number)} if self._api.page else {self._api.skip: str(count)}
                address = with_parameters(address, counted)
            else:
                return

    def _page(self, address: str) -> Any:
        """A page of the list, on which the whole source hangs. Raises CollectionError: it is not there, or again."""
        if address in self._used:
            raise CollectionError(f"{address} is named as the next page a second time; the list has no end")
        self._used.add(address)
        if len(self._used) > MOST_DOCUMENTS:
            raise CollectionError(
                f"{self.address} leads to more than {MOST_DOCUMENTS:,} documents; ask for fewer works"
            )
        try:
            return json.loads(self.document(address, LATER))
        except (ValueError, RecursionError) as error:
            self.documents.ask_again(address)
            raise CollectionError(f"{address} gives no JSON; give the address of the interface's list") from error

    def _whole(self, items: Iterable[Any], problems: list[Problem]) -> list[dict[str, Any]]:
        """The records of items of a list, with what they refer to in the place of references."""
        records = [item if isinstance(item, dict) else {"value": item} for item in items]
        if self._api.each:
            named = [_first(self._api.each, item) for item in records]
            found = self._read(named, problems)
            records = [found[address] for address in named if address in found]
        for path in self._api.follow:
            references = [each for record in records for each in leaves(record, path) if isinstance(each, dict)]
            found = self._read((str(each.get("id", "")) for each in references), problems)
            for each in references:
                each.update(found.get(str(each.get("id", "")), {}))
        return records

    def _read(self, addresses: Iterable[str], problems: list[Problem]) -> dict[str, dict[str, Any]]:
        """The documents at addresses; those that are not there are problems."""
        wanted = [each for each in dict.fromkeys(addresses) if each]
        self._used.update(wanted)
        read, faults = read_documents(self.documents, wanted)
        way_out = "try again later, or leave it out"
        problems += (
            Problem("record not fetched", None, address, "", f"the record {address} was not read: {fault}", way_out)
            for address, fault in faults.items()
        )
        return read


def _first(template: str, record: Mapping[str, Any]) -> str:
    """The first text that a template gives for a record; empty without one."""
    return next(iter(Rule(template=template).cells(record)), "")


def described_by_mapping(table: Table, name: str, rules: Rules, options: TableOptions, **ids: bool) -> Described:
    """The rows of a table whose columns are fields and attributes, as works: nothing is guessed."""
    columns = {field: field if field in rules else "" for field in FIELDS}
    described = described_by_table(table, name, replace(options, columns=columns), **ids)
    told = [
        replace(each, column=" or ".join(map(str, rules[each.meaning])), reason=f"the mapping {options.mapping}")
        for each in described.reading.guesses
    ]
    return described._replace(reading=replace(described.reading, guesses=tuple(told)))


def _parameters(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def documents_of(address: str, fetched: FetchedPictures, api: Interface) -> Documents:
    """The copy of an interface's documents, asked for as the interface wishes. Raises CollectionError: a key lacks."""
    options = fetched.options
    key = os.environ.get(KEY, "")
    if options is not None and options.rate is None and not options.private_hosts:
        options = replace(options, rate=api.rate)
    slower = FetchedPictures(fetched.folder, options)
    found = Documents(address, slower, ACCEPT, agent=api.agent, key=(api.key, key if api.key else ""))
    if api.key and options is not None and not key and not found.harvest.complete:
        raise CollectionError(f"{urlsplit(address).hostname} wants a key; get one from the museum, and set {KEY} to it")
    return found


def read_documents(documents: Documents, addresses: Iterable[str]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The JSON objects at addresses, and why there is none at others."""
    read: dict[str, dict[str, Any]] = {}
    faults: dict[str, str] = {}
    with closing(documents.get_all(addresses)) as found:
        for address, outcome in found:
            if isinstance(outcome, NotFetchedError):
                faults[address] = str(outcome)
                continue
            try:
                content = json.loads(outcome)
            except (ValueError, RecursionError):
                content = None
            if isinstance(content, dict):
                read[address] = content
            else:
                documents.ask_again(address)
                faults[address] = "what its server gives is no object of JSON"
    return read, faults
