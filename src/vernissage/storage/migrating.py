"""Bringing a database to the newest schema, once, however many processes open it at the same moment.

Imported only where a database is not at `schema.REVISION`: Alembic takes longer to import than most commands take.
"""

import threading
import time

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from vernissage.errors import StorageError
from vernissage.storage.database import PATIENCE, begin, stored_revision
from vernissage.storage.schema import METADATA, REVISION_TABLE

_ADVISORY_LOCK = 0x7665726E  # "vern" in ASCII; any number that no other program takes on this database
# Alembic keeps the migration under way in global variables.
_ONE_THREAD = threading.Lock()


def migrate(engine: Engine, place: str, target: str = "head") -> None:
    """Run the migrations that the database lacks, all in one transaction, while no other process does.

    Raises:
        StorageError: it is of a newer version, or has tables of these names that are not Vernissage's.
    """
    config = Config()
    config.set_main_option("script_location", "vernissage.storage:migrations")
    scripts = ScriptDirectory.from_config(config)
    if engine.dialect.name == "sqlite":
        _keep_log_beside(engine)
    with _ONE_THREAD, engine.connect() as connection, begin(connection, "writing"):
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        _check_ours(connection, scripts, place)
        config.attributes["connection"] = connection
        command.upgrade(config, target)


def _check_ours(connection: Connection, scripts: ScriptDirectory, place: str) -> None:
    # A statement that fails would end the transaction on PostgreSQL, so the table is looked for first.
    current = stored_revision(connection) if inspect(connection).has_table(REVISION_TABLE) else None
    if current is None:
        foreign = sorted(set(inspect(connection).get_table_names()) & METADATA.tables.keys())
        if foreign:
            raise StorageError(
                f"the database {place} has tables {', '.join(foreign)} that Vernissage did not make; choose another one"
            )
    elif current not in {script.revision for script in scripts.walk_revisions()}:
        raise StorageError(
            f"the database {place} was written by a newer version of Vernissage (schema {current}); upgrade with "
            f"`pip install --upgrade vernissage`"
        )


def _keep_log_beside(engine: Engine) -> None:
    """Switch SQLite to a write-ahead log: readers and the writer then do not wait for each other.

    Two processes that switch at once refuse each other without waiting, so this waits and asks again.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with engine.connect() as connection, begin(connection, "none"):
                connection.execute(text("PRAGMA journal_mode = WAL"))
                return
        except OperationalError as error:
            busy = getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
