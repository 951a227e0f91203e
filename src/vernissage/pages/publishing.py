"""A collection as files for any web server: related works, pages, pictures, IIIF manifests, and the widget.

    related/KEY.json     a work and the works like it, with reasons       works/KEY.html   a page about it
    related.parquet      the same of all works as one table               index.html …     all works, by title
    pictures/…/W.webp    pictures, under names that change with them      iiif/KEY.json    manifests
    about.html           what the collection is                           static/…         style sheet, scripts, logo
    for-you.html, .json  works to rate, and a list for these ratings, of related works or by a service
    map.html             the map and its groups as lists                  map/…            its tiles, and longer lists
    vernissage.js        the widget, which reads these files              publication.json what was written, last

A second run writes what changed alone; one that was interrupted is gone on with by running it again.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from vernissage.catalog.item import Item
from vernissage.catalog.keys import key_of
from vernissage.errors import Kind, RequestError, VernissageError, WorkspaceError
from vernissage.files import digest, is_below, json_text, read_json, write_bytes, write_parquet, writing
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.gallery.likeness import places_of
from vernissage.gallery.sorting import sorted_rows
from vernissage.pages import iiif
from vernissage.pages.addresses import Addressed, Addresses
from vernissage.pages.look import Look
from vernissage.pages.map_tiles import MOST_WORKS, draw_map, files_of_map, kept_map, map_version
from vernissage.pages.thumbnails import Thumbnails
from vernissage.pages.visitor.about import about, about_page
from vernissage.pages.visitor.collection import collection_page
from vernissage.pages.visitor.for_you import for_you_file
from vernissage.pages.visitor.frame import STYLE, Frame, file_frame, static_content, static_digest, static_file
from vernissage.pages.visitor.map import first_rows, listed, map_groups, map_page
from vernissage.pages.visitor.work import facts_of, lists_like, work_page
from vernissage.progress import Progress, silent

CARD = "publication.json"
RELATED = 6
WIDTHS = (320, 640)
_FORMAT = 1
_PER_PAGE = 200
_SCRIPTS = ("collection.js", "zoom.js", "openseadragon.js", "map.js", "for-you-files.js")
_AT_ONCE = 64
"""Works that one process takes at a time: some seconds, so that progress is told and an interruption costs little."""

_FOLDERS = ("related", "works", "pictures", "iiif", "list", "static", "map")
_PAGES = ("/", "/map", "/about")
_TABLE = pa.schema(
    {
        "id": pa.string(),
        "rank": pa.int32(),
        "related": pa.string(),
        "score": pa.float64(),
        "band": pa.string(),
        "words": pa.string(),
    }
)


@dataclass(frozen=True)
class PublishOptions:
    """What is published.

    Attributes:
        related: works like each work.
        widths: pixels of the pictures; the next larger one that a picture has is taken, and nothing is enlarged.
        base_url: where the files will lie on the web; IIIF manifests need it, since their addresses are whole ones.
        per: at most so many related works of one value of a column.
        look: the museum's own; pages are in its first language.
    """

    related: int = RELATED
    widths: tuple[int, ...] = WIDTHS
    base_url: str = ""
    per: Mapping[str, int] = field(default_factory=dict)
    look: Look = field(default_factory=Look)

    def __post_init__(self) -> None:
        if not 1 <= self.related <= 100:
            raise RequestError(f"{self.related} related works were asked for; ask for 1 to 100")
        if not self.widths or not all(16 <= width <= 4_000 for width in self.widths):
            raise RequestError(f"the widths {self.widths} were asked for; name some from 16 to 4,000 pixels")
        if self.base_url and not self.base_url.startswith(("https://", "http://")):
            raise RequestError(f"the address {self.base_url!r} was given; it begins with https:// or http://")


@dataclass
class Published:
    """What a run did: files written, unchanged and removed, and what to say of works."""

    works: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    notes: list[str] = field(default_factory=list)


def publish(
    gallery: Gallery,
    out: Path,
    options: PublishOptions | None = None,
    *,
    processes: int = 1,
    progress: Progress = silent,
) -> Published:
    """Write everything about a collection as files into ``out``, a folder of its own; see above.

    Raises:
        WorkspaceError: the folder holds something else, or cannot be written.
        RequestError: an option means nothing, or the workspace has no vectors.
    """
    asked = options or PublishOptions()
    state = _state(gallery, asked)
    before = _before(out)
    if before.get("state") == state and (found := _listing(out)) == before.get("files"):
        return Published(len(gallery), unchanged=found["count"])
    _prepare(out)
    expected, rows, done = set[str](), list[dict[str, Any]](), Published(len(gallery))
    jobs = [(start, min(start + _AT_ONCE, len(gallery))) for start in range(0, len(gallery), _AT_ONCE)]
    for number, part in enumerate(_parts(gallery, out, asked, jobs, processes)):
        progress("publishing works", jobs[number][0], len(gallery))
        expected.update(part.files)
        rows += part.rows
        done.written += part.written
        done.notes += part.notes
    progress("publishing works", len(gallery), len(gallery))
    writer = _Writer(out)
    _write_lists(gallery, writer, asked)
    writer.write("about.html", about_page(_frame(gallery, asked, "", "/about"), **about(gallery)).encode())
    _write_for_you(gallery, writer, asked)
    done.notes += _write_map(gallery, writer, asked, progress)
    writer.write("vernissage.js", static_file("vernissage.js") or b"")
    for name in (STYLE, *_SCRIPTS, *asked.look.files):
        content, _ = static_content(name, asked.look) or (b"", "")
        writer.write(f"static/{static_digest(name, asked.look)}/{name}", content)
    write_parquet(out / "related.parquet", _TABLE, [pa.RecordBatch.from_pylist(rows, _TABLE)])
    expected |= writer.files | {"related.parquet"}
    done.written += writer.written + 1
    done.unchanged = len(expected) - done.written
    done.removed = _remove_others(out, expected)
    if not asked.base_url:
        done.notes.append("no IIIF manifests were written: they need to know where they will lie; give --base-url")
    write_bytes(out / CARD, json_text({"format": _FORMAT, "state": state, "files": _listing(out)}).encode())
    return done


def _state(gallery: Gallery, options: PublishOptions) -> str:
    """What stands for everything that the files are made of."""
    import vernissage

    pages = files("vernissage.pages")
    made_of = [*pages.joinpath("templates", "visitor").iterdir(), *pages.joinpath("static").iterdir()]
    own = [each.read_bytes() for each in sorted(made_of, key=lambda each: each.name)]
    asked = {name: getattr(options, name) for name in ("related", "widths", "base_url")} | {"per": dict(options.per)}
    said = json_text(
        {"options": asked, "software": vernissage.__version__, "look": options.look.digest}, sort_keys=True
    )
    collection = gallery.collection.fingerprint
    return digest(gallery.fingerprint.encode(), collection.encode(), said.encode(), *own)


def _before(out: Path) -> dict[str, Any]:
    """What the last run wrote of itself; nothing where there was none.

    Raises:
        WorkspaceError: the folder holds other things.
    """
    if not out.exists():
        return {}
    begun = out / CARD
    if out.is_dir() and not out.is_symlink():
        if begun.is_file() and not begun.is_symlink():
            found = read_json(begun)
            if isinstance(found, dict) and found.get("format") == _FORMAT:
                return found
        elif not any(out.iterdir()):
            return {}
    raise WorkspaceError(
        f"{out} holds other things than a publication; choose an empty folder or one that does not exist yet",
        kind=Kind.BAD_REQUEST,
    )


def _prepare(out: Path) -> None:
    """Make the folders, and say that this is a publication under way."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_bytes(out / CARD, json_text({"format": _FORMAT}).encode())
        for name in _FOLDERS:
            (out / name).mkdir(exist_ok=True)
            if not is_below(out, out / name / "x"):
                raise WorkspaceError(f"{out / name} is a link to another place; remove it", kind=Kind.BAD_REQUEST)
    except OSError as error:
        raise WorkspaceError(f"cannot write {out}: {error.strerror or error}; choose a place that can be") from error


