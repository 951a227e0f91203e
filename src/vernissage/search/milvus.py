"""Milvus as an index: the vectors of one table in a collection of a server or of a file (Milvus Lite), and back.

A collection holds one state of one table and never changes once it is whole: a row's key is its number in the table.
Another state goes into a collection of its own, and what reads the former one is not disturbed. So nothing is updated
in place, which Milvus does by deleting and inserting under one key, and expressions hold whole numbers alone: no id,
no name of a person can be taken for a part of one.
"""

import atexit
import logging
import math
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from vernissage.errors import ProvenanceError, RequestError, WorkspaceError
from vernissage.progress import Progress, silent
from vernissage.search.candidates import Found, KeptPlace, are_rows, sampled_rows
from vernissage.search.nearest import ScaledQuery
from vernissage.search.scan import Rows
from vernissage.search.vectors import VectorTable
from vernissage.values import Vectors

LITE_KINDS = ("FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW")
"""What Milvus Lite builds; it accepts the names of others, and then answers without an index."""

KINDS = (*LITE_KINDS, "IVF_PQ", "IVF_RABITQ")

MOST = 16_384
"""Rows that a search or a query of Milvus brings at most."""

SECRET = "VERNISSAGE_MILVUS_TOKEN"  # noqa: S105  # the name of it
"""The variable of the environment with ``user:password`` or a token, which no file of a workspace holds."""

_STRONG: Mapping[str, Any] = MappingProxyType({"consistency_level": "Strong"})
_CONNECTING, _ANSWERING, _LOADING = 5.0, 10.0, 3_600.0  # seconds
_NOT_LOADED = 101
_BATCH_BYTES = 8 << 20
_LONGEST_ID = 65_535  # bytes of a VARCHAR


