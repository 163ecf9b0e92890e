"""Reviews over HTTP with the record committed: ours against the stock way, in turns, under the same load.

python -m benchmarks.http_review [--json]
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import uvloop

from benchmarks import peers_http
from benchmarks.http_load import Load, run_load
from benchmarks.report import Row, print_report
from benchmarks.workload import everyday_request, sovereign_request

IN_FLIGHT = 32
ROUNDS = 5
TOKEN = "benchmark-token-of-32-characters"
_REPO = Path(__file__).parent.parent


class Server(NamedTuple):
    """One server under load."""

    port: int
    path: str


@contextmanager
def ours(folder: str) -> Iterator[Server]:
    """Run the council's own server."""
    port = _free_port()
    settings = {
        "COUNCIL_DATABASE_URL": f"sqlite:///{folder}/council.db",
        "COUNCIL_SERVICE_TOKEN": TOKEN,
        "COUNCIL_PORT": str(port),
    }
    with _running([sys.executable, "-m", "cli.main", "serve"], settings, port, folder):
        yield Server(port, "/internal/council/review")


@contextmanager
def stock(folder: str) -> Iterator[Server]:
    """Run the peer."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.peers_http:app", "--port", str(port), "--no-access-log"]
    with _running(command, {peers_http.FOLDER: folder, peers_http.TOKEN: TOKEN}, port, folder):
        yield Server(port, "/review")


async def measure() -> list[Row]:
    """Return the table: medians of rounds taken in turns."""
    body, everyday = sovereign_request(), everyday_request()
    mine: list[Load] = []
    fast: list[Load] = []
    theirs: list[Load] = []
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        ours(one) as council,
        stock(other) as peer,
    ):
        await _load(council, body, 320, "warm")
        await _load(peer, body, 64, "warm")
        for turn in range(ROUNDS):
            mine.append(await _load(council, body, 3200, f"full-{turn}"))
            theirs.append(await _load(peer, body, 320, f"full-{turn}"))
            fast.append(await _load(council, everyday, 3200, f"fast-{turn}"))
    floor = _median(theirs)
    return [
        _row("stock: FastAPI, LangGraph, AsyncSqliteSaver, SQLAlchemy", theirs, floor, ""),
        _row("council over HTTP, record committed", mine, floor, ">= 7"),
        _row("council over HTTP, fast path", fast, floor, ""),
    ]


def _load(server: Server, body: bytes, requests: int, prefix: str) -> "asyncio.Future[Load]":
    work = run_load(server.port, server.path, TOKEN, body, in_flight=IN_FLIGHT, requests=requests, prefix=prefix)
    return asyncio.ensure_future(work)


def _median(loads: list[Load]) -> float:
    return statistics.median([load.requests_per_s for load in loads])


def _row(what: str, loads: list[Load], floor: float, bound: str) -> Row:
    rate = _median(loads)
    p99 = statistics.median([load.p99_ms for load in loads])
    return Row(what, f"{rate:.0f} /s, p99 {p99:.0f} ms", f"{rate / floor:.1f}", bound)


@contextmanager
def _running(command: list[str], variables: dict[str, str], port: int, folder: str) -> Iterator[None]:
    log = Path(folder) / "server.log"
    environment = {**os.environ, "PYTHONPATH": str(_REPO), **variables}
    with log.open("wb") as out, subprocess.Popen(command, env=environment, cwd=_REPO, stdout=out, stderr=out) as server:
        try:
            _wait_for(port, server, log)
            yield
        finally:
            server.terminate()


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def main() -> None:
    """Measure and print."""
    print_report("Reviews over HTTP, 32 in flight", uvloop.run(measure()), as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
