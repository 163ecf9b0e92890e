"""What happened in the world cannot be edited through its database (S0-21, S0-88)."""

import sqlite3
from pathlib import Path

import pytest

from tests.contract.raw_sql import WRITE_ONCE_ERRORS, run_sql
from tests.contract.world_samples import NOW, REALM, row_sample, seeded, snapshot_sample, step_sample
from world.persistence.acts import Transition
from world.persistence.contributions import contributions_of
from world.persistence.messages import NewEvent
from world.persistence.opening import open_world_store
from world.realm.tick import Gains

APPEND_ONLY = ("world_influence", "world_transitions", "world_snapshots", "world_events", "world_told", "world_applied")


async def _fill(url: str) -> None:
    store = await seeded(open_world_store(url))
    await store.submit([row_sample("e-1", state="in_review"), row_sample("e-2")], {})
    moves = (Transition(1, "accepted", "yes"),)
    told = contributions_of([Gains("far-wilds", "veil", {"ana": 1})], {}, "own")
    events = (NewEvent("tick", b"{}"),)
    step = step_sample("snap-0", 1, events=events, transitions=moves, decision_id="d-1")
    await store.advance(step, None, NOW)
    assert await store.tell(REALM, 1, told, NOW)
    await store.close()


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET realm_id = realm_id", "DELETE FROM {table}"])
async def test_a_row_once_written_is_refused_any_change(database_url: str, table: str, statement: str) -> None:
    await _fill(database_url)
    before = await run_sql(database_url, f"SELECT * FROM {table}")
    assert before
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(database_url, statement.format(table=table))
    assert await run_sql(database_url, f"SELECT * FROM {table}") == before


@pytest.mark.postgres
@pytest.mark.parametrize("table", [*APPEND_ONLY, "world_outbox"])
async def test_truncate_is_refused(postgres_url: str, table: str) -> None:
    await _fill(postgres_url)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(postgres_url, f"TRUNCATE {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE world_outbox SET topic = 'other'",
        "UPDATE world_outbox SET published_at = NULL",
        "UPDATE world_outbox SET published_at = 1, sequence = 7",
        "DELETE FROM world_outbox",
    ],
)
async def test_a_message_changes_once_when_it_is_published(database_url: str, statement: str) -> None:
    await _fill(database_url)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(database_url, statement)
    await run_sql(database_url, "UPDATE world_outbox SET published_at = 1 WHERE number = 1")
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(database_url, "UPDATE world_outbox SET published_at = 2 WHERE number = 1")


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_sqlite_refuses_to_replace_a_row(tmp_path: Path, table: str) -> None:
    """REPLACE deletes the row in its way without firing DELETE triggers."""
    url = f"sqlite:///{tmp_path}/council.db"
    await _fill(url)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(url, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("world_influence", {"sequence": "99"}),  # the same event elsewhere
        ("world_influence", {"event_id": "'e-9'"}),  # another event in its place
        ("world_snapshots", {"revision": "99"}),
        ("world_snapshots", {"snapshot_id": "'snap-x'"}),
    ],
)
async def test_sqlite_refuses_each_way_to_meet_a_row(tmp_path: Path, table: str, changes: dict[str, str]) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    await _fill(url)
    names = [row[1] for row in await run_sql(url, f"PRAGMA table_info({table})")]
    values = ", ".join(changes.get(name, name) for name in names)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(url, f"INSERT OR REPLACE INTO {table} SELECT {values} FROM {table}")


async def test_sqlite_refuses_to_replace_a_row_by_its_hidden_number(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    await _fill(url)
    names = [row[1] for row in await run_sql(url, "PRAGMA table_info(world_snapshots)")]
    others = ", ".join({"revision": "99", "snapshot_id": "'snap-x'"}.get(name, name) for name in names)
    statement = (
        f"INSERT OR REPLACE INTO world_snapshots (rowid, {', '.join(names)})"
        f" SELECT rowid, {others} FROM world_snapshots WHERE tick_number = 0"
    )
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(url, statement)


async def test_a_refused_insert_leaves_nothing_of_its_transaction_in_sqlite(tmp_path: Path) -> None:
    """The guard breaks the transaction off (docs/decisions/0025): what went before it in there must not stay."""
    url = f"sqlite:///{tmp_path}/council.db"
    await _fill(url)
    connection = sqlite3.connect(tmp_path / "council.db", isolation_level=None)
    before = connection.execute("SELECT arrived FROM world_realms").fetchone()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE world_realms SET arrived = arrived + 1")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("INSERT INTO world_influence SELECT * FROM world_influence")
    assert not connection.in_transaction
    assert connection.execute("SELECT arrived FROM world_realms").fetchone() == before
    connection.close()
    store = open_world_store(url)
    assert [row.sequence for row in await store.submit([row_sample("e-3")], {})] == [3]
    await store.close()


async def test_what_is_summed_can_be_thrown_away_and_counted_again(database_url: str) -> None:
    """The totals are working state: the ledger is what is true."""
    await _fill(database_url)
    store = open_world_store(database_url)
    expected = await store.totals(REALM)
    await run_sql(database_url, "DELETE FROM world_totals")
    assert (await store.totals(REALM)).gained == {}
    assert await store.recount(REALM) == expected
    assert await store.latest(REALM) == snapshot_sample(1)
    await store.close()
