"""The fault server as tests see it: a process for the session, a world for each test."""

import asyncio
import http.client
import json
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_REPO = Path(__file__).parents[2]


class SeenCall(NamedTuple):
    """One call as the server saw it."""

    at: float
    """Monotonic seconds, on the clock that this process reads too."""
    until: float | None
    """When it was answered or given up; None while it is under way."""
    model: str
    mode: str
    form: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def member(self) -> str:
        """What the test wrote after the model's `@`."""
        return self.model.partition("@")[2]


class FaultyWorld:
    """One test's share of the server.

    Args:
        port: where the server listens.
        name: the world's name, which no other test has.
    """

    def __init__(self, port: int, name: str) -> None:
        self._port = port
        self._name = name
        self.base_url = f"http://127.0.0.1:{port}/{name}/v1"

    @property
    def calls(self) -> list[SeenCall]:
        """Every call so far, in the order of arrival."""
        return [SeenCall(**call) for call in self._journal()["calls"]]

    @property
    def counts(self) -> dict[str, int]:
        """Calls per member."""
        return dict(Counter(call.member for call in self.calls))

    @property
    def busy(self) -> int:
        """Calls under way now."""
        return int(self._journal()["busy"])

    @property
    def most_busy(self) -> int:
        """Most calls that were ever under way at once."""
        return int(self._journal()["most_busy"])

    @property
    def sockets(self) -> int:
        """Connections open now, idle ones too."""
        return int(self._journal()["sockets"])

    async def settles(self, is_so: Callable[["FaultyWorld"], bool], within_s: float = 2.0) -> bool:
        """Wait until something is so at the server, which hears of a closed socket a moment later."""
        until = time.monotonic() + within_s
        while not is_so(self):
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.01)
        return True

    def _journal(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", f"/{self._name}/journal")
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()


@contextmanager
def running_fault_server() -> Iterator[int]:
    """Run the fault server in a process of its own for a block; yield its port."""
    command = [sys.executable, "-m", "tests.models.fault_server"]
    process = subprocess.Popen(command, cwd=_REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.terminate()
        process.wait(10)


def new_world(port: int) -> FaultyWorld:
    """Return a world that nobody has used."""
    return FaultyWorld(port, f"w{uuid.uuid4().hex}")
