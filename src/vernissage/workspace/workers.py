"""Who encodes blocks of works: this process, others beside it, or those of a Ray cluster, of which any may be lost."""

import importlib
import logging
import os
import secrets
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from vernissage import __version__
from vernissage.catalog.ahead import usable_cores
from vernissage.encoders.contract import Encoder
from vernissage.errors import RequestError, VernissageError, WorkspaceError
from vernissage.values import Vectors
from vernissage.workspace.blocks import BlockReading, Contents, Picture, Recipe, encode_block, sees

Block = tuple[int, Contents]
"""A number of its own, and what is in it."""

_AT_ONCE = 2  # blocks that a worker has: the one under way, and the next
_LOSSES = 3  # of workers by one block, or of each worker while nothing was encoded
_PATIENCE = 600.0  # seconds in which a first worker must start, on a cluster that others use or that brings up machines
_ANSWER = 20.0  # seconds in which a cluster must let us in, and five in which anybody must answer
_TIMES = ("RAY_gcs_rpc_server_connect_timeout_s", "RAY_gcs_rpc_server_reconnect_timeout_s")
_LOOPBACK = "127.0.0.1"
_STORE = 256 * 2**20  # bytes for what is on the way, on a cluster of this machine alone
_ALONE = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it reports to nobody
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # by which, on any system, it listens on loopback alone
    "RAY_AUTH_TOKEN": secrets.token_hex(
        32
    ),  # not to others who use the machine; else it is written into the home folder
}
"""How a cluster of this machine runs."""


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


@dataclass(frozen=True, eq=False)
class _Worker:
    """A process that keeps an encoder loaded."""

    started: Future[str]  # with the version that it runs
    encode: Callable[..., Future[Vectors | None]]  # a block; None where it does not see its files, which are then sent
    end: Callable[[], None]


class _Crew(Workers, ABC):
    """Several workers; ``lost`` is what their futures raise where one is gone.

    Blocks are handed out here, and not by Ray Data, which starts actors and loads models anew for each encoder and
    modality, has no end of trying a block that its workers die of, and takes pictures by one way on all nodes.
    """

    lost: tuple[type[BaseException], ...]

    def __init__(self) -> None:
        self.workers: list[_Worker] = []

    @abstractmethod
    def _prepared(self, recipe: Recipe) -> Any:
        """The recipe as it is sent, when workers for it have been asked for."""

    @abstractmethod
    def _hired(self) -> _Worker:
        """One more, which may start later."""

    def close(self) -> None:
        """See `Workers.close`."""
        while self.workers:
            self.workers.pop().end()

    def replace(self, worker: _Worker) -> None:
        """Start another one in the place of one that is gone."""
        if worker in self.workers:
            self.workers.remove(worker)
            worker.end()
            self.workers.append(self._hired())

    def encoded(self, encoder: Encoder, how: BlockReading, blocks: Iterable[Block]) -> Iterator[tuple[int, Vectors]]:
        """See `Workers.encoded`."""
        recipe = self._prepared(Recipe.of(encoder))
        try:
            yield from _Shift(self, recipe, how, iter(blocks)).results()
        except BaseException:
            self.close()  # they would go on with what nobody waits for
            raise


class _Shift:
    """A crew encodes blocks; those of a worker that is lost go to others."""

    def __init__(self, crew: _Crew, recipe: Any, how: BlockReading, blocks: Iterator[Block]) -> None:
        self._crew, self._asked, self._blocks = crew, (recipe, how), blocks
        self._left = deque(islice(blocks, 1))  # the next block, and those of workers that were lost
        self._losses = Counter[int | None]()
        self._orders: dict[Future[Any], tuple[_Worker, Block | None]] = {}

    def results(self) -> Iterator[tuple[int, Vectors]]:
        """The numbers and vectors of all blocks, see `Workers.encoded`."""
        while self._hand_out():
            done, _ = wait(self._orders, _PATIENCE, FIRST_COMPLETED)
            if not done and not any(block for _, block in self._orders.values()):
                raise WorkspaceError(
                    f"no worker has started within {_PATIENCE / 60:.0f} minutes, as where others use all of a cluster; "
                    "build again when there is room"
                )
            for future in done:
                worker, block = self._orders.pop(future)
                try:
                    result = future.result()
                except self._crew.lost as error:
                    self._give_up(worker, block, error)
                except VernissageError as error:
                    raise getattr(error, "cause", error) from None  # which Ray has wrapped, with a trace for a message
                else:
                    if block is None:
                        _require_same_version(result)
                    elif result is None:
                        files = [each.path.read_bytes() for each in block[1] if isinstance(each, Picture)]
                        self._order(worker, block, files)
                    else:
                        self._losses[None] = 0
                        yield block[0], result

    def _hand_out(self) -> bool:
        """Give blocks to all workers that have started; whether there is anything to wait for."""
        busy = Counter(worker for worker, _ in self._orders.values())
        for worker in tuple(self._crew.workers):
            if not worker.started.done() or worker.started.exception():
                self._orders.setdefault(worker.started, (worker, None))
                continue
            while self._left and busy[worker] < _AT_ONCE and worker in self._crew.workers:
                busy[worker] += 1
                block = self._left.popleft()
                self._left.extend(islice(self._blocks, 0 if self._left else 1))
                self._order(worker, block)
        return bool(self._left) or any(block for _, block in self._orders.values())

    def _order(self, worker: _Worker, block: Block, files: Sequence[bytes] | None = None) -> None:
        try:
            self._orders[worker.encode(*self._asked, block[1], files)] = worker, block
        except self._crew.lost as error:
            self._give_up(worker, block, error)

    def _give_up(self, worker: _Worker, block: Block | None, error: BaseException) -> None:
        """Replace a worker that is gone; its block goes to the next one.

        Raises:
            WorkspaceError: that has happened too often.
        """
        self._crew.replace(worker)
        number = None
        if block is not None:
            number = block[0]
            self._left.append(block)
        self._losses[number] += 1
        if self._losses[number] >= (_LOSSES if block else _LOSSES * len(self._crew.workers)):
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


