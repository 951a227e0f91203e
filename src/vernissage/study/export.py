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

from vernissage.errors import StudyError
from vernissage.files import digest, writing
from vernissage.storage.studies import Provenance, frozen_provenance, provenances_of
from vernissage.storage.study_answers import (
    Answer,
    answer_provenances,
    answers_of_study,
    elicitation_of_study,
    lists_of_study,
    screens_of_study,
)
from vernissage.storage.study_participants import Participant, participants_of
from vernissage.study.definition import Definition, definition_of
from vernissage.study.records import StudyRecords, fails_attention, page_in_words

Kind = Literal["text", "whole", "number", "truth", "time"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What makes a spreadsheet take a cell for a formula; and the apostrophe, so that no two texts become one."""


@dataclass(frozen=True)
class ExportTable:
    """One table: ``columns`` name → kind, and rows with a cell for each; None is a blank cell."""

    name: str
    columns: Mapping[str, Kind]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class _Material:
    """Everything of a study's real participants, as one reading transaction saw it."""

    definition: Definition
    people: tuple[Participant, ...]
    answers: Mapping[int, Sequence[Answer]]
    lists: Sequence[tuple[int, str, int, str]]
    elicitation: Sequence[tuple[int, int, str, int]]
    positions: Mapping[tuple[int, str, int], int]
    provenances: Mapping[tuple[int, str, int], Provenance]

    def named(self) -> dict[int, str]:
        """Participants' ids by number, in the order of ids."""
        return {each.number: each.external_id for each in sorted(self.people, key=lambda each: each.external_id)}

    def showings(self) -> Iterator[tuple[int, str, Answer]]:
        """(Number, id, answer) by id, engine and repetition."""
        for number, name in self.named().items():
            theirs = self.answers.get(number, ())
            for answer in sorted(theirs, key=lambda each: (each.engine, each.repetition)):
                yield number, name, answer


def export_tables(records: StudyRecords, *, finished_only: bool = False) -> tuple[ExportTable, ...]:
    """The tables ``long``, ``wide``, ``rankings``, ``elicitation``, ``demographics`` and ``screens`` of a study.

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
    contents: dict[str, bytes] = {}
    for table in export_tables(records, finished_only=finished_only):
        contents[f"{table.name}.csv"] = as_csv(table)
        contents[f"{table.name}.parquet"] = as_parquet(table)
    contents["study.json"] = (json.dumps(provenance_record(records), indent=2, ensure_ascii=False) + "\n").encode()
    with ExitStack() as stack:
        for name, content in contents.items():
            stack.enter_context(writing(folder / name)).write(content)
    return tuple(folder / name for name in contents)


def provenance_record(records: StudyRecords) -> dict[str, Any]:
    """What the answers depend on, as JSON values: the frozen definition, and every provenance that answers have.

    Raises:
        StudyError: nobody has taken part yet.
    """
    with records.database.reading() as connection:
        frozen = frozen_provenance(connection, records.id)
        everyone = provenances_of(connection, records.id).values()
    if frozen is None:
        raise StudyError(_nobody(records.id))
    return {
        "study": records.id,
        "frozen": frozen[1].isoformat(),
        "definition": dict(frozen[0].content),
        "provenances": [_told(each) for each in everyone if each.same_as(frozen[0])],
    }


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

    types: dict[Kind, Callable[[], Any]] = {
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
    frozen = frozen_provenance(connection, study)
    if frozen is None:
        raise StudyError(_nobody(study))
    people = participants_of(connection, study, "participant")
    kept = tuple(each for each in people if each.finished or not finished_only)
    numbers = {each.number for each in kept}
    provenances = provenances_of(connection, study)
    return _Material(
        definition_of(frozen[0].content),
        kept,
        {number: theirs for number, theirs in answers_of_study(connection, study).items() if number in numbers},
        [row for row in lists_of_study(connection, study) if row[0] in numbers],
        [row for row in elicitation_of_study(connection, study) if row[0] in numbers],
        {
            (number, screen.engine, screen.repetition): screen.position
            for number, screens in screens_of_study(connection, study).items()
            for screen in screens
        },
        {key: provenances[number] for key, number in answer_provenances(connection, study).items()},
    )


def _long(material: _Material) -> ExportTable:
    names = [statement.name for statement in material.definition.statements]
    columns: dict[str, Kind] = {"participant": "text", "engine": "text", "repetition": "whole"}
    columns |= dict.fromkeys(names, "whole")
    columns["seconds"] = "number"
    rows = (
        (name, answer.engine, answer.repetition, *(answer.ratings[each] for each in names), answer.seconds)
        for _, name, answer in material.showings()
    )
    return ExportTable("long", columns, tuple(rows))


def _wide(material: _Material) -> ExportTable:
    definition = material.definition
    showings = [
        (engine, repetition) for engine in definition.engines for repetition in range(1, definition.repetitions + 1)
    ]
    columns: dict[str, Kind] = {"participant": "text"}
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
    columns: dict[str, Kind] = {"participant": "text", "engine": "text", "rank": "whole", "item": "text"}
    rows = sorted((names[number], *rest) for number, *rest in material.lists)
    return ExportTable("rankings", columns, tuple(rows))


def _elicitation(material: _Material) -> ExportTable:
    names = material.named()
    columns: dict[str, Kind] = {"participant": "text", "position": "whole", "item": "text", "rating": "whole"}
    rows = sorted((names[number], *rest) for number, *rest in material.elicitation)
    return ExportTable("elicitation", columns, tuple(rows))


def _demographics(material: _Material) -> ExportTable:
    columns: dict[str, Kind] = {
        "participant": "text", "status": "text", "page": "text", "age": "whole", "gender": "text",
        "registered": "time", "consented": "time", "finished": "time", "square_row": "whole",
        "fails_attention": "truth", "equal_weights": "truth", "recruitment_study": "text",
        "recruitment_session": "text",
    }  # fmt: skip
    rows = (
        (
            each.external_id, _status(each), page_in_words(material.definition, each.page), each.age, each.gender,
            each.registered, each.consented, each.finished, each.square_row,
            fails_attention(material.definition, material.answers.get(each.number, ())), each.equal_weights,
            each.recruitment_study, each.recruitment_session,
        )
        for each in sorted(material.people, key=lambda each: each.external_id)
    )  # fmt: skip
    return ExportTable("demographics", columns, tuple(rows))


def _screens(material: _Material) -> ExportTable:
    columns: dict[str, Kind] = {
        "participant": "text", "position": "whole", "engine": "text", "repetition": "whole", "answered": "time",
        "seconds": "number", "clock": "text", "definition": "text", "collection": "text", "encoders": "text",
        "software": "text",
    }  # fmt: skip
    rows = []
    for number, name, answer in material.showings():
        key = (number, answer.engine, answer.repetition)
        told = _told(material.provenances[key])
        row = (name, material.positions[key], answer.engine, answer.repetition, answer.time, answer.seconds)
        rows.append((*row, answer.clock, told["definition"], told["collection"], told["encoders"], told["software"]))
    return ExportTable("screens", columns, tuple(sorted(rows, key=lambda row: row[:2])))


def _told(provenance: Provenance) -> dict[str, str]:
    encoders = json.dumps(dict(provenance.encoders), sort_keys=True).encode()
    return {
        "definition": provenance.definition, "collection": provenance.collection, "encoders": digest(encoders)[:16],
        "software": provenance.software,
    }  # fmt: skip


def _status(person: Participant) -> str:
    if person.finished:
        return "finished"
    return "dropped" if person.dropped else "under way"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, float) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _nobody(study: str) -> str:
    return f"nobody has taken part in the study {study!r} yet; previews and robots do not count, so wait for the first"
