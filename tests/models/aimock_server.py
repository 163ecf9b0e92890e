"""aimock, a real server that speaks the OpenAI protocol, in a process of its own (`make aimock` installs it)."""

import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

_REPO = Path(__file__).parents[2]
_PROGRAM = _REPO / ".node" / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
_FIXTURES = Path(__file__).parent / "aimock"
_START_S = 60.0


class Aimock:
    """A running aimock with the fixtures of `tests/models/aimock`."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self.base_url = f"{url}/v1"

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Every request since the start of the test, as its journal has it."""
        found: list[dict[str, Any]] = self._control("GET", "journal")
        return [entry for entry in found if entry["path"].endswith("/chat/completions")]

    def chaos(self, **rates: float) -> None:
        """Let calls fail at random from now on: dropRate, malformedRate, disconnectRate, rateLimitRate, latencyMs."""
        self._control("POST", "chaos", rates)

    def start_over(self) -> None:
        """Forget the last test: journal and chaos."""
        self._control("POST", "reset/journal")
        self._control("DELETE", "chaos")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=10)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, f"/__aimock/{path}", sent, {"content-type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        assert response.status == 200, text
        return json.loads(text)


@contextmanager
def running_aimock(folder: Path) -> Iterator[Aimock]:
    """Run aimock for a block; its log is in the folder.

    Skips the test, and says why, where node or aimock is absent; with COUNCIL_REQUIRE_AIMOCK set it fails instead.
    """
    node = shutil.which("node")
    if node is None or not _PROGRAM.exists():
        missing = "node is not installed" if node is None else "aimock is not installed (make aimock)"
        if os.environ.get("COUNCIL_REQUIRE_AIMOCK"):
            pytest.fail(missing)
        pytest.skip(f"{missing}: tests over a real model server are left out")
    log = folder / "aimock.log"
    options = ["--strict", "--metrics", "--validate-on-load", "--port", "0", "--fixtures", str(_FIXTURES)]
    with log.open("w") as output:
        process = subprocess.Popen([node, str(_PROGRAM), *options], stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Aimock(_url(process, log))
    finally:
        process.terminate()
        process.wait(10)


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        _, found, url = log.read_text().partition("listening on ")
        if found and url.endswith("\n"):
            return url.strip()
        time.sleep(0.02)
    raise RuntimeError(f"aimock did not start:\n{log.read_text()}")
