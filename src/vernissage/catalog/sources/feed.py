"""Works that a platform sends one by one: they lie over those of the collection's source, whenever that is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.catalog.fetching import MARK, FetchedPictures, fetched_path
from vernissage.catalog.item import Item
from vernissage.catalog.report import Problem, Reading
from vernissage.catalog.sources.columns import names_no_words
from vernissage.catalog.sources.contract import Record, Source
from vernissage.catalog.words import attribute_words, clean_cell, joined, without_markup
from vernissage.errors import CollectionError, ProvenanceError
from vernissage.files import read_json, write_bytes, write_json
from vernissage.progress import Progress, silent
from vernissage.shapes import misfit

FOLDER = "feed"
"""Of a workspace: ``works.json``, and pictures that wait to be taken in."""

_WORDS = ("title", "artist", "year", "medium", "description")


@dataclass(frozen=True)
class FeedWork:
    """A work as a feed describes it; fields are those of `Item`.

    Attributes:
        attributes: everything else by its name; ``credit`` and ``link`` are shown as such.
        pictures: SHA-256 of its pictures, the leading one first.
    """

    title: str = ""
    artist: str = ""
    year: str = ""
    medium: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    group: str = ""
    owner: str = ""
    rights: str = ""
    language: str = ""
    year_from: int | None = None
    year_to: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()

    def item(self, item_id: str) -> Item:
        """The work without pictures; its text is made as that of a table's row."""
        told: dict[str, Any] = {name: without_markup(clean_cell(getattr(self, name))) for name in _WORDS}
        keywords = tuple(dict.fromkeys(filter(None, map(clean_cell, self.keywords))))
        attributes = {key: cell for key, value in sorted(self.attributes.items()) if (cell := clean_cell(value))}
        spoken = [attribute_words(cell) for key, cell in attributes.items() if not names_no_words(key)]
        return Item(
            item_id,
            **told,
            keywords=keywords,
            group=clean_cell(self.group),
            owner=clean_cell(self.owner),
            licence=clean_cell(self.rights),
            text=joined([*told.values(), ", ".join(keywords), *spoken]),
            attributes=MappingProxyType(attributes),
            language=self.language,
            year_from=self.year_from,
            year_to=self.year_to,
        )


Works = Mapping[str, FeedWork | None]
"""By id; None of works that were taken out, also of those that the collection's own source still has."""


@dataclass(frozen=True)
class FeedChanges:
    """What a feed brings at once.

    Attributes:
        works: which are new, changed, or taken out.
        pictures: files by the SHA-256 of their contents.
    """

    works: Works
    pictures: Mapping[str, Path] = field(default_factory=dict)


def read_feed(workspace: Path) -> dict[str, FeedWork | None]:
    """Everything that feeds brought so far. Raises ProvenanceError: the file is damaged."""
    file = workspace / FOLDER / "works.json"
    content = read_json(file) if file.exists() else {}
    if fault := misfit(content, Mapping[str, FeedWork | None], "works"):
        raise ProvenanceError(f"{file} is damaged ({fault}); restore it from a backup, or send the feed's works again")
    return {name: None if each is None else feed_work(each) for name, each in content.items()}


def feed_work(content: Mapping[str, Any]) -> FeedWork:
    """A work of JSON values."""
    return FeedWork(**{**content, "keywords": tuple(content["keywords"]), "pictures": tuple(content["pictures"])})


def keep_feed(workspace: Path, works: Works) -> None:
    """Write down everything that feeds brought so far. Raises WorkspaceError: it cannot be written."""
    content = {name: None if each is None else vars(each) for name, each in works.items()}
    write_json(workspace / FOLDER / "works.json", content)


class FedSource:
    """A source with the works of feeds over it: those of the same id take the place of its own."""

    def __init__(self, base: Source, works: Works, fetched: FetchedPictures) -> None:
        self.base, self.works, self.fetched = base, works, fetched
        self.name, self.location = base.name, base.location

    @property
    def folder(self) -> Path:
        return self.base.folder

    def fingerprint(self) -> str:
        return self.base.fingerprint()

    def count(self) -> int:
        return self.base.count() + sum(each is not None for each in self.works.values())

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        yield from (record for record in self.base.records(progress) if record.item.id not in self.works)
        for name, work in sorted(self.works.items()):
            if work is not None:
                there = [each for each in work.pictures if (self.fetched.folder / each[:32]).is_file()]
                lost = (each[:12] for each in work.pictures if each not in there)
                problems = (
                    Problem("missing picture", None, name, each, f"the picture {each} is gone", "send it again")
                    for each in lost
                )
                paths = tuple(MARK + each[:32] for each in there)
                yield Record(work.item(name), paths, problems=tuple(problems), digests=tuple(there))

    def reading(self) -> Reading:
        return self.base.reading()

    def picture_path(self, picture: str) -> Path:
        if picture.startswith(MARK):
            return fetched_path(self.fetched.folder, picture)
        return self.base.picture_path(picture)

    def take_in(self, pictures: Mapping[str, Path]) -> None:
        """Put pictures where they stay; those that are there already are left.

        Raises:
            CollectionError: one is gone.
            WorkspaceError: one cannot be written.
        """
        for name, file in pictures.items():
            kept = self.fetched.folder / name[:32]
            if not kept.exists():
                if not file.is_file():
                    raise CollectionError(
                        f"the picture {name[:12]} that waited for its job is gone; send its work again"
                    )
                write_bytes(kept, file.read_bytes())


class StateSource:
    """The works as a workspace has them, whatever has become of the source that they were read from."""

    def __init__(self, collection: Collection, name: str, location: Path) -> None:
        self.collection, self.name, self.location = collection, name, location

    @cached_property
    def folder(self) -> Path:
        return self.collection.folder

    def fingerprint(self) -> str:
        return self.collection.fingerprint

    def count(self) -> int:
        return len(self.collection)

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        for item in self.collection:
            pictures, digests = zip(*item.pictures, strict=True) if item.pictures else ((), ())
            bare = replace(item, picture="", picture_digest="", further_pictures=())
            yield Record(bare, pictures, digests=digests)

    def reading(self) -> Reading:
        return Reading()

    def picture_path(self, picture: str) -> Path:
        return self.folder / picture
