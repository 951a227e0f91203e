"""From files to a study: its definition, the engines of a workspace, and the database."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from vernissage.errors import Kind, RequestError, StudyError
from vernissage.recommenders.contract import Recommender
from vernissage.storage import STUDY_DATABASE_NAME, is_there
from vernissage.storage.database import open_database
from vernissage.storage.erasure import resume_erasures
from vernissage.storage.studies import state_of, study_ids
from vernissage.study.definition import read_definition
from vernissage.study.participation import Study, check_unchanged
from vernissage.study.plan import Plan, plan_study, recommend_with
from vernissage.study.records import StudyRecords
from vernissage.study.simulation import RehearsalClock
from vernissage.study.timing import Clocks
from vernissage.workspace.workspace import Workspace

MakeEngine = Callable[[Workspace, str, int], Recommender]
"""``make_engine(workspace, name, n)``: the engine of that name for lists of n works, or a `RequestError`."""

REHEARSAL = "rehearsal.db"


def plan_of_file(file: Path, workspace: Workspace, make_engine: MakeEngine) -> tuple[Plan, Mapping[str, Recommender]]:
    """The plan that a definition file makes over a workspace, and the engines that it names.

    Raises:
        StudyError: the file cannot be read, does not fit the workspace, or names an engine that cannot be made.
    """
    definition = read_definition(file)
    engines = {}
    for name in definition.engines:
        try:
            engines[name] = make_engine(workspace, name, definition.works)
        except RequestError as error:
            raise StudyError(f"engines names {name!r}, which cannot be made: {error}") from error
    return plan_study(definition, workspace, engines), engines


@contextmanager
def open_study(
    file: Path,
    workspace: Workspace,
    make_engine: MakeEngine,
    database: str | Path | None = None,
    clocks: Clocks | None = None,
    patience: float | None = None,
    most_starts: int | None = None,
) -> Iterator[Study]:
    """A study ready to be run, and its database closed afterwards; without ``database`` the workspace's ``study.db``.

    ``patience`` is how many seconds a writer waits for another; None for half a minute. At most ``most_starts`` real
    people may begin.

    Raises:
        StudyError: as in `plan_of_file`, or the definition or workspace has changed since the first participant.
    """
    plan, engines = plan_of_file(file, workspace, make_engine)
    with closing(open_database(_place(workspace.path, database), patience)) as opened:
        resume_erasures(opened, None)
        yield Study(plan, opened, recommend_with(engines, workspace.copies.repeated), clocks, most_starts=most_starts)


@contextmanager
def open_rehearsal(
    file: Path, workspace: Workspace, make_engine: MakeEngine, folder: Path, clock: RehearsalClock
) -> Iterator[Study]:
    """A study with a clock and a new database of its own, in ``folder``.

    Raises:
        StudyError: as in `open_study`, or there is a rehearsal in the folder.
    """
    place = folder / REHEARSAL
    if place.exists():
        raise StudyError(
            f"{place} is there from an earlier rehearsal; choose another folder, or delete it", kind=Kind.CONFLICT
        )
    plan, engines = plan_of_file(file, workspace, make_engine)
    folder.mkdir(parents=True, exist_ok=True)
    with closing(open_database(place)) as opened:
        yield Study(plan, opened, recommend_with(engines, workspace.copies.repeated), clock.clocks)


@contextmanager
def open_records(file: Path, workspace: Path, database: str | None = None) -> Iterator[StudyRecords]:
    """What is kept of a study, and its database closed afterwards; makes no database.

    Raises:
        StudyError: there is no database, or nothing of this study in it.
    """
    definition = read_definition(file)
    place = _place(workspace, database)
    nothing = (
        f"nothing of the study {definition.id!r} is in {{}}; run it first with `vernissage serve {workspace} "
        f"--study {file}`, or name its database with --database"
    )
    if not is_there(place):
        raise StudyError(nothing.format(place), kind=Kind.NOT_FOUND)
    with closing(open_database(place)) as opened:
        resume_erasures(opened, None)
        with opened.reading() as connection:
            there = study_ids(connection)
        if definition.id not in there:
            raise StudyError(nothing.format(opened.place), kind=Kind.NOT_FOUND)
        yield StudyRecords(opened, definition)


def check_against_database(plan: Plan, workspace: Path, database: str | None = None) -> None:
    """Check that a study which has begun may go on as planned; makes no database.

    Raises:
        StudyError: its definition or workspace has changed since the first participant.
    """
    place = _place(workspace, database)
    if is_there(place):
        with closing(open_database(place)) as opened, opened.reading() as connection:
            check_unchanged(connection, plan, state_of(connection, plan.definition.id))


def _place(workspace: Path, database: str | Path | None) -> str | Path:
    """Where a workspace's studies are kept: as named, else in a file of their own, apart from the uploads' lock."""
    return workspace / STUDY_DATABASE_NAME if database is None else database
