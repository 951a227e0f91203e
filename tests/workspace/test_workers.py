"""Encoding by several processes and on a Ray cluster: the bytes of a build by one, whatever is killed on the way."""

import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.galleries import toy_gallery
from tests.workspace.test_build import snapshot

from vernissage.encoders.contract import Encoder
from vernissage.errors import CollectionError, RequestError, WorkspaceError
from vernissage.workspace import encoding
from vernissage.workspace.blocks import BlockReading, Picture
from vernissage.workspace.build import build_workspace
from vernissage.workspace.workers import ALONE, Block, Workers, workers_of
from vernissage.workspace.workspace import open_workspace

ENCODERS = ["lda", "efficientnet-lite0"]
READING = BlockReading("image", side=448)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_BLOCK", 4)


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    """Clusters of the tests are on loopback, and write nothing into the home folder; read when Ray is imported."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"):
            patch.setenv(name, "0")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield


@pytest.fixture(scope="module")
def serial(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace as one process builds it; read it only."""
    path = tmp_path_factory.mktemp("serial") / "workspace"
    build_workspace(gallery, path, encoders=ENCODERS)
    return path


@pytest.fixture(scope="module")
def encoder(serial: Path) -> Encoder:
    found: Encoder = open_workspace(serial).encoder("efficientnet-lite0-network")
    return found


