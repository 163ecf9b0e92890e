"""kill -9 in the middle of appends, and several processes on one chain (reliability.md S1, S3; I1 to I4)."""

import subprocess
from pathlib import Path

import pytest

from tests.contract.ledger_samples import sample
from tests.contract.raw_sql import run_sql, tamper
from tests.faults.ledger_checks import all_gone, recorded_ids
from tests.faults.started import answered_until_killed, started


async def test_after_kill_9_every_answered_append_is_there_once_and_nothing_is_half_recorded(database_url: str) -> None:
    """Checked while dead, after each of eight kills: chain, heads, outbox against records, answers against records."""
    answered: list[str] = []
    for kill in range(8):
        process = started("append", database_url, kill * 100_000, 100_000, 32)
        answered += answered_until_killed(process, answers=1 + 97 * kill)
        await all_gone(database_url)
        ids = await recorded_ids(database_url)
        assert set(answered) <= set(ids)
    again = started("append", database_url, 0, 50, 8)
    lines = again.communicate()[0].splitlines()
    assert again.returncode == 0
    assert {line.removesuffix(" taken") for line in lines} == {sample(number).decision_id for number in range(50)}
    assert set(answered) <= set(await recorded_ids(database_url))


async def test_the_kill_test_can_fail(database_url: str) -> None:
    """A lost event is what it would see if the outbox were written in a transaction of its own (measured fact 8)."""
    started("append", database_url, 0, 20, 4).communicate()
    assert len(await recorded_ids(database_url)) == 20
    await tamper(database_url, _FORGET_TRIGGER[database_url.partition(":")[0]], "DELETE FROM outbox WHERE event_id = 7")
    with pytest.raises(AssertionError):
        await recorded_ids(database_url)


_FORGET_TRIGGER = {"sqlite": "DROP TRIGGER outbox_no_delete", "postgresql": "ALTER TABLE outbox DISABLE TRIGGER ALL"}


async def test_processes_share_one_chain_and_each_key_is_recorded_once(database_url: str) -> None:
    """Four processes append the same 300 keys at once: each key is answered "recorded" by one of them only (I2)."""
    await recorded_ids(database_url)
    processes = [started("append", database_url, 0, 300, 16) for _ in range(4)]
    lines = [line for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0] * 4
    expected = sorted(sample(number).decision_id for number in range(300))
    assert sorted(line for line in lines if not line.endswith("taken")) == expected
    assert len(lines) == 1200
    assert sorted(await recorded_ids(database_url)) == expected


async def test_a_fresh_file_that_was_killed_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    for delay in range(6):
        process = started("append", url, 0, 1, 1)
        try:
            process.wait(timeout=0.3 + delay * 0.15)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    started("append", url, 0, 1, 1).communicate()
    assert await recorded_ids(url) == [sample(0).decision_id]
    assert await run_sql(url, "PRAGMA integrity_check") == [("ok",)]
