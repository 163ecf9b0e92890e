"""A database that is locked, full or gone: the affected callers are told, nothing is half recorded, and it heals by itself.

reliability.md, S2 to S4.
"""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from council.ledger.opening import open_ledger
from council.ledger.port import Ledger, LedgerUnavailableError, StoredRecord
from tests.contract.journal_samples import LATER, NEW_LEASE, open_sample
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample
from tests.contract.raw_sql import run_sql
from tests.faults.ledger_checks import recorded_ids

ROOT = Path(__file__).parents[2]


async def _opened(url: str) -> Ledger:
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    await ledger.append(sample(0))
    return ledger


async def _append_all(ledger: Ledger, first: int, count: int) -> list[StoredRecord | BaseException]:
    news = [sample(number) for number in range(first, first + count)]
    return await asyncio.gather(*[ledger.append(new) for new in news], return_exceptions=True)


async def test_a_locked_file_answers_in_time_and_heals(tmp_path: Path) -> None:
    """S3: refused in at most 3 s, also those who queue up behind the first; readers go on."""
    url = f"sqlite:///{tmp_path}/council.db"
    ledger = await _opened(url)
    other = sqlite3.connect(tmp_path / "council.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    first = asyncio.ensure_future(_append_all(ledger, 1, 20))
    await asyncio.sleep(0.2)
    behind = asyncio.ensure_future(_append_all(ledger, 21, 20))
    assert await ledger.get(sample(0).decision_id) is not None
    assert len((await ledger.list()).records) == 1
    outcomes = [*await first, *await behind]
    assert time.monotonic() - started < 3.2
    assert all(isinstance(outcome, LedgerUnavailableError) for outcome in outcomes)
    assert all(outcome.retry_after_s == 1 for outcome in outcomes if isinstance(outcome, LedgerUnavailableError))
    other.execute("ROLLBACK")
    other.close()
    assert all(isinstance(outcome, StoredRecord) for outcome in await _append_all(ledger, 1, 40))
    await ledger.close()
    assert len(await recorded_ids(url)) == 41


async def test_a_locked_file_opens_no_review_and_heals(tmp_path: Path) -> None:
    """S3 for reviews under way: opening, replying and claiming are refused in time, and nothing of them is kept."""
    ledger = await _opened(f"sqlite:///{tmp_path}/council.db")
    other = sqlite3.connect(tmp_path / "council.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    await _all_refused(ledger)
    assert time.monotonic() - started < 3.2
    other.execute("ROLLBACK")
    other.close()
    assert await ledger.find_open(open_sample(1).decision_id) is None
    assert await ledger.open_review(open_sample(1)) == open_sample(1)
    await ledger.close()


async def _all_refused(ledger: Ledger) -> None:
    outcomes = await asyncio.gather(
        ledger.open_review(open_sample(1)),
        ledger.journal_reply(open_sample(1).decision_id, "lore/1/full", b"x"),
        ledger.claim_orphans(LATER, NEW_LEASE),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["LedgerUnavailableError"] * 3


@pytest.mark.parametrize("free_pages", [20, 60, 120])
async def test_a_disk_without_room_refuses_whole_batches_and_heals(tmp_path: Path, free_pages: int) -> None:
    """S4 by a limit on the size of files: the process's writes fail as on a full disk, until the limit is lifted."""
    url = f"sqlite:///{tmp_path}/council.db"
    command = [sys.executable, "-m", "tests.faults.ledger_programs", "fill", url, str(200_000 + free_pages * 4096)]
    run = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answered, refused, after, still_read = run.stdout.split()
    assert (int(refused) % 64, int(refused) > 0, after, still_read) == (0, True, "50", "True")
    assert len(await recorded_ids(url)) == int(answered) + 50


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)], capture_output=True, text=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mount.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


async def test_a_full_disk_refuses_writes_still_reads_and_heals_when_room_is_made(small_disk: Path) -> None:
    """S4 on a real full file system."""
    url = f"sqlite:///{small_disk}/council.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_200_000))
    ledger = await _opened(url)
    answered, number = 1, 1
    while True:
        outcomes = await _append_all(ledger, number, 32)
        number += 32
        answered += sum(isinstance(outcome, StoredRecord) for outcome in outcomes)
        if not all(isinstance(outcome, StoredRecord) for outcome in outcomes):
            break
    assert all(isinstance(outcome, LedgerUnavailableError) for outcome in outcomes)
    assert "full" in str(outcomes[0])
    assert await ledger.find_by_key("key-0") is not None
    ballast.unlink()
    assert all(isinstance(outcome, StoredRecord) for outcome in await _append_all(ledger, number, 32))
    await ledger.close()
    assert len(await recorded_ids(url)) == answered + 32


@pytest.mark.postgres
async def test_a_locked_table_answers_in_time_and_heals(postgres_url: str) -> None:
    """S3 on PostgreSQL: `LOCK TABLE` held by somebody else."""
    ledger = await _opened(postgres_url)
    other = await asyncpg.connect(postgres_url)
    lock = other.transaction()
    await lock.start()
    await other.execute("LOCK TABLE records IN ACCESS EXCLUSIVE MODE")
    started = time.monotonic()
    first = asyncio.ensure_future(_append_all(ledger, 1, 20))
    await asyncio.sleep(0.2)
    outcomes = [*await _append_all(ledger, 21, 20), *await first]
    assert time.monotonic() - started < 3.2
    assert all(isinstance(outcome, LedgerUnavailableError) for outcome in outcomes)
    with pytest.raises(LedgerUnavailableError):
        await ledger.get(sample(0).decision_id)
    await lock.rollback()
    await other.close()
    assert all(isinstance(outcome, StoredRecord) for outcome in await _append_all(ledger, 1, 40))
    await ledger.close()
    assert len(await recorded_ids(postgres_url)) == 41


@pytest.mark.postgres
async def test_a_locked_table_opens_no_review_and_heals(postgres_url: str) -> None:
    ledger = await _opened(postgres_url)
    other = await asyncpg.connect(postgres_url)
    lock = other.transaction()
    await lock.start()
    await other.execute("LOCK TABLE open_reviews IN ACCESS EXCLUSIVE MODE")
    started = time.monotonic()
    await _all_refused(ledger)
    assert time.monotonic() - started < 3.2
    await lock.rollback()
    await other.close()
    assert await ledger.find_open(open_sample(1).decision_id) is None
    assert await ledger.open_review(open_sample(1)) == open_sample(1)
    await ledger.close()


@pytest.mark.postgres
async def test_a_head_locked_by_another_process_delays_only_its_realm_and_then_heals(postgres_url: str) -> None:
    ledger = await _opened(postgres_url)
    other = await asyncpg.connect(postgres_url)
    lock = other.transaction()
    await lock.start()
    await other.execute("SELECT 1 FROM heads WHERE realm_id = 'aelvyndor' FOR UPDATE")
    with pytest.raises(LedgerUnavailableError, match="lock timeout"):
        await ledger.append(sample(1))
    assert (await ledger.append(sample(2, realm_id="north"))).position == 1
    await lock.rollback()
    await other.close()
    assert (await ledger.append(sample(1))).position == 2
    await ledger.close()


@pytest.mark.postgres
async def test_connections_that_break_are_opened_again(postgres_url: str) -> None:
    """S2: every connection is ended by the server, twice; at most the appends under way are refused."""
    ledger = await _opened(postgres_url)
    for round_number in (1, 2):
        pending = [asyncio.ensure_future(ledger.append(sample(round_number * 100 + number))) for number in range(20)]
        await run_sql(
            postgres_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'council-ledger'",
        )
        outcomes = await asyncio.gather(*pending, return_exceptions=True)
        assert all(isinstance(outcome, StoredRecord | LedgerUnavailableError) for outcome in outcomes)
        await _append_all(ledger, round_number * 1000, 1)
        assert isinstance((await _append_all(ledger, round_number * 1000 + 1, 1))[0], StoredRecord)
        assert await ledger.get(sample(0).decision_id) is not None
    await ledger.close()
    await recorded_ids(postgres_url)


@pytest.mark.postgres
async def test_a_server_that_is_not_there_is_unavailable_not_a_crash(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url.replace("?host=", "?host=/nowhere"))
    with pytest.raises(LedgerUnavailableError):
        await ledger.ready()
    with pytest.raises(LedgerUnavailableError):
        await ledger.append(sample(1))
    await ledger.close()


async def test_a_record_that_no_database_can_hold_is_refused_alone(database_url: str) -> None:
    """Half a character (U+D800) has no UTF-8 form: its batch goes on without it."""
    ledger = await _opened(database_url)
    news = [sample(1), sample(2)._replace(topic="\ud800"), sample(3)]
    outcomes = await asyncio.gather(*[ledger.append(new) for new in news], return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == ["StoredRecord", "RecordRefusedError", "StoredRecord"]
    await ledger.close()
    assert len(await recorded_ids(database_url)) == 3