@pytest.fixture
def blocks(serial: Path) -> list[Block]:
    """Sixteen blocks of four pictures."""
    works = open_workspace(serial).collection
    pictures = [Picture(path, item.picture_digest) for item in works if (path := works.picture_path(item))]
    return [(start, pictures[start : start + 4]) for start in range(0, 64, 4)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A Ray cluster of two nodes on this machine, each of which is a set of processes with one core."""
    from ray.cluster_utils import Cluster

    started = Cluster()
    for _ in range(2):
        started.add_node(num_cpus=1, include_dashboard=False, object_store_memory=100 * 2**20)
    yield started
    started.shutdown()


def vectors_by(workers: Workers, encoder: Encoder, blocks: list[Block]) -> dict[int, bytes]:
    return {number: rows.tobytes() for number, rows in workers.encoded(encoder, READING, blocks)}


def workers_below(process: psutil.Process, name: str) -> list[psutil.Process]:
    """The processes of that kind that it has started."""
    found = []
    for child in process.children(recursive=True):
        try:
            if any(name in word for word in child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def test_processes_make_the_same_workspace(gallery: Path, serial: Path, tmp_path: Path) -> None:
    steps = []
    build_workspace(
        gallery,
        tmp_path / "ws",
        encoders=ENCODERS,
        workers=2,
        progress=lambda step, done, _: steps.append((step, done)),
    )
    assert snapshot(tmp_path / "ws") == snapshot(serial)
    step = "Encoding pictures with efficientnet-lite0-network"
    assert [done for told, done in steps if told == step] == [*range(0, 65, 4)]
    assert not workers_below(psutil.Process(), "LokyProcess")


def test_a_killed_process_costs_its_blocks_alone(encoder: Encoder, blocks: list[Block]) -> None:
    expected, found = vectors_by(ALONE, encoder, blocks), dict[int, bytes]()
    with workers_of(2) as workers:
        for number, rows in workers.encoded(encoder, READING, blocks):
            if not found:
                for process in workers_below(psutil.Process(), "LokyProcess"):
                    process.kill()
            assert number not in found
            found[number] = rows.tobytes()
    assert found == expected


def test_where_all_processes_die_the_build_says_so_and_keeps_what_is_encoded(
    gallery: Path, serial: Path, tmp_path: Path
) -> None:
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.05):
            for process in workers_below(psutil.Process(), "LokyProcess"):
                process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(WorkspaceError, match="workers were lost again and again"):
            build_workspace(gallery, tmp_path / "ws", encoders=ENCODERS, workers=2)
    finally:
        over.set()
        killer.join()
    build_workspace(gallery, tmp_path / "ws", encoders=ENCODERS)
    assert snapshot(tmp_path / "ws") == snapshot(serial)


@pytest.mark.parametrize("asked", [1, 2, pytest.param("ray", marks=pytest.mark.long)])
def test_an_error_of_a_worker_is_that_of_one_process(
    encoder: Encoder, blocks: list[Block], tmp_path: Path, asked: int | str
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    broken: list[Block] = [*blocks, (64, [Picture(tmp_path / "broken.png", "")])]
    with (
        workers_of(asked) as workers,
        pytest.raises(CollectionError, match=r"the picture .*broken\.png holds text, not"),
    ):
        vectors_by(workers, encoder, broken)


@pytest.mark.parametrize("asked", [0, "0", "-1", "two", "2:3", "rays", "ray2:7"])
def test_what_are_no_workers_is_refused(gallery: Path, tmp_path: Path, asked: int | str) -> None:
    with pytest.raises(RequestError, match="write a number from 1, ray for a cluster on this machine"):
        build_workspace(gallery, tmp_path / "ws", workers=asked)
    assert not (tmp_path / "ws").exists()


def test_without_ray_the_message_says_how_to_install_it(
    gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RequestError, match=r"pip install 'vernissage\[ray\]'"):
        build_workspace(gallery, tmp_path / "ws", workers="ray")
    assert not (tmp_path / "ws").exists()


def test_an_address_that_nobody_answers_is_said_and_nothing_changes(gallery: Path, workspace: Path) -> None:
    before = snapshot(workspace)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(WorkspaceError, match=rf"no Ray cluster lets this machine in at {address} \(Connection ref"):
            build_workspace(gallery, workspace, workers=f"ray:{address}", refit=True)
    assert snapshot(workspace) == before


def test_on_a_cluster_the_workspace_is_the_same_though_a_node_is_killed(
    gallery: Path, serial: Path, tmp_path: Path, cluster: Any
) -> None:
    [_, second] = cluster.list_all_nodes()
    killed = []

    def watch(step: str, done: int, total: int) -> None:
        if "efficientnet" in step and 0 < done < total and not killed:
            # Its actor too: without its node it would end by itself a moment later.
            killed.extend(workers_below(psutil.Process(second.all_processes["raylet"][0].process.pid), "ray::_Actor"))
            cluster.remove_node(second, allow_graceful=False)

    build_workspace(gallery, tmp_path / "ws", encoders=ENCODERS, workers=f"ray:{cluster.address}", progress=watch)
    assert killed
    assert snapshot(tmp_path / "ws") == snapshot(serial)
    cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)


@pytest.mark.long
def test_workers_of_a_cluster_may_be_killed_and_are_sent_what_they_do_not_see(
    encoder: Encoder, blocks: list[Block], cluster: Any
) -> None:
    expected, found = vectors_by(ALONE, encoder, blocks), dict[int, bytes]()
    # A file of other bytes is not the one that is meant, as on a machine with another disk.
    elsewhere = [(number, [replace(each, sha256="") for each in pictures]) for number, pictures in blocks[::2]]
    with workers_of(f"ray:{cluster.address}") as workers:
        for number, rows in workers.encoded(encoder, READING, [*blocks[1::2], *elsewhere]):
            if not found:
                for process in workers_below(psutil.Process(), "ray::_Actor"):
                    process.kill()
            found[number] = rows.tobytes()
    assert found == expected
    _, alive = psutil.wait_procs(workers_below(psutil.Process(), "ray::_Actor"), timeout=60)
    assert not alive


@pytest.mark.long
def test_a_killed_build_on_a_cluster_of_its_own_goes_on(tmp_path: Path) -> None:
    works, path = toy_gallery(tmp_path / "gallery", 640), tmp_path / "ws"
    build_workspace(works, tmp_path / "serial", encoders=ENCODERS)
    call = [sys.executable, "-m", "vernissage", "build", str(works), "-o", str(path)]
    call += [word for name in ENCODERS for word in ("--encoder", name)]
    with subprocess.Popen([*call, "--workers", "ray"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as build:
        started = psutil.Process(build.pid)
        while not list(path.glob("building/efficientnet-lite0-network.image-*/*.npy")):
            assert build.poll() is None
            time.sleep(0.02)
        listening = [each for child in started.children(recursive=True) for each in child.net_connections("tcp")]
        assert {each.laddr.ip.removeprefix("::ffff:") for each in listening if each.status == "LISTEN"} == {"127.0.0.1"}
        second = subprocess.run([*call, "--workers", "2"], capture_output=True, text=True, check=False)
        assert (second.returncode, "another process is writing" in second.stderr) == (6, True)
        left = started.children(recursive=True)
        build.kill()
    _, alive = psutil.wait_procs(left, timeout=180)  # its agents look now and then
    assert not alive
    subprocess.run([*call, "--workers", "ray"], check=True, capture_output=True)
    assert snapshot(path) == snapshot(tmp_path / "serial")


@pytest.mark.long
def test_an_address_of_something_else_is_said(gallery: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(
            WorkspaceError, match=rf"no Ray cluster lets this machine in at {address} \(.+\); start one"
        ):
            build_workspace(gallery, tmp_path / "ws", workers=f"ray:{address}")
    assert not (tmp_path / "ws").exists()
