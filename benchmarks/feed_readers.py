"""1,000 readers of one realm's feed at 10 events a second: how late events come, and what a reader costs.

In turns in the same run: our stream and our WebSocket, the usual ways beside them (sse-starlette and a WebSocket, each with a
queue for each reader), and the floor: bare sockets that are written the very bytes of our stream in one loop.

Lateness is the server's alone: from the event's commit until the kernel has it ready at the reader's socket, which the kernel
stamps (SO_TIMESTAMPNS). The readers are one process that looks at their sockets every 20 ms, so that it takes little from the
servers, and its own waits do not count. Events that lie there together all get the last one's stamp: where readers fall behind,
which the table tells, lateness is overstated, never understated.

What else runs on the machine changes lateness most of all. Three figures see through it: the server's processor time an event and
reader, how long it waited for a processor meanwhile, and the ratio to the floor, which waits as well. `--alone` lets both
processes go before all other work, where the system allows it (Linux, root).

python -m benchmarks.feed_readers [--json] [--alone] [READERS] [SECONDS]
"""

import os
import re
import select
import socket
import statistics
import struct
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
SWEEP_S: Final = 0.02
"""How often readers look at their sockets, seconds: less than events are apart."""
_REPO = Path(__file__).parent.parent
_ASK: Final = {
    "sse": b"GET /api/world/realm-1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n",
    "websocket": b"GET /api/world/realm-1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
}
_AT: Final = re.compile(rb'"at_ns": ?(\d+)')
_TIMESTAMPNS: Final = 35
"""SO_TIMESTAMPNS of Linux, which `socket` does not name: each read brings the time at which its last bytes came."""
_TIMESPEC: Final = struct.Struct("@ll")


class Contender(NamedTuple):
    """Who is measured."""

    server: str
    transport: str


PEER: Final = Contender("peer", "sse")
FLOOR: Final = Contender("floor", "sse")
OURS: Final = Contender("ours", "sse")
SOCKET_PEER: Final = Contender("peer", "websocket")
OUR_SOCKET: Final = Contender("ours", "websocket")
CONTENDERS: Final = (PEER, FLOOR, OURS, SOCKET_PEER, OUR_SOCKET)


class Load(NamedTuple):
    """What a run of readers saw."""

    p50_ms: float
    p99_ms: float
    kib_a_reader: float
    cpu_us: float
    """Of the server's processor time that one event to one reader took: what other work on the machine changes least."""
    waited_ms: float
    """How long the server waited for a processor, an event: nothing where the machine is its own."""
    reading_us: float
    """Processor time of the readers' process, one event of one reader."""
    share: float
    """Of the events that all readers together were due."""
    together: float
    """Of the events that came, those that lay at a reader beside a later one."""


class _Received(NamedTuple):
    """What one reader got at once."""

    at_ns: int
    """When the last of it came, nanoseconds since 1970."""
    sent: bytes


class _Use(NamedTuple):
    """What a server's process has used so far."""

    cpu_s: float
    waited_s: float
    resident_kib: float


def run_load(contender: Contender, readers: int, seconds: float) -> Load:
    """Start a server, connect readers, and listen for a while."""
    with _server(contender.server) as (port, pid):
        with _connected(port, 20, contender.transport):
            pass  # what the first readers cost is not that of each
        before = _use(pid)
        with _connected(port, readers, contender.transport) as sockets:
            start, spent, since_ns = _use(pid), time.process_time(), time.time_ns()
            received = _listen(sockets, seconds)
            end, spent = _use(pid), time.process_time() - spent
    late = _lateness(received, since_ns)
    quantiles = statistics.quantiles(late, n=100)
    return Load(
        quantiles[49],
        quantiles[98],
        (end.resident_kib - before.resident_kib) / readers,
        (end.cpu_s - start.cpu_s) * 1e6 / len(late),
        (end.waited_s - start.waited_s) * 1e3 / (len(late) / readers),
        spent * 1e6 / len(late),
        len(late) / (readers * seconds * EVENTS_PER_S),
        max(0, 1 - len(received) / len(late)),
    )


