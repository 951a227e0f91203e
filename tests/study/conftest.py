import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from vernissage.storage.database import Database, open_database


@pytest.fixture
def sqlite(empty_file: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database where the kind does not matter."""
    opened = open_database(shutil.copy(empty_file, tmp_path / "vernissage.db"))
    yield opened
    opened.close()
