"""A study's answers as tables: CSV for people and spreadsheets, Parquet for programs."""

import io
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection

from vernissage.errors import Kind, StudyError
from vernissage.files import csv_bytes, digest, write_together
from vernissage.storage import studies as stored
from vernissage.storage.studies import Answer, Participant, Provenance, StudyState
from vernissage.study.definition import Definition, definition_of
from vernissage.study.records import StudyRecords, fails_attention, page_in_words

CellKind = Literal["text", "whole", "number", "truth", "time"]

TABLES = ("long", "wide", "rankings", "elicitation", "demographics", "screens")

_People = Mapping[str, tuple[Participant, Sequence[Answer]]]
"""Real participants with their answers, by their ids in alphabetical order."""


@dataclass(frozen=True)
class ExportTable:
    """One table: ``columns`` name → kind, and rows with a cell for each; None is a blank cell."""

    name: str
    columns: Mapping[str, CellKind]
    rows: tuple[tuple[Any, ...], ...]


def export_tables(records: StudyRecords, *, finished_only: bool = False) -> tuple[ExportTable, ...]:
    """The tables of a study, as `TABLES` names them.

    Previews and robots are in none of them. Dropouts' answers are, unless only those who finished are wanted.

    Raises:
        StudyError: nobody has taken part yet.
    """
    with records.database.reading() as connection:
        return _tables(connection, records.id, finished_only)


def _tables(connection: Connection, study: str, finished_only: bool) -> tuple[ExportTable, ...]:
    state, frozen, _ = _frozen(connection, study)
    everyone = stored.participants_of(connection, study, "participant")
    answers = stored.answers_of_study(connection, study)
    lists = stored.lists_of_study(connection, study)
    elicitation = stored.elicitation_of_study(connection, study)
    definition = definition_of(frozen.content)
    kept = sorted((each for each in everyone if each.finished or not finished_only), key=attrgetter("external_id"))
    people = {each.external_id: (each, answers.get(each.number, ())) for each in kept}
    names = {each.number: each.external_id for each in kept}
    return (
        _long(definition, people),
        _wide(definition, people),
        ExportTable(
            "rankings",
            {"participant": "text", "engine": "text", "rank": "whole", "item": "text"},
            tuple(sorted((names[number], *rest) for number, *rest in lists if number in names)),
        ),
        ExportTable(
            "elicitation",
            {"participant": "text", "position": "whole", "item": "text", "rating": "whole"},
            tuple(sorted((names[number], *rest) for number, *rest in elicitation if number in names)),
        ),
        _demographics(definition, people),
        _screens(state, people),
    )


def write_export(records: StudyRecords, folder: Path, *, finished_only: bool = False) -> tuple[Path, ...]:
    """Write every table as CSV and Parquet, and ``study.json``, into a folder: all files or none.

    Raises:
        StudyError: nobody has taken part yet, or the folder's place is taken by a file.
        WorkspaceError: the folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"{folder} is a file, but an export needs a folder; choose another with --out")
    files = {folder / name: content for name, content in export_files(records, finished_only=finished_only).items()}
    write_together(files, secret=True)
    return tuple(files)


def export_files(records: StudyRecords, *, finished_only: bool = False) -> dict[str, bytes]:
    """Every table as CSV and Parquet, and ``study.json``, of one state of the study: name → content.

    Raises:
        StudyError: nobody has taken part yet.
    """
    with records.database.reading() as connection:
        tables = _tables(connection, records.id, finished_only)
        provenance = _provenance_record(connection, records.id)
    files: dict[str, bytes] = {}
    for table in tables:
        files[f"{table.name}.csv"] = as_csv(table)
        files[f"{table.name}.parquet"] = as_parquet(table)
    record = json.dumps(provenance, indent=2, ensure_ascii=False)
    return files | {"study.json": f"{record}\n".encode()}


def status_of(person: Participant) -> str:
    """Whether somebody has finished, was counted as dropped out, or is under way."""
    if person.finished:
        return "finished"
    return "dropped" if person.dropped else "under way"


def as_csv(table: ExportTable) -> bytes:
    """A table as CSV in UTF-8; cells that a spreadsheet would take for formulas begin with an apostrophe."""
    return csv_bytes(table.columns, (map(_cell, row) for row in table.rows), reversible=True)


def as_parquet(table: ExportTable) -> bytes:
    """A table as Parquet, with the texts as they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types: dict[CellKind, Any] = {
        "text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "truth": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    schema = pa.schema([(name, types[kind]) for name, kind in table.columns.items()])
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink)
    return sink.getvalue()


