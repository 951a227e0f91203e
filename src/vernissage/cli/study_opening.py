"""From words on the command line to a study: its definition, workspace, engines and database."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vernissage.recommenders.contract import Recommender
    from vernissage.study.definition import Definition
    from vernissage.study.participation import Study
    from vernissage.study.plan import Plan
    from vernissage.study.records import StudyRecords
    from vernissage.workspace.workspace import Workspace

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study's definition.")]


def engines_of(definition: "Definition", workspace: "Workspace") -> "dict[str, Recommender]":
    """The engines that a definition names.

    Raises:
        StudyError: there is no such engine, or the workspace lacks its vectors.
    """
    from vernissage.cli.engines import make_engine
    from vernissage.errors import RequestError

    engines = {}
    for name in definition.engines:
        try:
            engines[name] = make_engine(workspace, name, definition.works)
        except RequestError as error:
            raise StudyError(f"engines names {name!r}, which cannot be made: {error}") from error
    return engines


def planned(file: Path, workspace: Path) -> "tuple[Plan, dict[str, Recommender]]":
    """A definition checked against a workspace, and the engines that it names."""
    from vernissage.study.definition_file import read_definition
    from vernissage.study.plan import plan_study
    from vernissage.workspace.workspace import open_workspace

    definition = read_definition(file)
    opened = open_workspace(workspace)
    engines = engines_of(definition, opened)
    return plan_study(definition, opened, engines), engines


@contextmanager
def opened_study(file: Path, workspace: Path, database: str | None = None) -> "Iterator[Study]":
    """A study ready to be run, and its database closed afterwards.

    Raises:
        StudyError: the definition does not fit the workspace, or what was frozen.
    """
    from vernissage.storage.database import DATABASE_NAME, open_database
    from vernissage.study.participation import Study
    from vernissage.study.plan import recommend_with

    plan, engines = planned(file, workspace)
    opened = open_database(database or str(workspace / DATABASE_NAME))
    try:
        yield Study(plan, opened, recommend_with(engines))
    finally:
        opened.close()


def check_against_database(plan: "Plan", workspace: Path, database: str | None = None) -> None:
    """Check that a study which has begun may go on as planned; makes no database.

    Raises:
        StudyError: its definition or workspace has changed since the first participant.
    """
    from vernissage.storage.database import DATABASE_NAME, open_database
    from vernissage.study.freezing import check_unchanged

    place = database or str(workspace / DATABASE_NAME)
    if "://" not in place and not Path(place).exists():
        return
    opened = open_database(place)
    try:
        with opened.reading() as connection:
            check_unchanged(connection, plan.definition.id, plan.provenance)
    finally:
        opened.close()


@contextmanager
def opened_records(file: Path, workspace: Path, database: str | None = None) -> "Iterator[StudyRecords]":
    """What is kept of a study, and its database closed afterwards; makes no database.

    Raises:
        StudyError: there is no database, or nothing of this study in it.
    """
    from vernissage.storage.database import DATABASE_NAME, open_database
    from vernissage.storage.studies import study_ids
    from vernissage.study.definition_file import read_definition
    from vernissage.study.records import StudyRecords

    definition = read_definition(file)
    place = database or str(workspace / DATABASE_NAME)
    if "://" not in place and not Path(place).exists():
        raise StudyError(_nothing_kept(definition.id, place, file, workspace))
    opened = open_database(place)
    try:
        with opened.reading() as connection:
            there = study_ids(connection)
        if definition.id not in there:
            raise StudyError(_nothing_kept(definition.id, opened.place, file, workspace))
        yield StudyRecords(opened, definition)
    finally:
        opened.close()


def _nothing_kept(study: str, place: str, file: Path, workspace: Path) -> str:
    return (
        f"nothing of the study {study!r} is in {place}; run it first with `vernissage serve {workspace} "
        f"--study {file}`, or name its database with --database"
    )
