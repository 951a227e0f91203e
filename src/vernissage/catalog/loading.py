"""Reading a folder, a table or loose pictures as a collection, with a report on every row."""

import os
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.catalog.drafts import Draft, Drafts, drafts_of_pictures, drafts_of_table
from vernissage.catalog.folder import OutsideError, Pictures, find_table, other_tables
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import PictureCheck, check_picture
from vernissage.catalog.records import read_table
from vernissage.catalog.report import BadRowsError, CollectionReport, Problem, ProblemKind
from vernissage.catalog.table import Table
from vernissage.errors import CollectionError
from vernissage.progress import Progress, silent

_NOTHING: AbstractSet[str] = frozenset()


def load_collection(
    path: Path, *, skip_bad: bool = False, progress: Progress = silent, verified: AbstractSet[str] = _NOTHING
) -> Collection:
    """Read a collection from a folder with a table and pictures, a table alone, or a folder of pictures.

    A folder's table is called ``metadata`` (.csv, .tsv, .jsonl, .json, .parquet, .xlsx); its pictures lie anywhere
    below. Every picture is decoded to its end, but for those whose SHA-256 is in ``verified``, which were decoded
    before. The collection's ``report`` says what was found and how it was understood.

    Raises:
        BadRowsError: rows that cannot be used, unless ``skip_bad``, which leaves them out; or no row can be used.
        CollectionError: no collection at ``path``, or its table cannot be read at all.
    """
    collection = inspect_collection(path, progress=progress, verified=verified)
    report = collection.report
    if report is not None and report.problems and not (skip_bad and len(collection)):
        raise BadRowsError(report)
    if not len(collection):
        raise CollectionError(f"{path} has no row with a work in it; write one row for each work below the header")
    return collection


def inspect_collection(path: Path, *, progress: Progress = silent, verified: AbstractSet[str] = _NOTHING) -> Collection:
    """Read a collection like `load_collection`, without the bad rows and without complaint about them.

    The collection may be empty; its ``report`` tells why.

    Raises:
        CollectionError: no collection at ``path``, or its table cannot be read at all.
    """
    root, table_path = find_table(path)
    files = Pictures(root)
    if table_path is None:
        if not files.paths:
            raise CollectionError(_nothing_in(root))
        drafts, table = drafts_of_pictures(files.paths), Table((), ())
        remarks = tuple(
            f"{name} was not read; name it metadata{Path(name).suffix} to use it" for name in other_tables(root)
        )
    else:
        progress(f"reading {table_path.name}", 0, 1)
        table = read_table(table_path)
        drafts = drafts_of_table(table)
        remarks = _unnamed(drafts, files)
        progress(f"reading {table_path.name}", 1, 1)
    items, problems = _judge(drafts.works, files, progress, verified)
    report = CollectionReport(
        source=table_path.name if table_path else root.resolve().name,
        rows=len(drafts.works) + len(table.problems),
        kept=len(items),
        pictures=sum(bool(item.picture) for item in items),
        problems=tuple(sorted([*table.problems, *problems], key=lambda problem: problem.row or 0)),
        empty_texts=tuple(item.id for item in items if not item.text),
        groups=_groups(items),
        columns=drafts.columns,
        attributes=drafts.attributes,
        not_in_text=drafts.not_in_text,
        encoding=table.encoding,
        separator=table.separator,
        remarks=(*table.remarks, *drafts.remarks, *remarks, *_otherwise_named(drafts, items)),
    )
    return Collection(items, root, report)


def _judge(
    works: Sequence[Draft], files: Pictures, progress: Progress, verified: AbstractSet[str]
) -> tuple[list[Item], list[Problem]]:
    """The usable works with their pictures, and everything that is wrong with the others."""
    paths, faults = _matched(works, files)
    checks = _checked(sorted({path for path in paths if path}), files.root, progress, verified)
    items = []
    for draft, path, found in zip(works, paths, faults, strict=True):
        check = checks.get(path, PictureCheck(""))
        if check.fault:
            way_out = "export it again, or empty the cell"
            what = f"the picture {draft.file} {check.fault}"
            found.append(Problem("unreadable picture", draft.row, draft.item.id, draft.file, what, way_out))
        if not found:
            items.append(replace(draft.item, picture=path, picture_digest=check.digest) if path else draft.item)
    return items, [problem for found in faults for problem in found]


