"""`council worker` as a process of its own: ticks on time, relays, stops in time, leaves the realm to the next (S5, S12)."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
TICK_S = 2
_START_S = 90.0


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'world.db'}"
    assert subprocess.run([*_council(), "world", "seed", "--database", url], cwd=ROOT, check=False).returncode == 0
    return url


def test_a_worker_ticks_relays_and_stops_in_time(url: str) -> None:
    """S5: exit within 12 s of SIGTERM, with 0; what was committed is whole and chained."""
    with working(url) as worker:
        _until(lambda: _ticks(url) >= 2)
        _until(lambda: _published(url) >= 2)
        asked = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert time.monotonic() - asked <= 12
    assert _replayed(url)["is_same"] is True


def test_a_worker_shows_the_world_as_a_server_does(url: str) -> None:
    """S0-90, S0-96: ticks and how long they took, what waits for the bus, dead letters; the same looks in every process."""
    port = free_port()
    with working(url, COUNCIL_METRICS_PORT=str(port), COUNCIL_HOST="127.0.0.1") as worker:
        _until(lambda: _metrics(port).get('world_ticks_total{outcome="committed",realm_id="aelvyndor"}', 0) >= 1)
        found = _metrics(port)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert found['world_tick_number{realm_id="aelvyndor"}'] >= 1
    assert found['world_tick_duration_seconds_count{realm_id="aelvyndor"}'] >= 1
    assert time.time() - found['world_tick_last_timestamp_seconds{realm_id="aelvyndor"}'] < _START_S
    assert found["world_tick_interval_seconds"] == TICK_S
    looked_at = {"world_outbox_backlog", "world_outbox_oldest_age_seconds", "world_bus_dead_letters"}
    assert looked_at | {'world_questions_waiting{state="open"}'} <= found.keys()
    assert found["world_watch_failures_total"] == 0


def test_two_workers_run_each_tick_once_and_the_second_goes_on_where_the_first_was_killed(url: str) -> None:
    """S12: numbers rise by one, and there is at most one tick in a period of the clock."""
    with working(url) as first, working(url) as second:
        _until(lambda: _ticks(url) >= 2)
        first.kill()
        first.wait(10)
        before = _ticks(url)
        # A killed worker's lease runs out after a minute at most; one that never held it is not in the way at all.
        _until(lambda: _ticks(url) > before, within_s=100)
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0
    rows = _snapshots(url)
    assert [number for number, _ in rows] == list(range(len(rows)))
    periods = [made_at // (TICK_S * 1_000) for _, made_at in rows[1:]]
    assert len(set(periods)) == len(periods)
    assert _replayed(url)["is_same"] is True


def test_a_worker_can_be_asked_for_what_is_due_and_no_more(url: str) -> None:
    done = subprocess.run(
        [*_council(), "worker", "--once", "--database", url],
        cwd=ROOT, env={**os.environ, "COUNCIL_TICK_S": "86400"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert _ticks(url) == 0, "the realm was made in this very period"


@contextmanager
def working(url: str, **variables: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a worker with short ticks."""
    environ = {**os.environ, "COUNCIL_TICK_S": str(TICK_S), **variables}
    command = [*_council(), "worker", "--json", "--database", url]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def _council() -> list[str]:
    return [sys.executable, "-m", "cli.main"]


def _metrics(port: int) -> dict[str, float]:
    """Return what the worker shows; nothing before it listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answered:
            lines = answered.read().decode().splitlines()
    except OSError:
        return {}
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


def _until(holds: Callable[[], bool], within_s: float = _START_S) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)


def _ticks(url: str) -> int:
    return _snapshots(url)[-1][0]


def _snapshots(url: str) -> list[tuple[int, int]]:
    return _rows(url, "SELECT tick_number, made_at FROM world_snapshots WHERE revision = 0 ORDER BY tick_number")


def _published(url: str) -> int:
    return _rows(url, "SELECT count(*), 0 FROM world_bus_messages")[0][0]


def _rows(url: str, query: str) -> list[tuple[int, int]]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)
    try:
        return [(int(one), int(other)) for one, other in connection.execute(query)]
    except sqlite3.OperationalError:
        return [(0, 0)]  # the tables of the bus are made with its first message
    finally:
        connection.close()


def _replayed(url: str) -> dict[str, object]:
    command = [*_council(), "world", "replay", "--json", "--database", url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found: dict[str, object] = json.loads(done.stdout)
    return found
