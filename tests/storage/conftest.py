from collections.abc import Iterator

import pytest

from vernissage.storage.database import Database, open_database


@pytest.fixture
def database(database_place: str) -> Iterator[Database]:
    """An empty database, SQLite and PostgreSQL in turn."""
    opened = open_database(database_place)
    yield opened
    opened.close()
