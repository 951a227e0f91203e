"""One work: what is known of it, and where its picture lies."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring as _quoted
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from vernissage.catalog.dates import DateSpan, date_span
from vernissage.errors import ProvenanceError
from vernissage.files import digest
from vernissage.shapes import json_values, misfit

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """One work of a collection. A field without a value is an empty string.

    Attributes:
        id: unique in the collection.
        year: the date as the museum wrote it ("c. 1710", "1882–83", "Date unknown").
        picture: path of the leading picture below the collection's folder, with forward slashes; empty without one.
            Pages show it; encoders read all pictures.
        picture_digest: SHA-256 of the picture file; empty without one.
        text: what text encoders read: title, artist, year, medium, description, keywords and further attributes
            that hold words, joined by full stops. The group, the owner, the licence and addresses stay out of it.
        attributes: every other column of the table, by its own name.
        language: of the text, as the source names it; empty where it does not say.
        year_from, year_to: the years between which the work was made where the source gives them as numbers, negative
            before Christ; None where it does not. Nothing is guessed from ``year``: that is what ``span`` is for.
        picture_link: the web address of its picture as the source gives it; kept whether it was fetched or not.
        further_pictures: path and SHA-256 of pictures beside ``picture``, such as other views, in their order.
    """

    id: str
    title: str = ""
    artist: str = ""
    year: str = ""
    medium: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    group: str = ""
    owner: str = ""
    licence: str = ""
    picture: str = ""
    picture_digest: str = ""
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    language: str = ""
    year_from: int | None = None
    year_to: int | None = None
    further_pictures: tuple[tuple[str, str], ...] = ()
    picture_link: str = ""

    @property
    def span(self) -> DateSpan | None:
        """The first and last year: those that the source gives, else those that ``year`` means; None without any."""
        read = date_span(self.year)
        first, last = (read.first, read.last) if read else (self.year_to, self.year_from)
        first = first if self.year_from is None else self.year_from
        last = last if self.year_to is None else self.year_to
        return None if first is None or last is None else DateSpan(first, last)

    @property
    def pictures(self) -> tuple[tuple[str, str], ...]:
        """Path and SHA-256 of every picture, the leading one first."""
        used = self.picture, self.picture_digest
        return (used, *self.further_pictures) if any(used) or self.further_pictures else ()

    @property
    def text_digest(self) -> str:
        """SHA-256 of the text that encoders read; empty without one."""
        return digest(self.text.encode()) if self.text else ""

    @property
    def record_digest(self) -> str:
        """SHA-256 of everything that is known of the work."""
        # JSON of a list, put together here: an encoder that is made for each work takes three times as long.
        attributes = [f"{_quoted(name)}: {_quoted(cell)}" for name, cell in sorted(self.attributes.items())]
        texts, words = (", ".join(map(_quoted, some)) for some in (_texts_of(self), self.keywords))
        record = f"[{texts}, [{words}], {{{', '.join(attributes)}}}]".encode()
        newer = self.language, self.year_from, self.year_to, self.further_pictures
        if self.picture_link:
            return digest(record, json.dumps([*newer, self.picture_link]).encode())
        # Works that have none of these keep the digest, and their collection the fingerprint, of earlier versions.
        return digest(record) if newer == _NONE_OF_THESE else digest(record, json.dumps(newer).encode())


def record_of(item: Item) -> str:
    """What is known of a work as JSON; equal works give equal texts."""
    known = {name: value for name in Item.__dataclass_fields__ if (value := getattr(item, name)) not in _UNSAID}
    if item.attributes:
        known["attributes"] = dict(sorted(item.attributes.items()))
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def item_of(record: str) -> Item:
    """The work of what `record_of` gave.

    Raises:
        ProvenanceError: it is something else.
    """
    try:
        known = json_values(record)
        if wrong := misfit(known, Item, "it"):
            raise ValueError(wrong)
        for name, kept in _KEPT_AS.items():
            if name in known:
                known[name] = kept(known[name])
    except ValueError as error:
        raise ProvenanceError(f"the record of a work is damaged: {error}") from error
    return Item(**known)


_KEPT_AS: Mapping[str, Callable[[Any], Any]] = {
    "keywords": tuple,
    "attributes": MappingProxyType,
    "further_pictures": lambda pictures: tuple([(path, sha256) for path, sha256 in pictures]),
}
_UNSAID = ("", (), None, _NOTHING)
"""Values that a record leaves out: those that an `Item` has where nothing is said."""
_NONE_OF_THESE = ("", None, None, ())
_texts_of = attrgetter(
    "id", "title", "artist", "year", "medium", "description", "group", "owner", "licence", "picture", "picture_digest",
    "text",
)  # fmt: skip
