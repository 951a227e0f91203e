"""PostgreSQL with pgvector as an index: the rows of one table of vectors in a table of the database.

A table of the database holds one state of one table of vectors and never changes once it is whole: a row's key is its
number. Another state goes into a table of its own, and what reads the former one is not disturbed. Statements hold
whole numbers and names that we made; ids are stored as bytes, so that none means anything to the database.
"""

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from vernissage.errors import Kind, ProvenanceError, RequestError, StorageError
from vernissage.progress import Progress, meanwhile, silent
from vernissage.search.candidates import Found, KeptPlace, are_rows, sampled_rows
from vernissage.search.nearest import ScaledQuery
from vernissage.search.scan import Rows
from vernissage.search.vectors import VectorTable
from vernissage.storage.database import Database, new_engine
from vernissage.values import Vectors

KINDS = ("HNSW", "FLAT")
"""A graph of halved vectors, and none: all rows are compared, by the server."""

MOST_NUMBERS = 4_000
"""Numbers that a vector in a graph may have: pgvector's bound for halfvec."""

_PATIENCE = 10.0  # seconds
_BREADTH = 400  # rows that a search of the graph keeps in view: mixtures of rated works need more than single works
_OLDEST = (0, 8)  # the first pgvector whose filtered searches go on until enough was found
_LONGEST_NAME = 63  # bytes of a name in PostgreSQL; it cuts longer ones
_PLAIN_NUMBERS = 1_900  # float32 of a row that fits a page; longer ones are kept aside
_BATCH_BYTES = 8 << 20
_IDS_AT_ONCE = 8_192
_COPY_HEAD, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), struct.pack("!h", -1)


@dataclass(frozen=True)
class PgvectorPlace(KeptPlace):
    """A database of PostgreSQL by its URL, without a password.

    ``index`` is one of `KINDS`; ``build`` and ``search`` name parameters as pgvector does: m, ef_construction;
    ef_search.
    """

    def __post_init__(self) -> None:
        if self.index not in KINDS:
            raise RequestError(f"pgvector is asked for an index {self.index!r}; choose one of {', '.join(KINDS)}")
        for given, known in ((self.build, ("m", "ef_construction")), (self.search, ("ef_search",))):
            if wrong := [name for name in given if name not in known]:
                raise RequestError(f"pgvector has no parameter {wrong[0]!r} there; it has {', '.join(known)}")


@cache
def connected(url: str) -> Database:
    """This process's connections to the database at a URL.

    Raises:
        RequestError: it is not one of PostgreSQL, or the URL holds a password.
        StorageError: the URL cannot be read.
    """
    if not url.startswith("postgres"):
        raise RequestError(
            f"pgvector is a part of PostgreSQL, and {url} is none; give --url postgresql://host/database"
        )
    engine, place = new_engine(url, _PATIENCE)
    if engine.url.password is not None:
        raise RequestError(
            f"the URL {place} holds a password, and it would be written into the workspace; leave it out, and set "
            f"PGPASSWORD or write it into ~/.pgpass"
        )
    return Database(engine, place, _PATIENCE)