def _provenance_record(connection: Connection, study: str) -> dict[str, Any]:
    """What the answers depend on, as JSON values: the frozen definition, and every provenance that answers have."""
    state, frozen, since = _frozen(connection, study)
    return {
        "study": study,
        "frozen": since.isoformat(),
        "definition": dict(frozen.content),
        "provenances": [_provenance_values(each) for each in state.provenances.values() if each.same_as(frozen)],
    }


def _frozen(connection: Connection, study: str) -> tuple[StudyState, Provenance, datetime]:
    """The state of a study that somebody took part in, the provenance that holds, with its content, and since when."""
    state = stored.state_of(connection, study)
    if state.frozen is None or state.since is None:
        raise StudyError(
            f"nobody has taken part in the study {study!r} yet; previews and robots do not count, so wait for the "
            f"first",
            kind=Kind.CONFLICT,
        )
    content = stored.content_of(connection, state.frozen)
    return state, replace(state.provenances[state.frozen], content=content), state.since


def _table(name: str, columns: Mapping[str, CellKind], records: Iterable[Mapping[str, Any]]) -> ExportTable:
    return ExportTable(name, columns, tuple(tuple(map(record.get, columns)) for record in records))


def _long(definition: Definition, people: _People) -> ExportTable:
    columns: dict[str, CellKind] = {"participant": "text", "engine": "text", "repetition": "whole"}
    columns |= {statement.name: "whole" for statement in definition.statements}
    columns["seconds"] = "number"
    rows = (
        {"participant": name, **vars(answer), **answer.ratings}
        for name, (_, answers) in people.items()
        for answer in sorted(answers, key=attrgetter("engine", "repetition"))
    )
    return _table("long", columns, rows)


def _wide(definition: Definition, people: _People) -> ExportTable:
    columns: dict[str, CellKind] = {"participant": "text"}
    for engine, repetition in itertools.product(definition.engines, range(1, definition.repetitions + 1)):
        columns |= {f"{engine}_{repetition}_{statement.name}": "whole" for statement in definition.statements}
        columns[f"{engine}_{repetition}_seconds"] = "number"
    rows: list[dict[str, Any]] = []
    for name, (_, answers) in people.items():
        row: dict[str, Any] = {"participant": name}
        for each in answers:
            named = {**each.ratings, "seconds": each.seconds}
            row |= {f"{each.engine}_{each.repetition}_{key}": value for key, value in named.items()}
        rows.append(row)
    return _table("wide", columns, rows)


def _demographics(definition: Definition, people: _People) -> ExportTable:
    columns: dict[str, CellKind] = {
        "participant": "text", "status": "text", "page": "text", "age": "whole", "gender": "text",
        "registered": "time", "consented": "time", "finished": "time", "square_row": "whole",
        "fails_attention": "truth", "equal_weights": "truth", "recruitment_study": "text",
        "recruitment_session": "text",
    }  # fmt: skip
    rows = (
        vars(each)
        | {"participant": name, "status": status_of(each), "page": page_in_words(definition, each.page)}
        | {"fails_attention": fails_attention(definition, answers)}
        for name, (each, answers) in people.items()
    )
    return _table("demographics", columns, rows)


def _screens(state: StudyState, people: _People) -> ExportTable:
    columns: dict[str, CellKind] = {
        "participant": "text", "position": "whole", "engine": "text", "repetition": "whole", "answered": "time",
        "seconds": "number", "clock": "text", "definition": "text", "collection": "text", "encoders": "text",
        "software": "text",
    }  # fmt: skip
    rows = (
        {"participant": name, **vars(answer), "answered": answer.time}
        | _provenance_values(state.provenances[answer.provenance])
        for name, (_, answers) in people.items()
        for answer in sorted(answers, key=attrgetter("position"))
    )
    return _table("screens", columns, rows)


def _provenance_values(provenance: Provenance) -> dict[str, str]:
    encoders = json.dumps(dict(provenance.encoders), sort_keys=True).encode()
    return {
        "definition": provenance.definition, "collection": provenance.collection, "encoders": digest(encoders)[:16],
        "software": provenance.software,
    }  # fmt: skip


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else value