@dataclass(frozen=True)
class MilvusPlace(KeptPlace):
    """A collection of Milvus: ``url`` is ``http://…``, ``https://…``, or the path of a file of Milvus Lite.

    ``index`` is one of `KINDS`; ``build`` and ``search`` name parameters as Milvus does.
    """

    def __post_init__(self) -> None:
        kinds = LITE_KINDS if self.lite else KINDS
        if self.index not in kinds:
            alone = " (Milvus Lite, a file, has no others; a server has)" if self.index in KINDS else ""
            raise RequestError(f"Milvus is asked for an index {self.index!r}; choose one of {', '.join(kinds)}{alone}")
        if "@" in self.url.partition("://")[2].partition("/")[0]:
            raise RequestError(f"the address of Milvus holds a password; leave it out and set {SECRET} instead")

    @property
    def lite(self) -> bool:
        return "://" not in self.url

    def parameters(self, size: int) -> dict[str, int]:
        """Parameters for building the index over so many rows."""
        lists = max(1, min(65_536, 4 * math.isqrt(size)))
        usual = {"HNSW": {"M": 16, "efConstruction": 200}, "FLAT": {}, "IVF_PQ": {"nlist": lists, "m": 16, "nbits": 8}}
        return usual.get(self.index, {"nlist": lists}) | dict(self.build)

    def breadth(self, size: int, reach: int) -> dict[str, int]:
        """Parameters for a search that is to bring so many rows: one list in sixteen, or as many steps as rows."""
        lists = self.parameters(size).get("nlist", 1)
        usual = {"HNSW": {"ef": max(128, reach)}, "FLAT": {}}
        return usual.get(self.index, {"nprobe": max(16, lists // 16)}) | dict(self.search)


class Milvus:
    """A connection to a server or a file, on which any number of threads may call.

    What Milvus refuses, or does not answer in time, is raised as a `WorkspaceError` of one line.
    """

    def __init__(self, url: str, *, patience: float = _ANSWERING) -> None:
        """Connect; ``patience`` is how many seconds an answer may take."""
        self.url, self._patience, self._errors = url, patience, _quiet_pymilvus()
        from pymilvus import MilvusClient

        place = url if "://" in url else _lite(Path(url).resolve())
        secret = os.environ.get(SECRET, "")
        try:
            self.client: Any = MilvusClient(place, token=secret, timeout=min(patience, _CONNECTING), dedicated=True)
        except self._errors as error:
            raise self._unavailable(error) from None

    def close(self) -> None:
        """Let go of the connection."""
        self.client.close()

    def call(self, method: str, *arguments: Any, long: bool = False, **options: Any) -> Any:
        """What a method of ``MilvusClient`` answers; one that takes ``long`` may take an hour."""
        seconds, loaded = _LOADING if long else self._patience, False
        while True:
            try:
                return getattr(self.client, method)(*arguments, timeout=seconds, **options)
            except self._errors as error:
                if loaded or getattr(error, "code", None) != _NOT_LOADED:
                    raise self._unavailable(error) from None
            loaded = True  # a server that was started anew forgets what it had loaded
            self.call("load_collection", arguments[0], long=True)

    def _unavailable(self, error: Exception) -> WorkspaceError:
        told = error.details() if hasattr(error, "details") else getattr(error, "message", "") or error
        why = " ".join(str(told).split())[:200].rstrip(".")
        return WorkspaceError(
            f"Milvus at {self.url} does not answer as it should: {why}; see that it runs, or search without it: "
            f"`vernissage index use WORKSPACE --kind exact`"
        )


class MilvusRows:
    """The rows of one table in a collection of Milvus: candidates for searches (`Candidates`), and what is kept.

    Attributes:
        place: where it is.
        name: of the collection.
    """

    kind = "milvus"
    most = MOST
    listed = 100  # as many as an expression is quick with

    def __init__(self, milvus: Milvus, place: MilvusPlace, table: VectorTable) -> None:
        self._milvus, self.place, self._table, self.name = milvus, place, table, place.collection(table)
        self.exact = place.index == "FLAT"
        self.settings: Mapping[str, Any] = MappingProxyType({"url": place.url, "index": place.index})

    def nearest(self, queries: Sequence[ScaledQuery], reach: int, but: Rows) -> list[Found]:
        """See `Candidates.nearest`."""
        asked: dict[str, Any] = {"limit": reach, "consistency_level": "Strong"}
        asked["search_params"] = {"params": self.place.breadth(len(self._table), reach)}
        if len(but):
            asked["filter"] = f"key not in {but.tolist()}"
        found: list[Found] = []
        step = max(1, min(MOST, 8 * MOST // reach))  # so many queries that an answer stays below a message's limit
        for start in range(0, len(queries), step):
            data = [query.single for query in queries[start : start + step]]
            for hits in self._milvus.call("search", self.name, data=data, **asked):
                rows, scores = np.array(hits.ids, dtype=np.int64), hits.distances
                there = np.unique(rows[(rows >= 0) & (rows < len(self._table))])
                found.append(Found(there, float(min(scores)) if len(rows) == reach else -math.inf))
        return found

    # What is kept

    def __len__(self) -> int:
        """How many rows are there, 0 where there is no collection."""
        if not self._milvus.call("has_collection", self.name):
            return 0
        [row] = self._milvus.call("query", self.name, filter="", output_fields=["count(*)"], **_STRONG)
        return int(row["count(*)"])

    def ids(self) -> Iterator[list[str]]:
        """All ids that are kept, in blocks; one under the number of another row comes with that number."""
        for rows, ids in self.entries():
            right = self._table.item_ids.take(np.clip(rows, 0, len(self._table) - 1))
            yield [
                item_id if item_id == own else f"{item_id} in row {row}"
                for row, item_id, own in zip(rows.tolist(), ids, right, strict=True)
            ]

    def vectors_of(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of some works, few, as they are kept: float32 (dim,) each."""
        rows = self._table.rows(ids)
        kept = self.vectors(rows)
        return {item_id: kept[row] for row, item_id in zip(rows.tolist(), ids, strict=True) if row in kept}

    def entries(self) -> Iterator[tuple[Rows, list[str]]]:
        """Rows and ids that are kept, in blocks by row; a row that is kept twice comes twice."""
        if not self._milvus.call("has_collection", self.name):
            return
        self._milvus.call("load_collection", self.name, long=True)
        for start in range(0, len(self._table), MOST // 2):
            yield self._entries(f"key >= {start} and key < {start + MOST // 2}")
        yield self._entries(f"key >= {len(self._table)} or key < 0")

    def _entries(self, where: str) -> tuple[Rows, list[str]]:
        found = self._milvus.call("query", self.name, filter=where, output_fields=["key", "id"], limit=MOST, **_STRONG)
        return np.array([row["key"] for row in found], dtype=np.int64), [row["id"] for row in found]

    def vectors(self, rows: Rows) -> dict[int, Vectors]:
        """The vectors of some rows, few, as they are kept: float32 (dim,) each; none for rows that are not."""
        where, columns = f"key in {rows.tolist()}", ["key", "vector"]
        found = self._milvus.call("query", self.name, filter=where, output_fields=columns, **_STRONG)
        return {int(row["key"]): np.array(row["vector"], dtype=np.float32) for row in found}

    def require(self) -> "MilvusRows":
        """Return these rows if the collection is whole, of such vectors, and a sample of them is the table's.

        Raises:
            ProvenanceError: it is not.
            WorkspaceError: Milvus does not answer.
        """
        if (there := len(self)) != len(self._table):
            raise self._foreign(f"{there:,} rows of {len(self._table):,}")
        fields = {each["name"]: each for each in self._milvus.call("describe_collection", self.name)["fields"]}
        dim = fields["vector"]["params"].get("dim") if {"key", "id", "vector"} <= set(fields) else None
        if dim is None or int(dim) != self._table.dim:
            raise self._foreign(f"vectors of {dim or 'no'} numbers, not {self._table.dim}")
        self._milvus.call("load_collection", self.name, long=True)
        rows = sampled_rows(self._table)
        kept = self.vectors(rows) if len(rows) else {}
        if not are_rows(self._table, rows, kept):
            raise self._foreign("other vectors")
        return self

    def _foreign(self, what: str) -> ProvenanceError:
        card = self._table.card
        return ProvenanceError(
            f"the collection {self.name} of Milvus at {self.place.url} has {what} of {card.encoder}.{card.modality} "
            f"as the workspace has them; run `vernissage index rebuild WORKSPACE`"
        )

    def fill(self, progress: Progress = silent) -> "MilvusRows":
        """Load all rows of the table that are not there yet, and wait until they are indexed.

        Raises:
            WorkspaceError: Milvus does not answer; what was loaded stays, and the next call goes on from there.
            RequestError: an id is longer than Milvus keeps.
        """
        step = f"loading {self._table.card.encoder}.{self._table.card.modality} into Milvus"
        longest = max((len(each.encode()) for each in self._table.item_ids), default=0)
        if longest > _LONGEST_ID:
            raise RequestError(f"an id has {longest:,} bytes, and Milvus keeps {_LONGEST_ID:,}; give the work another")
        if len(self._table) == len(self) > 0:
            return self.require()
        if not self._milvus.call("has_collection", self.name):
            self._create()
        there = [rows for rows, _ in self.entries()]
        missing = np.setdiff1d(np.arange(len(self._table)), np.concatenate(there) if there else [])
        size, done = max(1, min(MOST, _BATCH_BYTES // (4 * self._table.dim))), len(self._table) - len(missing)
        progress(step, done, len(self._table))
        for start in range(0, len(missing), size):
            rows = missing[start : start + size]
            self._milvus.call("insert", self.name, self._records(rows), long=True)
            progress(step, done := done + len(rows), len(self._table))
        for method in ("flush", "load_collection"):
            self._milvus.call(method, self.name, long=True)
        self._wait_for_index(progress)
        return self.require()

    def _records(self, rows: Rows) -> list[dict[str, Any]]:
        ids = self._table.item_ids.take(rows)
        return [
            {"key": row, "id": item_id, "vector": self._table.vectors[row]}
            for row, item_id in zip(rows.tolist(), ids, strict=True)
        ]

    def _create(self) -> None:
        from pymilvus import DataType

        schema = self._milvus.client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("key", DataType.INT64, is_primary=True)
        schema.add_field("id", DataType.VARCHAR, max_length=_LONGEST_ID)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._table.dim)
        index = self._milvus.client.prepare_index_params()
        parameters = self.place.parameters(len(self._table))
        index.add_index("vector", index_type=self.place.index, metric_type="IP", params=parameters)
        self._milvus.call("create_collection", self.name, schema=schema, index_params=index, **_STRONG)

    def _wait_for_index(self, progress: Progress) -> None:
        waiting = threading.Event()
        while True:
            told = self._milvus.call("describe_index", self.name, "vector") or {}
            left = int(told.get("pending_index_rows", 0))
            progress("indexing in Milvus", len(self._table) - left, len(self._table))
            if not left:
                return
            waiting.wait(1.0)

    def drop_others(self, *keep: str) -> None:
        """Drop the collections of other states of this table, but for those to ``keep``."""
        for name in self._milvus.call("list_collections"):
            if name.startswith(self.place.prefix(self._table)) and name not in (self.name, *keep):
                self._milvus.call("drop_collection", name)


def _quiet_pymilvus() -> tuple[type[Exception], ...]:
    """Import pymilvus without the ``.env`` of a folder above it, and without its log; returns its errors.

    Raises:
        RequestError: it is not installed.
    """
    before = os.environ.get("PYTHON_DOTENV_DISABLED")
    os.environ["PYTHON_DOTENV_DISABLED"] = "1"
    try:
        import grpc
        from pymilvus import MilvusException
    except ImportError as error:
        raise RequestError(
            f"Milvus needs the package pymilvus, which is not installed ({error}); install it with "
            f"`pip install 'vernissage[milvus]'`"
        ) from None
    finally:
        if before is None:
            os.environ.pop("PYTHON_DOTENV_DISABLED", None)
        else:
            os.environ["PYTHON_DOTENV_DISABLED"] = before
    for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # it logs every error beside raising it
    return MilvusException, grpc.RpcError, grpc.FutureTimeoutError


_CONNECTIONS: dict[str, Milvus] = {}
_CONNECTING_ONE = threading.Lock()
_LITE: dict[Path, str] = {}
_OPENING = threading.Lock()


def connected(url: str) -> Milvus:
    """This process's connection to a server or a file, made when it is first asked for."""
    with _CONNECTING_ONE:
        if url not in _CONNECTIONS:
            _CONNECTIONS[url] = Milvus(url)
        return _CONNECTIONS[url]


def _lite(path: Path) -> str:
    """Open a file of Milvus Lite in this process; returns its address, a socket that this user alone may open.

    pymilvus would open it on a port of the machine, where every user of it could read and delete.

    Raises:
        WorkspaceError: it cannot be opened, is damaged, or another process has it.
    """
    with _OPENING:
        if path in _LITE:
            return _LITE[path]
        try:
            from milvus_lite.adapter.grpc.server import start_server_in_thread
            from milvus_lite.exceptions import DataDirLockedError
        except ImportError as error:
            told = f"a file of Milvus needs the package milvus-lite, which is not installed ({error})"
            raise RequestError(f"{told}; install it with `pip install 'vernissage[milvus]'`") from None
        folder = Path(tempfile.mkdtemp(prefix="vernissage-milvus-"))
        try:
            server, database, _ = start_server_in_thread(str(path), host="unix", port=folder / "socket")
        except DataDirLockedError:
            folder.rmdir()
            told = "another process has it open, and Milvus Lite serves one alone"
            raise WorkspaceError(f"{path}: {told}; end that process, or run a server of Milvus") from None
        except Exception as error:
            folder.rmdir()
            told = f"{path} is no file of Milvus Lite, or a damaged one ({error})"
            raise WorkspaceError(f"{told}; delete it and run `vernissage index rebuild WORKSPACE`") from None

        def close() -> None:
            server.stop(grace=0)
            database.close()
            with suppress(OSError):
                (folder / "socket").unlink(missing_ok=True)
                folder.rmdir()

        atexit.register(close)
        return _LITE.setdefault(path, f"unix:{folder / 'socket'}")