class _Processes(_Crew):
    """Processes on this machine, each with as many threads as this one has, but that fewer decode."""

    lost = (BrokenProcessPool,)

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def _prepared(self, recipe: Recipe) -> Recipe:
        self.workers += [self._hired() for _ in range(self._number - len(self.workers))]
        return recipe

    def _hired(self) -> _Worker:
        from joblib.externals.loky.process_executor import ProcessPoolExecutor  # which does not run __main__ again

        one = ProcessPoolExecutor(1, initializer=_keep_encoder)
        encode = partial(one.submit, encode_block, -(-usable_cores() // self._number))
        return _Worker(one.submit(version), encode, partial(one.shutdown, kill_workers=True))


class _Actor:
    """What runs on a machine of a cluster."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def version(self) -> str:
        """That of the package here."""
        return __version__

    def encode(
        self, recipe: Recipe, how: BlockReading, contents: Contents, files: Sequence[bytes] | None
    ) -> Vectors | None:
        """See `_Worker.encode`."""
        there = files is not None or sees(contents)
        return encode_block(self._threads, recipe, how, contents, files) if there else None


class _Ray(_Crew):
    """As many actors as a cluster has room for: of one core, of those that a network's threads take, or of a GPU."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._ray, self._own = _connected(address)
        self._shape = (1, 0)
        names = ("RayActorError", "WorkerCrashedError", "NodeDiedError", "ObjectLostError", "OutOfMemoryError")
        self.lost = tuple(getattr(self._ray.exceptions, name) for name in names)

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
        gpus = int(how is not None and bool(most["GPU"]) and (how.device or "cuda").startswith("cuda"))
        shape = max(1, min(recipe.network_threads or 1, most["CPU"])), gpus
        if shape != self._shape:
            super().close()
            self._shape = shape
        room = sum(int(node.get("GPU", 0)) if gpus else int(node.get("CPU", 0)) // shape[0] for node in nodes)
        self.workers += [self._hired() for _ in range(max(1, room) - len(self.workers))]
        if how is not None and how.device:  # which of its GPUs a worker has is Ray's to say
            recipe = replace(recipe, runtime=replace(how, device=how.device.partition(":")[0]))
        return self._ray.put(recipe)

    def _hired(self) -> _Worker:
        cpus, gpus = self._shape
        # Its handle goes when it ends, not when whoever has an order of it is forgotten.
        actor = [self._ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0)(_Actor).remote(cpus)]
        return _Worker(
            actor[0].version.remote().future(),
            lambda *block: actor[0].encode.remote(*block).future(),
            lambda: self._ray.kill(actor.pop()),
        )


def _keep_encoder() -> None:
    """Keep loky from ending this process where it has grown by 300 MB, as by an encoder that is loaded.

    What gives it work would warn of that, and come to a stand where warnings are errors.
    """
    loky = importlib.import_module("joblib.externals.loky.process_executor")
    vars(loky)["_USE_PSUTIL"] = False


def version() -> str:
    """Of the package, in whichever process it is called."""
    return __version__


def _connected(address: str) -> tuple[Any, bool]:
    """Ray, connected to a cluster, or to one that is started here; and whether it was not before.

    Raises:
        RequestError: Ray is not installed, or this process uses another cluster.
        WorkspaceError: no cluster is there, or it cannot be started.
    """
    before, log = dict(os.environ), logging.getLogger("ray")
    level = log.level
    os.environ.update({} if address else _ALONE | before)
    log.setLevel(logging.ERROR)
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
        else:  # else Ray would look for a cluster that somebody has started
            how |= {"_node_ip_address": _LOOPBACK, "num_cpus": usable_cores(), "include_dashboard": False}
            how |= {"object_store_memory": _STORE}
        ray.init(address or "local", **how)
        if not address and ray.util.get_node_ip_address() != _LOOPBACK:
            ray.shutdown()
            raise RequestError(
                "Ray was imported before and would listen to the network; start Python with "
                "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0, or a cluster of your own, and name its address"
            )
    except ImportError as error:
        raise RequestError(
            f"this needs Ray, which is not installed ({error}); install it with `pip install 'vernissage[ray]'`, or "
            f"write a number, for processes on this machine"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise WorkspaceError(
            f"Ray does not start ({str(error).strip().splitlines()[0][:200]}); write a number, for processes on this "
            f"machine"
        ) from error
    finally:
        log.setLevel(level)
        # Ray keeps its mode and token in this process, and a later cluster must be given the same.
        kept = {name: value for name, value in os.environ.items() if name.startswith("RAY_AUTH_")}
        os.environ.clear()
        os.environ.update(before | kept)
    return ray, True


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