def _listen(sockets: list[socket.socket], seconds: float) -> list[_Received]:
    """Return all that came, and when."""
    found: list[_Received] = []
    buffer = bytearray(65_536)
    room = memoryview(buffer)
    space = socket.CMSG_SPACE(_TIMESPEC.size)
    until = time.monotonic() + seconds
    with _polled(sockets) as (poll, of):
        while time.monotonic() < until:
            time.sleep(SWEEP_S)
            for number, _ in poll(0):
                size, notes, *_ = of[number].recvmsg_into([buffer], space)
                if not size:
                    raise RuntimeError("the server has ended a connection")
                found.append(_Received(_stamp(notes), bytes(room[:size])))
    return found


def _stamp(notes: list[tuple[int, int, bytes]]) -> int:
    """Return when the kernel had it, nanoseconds since 1970."""
    seconds, nanoseconds = _TIMESPEC.unpack(notes[0][2])
    return int(seconds * 1_000_000_000 + nanoseconds)


def _lateness(received: list[_Received], since_ns: int) -> list[float]:
    """Return how late every event came to every reader, ms; what happened before nobody was there to take in time."""
    found = [(each.at_ns, int(at)) for each in received for at in _AT.findall(each.sent)]
    return [(came - at) / 1e6 for came, at in found if at >= since_ns]


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
def _connected(port: int, readers: int, transport: str) -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    try:
        for _ in range(readers):
            one = socket.create_connection(("127.0.0.1", port))
            one.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
            one.sendall(_ASK[transport])
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
    waited_s = int(process.joinpath("schedstat").read_text().split()[1]) / 1e9  # of its loop, which is its first thread
    pages = int(process.joinpath("statm").read_text().split()[1])
    return _Use(cpu_s, waited_s, pages * os.sysconf("SC_PAGE_SIZE") / 1_024)


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
    loads: dict[Contender, list[Load]] = {contender: [] for contender in CONTENDERS}
    for _ in range(ROUNDS):
        for contender in CONTENDERS:
            loads[contender].append(run_load(contender, readers, seconds))
    found = [_median(loads[contender]) for contender in CONTENDERS]
    peer, floor, own, socket_peer, own_socket = found
    return [
        *_rows("sse-starlette", peer, peer),
        *_rows("bare sockets", floor, peer)[:-1],
        *_rows("our stream", own, peer, "<= 40 ms", "<= 16 KiB"),
        _beside("our stream to bare sockets: p99, time", own, floor),
        *_rows("usual WebSocket", socket_peer, socket_peer),
        *_rows("our WebSocket", own_socket, socket_peer),
        _beside("our WebSocket to bare sockets: p99, time", own_socket, floor),
        Row("readers' process: time", f"{own.reading_us:.1f} µs", "", ""),
        Row("our events that came of those due", f"{100 * min(own.share, own_socket.share):.1f} %", "", ""),
        Row("events taken for later than they were", f"{100 * max(load.together for load in found):.1f} %", "", ""),
    ]


def _rows(who: str, load: Load, peer: Load, late: str = "", memory: str = "") -> list[Row]:
    """Return what a contender showed, memory last."""
    return [
        Row(f"{who}: p50 / p99", f"{load.p50_ms:.0f} / {load.p99_ms:.0f} ms", _ratio(load.p99_ms, peer.p99_ms), late),
        Row(f"{who}: processor time", f"{load.cpu_us:.1f} µs", _ratio(load.cpu_us, peer.cpu_us), ""),
        Row(f"{who}: wait for a processor", f"{load.waited_ms:.1f} ms", "", ""),
        Row(
            f"{who}: memory a reader",
            f"{load.kib_a_reader:.1f} KiB",
            _ratio(load.kib_a_reader, peer.kib_a_reader),
            memory,
        ),
    ]


def _beside(what: str, load: Load, floor: Load) -> Row:
    """Return how much more than the floor a contender takes."""
    return Row(what, f"{_ratio(load.p99_ms, floor.p99_ms)}, {_ratio(load.cpu_us, floor.cpu_us)}", "", "")


def _median(loads: list[Load]) -> Load:
    return Load(*[statistics.median(column) for column in zip(*loads, strict=True)])


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}" if other else "-"  # a short run of few readers may take less than the system counts


def main() -> None:
    """Measure and print."""
    if "--alone" in sys.argv:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # servers are started with it too
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    readers, seconds = [*numbers, *(1_000, 10)[len(numbers) :]][:2]
    title = f"{readers} readers, {EVENTS_PER_S} events a second; processor time is an event's and reader's, a wait an event's"
    print_report(title, measure(readers, seconds), as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
