"""The long runs of `make verify`, on SQLite and on PostgreSQL: people on one workspace, and participants of a study.

For a minute each, without and with ten kills, processes upload, remove and recommend at once; afterwards nothing may be
lost, double or half, and the indexes must equal fresh ones. Then 200 robots take part in a study, 20 at a time, and 200
visit a service that compares two engines. A client is generated from the service's document and used, schemathesis asks
for whatever the document allows and does not, databases, disks and files fail under a service, the long examples of the
documentation run, the pages for visitors are weighed and judged by Lighthouse, and two workers are loaded with everything
at once for ten minutes. Last, every kind of settings file is damaged in hundreds of ways.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.examples import LONG, PAGES, blocks, make_world, run_page
from tests.document import check_document
from tests.faults import run_faults
from tests.forks import forks
from tests.galleries import toy_gallery
from tests.generated_client import use_generated_client
from tests.postgres import postgres_programs, run_sql, running_server
from tests.soak import soak
from tests.web.robots import study_with_robots
from tests.web.visitors import check_planted, visit_split
from tests.workspace.concurrent_people import run_people
from vernissage.workspace.build import build_workspace

_SECONDS = 60
_KILLS = (0, 10)
_PARTICIPANTS = 200
_AT_ONCE = 20
_MUTATIONS = 300
_SOAK_MINUTES = 10
_EXAMPLES = 20  # of each operation, beside those of each part of its schema


def main() -> None:
    """Run everything; an assertion of one of the runs ends it."""
    programs = postgres_programs()
    if programs is None:
        sys.exit("there is no PostgreSQL; `make install` brings one")
    with tempfile.TemporaryDirectory() as name, running_server(programs) as server, forks() as forked:
        gallery = toy_gallery(Path(name) / "gallery")
        for kind in ("SQLite", "PostgreSQL"):
            for kills in _KILLS:
                folder, url = _place(Path(name), kind, server, f"people_{kills}")
                (folder / "gallery").symlink_to(gallery)
                build_workspace(gallery, folder / "workspace")
                print(f"People on {kind} for {_SECONDS} s, {kills} kills", flush=True)
                print(f"  {run_people(folder / 'workspace', url, forked, seconds=_SECONDS, kills=kills)}", flush=True)
            folder, url = _place(Path(name), kind, server, "study")
            build_workspace(gallery, folder / "workspace")
            print(f"A study on {kind}: {_PARTICIPANTS} participants, {_AT_ONCE} at a time", flush=True)
            load = study_with_robots(folder, url, participants=_PARTICIPANTS, at_once=_AT_ONCE)
            print(f"  {load}", flush=True)
            assert load.completed == _PARTICIPANTS
            assert load.rows == load.distinct
        for split_by in ("visitor", "session"):
            build_workspace(gallery, Path(name) / f"split-{split_by}")
            print(f"{_PARTICIPANTS} visitors of a service that gives engines by {split_by}", flush=True)
            usage = visit_split(Path(name) / f"split-{split_by}", split_by, _PARTICIPANTS)
            print(f"  {check_planted(usage, split_by, _PARTICIPANTS)}", flush=True)
        print("A client that is generated from the OpenAPI document", flush=True)
        (Path(name) / "client").mkdir()
        use_generated_client(folder / "workspace", gallery / "images" / "w000.png", Path(name) / "client")
        print("Requests that schemathesis makes of the OpenAPI document", flush=True)
        (Path(name) / "document").mkdir()
        print(f"  {check_document(folder / 'workspace', Path(name) / 'document', _EXAMPLES)}", flush=True)
        print("A service whose database, disk or files fail", flush=True)
        (Path(name) / "faults").mkdir()
        run_faults(folder / "workspace", Path(name) / "faults", server)
    with tempfile.TemporaryDirectory() as name:
        world, here = make_world(Path(name) / "world"), Path(name) / "here"
        for page in [each for each in PAGES if each in LONG or any(block.runs == "verify" for block in blocks(each))]:
            print(f"The long examples of {page}", flush=True)
            shutil.copytree(world, here)
            assert list(run_page(page, here, runs=("check", "verify")))
            shutil.rmtree(here)
    print("The tests that `make check` leaves out", flush=True)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal", "-m", "long"], check=True
    )
    print("What the pages for visitors cost", flush=True)
    judged = ["--lighthouse", "build/lighthouse"] if shutil.which("npm") else []
    subprocess.run([sys.executable, "benchmarks/pages.py", "--check", *judged], check=True)
    print(f"Mixed load on two workers for {_SOAK_MINUTES} minutes", flush=True)
    with tempfile.TemporaryDirectory() as name:
        soak(Path(name), _SOAK_MINUTES)
    print(f"Files of settings, each damaged in {_MUTATIONS} ways", flush=True)
    tests = ["tests/cli/test_mutated_files.py", "tests/encoders/test_mutated_settings.py"]
    variables = os.environ | {"VERNISSAGE_MUTATIONS": str(_MUTATIONS)}
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-n", "auto", *tests], check=True, env=variables)


def _place(parent: Path, kind: str, server: str, name: str) -> tuple[Path, str | None]:
    """A folder for a run, and the address of its database; None for SQLite in the workspace."""
    folder = parent / f"{kind}-{name}"
    folder.mkdir()
    if kind == "SQLite":
        return folder, None
    run_sql(server, f"CREATE DATABASE {name}")
    return folder, f"{server.rpartition('/')[0]}/{name}"


if __name__ == "__main__":
    main()
