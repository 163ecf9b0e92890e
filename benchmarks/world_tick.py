"""A tick whose realm took a million acts: against one SQL GROUP BY over them, in one run.

    python -m benchmarks.world_tick [--json] [--rows N] [--accounts N] [--rounds N] [--sqlite-only]

The ledger is filled past the store, by SQL: 20,000 accounts with 50 acts each, every account for one faction in one territory,
and every fifth account also in a second one, so that a million rows come to 24,000 cells. Every act has a correlation id of its
account. The totals are given what the store would have kept of the rows before every round again. Ours: the tick of `Ticker.run`,
from the lease to the commit, with its snapshot and its events, as `world_tick_duration_seconds` measures it, and beside it where
its time goes. What it tells 20,000 accounts behind it (an event and a message for every cell) is measured apart: the world has
moved by then, and nobody waits for it. The peer: one GROUP BY by side, territory, faction and account over a covering index, by
the same driver, vacuumed and warm, and nothing done with what it returns. They take turns, and the ratio is the median over the
rounds; so is that of the processor's time, in which other work of the machine is not counted (SQLite alone: it is one process).
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple, cast

import asyncpg

from benchmarks.report import Row, print_report
from council.ledger.opening import migrate
from tests.contract.postgres_server import fresh_database, running_server
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore
from world.persistence.sql_engine import Database, Sql
from world.realm.rules_document import default_world_path, load_world
from world.service.questions import trigger_question
from world.service.realms import RealmReader, first_snapshot
from world.service.ticking import Ticker

START: Final = 1_772_359_200_000
REALM: Final = "realm-1"
WORLD: Final = load_world(default_world_path())
BOUND: Final = 0.1
CHUNK: Final = 10_000
"""Rows that are filled in one statement."""
BEHIND: Final = ("traces", "tell", "tidy")
"""Methods of the store that are called when the tick is committed."""
WANDERING: Final = 5
"""Every so many accounts act in a second territory too, with a tenth of their acts."""
_REALM: Final = WORLD.new_realm(REALM)
_FILL: Final = """
INSERT INTO world_influence (realm_id, sequence, event_id, user_id, faction_id, territory_id, action_type, source,
 is_against, state, because, base, quality, anti_spam, fairness, points, anomaly, terms, created_at, received_at, tick,
 counted_at, correlation_id, candidate)
WITH RECURSIVE numbers(n) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last),
acts(n, a) AS (SELECT n, n * 7919 % :accounts FROM numbers)
SELECT 'realm-1', n, 'e-' || CAST(n AS TEXT), 'user-' || CAST(a AS TEXT), {faction}, {territory},
 'faction_quest_complete', 'quest', {no}, 'accepted', '', 25000, 1000, 1000, 1000, 1000 + n % 7, 0, {empty}, 0, 0, 0, n,
 '0198f2a4-7c3e-7000-8000-' || CAST(100000000000 + a AS TEXT), {empty} FROM acts
"""
_COVER: Final = (
    "CREATE INDEX cover ON world_influence (realm_id, tick, is_against, territory_id, faction_id, user_id, points)"
)
_CELLS: Final = (
    "SELECT is_against, territory_id, faction_id, user_id, CAST(SUM(points) AS BIGINT) AS points FROM world_influence"
    " WHERE realm_id = 'realm-1' AND tick = 0 GROUP BY is_against, territory_id, faction_id, user_id"
)
_SAVE: Final = f"CREATE TABLE saved AS {_CELLS}"
_KEEP: Final = (
    "INSERT INTO world_totals"
    " (realm_id, bucket, is_against, territory_id, faction_id, user_id, points, correlation_id)"
    " SELECT r.realm_id, r.opened, s.is_against, s.territory_id, s.faction_id, s.user_id, s.points,"
    " '0198f2a4-7c3e-7000-8000-' || s.user_id FROM saved s CROSS JOIN world_realms r"
)


class _Took(NamedTuple):
    """Seconds."""

    wall: float
    processor: float
    """Of this process, with its threads."""

    def since(self, before: "_Took") -> "_Took":
        """Return what went by since another moment."""
        return _Took(self.wall - before.wall, self.processor - before.processor)


class _Found(NamedTuple):
    """What one round took."""

    peer: _Took
    tick: _Took
    told: _Took
    tidied: _Took
    parts: dict[str, float]
    """Seconds by method of the store."""


def main() -> None:
    """Run the benchmark and print its table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=20_000)
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
    await _prepare(database, url, args)
    watched = _Watched(store)
    seen = cast("WorldStore", watched)
    ticker = Ticker(seen, RealmReader(seen), WORLD.rules, partial(trigger_question, WORLD), lambda: START, holder="b")
    found = [await _round(database, ticker, watched, args.rows) for _ in range(args.rounds + 1)][1:]
    cells = await database.read(lambda sql: sql.row("SELECT COUNT(*) FROM saved"))
    await database.close()
    await store.close()
    assert cells is not None
    return _rows(name, cells[0], found)