# Works, in processes of their own


@dataclass
class _Part:
    files: set[str] = field(default_factory=set)
    rows: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0
    notes: list[str] = field(default_factory=list)


def _parts(
    gallery: Gallery, out: Path, options: PublishOptions, ranges: Sequence[tuple[int, int]], processes: int
) -> Iterator[_Part]:
    if processes < 2 or len(ranges) < 2:
        records = _records(gallery, options)
        for start, end in ranges:
            yield _write_works(gallery, out, options, records, start, end)
        return
    # Spawned, since threads of libraries do not survive a fork.
    with ProcessPoolExecutor(processes, get_context("spawn"), _open, (gallery.path, out, options)) as pool:
        yield from pool.map(_in_process, *zip(*ranges, strict=True))


_opened: dict[str, Any] = {}
"""What `_write_works` needs in a process that works for another one."""


def _open(workspace: Path, out: Path, options: PublishOptions) -> None:
    gallery = open_gallery(workspace, people=False)
    _opened.update(gallery=gallery, out=out, asked=options, records=_records(gallery, options))


def _in_process(start: int, end: int) -> _Part:
    return _write_works(**_opened, start=start, end=end)


def _records(gallery: Gallery, options: PublishOptions, base: str = "") -> Addressed:
    """Records whose addresses begin so."""
    return Addressed(gallery.snapshot, Thumbnails(options.widths), _addresses(base, options))


