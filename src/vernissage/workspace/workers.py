"""Who encodes blocks of works: this process, others beside it, or those of a Ray cluster, of which any may be lost."""

import importlib
import os
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from vernissage import __version__
from vernissage.catalog.ahead import usable_cores
from vernissage.encoders.contract import Encoder
from vernissage.errors import RequestError, WorkspaceError
from vernissage.values import Vectors
from vernissage.workspace.blocks import BlockReading, Contents, Fault, Picture, Recipe, encode_block, sees, with_files

Block = tuple[int, Contents]
"""A number of its own, and what is in it."""
_Given = Future[Vectors | Fault | None]

_AT_ONCE = 2  # blocks that a worker has: the one under way, and the next
_LOSSES = 3  # of workers by one block, or of each worker while nothing was encoded
_PATIENCE = 600.0  # seconds in which a first worker must start, on a cluster that others use or that brings up machines
_ANSWER = 20.0  # seconds in which a cluster must let us in, and five in which anybody must answer
_TIMES = ("RAY_gcs_rpc_server_connect_timeout_s", "RAY_gcs_rpc_server_reconnect_timeout_s")
_STORE = 256 * 2**20  # bytes for what is on the way, on a cluster of this machine alone
_ALONE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Ray reports to nobody, and listens on loopback alone: so it does, on any system, where it may form no cluster."""


class Workers:
    """This process by itself."""

    def encoded(self, encoder: Encoder, how: BlockReading, blocks: Iterable[Block]) -> Iterator[tuple[int, Vectors]]:
        """The numbers and vectors of blocks, each as it is finished; their bits are the same whoever encodes them.

        Raises:
            EncoderError, CollectionError, ProvenanceError: as `BlockReading.vectors` and `Recipe.encoder`.
            WorkspaceError: workers were lost again and again, or none has started.
        """
        for number, contents in blocks:
            yield number, how.vectors(encoder, os.cpu_count() or 1, contents)

    def close(self) -> None:
        """End those that there are."""


ALONE = Workers()


class _Worker(ABC):
    """A process that keeps an encoder loaded; ``started`` is done when it is there, with the version that it runs."""

    started: Future[str]

    @abstractmethod
    def encode(
        self, recipe: Any, how: BlockReading, contents: Contents, files: Sequence[bytes] | None = None
    ) -> _Given:
        """Give it a block; None comes back where it does not see the files of pictures, which are then sent."""

    @abstractmethod
    def end(self) -> None:
        """End it at once."""


class _Crew(Workers, ABC):
    """Several workers.

    Blocks are handed out here, and not by Ray Data, which starts actors and loads models anew for each encoder and
    modality, has no end of trying a block that its workers die of, and takes pictures by one way on all nodes.
    """

    lost: tuple[type[BaseException], ...]
    """What the futures of a worker raise that is gone."""

    def __init__(self) -> None:
        self._workers: list[_Worker] = []

    @abstractmethod
    def _prepared(self, recipe: Recipe) -> Any:
        """The recipe as it is sent, when there are workers for it."""

    @abstractmethod
    def _hire(self) -> None:
        """Start one more."""

    def close(self) -> None:
        """See `Workers.close`."""
        while self._workers:
            self._workers.pop().end()

    def replace(self, worker: _Worker) -> None:
        """Start another one in the place of one that is gone."""
        if worker in self._workers:
            self._workers.remove(worker)
            worker.end()
            self._hire()

    def encoded(self, encoder: Encoder, how: BlockReading, blocks: Iterable[Block]) -> Iterator[tuple[int, Vectors]]:
        """See `Workers.encoded`."""
        recipe = self._prepared(Recipe.of(encoder))
        try:
            yield from _Shift(self, self._workers, recipe, how, iter(blocks)).results()
        except BaseException:
            self.close()  # they would go on with what nobody waits for
            raise


class _Shift:
    """Workers encode blocks; those of a worker that is lost go to others."""

    def __init__(
        self, crew: _Crew, workers: Sequence[_Worker], recipe: Any, how: BlockReading, blocks: Iterator[Block]
    ) -> None:
        self._crew, self._workers, self._recipe, self._how, self._blocks = crew, workers, recipe, how, blocks
        self._left = deque(islice(blocks, 1))  # the next block, and those of workers that were lost
        self._losses = Counter[int | None]()
        self._orders: dict[Future[Any], tuple[_Worker, Block | None]] = {}

    def results(self) -> Iterator[tuple[int, Vectors]]:
        """The numbers and vectors of all blocks, see `Workers.encoded`."""
        while self._hand_out():
            done, _ = wait(self._orders, _PATIENCE, FIRST_COMPLETED)
            if not done and not any(block for _, block in self._orders.values()):
                raise WorkspaceError(
                    f"no worker has started within {_PATIENCE / 60:.0f} minutes, as where others use the cluster; "
                    f"build again when there is room"
                )
            for future in done:
                worker, block = self._orders.pop(future)
                try:
                    result = future.result()
                except self._crew.lost as error:
                    self._give_up(worker, block, error)
                else:
                    if block is None:
                        _require_same_version(result)
                    elif (vectors := self._vectors(worker, block, result)) is not None:
                        yield block[0], vectors

    def _hand_out(self) -> bool:
        """Give blocks to all workers that have started; whether there is anything to wait for."""
        busy = Counter(id(worker) for worker, _ in self._orders.values())
        for worker in tuple(self._workers):
            if not worker.started.done():
                self._orders.setdefault(worker.started, (worker, None))
            elif worker.started.exception() is None:
                while self._left and busy[id(worker)] < _AT_ONCE and worker in self._workers:
                    busy[id(worker)] += 1
                    block = self._left.popleft()
                    self._left.extend(islice(self._blocks, 0 if self._left else 1))
                    self._order(worker, block)
        return bool(self._left) or any(block for _, block in self._orders.values())

    def _order(self, worker: _Worker, block: Block, files: Sequence[bytes] | None = None) -> None:
        try:
            self._orders[worker.encode(self._recipe, self._how, block[1], files)] = worker, block
        except self._crew.lost as error:
            self._give_up(worker, block, error)

    def _vectors(self, worker: _Worker, block: Block, result: Vectors | Fault | None) -> Vectors | None:
        """The vectors that came back; None where the block's files must be sent first."""
        if isinstance(result, Fault):
            raise result.error()
        if result is None:
            files = [each.path.read_bytes() for each in block[1] if isinstance(each, Picture)]
            self._order(worker, block, files)
        else:
            self._losses[None] = 0
        return result

    def _give_up(self, worker: _Worker, block: Block | None, error: BaseException) -> None:
        """Replace a worker that is gone; its block goes to the next one.

        Raises:
            WorkspaceError: that has happened too often.
        """
        number = None
        if block is not None:
            self._left.append(block)
            number = block[0]
        self._crew.replace(worker)
        self._losses[number] += 1
        if self._losses[number] >= (_LOSSES if block else _LOSSES * len(self._workers)):
            at = f" with the works from number {number} on" if block else ""
            raise WorkspaceError(
                f"workers were lost again and again{at} ({str(error).strip().splitlines()[-1][:200]}); what is "
                f"encoded is kept: build again with more memory or fewer workers"
            )


