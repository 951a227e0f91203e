from collections.abc import Iterator
from pathlib import Path

import pytest

from vernissage.storage.database import Database, open_database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty database where the kind does not matter."""
    opened = open_database(tmp_path / "vernissage.db")
    yield opened
    opened.close()
