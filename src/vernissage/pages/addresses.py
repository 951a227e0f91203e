"""Where works and their pictures are to be had, filled into records: from a server, or beside each other as files."""

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote

from vernissage.catalog.item import Item
from vernissage.catalog.keys import key_of
from vernissage.errors import VernissageError
from vernissage.gallery.answer import Answer, record_of
from vernissage.pages.thumbnails import Sizes, Thumbnails
from vernissage.pages.works import alt_text, name_without_title
from vernissage.taggers.contract import Tags
from vernissage.workspace.repository import Snapshot

_SHOWN_WIDTH = 320
"""Pixels of the picture that stands in a list unless the page chooses another size."""
_KEPT = 8_192
"""Works; some 20 MB."""


@dataclass(frozen=True)
class Addresses:
    """How addresses are written: ``{key}`` stands for a work, ``{picture}``, ``{width}`` and ``{kind}`` for a picture.

    An empty ``manifest`` leaves the address of the IIIF manifest out.
    """

    work: str
    picture: str
    manifest: str = ""
    kind: str = "jpg"

    def of_work(self, item_id: str) -> str:
        """Where a work is described."""
        return self.work.format(key=quote(key_of(item_id)))

    def of_manifest(self, item_id: str) -> str | None:
        """Where its IIIF manifest is; None without one."""
        return self.manifest.format(key=quote(key_of(item_id))) if self.manifest else None

    def of_picture(self, digest: str, width: int) -> str:
        """Where a picture is, by its SHA-256; another picture has another address."""
        return self.picture.format(picture=digest[:32], width=width, kind=self.kind)


@dataclass(frozen=True, eq=False)
class Addressed:
    """Records of works of one state with their addresses.

    In ``kept`` lies what was filled into records of works before; it may be shared as long as the state is the same.
    """

    snapshot: Snapshot
    thumbnails: Thumbnails
    addresses: Addresses
    kept: dict[tuple[Addresses, str], dict[str, Any]] = field(default_factory=dict)

    def record(self, item: Item) -> dict[str, Any]:
        """What is known of one work."""
        return self._filled(record_of(item), item, self.snapshot.seen([item.id]).get(item.id, ()))

    def answer(self, answer: Answer, *, explain: bool = True) -> dict[str, Any]:
        """An answer as JSON values; without ``explain`` its works have no reasons."""
        content = answer.to_dict()
        lists = [answer.works, *(each.works for each in answer.lists), *(each.works for each in answer.kinds)]
        made = [content, *content.get("lists", ()), *content.get("kinds", ())]
        seen = self.snapshot.seen({work.id for works in lists for work in works})
        for works, values in zip(lists, made, strict=True):
            for work, record in zip(works, values["works"], strict=True):
                self._filled(record, work.item, seen.get(work.id, ()))
                if not explain:
                    record["reasons"] = []
        return content

    def sizes(self, item: Item, place: int = 0) -> Sizes:
        """The sizes in which one of its pictures is to be had; none of uploads, which only their owners may show."""
        if place < len(item.pictures) and item.id in self.snapshot.collection:
            with suppress(VernissageError):
                path = partial(self.snapshot.collection.picture_path, item, place)
                return self.thumbnails.sizes(item.pictures[place][1], path)
        return ()

    def pictures(self, item: Item) -> list[dict[str, Any]]:
        """All pictures of a work as in `record`, the leading one first."""
        alt = alt_text(item, self.snapshot.seen([item.id]).get(item.id, ())).text
        sized = [(digest, self.sizes(item, place)) for place, (_, digest) in enumerate(item.pictures)]
        return [self._picture(digest, sizes, alt) for digest, sizes in sized if sizes]

    @cached_property
    def _language(self) -> str:
        """The language of the collection's texts; empty where they are in several."""
        language = self.snapshot.workspace.word_counts.language
        return "" if "+" in language else language

    def _filled(self, content: dict[str, Any], item: Item, tags: Tags) -> dict[str, Any]:
        key = self.addresses, item.id
        if (found := self.kept.get(key)) is None:
            found, sizes = self._found(item, tags)
            # An upload may go at any time, and a file that cannot be read may come back.
            if item.id in self.snapshot.collection and bool(sizes) == bool(item.picture_digest):
                if len(self.kept) >= _KEPT:
                    self.kept.clear()
                self.kept[key] = found
        content |= found
        return content

    def _found(self, item: Item, tags: Tags) -> tuple[dict[str, Any], Sizes]:
        places, sizes, found = self.addresses, self.sizes(item), dict[str, Any]()
        if name := name_without_title(item, tags):
            found["name"] = name
        if item.text and (language := item.language or self._language):
            found["lang"] = language
        found |= {"url": places.of_work(item.id), "manifest": None, "pictures": []}
        if sizes:
            found["thumbnail"] = self._picture(item.picture_digest, sizes, alt_text(item, tags).text)
            found["pictures"] = [places.of_picture(item.picture_digest, sizes[-1][0])]
            found["manifest"] = places.of_manifest(item.id)
        return found, sizes

    def _picture(self, digest: str, sizes: Sizes, alt: str) -> dict[str, Any]:
        width, height = next((size for size in sizes if size[0] >= _SHOWN_WIDTH), sizes[-1])
        places = [(self.addresses.of_picture(digest, each), each) for each, _ in sizes]
        shown = {"src": self.addresses.of_picture(digest, width), "width": width, "height": height, "alt": alt}
        return shown | {"srcset": ", ".join(f"{place} {each}w" for place, each in places)}
