"""From a URL to the world's store, and what happens where the database is not as it should be."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from council.ledger.opening import migrate, open_ledger
from tests.contract.postgres_server import fresh_database
from tests.contract.raw_sql import run_sql
from tests.contract.world_samples import NOW, REALM, row_sample, seeded, snapshot_sample
from world.errors import StoreConfigError, StoreUnavailableError
from world.persistence.memory import MemoryStore
from world.persistence.opening import open_world_store


@pytest.mark.parametrize(
    "url",
    [
        *("", "council.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/x.db", "sqlite:council.db"),
        *("mysql://s3cret@h/x", "postgresql://s3cret@h", "postgresql://[s3cret/x", "memory://x", "/var/s3cret.db"),
    ],
)
def test_a_bad_url_is_refused_with_what_is_accepted_and_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreConfigError) as caught:
        open_world_store(url)
    assert "sqlite:///" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_memory_is_chosen_by_its_url() -> None:
    assert isinstance(open_world_store("memory://"), MemoryStore)


async def test_a_fresh_file_gets_a_world_and_keeps_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/dir/world.db"
    store = await seeded(open_world_store(url))
    await store.ready()
    await store.close()
    again = open_world_store(url, create=False)
    assert await again.latest(REALM) == snapshot_sample()
    await again.close()


def test_a_missing_file_is_refused_where_none_shall_be_made(tmp_path: Path) -> None:
    with pytest.raises(StoreConfigError, match=r"no world at .*absent\.db"):
        open_world_store(f"sqlite:///{tmp_path}/absent.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("these are notes, not a database" * 50)
    with pytest.raises(StoreConfigError, match="not a SQLite database"):
        open_world_store(f"sqlite:///{tmp_path}/notes.db")
    with pytest.raises(StoreUnavailableError, match="cannot be opened"):
        open_world_store(f"sqlite:///{tmp_path}")


_WORLD_TABLES = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'world%' AND name NOT LIKE 'world_bus%'"


def _schema(path: Path) -> set[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(_WORLD_TABLES).fetchall()
    connection.close()
    return set(rows)


@pytest.mark.parametrize("first", ["council", "world"])
async def test_council_and_world_share_a_file_whichever_opens_it_first(tmp_path: Path, first: str) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    if first == "council":
        await open_ledger(url).close()
    else:
        await (await seeded(open_world_store(url))).close()
    ledger, store = open_ledger(url), open_world_store(url)
    await ledger.ready()
    await store.ready()
    assert await store.realms() == (() if first == "council" else (REALM,))
    await ledger.close()
    await store.close()
    await open_world_store(f"sqlite:///{tmp_path}/alone.db").close()
    assert _schema(tmp_path / "council.db") == _schema(tmp_path / "alone.db")


def test_processes_that_open_one_fresh_file_at_once_all_succeed(tmp_path: Path) -> None:
    program = f"from world.persistence.opening import open_world_store; open_world_store('sqlite:///{tmp_path}/w.db')"
    started = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(3)]
    outcomes = [process.communicate()[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 3, outcomes


async def test_a_world_of_another_schema_is_not_ready(database_url: str) -> None:
    store = open_world_store(database_url)
    await run_sql(database_url, "UPDATE world_schema SET version = 9")
    with pytest.raises(StoreUnavailableError, match="schema 9, this program writes 1"):
        await store.ready()
    await store.close()


@pytest.mark.postgres
async def test_a_postgres_database_without_a_world_says_how_it_gets_one(postgres_socket: Path) -> None:
    url = await fresh_database(postgres_socket)
    store = open_world_store(url)
    with pytest.raises(StoreUnavailableError, match="run 'council migrate'") as caught:
        await store.realms()
    assert "SELECT" not in str(caught.value)
    await asyncio.to_thread(migrate, url)
    await store.ready()
    await store.close()


async def test_a_database_that_nobody_answers_for_is_unavailable() -> None:
    store = open_world_store("postgresql://nobody:s3cret@127.0.0.1:1/world")
    with pytest.raises(StoreUnavailableError) as caught:
        await store.realms()
    assert "s3cret" not in str(caught.value)
    await store.close()


async def test_a_closed_store_is_unavailable(database_url: str) -> None:
    store = open_world_store(database_url)
    await store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.realms()


async def test_a_write_that_waits_for_a_lock_too_long_is_unavailable_and_writes_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3: two seconds, then the caller is told; shortened here to a twentieth."""
    monkeypatch.setattr("world.persistence.sql_engine.LOCK_TIMEOUT_MS", 100)
    monkeypatch.setattr("world.persistence.sql_engine._PRAGMAS", ("PRAGMA busy_timeout=100",))
    store = await seeded(open_world_store(database_url))
    held = asyncio.Event()
    release = asyncio.Event()
    holder = asyncio.create_task(_hold(database_url, held, release))
    await held.wait()
    with pytest.raises(StoreUnavailableError, match="lock"):
        await store.submit([row_sample("e-1")], {})
    release.set()
    await holder
    assert await store.rows(REALM) == ()
    assert [row.sequence for row in await store.submit([row_sample("e-1")], {})] == [1]
    await store.close()


async def _hold(url: str, held: asyncio.Event, release: asyncio.Event) -> None:
    """Hold the realm's lock in another connection until told."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        await release.wait()
        connection.execute("ROLLBACK")
        connection.close()
        return
    import asyncpg

    opened = await asyncpg.connect(url)
    async with opened.transaction():
        await opened.execute("SELECT 1 FROM world_realms FOR UPDATE")
        held.set()
        await release.wait()
    await opened.close()


@pytest.mark.postgres
async def test_a_transaction_that_the_database_breaks_off_is_run_again(postgres_url: str) -> None:
    """S3: serialization failures and deadlocks are tried three times in all."""
    from world.persistence.sql_engine import Database, Sql

    database = Database(postgres_url.replace("://", "+asyncpg://", 1))
    tries = []

    async def work(sql: Sql) -> str:
        tries.append(1)
        if len(tries) < needed:
            await sql.run("DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = 'serialization_failure'; END $$")
        return "done"

    needed = 3
    assert await database.write(work) == "done"
    tries.clear()
    needed = 9
    with pytest.raises(StoreUnavailableError, match="other processes") as caught:
        await database.write(work)
    assert len(tries) == 3
    assert "secret" not in str(caught.value)
    await database.close()


async def test_a_call_that_is_cancelled_in_the_middle_leaves_the_store_usable(database_url: str) -> None:
    store = await seeded(open_world_store(database_url))
    for number in range(5):
        rows = [row_sample(f"e-{number}-{n}") for n in range(20)]
        task = asyncio.create_task(store.submit(rows, {}))
        await asyncio.sleep(0.001 * number)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    entered = await store.submit([row_sample("e-last")], {})
    kept = await store.rows(REALM, limit=500)
    assert [row.sequence for row in kept] == list(range(1, len(kept) + 1))
    assert kept[-1] == entered[0]
    assert await store.totals(REALM) == await store.recount(REALM)
    assert (await store.latest(REALM)).made_at == NOW
    await store.close()
