"""A tick whose realm took a million acts: against one SQL GROUP BY over them, in one run.

    python -m benchmarks.world_tick [--json] [--rows N] [--accounts N] [--rounds N] [--sqlite-only]

The ledger is filled past the store, by SQL, with acts of many accounts for the realm's factions in its territories, and the
totals with what the store would have kept of them, before every round again. Ours: the whole `Ticker.run`, from the lease to the
commit, with its snapshot, events and messages. The peer: one GROUP BY by territory, faction and account over a covering
index, by the same driver, and nothing done with what it returns. They take turns, and the ratio is the median over the rounds.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.report import Row, print_report
from council.ledger.opening import migrate
from tests.contract.postgres_server import fresh_database, running_server
from world.persistence.opening import open_world_store
from world.persistence.sql_engine import Database, Sql
from world.realm.rules_document import default_world_path, load_world
from world.service.questions import trigger_question
from world.service.realms import RealmReader, first_snapshot
from world.service.ticking import Ticker

START: Final = 1_772_359_200_000
REALM: Final = "realm-1"
WORLD: Final = load_world(default_world_path())
BOUND: Final = 0.1
CHUNK: Final = 20_000
"""Rows that are filled in one statement."""
_REALM: Final = WORLD.new_realm(REALM)
_FILL: Final = """
INSERT INTO world_influence (realm_id, sequence, event_id, user_id, faction_id, territory_id, action_type, source,
 is_against, state, because, base, quality, anti_spam, fairness, points, anomaly, terms, created_at, received_at, tick,
 counted_at, candidate)
WITH RECURSIVE numbers(n) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)
SELECT 'realm-1', n, 'e-' || CAST(n AS TEXT), 'user-' || CAST(n * 7919 % :accounts AS TEXT), {faction}, {territory},
 'faction_quest_complete', 'quest', {no}, 'accepted', '', 25000, 1000, 1000, 1000, 1000 + n % 7, 0, {empty}, 0, 0, 0, n,
 {empty} FROM numbers
"""
_KEEP: Final = """
INSERT INTO world_totals (realm_id, bucket, is_against, territory_id, faction_id, user_id, points)
SELECT l.realm_id, r.opened, is_against, territory_id, faction_id, user_id, CAST(SUM(points) AS BIGINT)
FROM world_influence l JOIN world_realms r ON r.realm_id = l.realm_id
GROUP BY l.realm_id, r.opened, is_against, territory_id, faction_id, user_id
"""
_COVER: Final = (
    "CREATE INDEX cover ON world_influence (realm_id, tick, is_against, territory_id, faction_id, user_id, points)"
)
_PEER: Final = (
    "SELECT is_against, territory_id, faction_id, user_id, CAST(SUM(points) AS BIGINT) FROM world_influence"
    " WHERE realm_id = :realm_id AND tick = :tick GROUP BY is_against, territory_id, faction_id, user_id"
)


def main() -> None:
    """Run the benchmark and print its table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sqlite-only", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(_measured("SQLite", f"sqlite:///{Path(folder)}/world.db", args))
    if not args.sqlite_only:
        with running_server() as socket:
            rows += asyncio.run(_on_postgres(socket, args))
    title = f"A tick over {args.rows:,} acts of {args.accounts:,} accounts, against one GROUP BY over them"
    print_report(title, rows, as_json=args.json)


async def _on_postgres(socket: Path, args: argparse.Namespace) -> list[Row]:
    url = await fresh_database(socket)
    await asyncio.to_thread(migrate, url)
    return await _measured("PostgreSQL", url, args)


async def _measured(name: str, url: str, args: argparse.Namespace) -> list[Row]:
    store = open_world_store(url)
    await store.create(first_snapshot(WORLD.new_realm(REALM), START))
    driver = "sqlite+aiosqlite" if url.startswith("sqlite") else "postgresql+asyncpg"
    database = Database(f"{driver}://{url.partition('://')[2]}")
    ticker = Ticker(store, RealmReader(store), WORLD.rules, partial(trigger_question, WORLD), lambda: START, holder="b")
    await database.write(lambda sql: sql.run(_COVER))
    for first in range(1, args.rows + 1, CHUNK):
        await database.write(
            partial(_fill, first=first, last=min(first + CHUNK - 1, args.rows), accounts=args.accounts)
        )
    ticks, peers, cells = [], [], 0
    for _ in range(args.rounds):
        await database.write(partial(_keep, rows=args.rows))
        peers.append(await _peer(database))
        cells = sum(len(users) for side in (await store.totals(REALM)).gained.values() for users in side.values())
        started = time.perf_counter()
        assert await ticker.run(REALM) is not None
        ticks.append(time.perf_counter() - started)
    await database.close()
    await store.close()
    ratio = median(ours / theirs for ours, theirs in zip(ticks, peers, strict=True))
    return [
        Row(f"{name}: GROUP BY, covering index", f"{median(peers) * 1e3:.0f} ms", "1.00", ""),
        Row(f"{name}: tick of {cells:,} cells", f"{median(ticks) * 1e3:.1f} ms", f"{ratio:.3f} x", f"<= {BOUND} x"),
    ]


async def _fill(sql: Sql, *, first: int, last: int, accounts: int) -> None:
    statement = _FILL.format(
        faction=_one_of(list(_REALM.factions), "n / 3"),
        territory=_one_of(sorted(_REALM.territories), "n / 13"),
        no="false" if sql.is_postgres else "0",
        empty="'\\x7b7d'" if sql.is_postgres else "x'7b7d'",
    )
    await sql.run(statement, first=first, last=last, accounts=accounts)


def _one_of(names: Sequence[str], number: str) -> str:
    """Return the SQL that picks one of several names by a number."""
    cases = " ".join(f"WHEN {index} THEN '{name}'" for index, name in enumerate(names))
    return f"CASE {number} % {len(names)} {cases} END"


async def _keep(sql: Sql, *, rows: int) -> None:
    """Let the totals hold every row again, as if a million more had been counted since the last tick."""
    await sql.run(_KEEP)
    await sql.run("UPDATE world_realms SET arrived = arrived + :rows, counted = counted + :rows", rows=rows)


async def _peer(database: Database) -> float:
    started = time.perf_counter()
    await database.read(lambda sql: sql.rows(_PEER, realm_id=REALM, tick=0))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
