"""What every request for works answers with: one value for Python, the command line, JSON and pages."""

import base64
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vernissage.analysis.bands import Band
from vernissage.catalog.credits import canvases_of, credit_of, link_of
from vernissage.catalog.fetching import shown_path
from vernissage.catalog.item import Item
from vernissage.catalog.keys import key_of
from vernissage.sentences import ENGLISH, translated
from vernissage.taggers.contract import Seen, marked
from vernissage.values import Modality

if TYPE_CHECKING:
    from vernissage.gallery.areas import PersonAreas

ReasonKind = Literal["rated", "upload", "area", "engine", "field"]
AnswerKind = Literal["recommendation", "similar", "search", "elicitation", "person"]

_THUMBNAIL_SIDE = 120
_CELL = 36


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a work is in an answer; the contributions of one kind add up to the work's score.

    Attributes:
        kind: ``rated`` (a work that the person rated), ``upload`` (something of theirs), ``area`` (an area of
            interest), ``engine`` (one part of a fusion), ``field`` (something that the table says of the work).
        id: of the rated work, the upload, the area or the engine; empty for all other uploads together.
        title: of the same, for people.
        contribution: its part of the score.
        share: the contribution as a fraction of all that speaks for the work, so at most 1; below 0 if it speaks
            against it, 0 where nothing speaks for it.
        words: a sentence for people.
        weight: what a rating or an upload counts; None for other kinds.
        rank: the place (from 1) that an engine of a fusion gave the work; None where it gave none.
        similarity: cosine of an upload to the work.
        modality: of the upload's vector.
        by_software: what of title and words software made from what pictures seem to show; empty where people did.
        met: for a search, the words of ``title`` that words of the query have met; ``words`` has them in asterisks.
    """

    kind: ReasonKind
    id: str
    title: str
    contribution: float
    share: float
    words: str = ""
    weight: float | None = None
    rank: int | None = None
    similarity: float | None = None
    modality: Modality | None = None
    by_software: str = ""
    met: tuple[str, ...] = ()

    @property
    def told_apart(self) -> tuple[str, str]:
        """The words without and with only what the pictures of a rated work and this one both seem to show."""
        seen = f"; both seem to show: {marked(self.by_software, self.by_software)}" if self.by_software else ""
        return self.words.removesuffix(seen), seen


def scale_of(contributions: Iterable[float]) -> float:
    """What turns the contributions of one kind into shares: 1 / the sum of those above 0, or 0 where none is."""
    speaking = sum(each for each in contributions if each > 0)
    return 1 / speaking if speaking else 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """One work of an answer; ``modality`` says as what it was found, where that is more than one.

    ``also`` are the ids of works that are the same, which share its place. ``band`` says how the score compares with
    those of random requests (`Bounds`); None where nothing can be said.
    """

    item: Item
    score: float
    reasons: tuple[Reason, ...] = ()
    modality: Modality | None = None
    also: tuple[str, ...] = ()
    band: Band | None = None

    @property
    def id(self) -> str:
        return self.item.id

    @property
    def title(self) -> str:
        return self.item.title

    @property
    def artist(self) -> str:
        return self.item.artist

    def of_kind(self, kind: ReasonKind) -> tuple[Reason, ...]:
        """The reasons of one kind, which add up to the score."""
        return tuple(reason for reason in self.reasons if reason.kind == kind)

    def to_dict(self, rank: int) -> dict[str, Any]:
        """The same as JSON values, at its place from 1; a reason has what applies to its kind, an engine always a rank.

        Addresses are None: a service knows them.
        """
        reasons = []
        for reason in self.reasons:
            values: dict[str, Any] = {"kind": reason.kind, "id": reason.id, "title": reason.title}
            values |= {"contribution": reason.contribution, "share": reason.share, "words": reason.words}
            if reason.kind == "engine":
                values["rank"] = reason.rank
            for name in ("weight", "similarity", "modality", "by_software"):
                if (value := getattr(reason, name)) not in (None, ""):
                    values[name] = value
            reasons.append(values | ({"met": list(reason.met)} if reason.met else {}))
        content = record_of(self.item)
        optional: dict[str, Any] = {"modality": self.modality, "also": list(self.also), "band": self.band}
        content |= {name: value for name, value in optional.items() if value} | {"rank": rank}
        return content | {"score": self.score, "reasons": reasons}


@dataclass(frozen=True, slots=True)
class AnswerList:
    """A part of a person's answer: the list of one target modality, or what one area found for one task.

    Attributes:
        target: pictures or texts.
        source: the modality of the area's uploads; None for the list of all areas.
        area: the area's key, such as ``image:1``; empty for the list of all areas.
        name: the area's name.
        by_software: the same if software made it from what pictures seem to show; else empty.
    """

    target: Modality
    works: tuple[Work, ...]
    source: Modality | None = None
    area: str = ""
    name: str = ""
    by_software: str = ""

    @property
    def task(self) -> str:
        """``image-to-text`` for an area, ``text`` for the list of all areas."""
        return f"{self.source}-to-{self.target}" if self.source else self.target

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        content: dict[str, Any] = {"task": self.task, "target": self.target}
        if self.area:
            content |= {"area": self.area, "area_name": self.name}
        if self.by_software:
            content["by_software"] = self.by_software
        return content | {"works": _records(self.works)}


@dataclass(frozen=True, slots=True)
class NamedList:
    """A part of an answer about one work: those like it by one kind of likeness, and what to say of that list."""

    name: str
    works: tuple[Work, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"by": self.name, "notes": list(self.notes), "works": _records(self.works)}


@dataclass(frozen=True, eq=False)
class Answer:
    """Works in order, best first, each with its reasons, and what else there is to say.

    In a notebook it shows itself with thumbnails; printed, as a table. `to_dict` is the one JSON form, described by
    `answer_schema`.

    Attributes:
        kind: what was asked for.
        engine: what made the list, by its name in Python, command line and JSON; pages for visitors say it in words.
        fingerprint: of the state of the workspace that answered.
        notes: what a person should know of this answer, in whole sentences.
        lists: for a person, the parts by target, task and area.
        about: what was asked, as JSON values that `to_dict` puts beside the works.
        picture_path: where the picture of a work of this answer lies.
        areas: for a person, the areas of interest that the answer rests on.
        seen: what software makes out in pictures, by ids of works.
        kinds: for works like one, the list of each kind of likeness that was asked for.
    """

    kind: AnswerKind
    works: tuple[Work, ...]
    engine: str
    fingerprint: str
    notes: tuple[str, ...] = ()
    lists: tuple[AnswerList, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    picture_path: Callable[[Item], Path | None] = lambda _: None
    areas: "PersonAreas | None" = None
    seen: Seen = lambda _: {}
    kinds: tuple[NamedList, ...] = ()

    def __len__(self) -> int:
        return len(self.works)

    def __iter__(self) -> Iterator[Work]:
        return iter(self.works)

    @property
    def ids(self) -> tuple[str, ...]:
        """The works' ids in order."""
        return tuple(work.id for work in self.works)

    @property
    def scores(self) -> tuple[float, ...]:
        """The works' scores in order."""
        return tuple(work.score for work in self.works)

    def to_dict(self, language: str = ENGLISH) -> dict[str, Any]:
        """The answer as JSON values, its sentences in one of `sentences.LANGUAGES`; see `answer_schema`."""
        content: dict[str, Any] = {"kind": self.kind, "engine": self.engine, "fingerprint": self.fingerprint}
        content |= {**self.about, "notes": list(self.notes), "works": _records(self.works)}
        if self.lists:
            content["lists"] = [each.to_dict() for each in self.lists]
        if self.kinds:
            content["kinds"] = [each.to_dict() for each in self.kinds]
        return translated(content, language)

    def __repr__(self) -> str:
        folds = any(work.also for work in self.works)
        rows: list[tuple[str, ...]] = [("", "id", "title", "artist", "year", "score", *["also"] * folds)]
        for rank, work in enumerate(self.works, start=1):
            row: tuple[str, ...] = (
                str(rank),
                work.id,
                work.title or "untitled",
                work.artist,
                work.item.year,
                f"{work.score:z.4f}",
            )
            row += (", ".join(work.also),) * folds
            rows.append(tuple(cell if len(cell) <= _CELL else f"{cell[: _CELL - 1]}…" for cell in row))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *[f"note: {note}" for note in self.notes]])

    def _repr_html_(self) -> str:
        cells = ""
        for rank, work in enumerate(self.works, start=1):
            byline = ", ".join(part for part in (work.artist or work.item.owner, work.item.year) if part)
            also = f", also {', '.join(work.also)}" if work.also else ""
            why = [reason.words for reason in work.reasons if reason.kind != "engine" and reason.words]
            picture = _thumbnail(self.picture_path(work.item), work.title) or _link(work.item)
            cells += (
                f"<tr><td>{rank}</td><td>{picture}</td>"
                f"<td><strong>{escape(work.title or 'untitled')}</strong><br>{escape(byline)}<br>"
                f"<small>{escape(work.id)}{escape(also)}</small></td><td>{work.score:z.4f}</td>"
                f"<td>{escape('; '.join(why)[:200])}</td></tr>"
            )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        heads = "".join(f"<th>{head}</th>" for head in ("", "", "work", "score", "why"))
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>{notes}"