async def _round(database: Database, ticker: Ticker, watched: "_Watched", rows: int) -> _Found:
    """Fill the totals, then ask the peer, run a tick, and let go of the sums that the tick before had taken."""
    await database.write(partial(_keep, rows=rows))
    started = _now()
    await database.read(lambda sql: sql.rows(_CELLS))
    peer = _now().since(started)
    watched.took.clear()
    started = _now()
    assert await ticker.run(REALM) is not None
    told = _now()
    while await watched.tidy():
        pass
    tidied = _now().since(told)
    committed = watched.committed
    return _Found(peer, committed.since(started), told.since(committed), tidied, dict(watched.took))


def _rows(name: str, cells: int, found: Sequence[_Found]) -> list[Row]:
    ratio, processor = (
        median(getattr(each.tick, of) / getattr(each.peer, of) for each in found) for of in _Took._fields
    )
    stored = {part: median(each.parts[part] for each in found) for part in found[0].parts}
    tick, told = (median(getattr(each, of).wall for each in found) for of in ("tick", "told"))
    inside = {part: taken for part, taken in stored.items() if part not in BEHIND}
    behind = {part: stored[part] for part in BEHIND[:-1]}
    is_one_process = name == "SQLite"
    return [
        Row(f"{name}: GROUP BY, covering index", _ms(median(each.peer.wall for each in found)), "1.00", ""),
        Row(f"{name}: tick of {cells:,} cells", _ms(tick), f"{ratio:.3f} x", f"<= {BOUND} x"),
        *([Row(f"{name}:   of the processor's time", "", f"{processor:.3f} x", "")] if is_one_process else []),
        *[Row(f"{name}:   {part}", _ms(taken), "", "") for part, taken in inside.items()],
        Row(f"{name}:   computed", _ms(tick - sum(inside.values())), "", ""),
        Row(f"{name}: told behind it", _ms(told), "", ""),
        *[Row(f"{name}:   {part}", _ms(taken), "", "") for part, taken in behind.items()],
        Row(f"{name}:   put together", _ms(told - sum(behind.values())), "", ""),
        Row(f"{name}: sums let go later", _ms(median(each.tidied.wall for each in found)), "", ""),
    ]


def _now() -> _Took:
    return _Took(time.perf_counter(), time.process_time())


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


class _Watched:
    """Stands before a store and keeps how long its methods took in the running tick, in seconds."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        self.took: dict[str, float] = {}
        self.committed = _now()
        """When the running tick was committed."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)

        async def watched(*args: Any, **keys: Any) -> Any:
            started = time.perf_counter()
            try:
                return await method(*args, **keys)
            finally:
                self.took[name] = self.took.get(name, 0.0) + time.perf_counter() - started
                self.committed = _now() if name == "advance" else self.committed

        return watched


async def _prepare(database: Database, url: str, args: argparse.Namespace) -> None:
    for first in range(1, args.rows + 1, CHUNK):
        last = min(first + CHUNK - 1, args.rows)
        await database.write(partial(_fill, first=first, last=last, accounts=args.accounts))
    if url.startswith("sqlite"):
        await database.write(lambda sql: sql.run(_COVER))
        await database.write(lambda sql: sql.run(_SAVE))
        return
    # On a connection without the store's time limits: an index over all rows takes longer than its statements may.
    connection = await asyncpg.connect(url)
    for statement in (_COVER, "VACUUM ANALYZE world_influence", _SAVE):
        await connection.execute(statement)
    await connection.close()


async def _fill(sql: Sql, *, first: int, last: int, accounts: int) -> None:
    wanders = f"CASE WHEN a % {WANDERING} = 0 AND n / :accounts % 10 = 0 THEN 1 ELSE 0 END"
    statement = _FILL.format(
        faction=_one_of(list(_REALM.factions), "a"),
        territory=_one_of(sorted(_REALM.territories), f"(a / {len(_REALM.factions)} + {wanders})"),
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


if __name__ == "__main__":
    main()
