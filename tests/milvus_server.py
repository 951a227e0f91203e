"""A server of Milvus for tests: Milvus Lite in a process of its own on a port of this machine, which can be stopped."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_RUN = "import sys; from milvus_lite.adapter.grpc.server import run_server; run_server(sys.argv[1], '127.0.0.1', int(sys.argv[2]))"
_PATIENCE = 60.0


class MilvusServer:
    """A server over one folder, at one address however often it is started anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "MilvusServer":
        words = [sys.executable, "-c", _RUN, str(self._folder), str(self._port)]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self
            time.sleep(0.05)
        raise RuntimeError(f"Milvus did not start: {self._process.stdout.read() if self._process.stdout else ''}")

    def pause(self) -> None:
        """Let it hang: connections stay, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_PATIENCE)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
