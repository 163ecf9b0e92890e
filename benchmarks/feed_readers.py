"""1,000 readers of one realm's feed at 10 events a second: how late events come, and what a reader costs in memory.

Beside it, in turns in the same run, sse-starlette with a queue for each reader.

python -m benchmarks.feed_readers [--json] [READERS] [SECONDS]
"""

import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.feed_server import EVENTS_PER_S
from benchmarks.report import Row, print_report

ROUNDS: Final = 3
_REPO = Path(__file__).parent.parent
_ASK: Final = b"GET /api/world/realm-1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
_AT: Final = re.compile(rb'"at_ns": ?(\d+)')


class Load(NamedTuple):
    """What a run of readers saw."""

    p50_ms: float
    p99_ms: float
    kib_a_reader: float
    cpu_us: float
    """Of the server's processor time that one event to one reader took: what other work on the machine changes least."""
    share: float
    """Of the events that all readers together were due."""


class _Use(NamedTuple):
    """What a server's process has used so far."""

    cpu_s: float
    resident_kib: float


def run_load(kind: str, readers: int, seconds: float) -> Load:
    """Start a server, connect readers, and listen for a while."""
    with _server(kind) as (port, pid):
        with _connected(port, 20):
            pass  # what the first readers cost is not that of each
        before = _use(pid)
        with _connected(port, readers) as selector:
            start = _use(pid)
            late = _listen(selector, seconds)
            end = _use(pid)
    quantiles = statistics.quantiles(late, n=100)
    return Load(
        quantiles[49],
        quantiles[98],
        (end.resident_kib - before.resident_kib) / readers,
        (end.cpu_s - start.cpu_s) * 1e6 / len(late),
        len(late) / (readers * seconds * EVENTS_PER_S),
    )


def _listen(selector: selectors.BaseSelector, seconds: float) -> list[float]:
    """Return how late every event came to every reader, ms."""
    found: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for key, _ in selector.select(0.1):
            received = key.fileobj.recv(65_536)  # type: ignore[union-attr]  # all of them are sockets
            now = time.monotonic_ns()
            found.extend([(now - int(at)) / 1e6 for at in _AT.findall(received)])
    return found


def _settle(selector: selectors.BaseSelector, readers: int) -> None:
    """Wait until every reader has been sent something."""
    waiting = set(range(readers))
    while waiting:
        for key, _ in selector.select(0.1):
            key.fileobj.recv(65_536)  # type: ignore[union-attr]  # as above
            waiting.discard(key.data)


@contextmanager
def _connected(port: int, readers: int) -> Iterator[selectors.BaseSelector]:
    sockets = []
    selector = selectors.DefaultSelector()
    try:
        for number in range(readers):
            one = socket.create_connection(("127.0.0.1", port))
            one.sendall(_ASK)
            sockets.append(one)
            selector.register(one, selectors.EVENT_READ, number)
        _settle(selector, readers)
        yield selector
    finally:
        selector.close()
        for one in sockets:
            one.close()


def _use(pid: int) -> _Use:
    process = Path(f"/proc/{pid}")
    user, system = process.joinpath("stat").read_text().rpartition(") ")[2].split()[11:13]
    cpu_s = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return _Use(cpu_s, int(process.joinpath("statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1_024)


@contextmanager
def _server(kind: str) -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.feed_server", kind, str(port)]
    with subprocess.Popen(command, cwd=_REPO) as process:
        try:
            _wait_for(port, process)
            yield port, process.pid
        finally:
            process.kill()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


def measure(readers: int, seconds: float) -> list[Row]:
    """Return the table: medians of rounds taken in turns."""
    mine, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(run_load("peer", readers, seconds))
        mine.append(run_load("ours", readers, seconds))
    own, other = _median(mine), _median(theirs)
    return [
        Row("sse-starlette, a queue a reader: p50 / p99", f"{other.p50_ms:.0f} / {other.p99_ms:.0f} ms", "1.00", ""),
        Row("ours: p50 / p99", f"{own.p50_ms:.0f} / {own.p99_ms:.0f} ms", _ratio(own.p99_ms, other.p99_ms), "<= 40 ms"),
        Row("sse-starlette, memory a reader", f"{other.kib_a_reader:.1f} KiB", "1.00", ""),
        Row(
            "ours, memory a reader",
            f"{own.kib_a_reader:.1f} KiB",
            _ratio(own.kib_a_reader, other.kib_a_reader),
            "<= 16 KiB",
        ),
        Row("sse-starlette, processor time an event and reader", f"{other.cpu_us:.1f} µs", "1.00", ""),
        Row("ours, processor time an event and reader", f"{own.cpu_us:.1f} µs", _ratio(own.cpu_us, other.cpu_us), ""),
        Row("ours, events that came of those due", f"{100 * own.share:.1f} %", "", ""),
    ]


def _median(loads: list[Load]) -> Load:
    return Load(*[statistics.median(column) for column in zip(*loads, strict=True)])


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}"


def main() -> None:
    """Measure and print."""
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    readers, seconds = [*numbers, *(1_000, 10)[len(numbers) :]][:2]
    title = f"{readers} readers of one feed, {EVENTS_PER_S} events a second"
    print_report(title, measure(readers, seconds), as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