def _matched(works: Sequence[Draft], files: Pictures) -> tuple[list[str], list[list[Problem]]]:
    """For every work the path of its picture ("" without one), and what can be said against the row so far."""
    first_rows: dict[str, int | None] = {}
    paths, faults = [], []
    for draft in works:
        path, fault = _located(draft, files)
        paths.append(path)
        faults.append([problem for problem in (_id_fault(draft, first_rows), fault) if problem])
    return paths, faults


def _id_fault(draft: Draft, first_rows: dict[str, int | None]) -> Problem | None:
    name = draft.item.id
    if not name:
        return Problem("no id", draft.row, "", "", "the row has no id", "give it one that no other row has")
    if name not in first_rows:
        first_rows[name] = draft.row
        return None
    what = f"the id {name} stands in row {first_rows[name]} already"
    return Problem("duplicate id", draft.row, name, "", what, "give each work its own id, or take one row out")


def _located(draft: Draft, files: Pictures) -> tuple[str, Problem | None]:
    if not draft.file:
        return "", None
    kind: ProblemKind = "missing picture"
    what, way_out = f"there is no picture {draft.file}", "put the file into the folder, or empty the cell"
    try:
        path = files.locate(draft.file) or _first_of_several(draft.file, files)
        if path is not None and _is_utf8(path):
            return path, None
        if path is not None:
            kind, way_out = "unreadable picture", "rename it"
            what = f"the name of the picture {draft.file!a} is not written in UTF-8"
    except OutsideError:
        kind, way_out = "picture outside the folder", "put the picture into the folder and name it from there"
        what = f"the picture {draft.file} lies outside the collection's folder"
    return "", Problem(kind, draft.row, draft.item.id, draft.file, what, way_out)


def _first_of_several(cell: str, files: Pictures) -> str | None:
    """The first picture of a cell that names several, as tables do whose works have more than one view."""
    first, *further = (part.strip() for part in cell.replace("|", ";").split(";"))
    return files.locate(first) if first and further else None


def _checked(
    paths: Sequence[str], root: Path, progress: Progress, verified: AbstractSet[str]
) -> dict[str, PictureCheck]:
    """Decode all pictures, several at a time: Pillow leaves Python's lock to others while it decodes."""
    checks = {}
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda path: check_picture(root / path, verified), paths)
        for done, (path, check) in enumerate(zip(paths, results, strict=True), start=1):
            checks[path] = check
            progress("checking pictures", done, len(paths))
    return checks


def _unnamed(drafts: Drafts, files: Pictures) -> tuple[str, ...]:
    """A remark when pictures lie in the folder and the table names none of them."""
    if any(draft.file for draft in drafts.works) or not files.paths:
        return ()
    count = len(files.paths)
    return (f"pictures lie in the folder ({count}), but no row names one; name them in a column file_name to use them",)


def _otherwise_named(drafts: Drafts, items: Sequence[Item]) -> tuple[str, ...]:
    """A remark when pictures were found under names that differ from those in the table."""
    written = {draft.item.id: draft.file.replace("\\", "/").removeprefix("./") for draft in reversed(drafts.works)}
    odd = [item for item in items if not f"/{item.picture}".endswith(f"/{written[item.id]}")]
    if not odd:
        return ()
    example = f"{written[odd[0].id]} → {odd[0].picture}"
    return (f"pictures found by names that differ a little from the table's: {len(odd)}, such as {example}",)


def _groups(items: Sequence[Item]) -> dict[str, int]:
    return dict(Counter(item.group for item in items if item.group).most_common())


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _nothing_in(root: Path) -> str:
    way_out = "put a table metadata.csv or pictures into it, or give the path of a table"
    seen = other_tables(root)
    if seen:
        way_out = f"its tables ({', '.join(seen)}) are not called metadata: rename one, or give its path"
    return f"{root} holds neither a table named metadata nor pictures; {way_out}"
