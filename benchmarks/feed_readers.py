"""1,000 readers of one realm's feed at 10 events a second: how late events come, and what a reader costs in memory.

Beside it, in turns in the same run, sse-starlette with a queue for each reader, and the floor: bare sockets that are all written
the same bytes, with nothing of HTTP. Readers are one process, which notes what comes and when, and reads the times in it later.
Where other work is on the machine, lateness is mostly the wait for a processor: processor time tells the servers apart, and
`--alone` lets both processes go before all other work, where the system allows it (Linux, root).

python -m benchmarks.feed_readers [--json] [--alone] [READERS] [SECONDS]
"""

import os
import re
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
    reading_us: float
    """The same of the readers' process."""
    share: float
    """Of the events that all readers together were due."""


class _Received(NamedTuple):
    """What one reader got at once."""

    at_ns: int
    """When, nanoseconds of this machine's clock."""
    sent: bytes


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
        with _connected(port, readers) as sockets:
            start, spent = _use(pid), time.process_time()
            received = _listen(sockets, seconds)
            end, spent = _use(pid), time.process_time() - spent
    late = _lateness(received)
    quantiles = statistics.quantiles(late, n=100)
    return Load(
        quantiles[49],
        quantiles[98],
        (end.resident_kib - before.resident_kib) / readers,
        (end.cpu_s - start.cpu_s) * 1e6 / len(late),
        spent * 1e6 / len(late),
        len(late) / (readers * seconds * EVENTS_PER_S),
    )


def _listen(sockets: list[socket.socket], seconds: float) -> list[_Received]:
    """Return all that came, and when."""
    found: list[_Received] = []
    buffer = bytearray(65_536)
    room = memoryview(buffer)
    until = time.monotonic() + seconds
    with _polled(sockets) as (poll, of):
        while time.monotonic() < until:
            for number, _ in poll(0.1):
                size = of[number].recv_into(buffer)
                found.append(_Received(time.monotonic_ns(), bytes(room[:size])))
    return found


def _lateness(received: list[_Received]) -> list[float]:
    """Return how late every event came to every reader, ms."""
    return [(each.at_ns - int(at)) / 1e6 for each in received for at in _AT.findall(each.sent)]


def _settle(sockets: list[socket.socket]) -> None:
    """Wait until every reader has been sent something."""
    waiting = {one.fileno() for one in sockets}
    with _polled(sockets) as (poll, of):
        while waiting:
            for number, _ in poll(0.1):
                of[number].recv(65_536)
                waiting.discard(number)


@contextmanager
def _polled(
    sockets: list[socket.socket],
) -> Iterator[tuple[Callable[[float], list[tuple[int, int]]], dict[int, socket.socket]]]:
    """Yield what waits for sockets, and them by number; without `selectors`, whose objects would cost as much as the reading."""
    with select.epoll() as found:
        for one in sockets:
            found.register(one, select.EPOLLIN)
        yield found.poll, {one.fileno(): one for one in sockets}


@contextmanager
def _connected(port: int, readers: int) -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    try:
        for _ in range(readers):
            one = socket.create_connection(("127.0.0.1", port))
            one.sendall(_ASK)
            sockets.append(one)
        _settle(sockets)
        yield sockets
    finally:
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
    kinds = ("peer", "floor", "ours")
    loads: dict[str, list[Load]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind in kinds:
            loads[kind].append(run_load(kind, readers, seconds))
    peer, floor, own = [_median(loads[kind]) for kind in kinds]
    return [
        Row("sse-starlette, a queue a reader: p50 / p99", _late(peer), "1.00", ""),
        Row("bare sockets: p50 / p99", _late(floor), _ratio(floor.p99_ms, peer.p99_ms), ""),
        Row("ours: p50 / p99", _late(own), _ratio(own.p99_ms, peer.p99_ms), "<= 40 ms"),
        Row("sse-starlette, memory a reader", f"{peer.kib_a_reader:.1f} KiB", "1.00", ""),
        Row(
            "ours, memory a reader",
            f"{own.kib_a_reader:.1f} KiB",
            _ratio(own.kib_a_reader, peer.kib_a_reader),
            "<= 16 KiB",
        ),
        Row("sse-starlette, processor time an event and reader", f"{peer.cpu_us:.1f} µs", "1.00", ""),
        Row("bare sockets, the same", f"{floor.cpu_us:.1f} µs", _ratio(floor.cpu_us, peer.cpu_us), ""),
        Row("ours, the same", f"{own.cpu_us:.1f} µs", _ratio(own.cpu_us, peer.cpu_us), ""),
        Row("readers' process, the same", f"{own.reading_us:.1f} µs", "", ""),
        Row("ours, events that came of those due", f"{100 * own.share:.1f} %", "", ""),
    ]


def _late(load: Load) -> str:
    return f"{load.p50_ms:.0f} / {load.p99_ms:.0f} ms"


def _median(loads: list[Load]) -> Load:
    return Load(*[statistics.median(column) for column in zip(*loads, strict=True)])


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}"


def main() -> None:
    """Measure and print."""
    if "--alone" in sys.argv:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # servers are started with it too
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    readers, seconds = [*numbers, *(1_000, 10)[len(numbers) :]][:2]
    title = f"{readers} readers of one feed, {EVENTS_PER_S} events a second"
    print_report(title, measure(readers, seconds), as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