class PgvectorRows:
    """The rows of one table of vectors in PostgreSQL: candidates for searches (`Candidates`), and what is kept.

    Attributes:
        place: where it is.
        name: of the table there.
    """

    kind = "pgvector"
    most = 10_000
    listed = 10_000

    def __init__(self, database: Database, place: PgvectorPlace, table: VectorTable) -> None:
        self._database, self.place, self._table, self.name = database, place, table, place.collection(table)
        self.exact = place.index == "FLAT"
        self.settings: Mapping[str, Any] = MappingProxyType({"url": database.place, "index": place.index})
        if len(self.name) > _LONGEST_NAME:
            raise RequestError(f"{place.name!r} is too long for the names of tables; give one of 19 letters at most")
        if not self.exact and table.dim > MOST_NUMBERS:
            raise RequestError(
                f"{table.card.encoder} makes vectors of {table.dim} numbers, and pgvector's graph takes {MOST_NUMBERS} "
                f"at most; choose --index FLAT, or --kind exact"
            )

    def nearest(self, queries: Sequence[ScaledQuery], reach: int, but: Rows) -> list[Found]:
        """See `Candidates.nearest`."""
        halved = "" if self.exact else f"::halfvec({self._table.dim})"
        score = f"(vector{halved} <#> CAST(:query AS vector){halved})"
        where = "WHERE key <> ALL(CAST(:but AS int[]))" if len(but) else ""
        search = text(f'SELECT key, -{score} FROM "{self.name}" {where} ORDER BY {score} LIMIT :reach')  # noqa: S608
        asked: dict[str, Any] = {"reach": reach, "but": but.tolist()} if len(but) else {"reach": reach}
        found = []
        with self._database.reading() as connection:
            connection.execute(_SETTINGS, self._breadth(reach, len(but)))
            for query in queries:
                rows = connection.execute(search, asked | {"query": str(query.single.tolist())}).all()
                keys = np.array([key for key, _ in rows], dtype=np.int64)
                there = np.unique(keys[(keys >= 0) & (keys < len(self._table))])
                found.append(Found(there, float(rows[-1][1]) if len(rows) == reach else -math.inf))
        return found

    def _breadth(self, reach: int, out: int) -> dict[str, str]:
        """Parameters for a search that is to bring so many rows and to pass over others."""
        width = self.place.search.get("ef_search", max(_BREADTH, reach))
        return {"width": str(max(1, min(1_000, width))), "scanned": str(max(20_000, 8 * (reach + out)))}

    # What is kept

    def __len__(self) -> int:
        """How many rows are there, 0 where there is no table."""
        with self._database.reading() as connection:
            return self._count(connection)

    def _count(self, connection: Connection) -> int:
        if not _exists(connection, self.name):
            return 0
        return int(connection.scalar(text(f'SELECT count(*) FROM "{self.name}"')) or 0)  # noqa: S608

    def ids(self) -> Iterator[list[str]]:
        """All ids that are kept, in blocks; one under the number of another row comes with that number."""
        for rows, ids in self._entries():
            right = self._table.item_ids.take(np.clip(rows, 0, len(self._table) - 1))
            yield [
                item_id if item_id == own else f"{item_id} in row {row}"
                for row, item_id, own in zip(rows.tolist(), ids, right, strict=True)
            ]

    def vectors_of(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of some works, few, as they are kept: float32 (dim,) each."""
        rows = self._table.rows(ids)
        with self._database.reading() as connection:
            kept = self._vectors(connection, rows)
        return {item_id: kept[row] for row, item_id in zip(rows.tolist(), ids, strict=True) if row in kept}

    def _entries(self) -> Iterator[tuple[Rows, list[str]]]:
        with self._database.reading() as connection:
            if not _exists(connection, self.name):
                return
            query = text(f'SELECT key, id FROM "{self.name}" ORDER BY key')  # noqa: S608
            with connection.execute(query.execution_options(yield_per=_IDS_AT_ONCE)) as result:
                for block in result.partitions():
                    ids = [item_id.decode(errors="replace") for _, item_id in block]
                    yield np.array([key for key, _ in block], dtype=np.int64), ids

    def _vectors(self, connection: Connection, rows: Rows) -> dict[int, Vectors]:
        query = text(f'SELECT key, vector_send(vector) FROM "{self.name}" WHERE key = ANY(:rows)')  # noqa: S608
        found = connection.execute(query, {"rows": rows.tolist()})
        return {key: np.frombuffer(sent, dtype=">f4", offset=4).astype(np.float32) for key, sent in found}

    def require(self) -> "PgvectorRows":
        """Return these rows if they are whole, indexed, of such vectors, and a sample of them is the table's.

        Raises:
            ProvenanceError: they are not.
            StorageError: the database does not answer.
        """
        rows = sampled_rows(self._table)
        with self._database.reading() as connection:
            if (there := self._count(connection)) != len(self._table) or not _exists(connection, self.name):
                raise self._foreign(f"{there:,} rows of {len(self._table):,}")
            if not self.exact and not _exists(connection, f"{self.name}_i"):
                raise self._foreign("no finished index")
            kept = self._vectors(connection, rows)
        if not are_rows(self._table, rows, kept):
            raise self._foreign("other vectors")
        return self

    def _foreign(self, what: str) -> ProvenanceError:
        card = self._table.card
        return ProvenanceError(
            f"the table {self.name} of {self._database.place} has {what} of {card.encoder}.{card.modality} as the "
            f"workspace has them; run `vernissage index rebuild WORKSPACE`"
        )

    def fill(self, progress: Progress = silent) -> "PgvectorRows":
        """Load all rows of the table that are not there yet, each batch by itself, and index them.

        Raises:
            StorageError: the database does not answer, has no pgvector, or another process is loading the same; what
                was loaded stays, and the next call goes on from there.
        """
        card, dim = self._table.card, self._table.dim
        step = f"loading {card.encoder}.{card.modality} into PostgreSQL"
        with self._database.maintaining() as connection, _alone(connection, self.name, self._database.place):
            _require_extension(connection, self._database.place)
            columns = f"key integer PRIMARY KEY, id bytea NOT NULL, vector vector({dim}) NOT NULL"
            connection.execute(text(f'CREATE TABLE IF NOT EXISTS "{self.name}" ({columns})'))
            if dim <= _PLAIN_NUMBERS:
                connection.execute(text(f'ALTER TABLE "{self.name}" ALTER COLUMN vector SET STORAGE PLAIN'))
            there = [rows for rows, _ in self._entries()]
            missing = np.setdiff1d(np.arange(len(self._table)), np.concatenate(there) if there else [])
            size, done = max(1, _BATCH_BYTES // (4 * dim)), len(self._table) - len(missing)
            progress(step, done, len(self._table))
            for start in range(0, len(missing), size):
                rows = missing[start : start + size]
                self._copy(connection, rows)
                progress(step, done := done + len(rows), len(self._table))
            connection.execute(text(f'VACUUM ANALYZE "{self.name}"'))
            if not self.exact:
                self._index(connection, progress)
        return self.require()

    def _copy(self, connection: Connection, rows: Rows) -> None:
        ids, vectors = self._table.item_ids.take(rows), self._table.vectors[rows].astype(">f4")
        head = struct.pack("!HH", self._table.dim, 0)
        driver: Any = connection.connection.driver_connection
        with driver.cursor().copy(f'COPY "{self.name}" (key, id, vector) FROM STDIN WITH (FORMAT BINARY)') as copy:
            copy.write(_COPY_HEAD)
            for row, item_id, vector in zip(rows.tolist(), ids, vectors, strict=True):
                fields = (struct.pack("!i", row), item_id.encode(), head + vector.tobytes())
                sized = b"".join(struct.pack("!i", len(field)) + field for field in fields)
                copy.write(struct.pack("!h", len(fields)) + sized)
            copy.write(_COPY_END)

    def _index(self, connection: Connection, progress: Progress) -> None:
        """Make the graph. One that was cut off leaves nothing behind: the server makes it in one transaction."""
        given = ", ".join(f"{name} = {int(value)}" for name, value in self.place.build.items())
        making = f'CREATE INDEX IF NOT EXISTS "{self.name}_i" ON "{self.name}" USING hnsw '
        making += f"((vector::halfvec({self._table.dim})) halfvec_ip_ops) {f'WITH ({given})' if given else ''}"
        connection.execute(text("SET maintenance_work_mem = '1GB'"))
        done = text("SELECT max(tuples_done) FROM pg_stat_progress_create_index")

        def tell() -> None:
            with suppress(StorageError), self._database.reading() as other:  # which making the index tells of
                progress("indexing in PostgreSQL", int(other.scalar(done) or 0), len(self._table))

        try:
            with meanwhile(tell, 1.0):
                connection.execute(text(making))
        finally:
            connection.execute(text("RESET maintenance_work_mem"))

    def drop_others(self, *keep: str) -> None:
        """Drop the tables of other states of this table, but for those to ``keep``."""
        query = text("SELECT tablename FROM pg_tables WHERE starts_with(tablename, :prefix)")
        with self._database.maintaining() as connection:
            for name in connection.scalars(query, {"prefix": self.place.prefix(self._table)}).all():
                if name not in (self.name, *keep):
                    connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))


_SETTINGS = text(
    "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', :width, true), "
    "set_config('hnsw.max_scan_tuples', :scanned, true), set_config('hnsw.scan_mem_multiplier', '8', true)"
)


def _exists(connection: Connection, name: str) -> bool:
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": f'"{name}"'}) is not None


@contextmanager
def _alone(connection: Connection, name: str, place: str) -> Iterator[None]:
    """Keep others from loading the same table meanwhile. Raises StorageError: another process does."""
    key = {"name": name}
    if not connection.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), key):
        raise StorageError(
            f"another process is loading the same vectors into {place}; wait until that one has ended and try again",
            kind=Kind.CONFLICT,
        )
    try:
        yield
    finally:
        connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), key)


def _require_extension(connection: Connection, place: str) -> None:
    """Switch pgvector on in the database. Raises StorageError: it is missing, too old, or that is not allowed."""
    found = connection.execute(
        text("SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'")
    ).one_or_none()
    if found is None:
        raise StorageError(
            f"the server of {place} has no pgvector; install its package there, such as postgresql-18-pgvector, or "
            f"choose another kind of index"
        )
    version = found.installed_version or found.default_version
    if tuple(map(int, version.split(".")[:2])) < _OLDEST:
        raise StorageError(
            f"pgvector is {version} in {place}, and {'.'.join(map(str, _OLDEST))} or newer is needed; install that, "
            f"and run `ALTER EXTENSION vector UPDATE` there"
        )
    if found.installed_version is None:
        allowed = connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
        if not allowed:
            raise StorageError(
                f"pgvector is not switched on in {place}, and this user may not do so; let a superuser run "
                f"`CREATE EXTENSION vector` there",
                kind=Kind.FORBIDDEN,
            )
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