def _write_works(gallery: Gallery, out: Path, asked: PublishOptions, records: Addressed, start: int, end: int) -> _Part:
    """Write everything about the works of some rows."""
    part, writer = _Part(), _Writer(out)
    banned = gallery.snapshot.editorial.banned
    gallery.anticipate(gallery.collection.ids[start:end])
    for item in gallery.collection.take(range(start, end)):
        if item.id in banned:
            continue
        key = key_of(item.id)
        related, why_none = _related(gallery, item, asked)
        # Addresses in a file are from where it lies; a key of several parts lies deeper.
        up = "../" * (1 + key.count("/"))
        beside = replace(records, addresses=_addresses(asked.base_url.rstrip("/") or up[:-1], asked))
        record = beside.record(item)
        content: dict[str, Any] = {"work": record, "works": [], "notes": [why_none] if why_none else []}
        if related is not None:
            answer = beside.answer(related)
            content |= {"works": answer["works"], "notes": answer["notes"]}
        page = replace(beside, addresses=_addresses(up[:-1], asked)) if asked.base_url else beside
        lists = lists_like(gallery, page, item, asked.related, asked.per)
        frame = _frame(gallery, asked, up, f"/works/{key}")
        facts = facts_of(item, places_of(gallery.collection))
        how: dict[str, Any] = {"pictures": page.pictures(item), "facts": facts, "lists": lists}
        writer.write(f"related/{key}.json", orjson.dumps(content, option=orjson.OPT_INDENT_2))
        writer.write(f"works/{key}.html", work_page(frame, page.record(item), **how).encode())
        if asked.base_url and (manifest := iiif.manifest(item, beside)) is not None:
            writer.write(f"iiif/{key}.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
        part.notes += _write_pictures(item, beside, writer)
        part.rows += [_row(item, each) for each in content["works"]]
    part.files, part.written = writer.files, writer.written
    return part


def _addresses(base: str, options: PublishOptions) -> Addresses:
    root = base.replace("{", "{{").replace("}", "}}")
    manifest = f"{root}/iiif/{{key}}.json" if options.base_url else ""
    picture = f"{root}/pictures/{{picture}}/{{width}}.{{kind}}"
    return Addresses(f"{root}/works/{{key}}.html", picture, manifest, "webp")


def _related(gallery: Gallery, item: Item, options: PublishOptions) -> tuple[Any, str]:
    """The works like one, or why there are none."""
    try:
        return gallery.similar(item.id, options.related, per=options.per), ""
    except VernissageError as error:
        return None, str(error).replace(str(gallery.path), "the collection")


def _row(item: Item, related: Mapping[str, Any]) -> dict[str, Any]:
    words = next((reason["words"] for reason in related["reasons"]), "")
    said = {"rank": related["rank"], "score": related["score"], "band": related.get("band")}
    return {"id": item.id, "related": related["id"], "words": words} | said


def _write_pictures(item: Item, beside: Addressed, writer: "_Writer") -> list[str]:
    """Write the picture of a work in its sizes, those that are not there yet; what to say if it cannot be opened."""
    path = beside.snapshot.picture_path(item) if item.picture_digest else None
    if path is None:
        return []
    made = cache(partial(beside.thumbnails.all, path, item.picture_digest, "webp"))
    try:
        for width, _ in beside.sizes(item):
            if not writer.keeps(name := f"pictures/{item.picture_digest[:32]}/{width}.webp"):
                writer.put(name, made()[width])
    except VernissageError as error:
        return [str(error)]
    return []


class _Writer:
    """Writes files below a folder where they differ from what is there, and knows which it was asked for."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.files: set[str] = set()
        self.written = 0
        self._inside: set[Path] = set()

    def write(self, name: str, content: bytes) -> None:
        """Write a file, unless it is there with this content."""
        path = self.out / name
        self.files.add(name)
        if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
            return
        self.put(name, content)

    def keeps(self, name: str) -> bool:
        """Whether a file whose name stands for its content is there; it stays."""
        path = self.out / name
        self.files.add(name)
        return path.is_file() and not path.is_symlink() and path.stat().st_size > 0

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whatever is there. Raises WorkspaceError: a link leads out of the folder."""
        path = self.out / name
        # A link in the file's own place is replaced, not followed, so that its folder alone is looked at, and once.
        if path.parent not in self._inside and not is_below(self.out, path.parent / "x"):
            raise WorkspaceError(f"{path} leads out of {self.out}; remove the link", kind=Kind.BAD_REQUEST)
        self._inside.add(path.parent)
        with writing(path, flush=False) as file:
            file.write(content)
        self.written += 1


def _write_lists(gallery: Gallery, writer: _Writer, options: PublishOptions) -> None:
    """All works, so many a page, in the order of the first page that a server shows."""
    rows = sorted_rows(gallery.snapshot, (), "mixed").tolist()
    pages = [rows[start : start + _PER_PAGE] for start in range(0, max(len(rows), 1), _PER_PAGE)]
    names = ["index.html", *(f"list/{number}.html" for number in range(2, len(pages) + 1))]
    for number, (name, page) in enumerate(zip(names, pages, strict=True)):
        up = "../" * name.count("/")
        beside = _records(gallery, options, up[:-1] or ".")
        works = [beside.record(item) for item in gallery.collection.take(page)]
        more = up + names[number + 1] if number + 1 < len(names) else ""
        made = collection_page(
            _frame(gallery, options, up, "/" if not number else ""), works, total=len(rows), more=more
        )
        writer.write(name, made.encode())


def _write_for_you(gallery: Gallery, writer: _Writer, options: PublishOptions) -> None:
    """The page that works are rated on, and, where no service is asked, the works to rate."""
    if "/for-you" not in (frame := _frame(gallery, options, "", "/for-you")).pages:
        return
    writer.write("for-you.html", for_you_file(frame).encode())
    if not options.look.service:
        beside = _records(gallery, options, options.base_url.rstrip("/") or ".")
        writer.write("for-you.json", orjson.dumps(beside.answer(gallery.elicitation()), option=orjson.OPT_INDENT_2))


def _write_tiles(gallery: Gallery, writer: _Writer, progress: Progress) -> tuple[str, list[str]]:
    """The tiles of the map, drawn unless they are there or in the workspace: where they lie, and notes."""
    base, kept = f"map/{map_version(gallery)}/", kept_map(gallery)
    if kept is not None:
        for name in files_of_map(kept):
            if not writer.keeps(base + name):
                writer.put(base + name, (kept / name).read_bytes())
        return base, []
    there = files_of_map(writer.out / base)
    if there and all(writer.keeps(base + name) for name in there):
        return base, []
    try:
        found = gallery.map(most=MOST_WORKS, progress=progress)
    except RequestError as error:
        return "", [f"there is no map: {error}"]

    def put(name: str, content: bytes) -> None:
        writer.write(base + name, content)

    return base, draw_map(found, gallery.snapshot.picture_path, put, progress=progress)


def _write_map(gallery: Gallery, writer: _Writer, options: PublishOptions, progress: Progress) -> list[str]:
    """The map, and its groups as lists of so many works a page; notes on what it lacks."""
    tiles, notes = _write_tiles(gallery, writer, progress)
    groups = map_groups(gallery.collection, gallery.snapshot.editorial.banned)
    first, told = first_rows(groups), []
    for number, group in enumerate(groups):
        starts = range(first, len(group.rows), _PER_PAGE)
        names = ["map.html", *(f"map/list-{number}-{part}.html" for part in range(1, len(starts) + 1)), ""]
        for place, start in enumerate([0, *starts]):
            up = "../" * names[place].count("/")
            beside, most = _records(gallery, options, up[:-1] or "."), _PER_PAGE if start else first
            part = listed(group, start, most, gallery.collection, beside, up + names[place + 1])
            if start:
                page = map_page(_frame(gallery, options, up, "/map"), [part], alone=True)
                writer.write(names[place], page.encode())
            else:
                told.append(part)
    work = _addresses(".", options).work
    writer.write("map.html", map_page(_frame(gallery, options, "", "/map"), told, tiles=tiles, work=work).encode())
    return notes


def _frame(gallery: Gallery, options: PublishOptions, up: str, here: str) -> Frame:
    rated = options.look.service or gallery.snapshot.workspace.encoder_names
    pages = (*_PAGES, *["/for-you"] * bool(rated))
    return file_frame(options.look, gallery.name, up, here, pages)


def _files_of(out: Path, below: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The regular files in a folder with their names from ``out`` on; links are neither followed nor named."""
    waiting = [below]
    while waiting:
        folder = waiting.pop()
        with os.scandir(out / folder) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                elif entry.is_file(follow_symlinks=False):
                    yield name, entry


def _listing(out: Path) -> dict[str, Any]:
    """How many files there are, and a digest of their names and sizes, by which a missing or cut one is noticed."""
    files = (found for found in _files_of(out) if found[0] != CARD)
    named = sorted(f"{name}:{entry.stat(follow_symlinks=False).st_size}" for name, entry in files)
    return {"count": len(named), "digest": digest("\n".join(named).encode())}


def _remove_others(out: Path, expected: set[str]) -> int:
    """Remove files in the folders of works that are gone; what lies elsewhere in the publication is left alone."""
    others = [out / name for folder in _FOLDERS for name, _ in _files_of(out, folder) if name not in expected]
    for path in others:
        path.unlink(missing_ok=True)
    return len(others)
