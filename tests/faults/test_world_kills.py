"""kill -9 and SIGSTOP on the processes of a world under load (reliability.md S1, S11, S12; I1 to I8).

Everything is checked while all processes are dead, and again after what was left has been settled.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.living_world import REALM, START, Databases, LivingWorld, opened, seed
from tests.faults.started import ROOT
from tests.faults.world_checks import checked
from tests.faults.world_programs import SPEED

KILLS = int(os.environ.get("COUNCIL_WORLD_KILLS", "2"))
"""Rounds of kills; each kills two processes."""


class Process:
    """One program over a database, and what it has answered so far.

    Its answers go to a file: a pipe would be lost with whoever reads it, and would hold the process up when it is full.
    """

    def __init__(self, program: str, url: str, number: int, epoch_ms: int, directory: Path) -> None:
        self._answers = directory / f"answers-{number}"
        command = [sys.executable, "-m", "tests.faults.world_programs", program, url, str(number), str(epoch_ms)]
        with self._answers.open("wb") as answers:
            self.running = subprocess.Popen(command, cwd=ROOT, stdout=answers)

    def lines(self) -> list[str]:
        return [line.strip() for line in self._answers.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def wait_for(self, answers: int) -> None:
        """Wait until so many answers were given."""
        deadline = time.monotonic() + 180
        while len(self.lines()) < answers:
            assert self.running.poll() is None, "the process has ended by itself"
            assert time.monotonic() < deadline, "the process answers nothing"
            time.sleep(0.01)

    def kill(self) -> list[str]:
        self.running.kill()
        self.running.wait()
        return self.lines()


@pytest.fixture
async def databases(database_url: str) -> AsyncIterator[Databases]:
    found = opened(database_url)
    await seed(found.store, START)
    yield found
    await found.close()


async def test_after_kill_9_everything_answered_is_there_once_and_nothing_is_half_done(
    database_url: str, databases: Databases, tmp_path: Path
) -> None:
    acts: list[str] = []
    ticks: list[int] = []
    epoch_ms = time.time_ns() // 1_000_000
    for kill in range(KILLS):
        pair = [Process("live", database_url, 2 * kill + number, epoch_ms, tmp_path) for number in range(2)]
        pair[0].wait_for(10 + 17 * kill)
        pair[1].wait_for(1)
        lines = [line.split() for process in pair for line in process.kill()]
        acts += [line[1] for line in lines if line[0] == "act"]
        ticks += [int(line[1]) for line in lines if line[0] == "tick"]
        assert len(ticks) == len(set(ticks)), "a tick was answered twice"
        # Checked while dead.
        await checked(databases, acts=acts, ticks=max(ticks, default=0))
    assert acts
    assert ticks

    def later() -> int:
        return START + (time.time_ns() // 1_000_000 - epoch_ms) * SPEED + 3_600_000

    world = LivingWorld(databases, later, "after")
    await world.ticker.run(REALM)
    while await world.verdicts.settle(REALM):
        pass
    assert await databases.store.questions(REALM, "open") == ()
    assert await databases.store.questions(REALM, "answered") == ()
    await checked(databases, acts=acts, ticks=max(ticks) + 1)


async def test_a_worker_that_is_paused_past_its_lease_doubles_no_tick(
    database_url: str, databases: Databases, tmp_path: Path
) -> None:
    """S12: a real process is stopped again and again while another one takes its realm over."""
    epoch_ms = time.time_ns() // 1_000_000
    pair = [Process("tick", database_url, number, epoch_ms, tmp_path) for number in range(2)]
    for process in pair:
        process.running.poll()
    try:
        for pause in range(KILLS):
            stopped, other = pair[pause % 2], pair[1 - pause % 2]
            before = len(other.lines())
            stopped.running.send_signal(signal.SIGSTOP)
            # The lease of a minute runs out after 0.6 seconds; the other one takes over.
            await asyncio.to_thread(other.wait_for, before + 2)
            stopped.running.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.05 * pause)
    finally:
        lines = [line.split() for process in pair for line in process.kill()]
    ticks = [int(line[1]) for line in lines if line[0] == "tick"]
    assert len(ticks) == len(set(ticks)), "a tick was answered twice"
    latest = await checked(databases, ticks=max(ticks))
    # A tick may be committed just before its process is killed, and never be answered.
    assert set(range(1, latest + 1)) - set(ticks) <= {latest - 1, latest}
