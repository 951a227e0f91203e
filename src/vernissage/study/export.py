"""A study's answers as tables: CSV for people and spreadsheets, Parquet for programs."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection

from vernissage.errors import Kind, StudyError
from vernissage.files import digest, writing
from vernissage.storage import studies as stored
from vernissage.storage.studies import Answer, Participant, Provenance
from vernissage.study.definition import Definition, definition_of
from vernissage.study.records import StudyRecords, fails_attention, page_in_words

CellKind = Literal["text", "whole", "number", "truth", "time"]

TABLES = ("long", "wide", "rankings", "elicitation", "demographics", "screens")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What makes a spreadsheet take a cell for a formula; and the apostrophe, so that no two texts become one."""


@dataclass(frozen=True)
class ExportTable:
    """One table: ``columns`` name → kind, and rows with a cell for each; None is a blank cell."""

    name: str
    columns: Mapping[str, CellKind]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class _Material:
    """Everything of a study's real participants, as one reading transaction saw it."""

    definition: Definition
    people: tuple[Participant, ...]
    answers: Mapping[int, Sequence[Answer]]
    lists: Sequence[tuple[int, str, int, str]]
    elicitation: Sequence[tuple[int, int, str, int]]
    provenances: Mapping[int, Provenance]

    def named(self) -> dict[int, str]:
        """Participants' ids by number, in the order of ids."""
        return {each.number: each.external_id for each in sorted(self.people, key=lambda each: each.external_id)}

    def showings(self) -> Iterator[tuple[str, Answer]]:
        """(Id, answer) by id, engine and repetition."""
        for number, name in self.named().items():
            theirs = self.answers.get(number, ())
            yield from ((name, answer) for answer in sorted(theirs, key=lambda each: (each.engine, each.repetition)))


def export_tables(records: StudyRecords, *, finished_only: bool = False) -> tuple[ExportTable, ...]:
    """The tables of a study, as `TABLES` names them.

    Previews and robots are in none of them. Dropouts' answers are, unless only those who finished are wanted.

    Raises:
        StudyError: nobody has taken part yet.
    """
    with records.database.reading() as connection:
        material = _material(connection, records.id, finished_only=finished_only)
    return tuple(make(material) for make in (_long, _wide, _rankings, _elicitation, _demographics, _screens))


def write_export(records: StudyRecords, folder: Path, *, finished_only: bool = False) -> tuple[Path, ...]:
    """Write every table as CSV and Parquet, and ``study.json``, into a folder: all files or none.

    Raises:
        StudyError: nobody has taken part yet, or the folder's place is taken by a file.
        WorkspaceError: the folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"{folder} is a file, but an export needs a folder; choose another with --out")
    files = export_files(records, finished_only=finished_only)
    with ExitStack() as stack:
        for name, content in files.items():
            stack.enter_context(writing(folder / name)).write(content)
    return tuple(folder / name for name in files)


def export_files(records: StudyRecords, *, finished_only: bool = False) -> dict[str, bytes]:
    """Every table as CSV and Parquet, and ``study.json``: name → content.

    Raises:
        StudyError: nobody has taken part yet.
    """
    files: dict[str, bytes] = {}
    for table in export_tables(records, finished_only=finished_only):
        files[f"{table.name}.csv"] = as_csv(table)
        files[f"{table.name}.parquet"] = as_parquet(table)
    record = json.dumps(provenance_record(records), indent=2, ensure_ascii=False)
    return files | {"study.json": f"{record}\n".encode()}


def provenance_record(records: StudyRecords) -> dict[str, Any]:
    """What the answers depend on, as JSON values: the frozen definition, and every provenance that answers have.

    Raises:
        StudyError: nobody has taken part yet.
    """
    with records.database.reading() as connection:
        state = stored.state_of(connection, records.id)
        if state.frozen is None or state.since is None:
            raise _nobody(records.id)
        content = stored.content_of(connection, state.frozen)
    frozen = state.provenances[state.frozen]
    return {
        "study": records.id,
        "frozen": state.since.isoformat(),
        "definition": dict(content),
        "provenances": [_provenance_values(each) for each in state.provenances.values() if each.same_as(frozen)],
    }


def status_of(person: Participant) -> str:
    """Whether somebody has finished, was counted as dropped out, or is under way."""
    if person.finished:
        return "finished"
    return "dropped" if person.dropped else "under way"


def as_csv(table: ExportTable) -> bytes:
    """A table as CSV in UTF-8; cells that a spreadsheet would take for formulas begin with an apostrophe."""
    text = io.StringIO(newline="")
    # With this end of line, cells that hold either half of it are set in quotation marks.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return text.getvalue().encode()


def as_parquet(table: ExportTable) -> bytes:
    """A table as Parquet, with the texts as they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types: dict[CellKind, Callable[[], Any]] = {
        "text": pa.string,
        "whole": pa.int64,
        "number": pa.float64,
        "truth": pa.bool_,
        "time": lambda: pa.timestamp("us", tz="UTC"),
    }
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    arrays = [pa.array(cells, types[kind]()) for cells, kind in zip(columns, table.columns.values(), strict=True)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(table.columns)), sink)
    return sink.getvalue()


