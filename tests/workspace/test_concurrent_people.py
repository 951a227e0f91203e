"""Several processes on one workspace, also killed in the middle: nothing lost, nothing double, nothing half."""

import shutil
from pathlib import Path

import pytest
from tests.forks import Forks
from tests.workspace.concurrent_people import run_people


@pytest.mark.long
@pytest.mark.parametrize("kills", [0, 3])
def test_uploads_survive_others_and_kills(
    gallery: Path, built: Path, tmp_path: Path, database_place: str, forked: Forks, kills: int
) -> None:
    (tmp_path / "gallery").symlink_to(gallery)
    workspace = Path(shutil.copytree(built, tmp_path / "workspace"))
    database = database_place if database_place.startswith("postgres") else None
    outcome = run_people(workspace, database, forked, seconds=2 if kills else 0.5, kills=kills)
    assert outcome.uploaded > outcome.removed > 0
    assert outcome.recommended > 0
    assert outcome.killed == kills