def _require_same_version(version: str) -> None:
    if version != __version__:
        raise RequestError(
            f"a worker runs Vernissage {version}, and this is {__version__}; install the same version on all machines"
        )


class _Process(_Worker):
    """A process on this machine; it is started without running the caller's main module again."""

    def __init__(self, threads: int) -> None:
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        self._executor, self._threads = ProcessPoolExecutor(1), threads
        self.started = self._executor.submit(version)

    def encode(
        self, recipe: Any, how: BlockReading, contents: Contents, files: Sequence[bytes] | None = None
    ) -> _Given:
        """See `_Worker.encode`; files are never needed."""
        given: _Given = self._executor.submit(encode_block, recipe, how, self._threads, contents)
        return given

    def end(self) -> None:
        """See `_Worker.end`."""
        self._executor.shutdown(kill_workers=True)


class _Processes(_Crew):
    """Processes on this machine, each with as many threads as this one, but that fewer decode."""

    lost = (BrokenProcessPool,)

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def _prepared(self, recipe: Recipe) -> Recipe:
        while len(self._workers) < self._number:
            self._hire()
        return recipe

    def _hire(self) -> None:
        self._workers.append(_Process(-(-usable_cores() // self._number)))


class _Actor:
    """What runs on a machine of a cluster."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def version(self) -> str:
        """That of the package here."""
        return version()

    def encode(
        self, recipe: Recipe, how: BlockReading, contents: Any, files: Sequence[bytes] | None
    ) -> Vectors | Fault | None:
        """See `_Worker.encode`."""
        if files is not None:
            found: Vectors | Fault = with_files(contents, files, partial(encode_block, recipe, how, self._threads))
            return found
        return encode_block(recipe, how, self._threads, contents) if sees(contents) else None


class _RayWorker(_Worker):
    """An actor of a cluster; where it has no room yet, it starts when there is."""

    def __init__(self, ray: Any, cpus: int, gpus: int) -> None:
        self._ray = ray
        self._actor = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0)(_Actor).remote(cpus)
        self.started = self._actor.version.remote().future()

    def encode(
        self, recipe: Any, how: BlockReading, contents: Contents, files: Sequence[bytes] | None = None
    ) -> _Given:
        """See `_Worker.encode`."""
        given: _Given = self._actor.encode.remote(recipe, how, contents, files).future()
        return given

    def end(self) -> None:
        """See `_Worker.end`."""
        self._ray.kill(self._actor)


class _Ray(_Crew):
    """As many actors as a cluster has room for: of one core, of those that a network's threads take, or of a GPU."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._ray, self._own = _connected(address)
        self._shape = (1, 0)
        errors = self._ray.exceptions
        self.lost = (
            errors.RayActorError, errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError,
            errors.OutOfMemoryError,
        )  # fmt: skip

    def close(self) -> None:
        """See `Workers.close`."""
        super().close()
        if self._own:
            self._own = False
            self._ray.shutdown()

    def _prepared(self, recipe: Recipe) -> Any:
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        most = {kind: max((int(node.get(kind, 0)) for node in nodes), default=0) for kind in ("CPU", "GPU")}
        how = recipe.runtime
        gpus = int(how is not None and bool(most["GPU"]) and not (how.device or "cuda").startswith("cpu"))
        shape = max(1, min(recipe.network_threads or 1, most["CPU"])), gpus
        if shape != self._shape:
            super().close()
            self._shape = shape
        room = sum(int(node.get("GPU", 0)) if gpus else int(node.get("CPU", 0)) // shape[0] for node in nodes)
        while len(self._workers) < max(1, room):
            self._hire()
        if how is not None and how.device:  # which of its GPUs a worker has is Ray's to say
            recipe = replace(recipe, runtime=replace(how, device=how.device.partition(":")[0]))
        return self._ray.put(recipe)

    def _hire(self) -> None:
        self._workers.append(_RayWorker(self._ray, *self._shape))


def version() -> str:
    """Of the package, in whichever process it is called."""
    return __version__


def _connected(address: str) -> tuple[Any, bool]:
    """Ray, connected to a cluster, or to one that is started here; and whether it was not before.

    Raises:
        RequestError: Ray is not installed, or this process uses another cluster.
        WorkspaceError: no cluster is there, or it cannot be started.
    """
    before = dict(os.environ)
    os.environ.update({} if address else _ALONE)
    try:
        ray = importlib.import_module("ray")
        if ray.is_initialized():
            if address in ("", "auto", ray.get_runtime_context().gcs_address):
                return ray, False
            raise RequestError(
                f"this process uses another Ray cluster than {address}; leave that first: ray.shutdown()"
            )
        how: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if address:
            _require_cluster(address)
            ray.init(address=address, **how)
            return ray, True
        ray.init(
            _node_ip_address="127.0.0.1", num_cpus=usable_cores(), include_dashboard=False,
            object_store_memory=_STORE, **how,
        )  # fmt: skip
        if ray.util.get_node_ip_address() != "127.0.0.1":
            ray.shutdown()
            raise RequestError(
                "Ray was imported before and would listen to the network; start Python with "
                "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0, or a cluster of your own, and name its address"
            )
        return ray, True
    except ImportError as error:
        raise RequestError(
            f"this needs Ray, which is not installed ({error}); install it with `pip install 'vernissage[ray]'`, or "
            f"write a number, for processes on this machine"
        ) from error
    finally:
        os.environ.clear()
        os.environ.update(before)


def _require_cluster(address: str) -> None:
    """Try a cluster in a process of its own, since Ray ends its process where an address is not that of a cluster.

    Raises:
        WorkspaceError: it does not let us in.
    """
    host, _, port = address.rpartition(":")
    code = "import ray, sys; ray.init(address=sys.argv[1], configure_logging=False, log_to_driver=False)"
    environment = os.environ | dict.fromkeys(_TIMES, "5")
    try:
        if port.isdecimal():
            socket.create_connection((host, int(port)), timeout=5).close()
        call = [sys.executable, "-c", code, address]
        tried = subprocess.run(call, capture_output=True, text=True, timeout=_ANSWER, check=False, env=environment)
        said = (tried.stderr.strip() or "it refused").splitlines()[-1] if tried.returncode else ""
    except subprocess.TimeoutExpired:
        said = f"it did not answer in {_ANSWER:.0f} seconds"
    except (OSError, OverflowError) as error:
        said = str(error)
    if said:
        raise WorkspaceError(
            f"no Ray cluster lets this machine in at {address} ({said.rpartition('] ')[2][:200]}); start one with "
            f"`ray start --head`, and build on one of its machines"
        )


@contextmanager
def workers_of(asked: int | str | None) -> Iterator[Workers]:
    """Those that were asked for: a number of processes, ``ray`` for a cluster on this machine, or ``ray:ADDRESS``.

    Raises:
        RequestError: it is neither, or as `_connected`.
        WorkspaceError: as `_connected`.
    """
    word, address = str(asked or 1).partition(":")[::2]
    if asked == 0 or (word != "ray" and not (word.isdecimal() and int(word) and not address)):
        raise RequestError(
            f"{asked!r} are no workers; write a number from 1, ray for a cluster on this machine, or ray:HOST:PORT for "
            f"the cluster there"
        )
    crew = _Ray(address) if word == "ray" else _Processes(int(word)) if int(word) > 1 else ALONE
    try:
        yield crew
    finally:
        crew.close()
