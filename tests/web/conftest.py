import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from vernissage.gallery.engines import make_engine
from vernissage.recommenders.contract import Recommender
from vernissage.storage.database import Database, open_database
from vernissage.study.definition import Definition, definition_template
from vernissage.study.export import export_tables
from vernissage.study.opening import plan_of_file
from vernissage.study.participation import Study
from vernissage.study.plan import Plan, Recommend, recommend_with
from vernissage.study.timing import Clocks
from vernissage.web.api import jobs as jobs_module
from vernissage.web.credentials import hash_password
from vernissage.web.operations import health_router
from vernissage.web.study.app import create_app
from vernissage.web.study.served import Limits, ServedStudy, Sessions
from vernissage.web.works import Pictures
from vernissage.workspace.workspace import open_workspace

PASSWORD = "correct horse battery"  # noqa: S105
CODE = "C1FINISHED"
SECRET = b"the tests' secret".ljust(32, b".")


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that do no jobs."""
    monkeypatch.setattr(jobs_module.Jobs, "do_next", lambda _: False)


@pytest.fixture(scope="session")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two engines on the toy gallery: two works rated, four lists of three works judged."""
    path = tmp_path_factory.mktemp("study") / "study.toml"
    words = definition_template(
        path.name, name="toy", engines=["lda", "colour-texture"], groups=["sea", "garden"], works=3
    )
    path.write_text(words.replace('# code = "C1ABCDEF"', f'code = "{CODE}"'), "utf-8")
    return path


@pytest.fixture(scope="session")
def made(study_file: Path, built: Path) -> tuple[Plan, Mapping[str, Recommender]]:
    """The plan and the engines, which are made once."""
    return plan_of_file(study_file, open_workspace(built), make_engine)


@pytest.fixture(scope="session")
def password() -> str:
    """The hash of the experimenter's password, which takes a while to make."""
    return hash_password(PASSWORD)


@dataclass(frozen=True)
class World:
    """A study that is served, and what is kept of it."""

    served: ServedStudy
    client: TestClient

    @property
    def definition(self) -> Definition:
        return self.served.study.definition

    def anybody(self) -> TestClient:
        """Another browser, without cookies."""
        return TestClient(self.client.app)

    def table(self, name: str) -> list[dict[str, object]]:
        """The rows of one table of the export."""
        tables = {table.name: table for table in export_tables(self.served.study.records)}
        return [dict(zip(tables[name].columns, row, strict=True)) for row in tables[name].rows]

    def answered(self) -> list[tuple[object, object, object]]:
        """Whose answers to which engine and repetition are kept."""
        return [(row["participant"], row["engine"], row["repetition"]) for row in self.table("long")]


Serve = Callable[..., World]


@pytest.fixture
def serve(
    made: tuple[Plan, Mapping[str, Recommender]], built: Path, password: str, empty_file: Path, tmp_path: Path
) -> Iterator[Serve]:
    """Serve the toy study in this process, from a database of this test's own; again is as after a restart."""
    opened: list[Database] = []
    shutil.copy(empty_file, tmp_path / "vernissage.db")

    def call(
        *,
        recommend: Recommend | None = None,
        changes: Mapping[str, Any] | None = None,
        clocks: Clocks | None = None,
        engines: bool = True,
        hosts: object = None,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], float] = time.time,
        patience: float | None = None,
        most_starts: int | None = None,
        **how: Any,
    ) -> World:
        plan, recommenders = made
        if changes is not None:
            definition = dataclasses.replace(plan.definition, **changes)
            plan = dataclasses.replace(
                plan,
                definition=definition,
                provenance=dataclasses.replace(
                    plan.provenance, definition=definition.digest, content=definition.content
                ),
            )
        database = open_database(tmp_path / "vernissage.db", patience)
        opened.append(database)
        study = Study(plan, database, recommend or recommend_with(recommenders), clocks, most_starts=most_starts)
        collection = open_workspace(built).collection
        sessions = Sessions(SECRET, plan.definition.id, password, tmp_path, time_of_day)
        served = ServedStudy(study, collection, Pictures(collection, SECRET), sessions, password, Limits(clock), **how)
        app = create_app(served, hosts)  # type: ignore[arg-type]
        app.router.routes[:0] = health_router(lambda: study.database.check()).routes  # noqa: PLW0108  (tests replace it)
        return World(served, TestClient(app))

    yield call
    for database in opened:
        database.close()


@pytest.fixture
def world(serve: Serve) -> World:
    return serve()