def _records(works: Sequence[Work]) -> list[dict[str, Any]]:
    return [work.to_dict(rank) for rank, work in enumerate(works, start=1)]


def record_of(item: Item) -> dict[str, Any]:
    """What is known of a work as JSON values, the same in every answer; addresses, which a service knows, are None."""
    content: dict[str, Any] = {"id": item.id, "key": key_of(item.id), "url": None, "title": item.title}
    content |= {"artist": item.artist, "year": item.year, "description": item.description, "medium": item.medium}
    content |= {"rights": item.licence, "credit": credit_of(item), "link": link_of(item), "manifest": None}
    pictures = [shown_path(path) for path, _ in item.pictures] if item.further_pictures else []
    optional: dict[str, Any] = {"owner": item.owner, "pictures": pictures, "picture_link": item.picture_link}
    optional["lang"] = item.language
    optional["canvases"] = canvases_of(item)
    return content | {"thumbnail": None} | {name: value for name, value in optional.items() if value}


def answer_schema() -> dict[str, Any]:
    """The JSON Schema of `Answer.to_dict` (draft 2020-12)."""
    text = files("vernissage.gallery").joinpath("answer.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _link(item: Item) -> str:
    """A link to the picture of a work that has none here."""
    link = escape(item.picture_link)
    return f'<a href="{link}" rel="noopener noreferrer">picture</a>' if link else ""


def _thumbnail(path: Path | None, title: str) -> str:
    """The picture as an element that carries it; empty where there is none or it cannot be opened any more."""
    if path is None or not path.is_file():
        return ""
    from vernissage.catalog.pictures import open_picture
    from vernissage.errors import CollectionError

    try:
        picture = open_picture(path, at_least=2 * _THUMBNAIL_SIDE)
    except CollectionError:
        return f"<small>{escape(title)}: its picture cannot be opened</small>"
    picture.thumbnail((2 * _THUMBNAIL_SIDE, 2 * _THUMBNAIL_SIDE))
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=80)
    encoded = base64.b64encode(written.getvalue()).decode()
    sizes = f'width="{max(1, picture.width // 2)}" height="{max(1, picture.height // 2)}"'
    return f'<img src="data:image/jpeg;base64,{encoded}" {sizes} alt="{escape(title)}">'
