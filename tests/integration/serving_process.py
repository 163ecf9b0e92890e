"""A real council server in a process of its own, for tests that kill, lock, stop and flood it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

TOKEN = "integration-token-0123456789"
JSON = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
REVIEW = "/internal/council/review"
DECISIONS = "/internal/council/decisions"
_REPO = Path(__file__).parent.parent.parent
_SERVE = "from gateway.serving import serve; from gateway.settings import read_settings; serve(read_settings())"
_START_S = 60.0


class ServerProcess:
    """One running server."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self._url()

    @property
    def log(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in list(self._lines)]

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def terminate(self) -> None:
        """Ask it to stop."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = 15) -> int:
        """Return its exit code."""
        code = self._process.wait(timeout_s)
        self._reader.join(5)
        return code

    def end(self) -> None:
        """End it in any case."""
        if self._process.poll() is None:
            self.kill()
        self._reader.join(5)

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.append(line.rstrip("\n"))

    def _url(self) -> str:
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self._process.poll() is None:
            for line in self._lines:
                if '"event":"serving"' in line:
                    return f"http://127.0.0.1:{json.loads(line)['port']}"
            time.sleep(0.02)
        self._process.wait(5)
        self._reader.join(5)
        raise RuntimeError("the server did not start:\n" + "\n".join(self._lines))


@contextmanager
def running(folder: Path, **variables: str) -> Iterator[ServerProcess]:
    """Run a server whose database is in a folder."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COUNCIL_")}
    environ |= {
        "COUNCIL_DATABASE_URL": f"sqlite:///{folder}/council.db",
        "COUNCIL_SERVICE_TOKEN": TOKEN,
        "COUNCIL_PORT": "0",
        "PYTHONPATH": str(_REPO),
        **variables,
    }
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _SERVE]
    process = subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.PIPE, text=True)
    server = None
    try:
        server = ServerProcess(process)
        yield server
    finally:
        if server is not None:
            server.end()
        elif process.poll() is None:
            process.kill()
            process.wait(10)
        if process.stderr is not None:
            process.stderr.close()


def client_of(server: ServerProcess) -> httpx.AsyncClient:
    """Return a client that sends the token."""
    return httpx.AsyncClient(base_url=server.url, headers=JSON, timeout=30, trust_env=False)