def _material(connection: Connection, study: str, *, finished_only: bool) -> _Material:
    state = stored.state_of(connection, study)
    if state.frozen is None:
        raise _nobody(study)
    people = stored.participants_of(connection, study, "participant")
    kept = tuple(each for each in people if each.finished or not finished_only)
    numbers = {each.number for each in kept}
    return _Material(
        definition_of(stored.content_of(connection, state.frozen)),
        kept,
        {number: theirs for number, theirs in stored.answers_of_study(connection, study).items() if number in numbers},
        [row for row in stored.lists_of_study(connection, study) if row[0] in numbers],
        [row for row in stored.elicitation_of_study(connection, study) if row[0] in numbers],
        state.provenances,
    )


def _long(material: _Material) -> ExportTable:
    names = [statement.name for statement in material.definition.statements]
    columns: dict[str, CellKind] = {"participant": "text", "engine": "text", "repetition": "whole"}
    columns |= dict.fromkeys(names, "whole")
    columns["seconds"] = "number"
    rows = (
        (name, answer.engine, answer.repetition, *(answer.ratings[each] for each in names), answer.seconds)
        for name, answer in material.showings()
    )
    return ExportTable("long", columns, tuple(rows))


def _wide(material: _Material) -> ExportTable:
    definition = material.definition
    showings = [
        (engine, repetition) for engine in definition.engines for repetition in range(1, definition.repetitions + 1)
    ]
    columns: dict[str, CellKind] = {"participant": "text"}
    for engine, repetition in showings:
        columns |= {f"{engine}_{repetition}_{statement.name}": "whole" for statement in definition.statements}
        columns[f"{engine}_{repetition}_seconds"] = "number"
    rows = []
    for number, name in material.named().items():
        theirs = {(answer.engine, answer.repetition): answer for answer in material.answers.get(number, ())}
        cells: list[Any] = [name]
        for showing in showings:
            answer = theirs.get(showing)
            cells += [answer.ratings[each.name] if answer else None for each in definition.statements]
            cells.append(answer.seconds if answer else None)
        rows.append(tuple(cells))
    return ExportTable("wide", columns, tuple(rows))


def _rankings(material: _Material) -> ExportTable:
    names = material.named()
    columns: dict[str, CellKind] = {"participant": "text", "engine": "text", "rank": "whole", "item": "text"}
    rows = sorted((names[number], *rest) for number, *rest in material.lists)
    return ExportTable("rankings", columns, tuple(rows))


def _elicitation(material: _Material) -> ExportTable:
    names = material.named()
    columns: dict[str, CellKind] = {"participant": "text", "position": "whole", "item": "text", "rating": "whole"}
    rows = sorted((names[number], *rest) for number, *rest in material.elicitation)
    return ExportTable("elicitation", columns, tuple(rows))


def _demographics(material: _Material) -> ExportTable:
    columns: dict[str, CellKind] = {
        "participant": "text", "status": "text", "page": "text", "age": "whole", "gender": "text",
        "registered": "time", "consented": "time", "finished": "time", "square_row": "whole",
        "fails_attention": "truth", "equal_weights": "truth", "recruitment_study": "text",
        "recruitment_session": "text",
    }  # fmt: skip
    rows = (
        (
            each.external_id, status_of(each), page_in_words(material.definition, each.page), each.age, each.gender,
            each.registered, each.consented, each.finished, each.square_row,
            fails_attention(material.definition, material.answers.get(each.number, ())), each.equal_weights,
            each.recruitment_study, each.recruitment_session,
        )
        for each in sorted(material.people, key=lambda each: each.external_id)
    )  # fmt: skip
    return ExportTable("demographics", columns, tuple(rows))


def _screens(material: _Material) -> ExportTable:
    columns: dict[str, CellKind] = {
        "participant": "text", "position": "whole", "engine": "text", "repetition": "whole", "answered": "time",
        "seconds": "number", "clock": "text", "definition": "text", "collection": "text", "encoders": "text",
        "software": "text",
    }  # fmt: skip
    rows = []
    for name, answer in material.showings():
        rests_on = _provenance_values(material.provenances[answer.provenance])
        row = (name, answer.position, answer.engine, answer.repetition, answer.time, answer.seconds, answer.clock)
        rows.append((*row, *(rests_on[each] for each in ("definition", "collection", "encoders", "software"))))
    return ExportTable("screens", columns, tuple(sorted(rows, key=lambda row: row[:2])))


def _provenance_values(provenance: Provenance) -> dict[str, str]:
    encoders = json.dumps(dict(provenance.encoders), sort_keys=True).encode()
    return {
        "definition": provenance.definition, "collection": provenance.collection, "encoders": digest(encoders)[:16],
        "software": provenance.software,
    }  # fmt: skip


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, float) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _nobody(study: str) -> StudyError:
    return StudyError(
        f"nobody has taken part in the study {study!r} yet; previews and robots do not count, so wait for the first",
        kind=Kind.CONFLICT,
    )
