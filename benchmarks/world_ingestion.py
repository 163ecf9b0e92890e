"""Taking acts in, with all checks, against bare batched inserts of the same rows, in one run.

    python -m benchmarks.world_ingestion [--json] [--rows N] [--rounds N] [--sqlite-only]

Ingestion: `Ingestion.submit` in batches of 128, from each act's JSON to the committed batch: the contract's schema, what the
ledger knows, scoring, anomaly, caps, the ledger's row, its message, totals, links, tallies. Submit: the store alone, with acts
judged before. Bare: `executemany` of the same ledger rows, all 27 columns, by the same driver in transactions of 128 with the
same durability (SQLite: WAL, synchronous FULL; PostgreSQL: its default): "same indexes" into a table with the ledger's primary
key and its six further indexes (event, user, device, session, counted, held), "no index" into one without any. A thousand
accounts act in turn, each about every two minutes; "Zipf 1.5" draws the factions by that law instead of evenly. Contenders take
turns within a round, and a ratio is the median over the rounds of that round's ratio: a machine that slows down meanwhile slows
both sides. Beside the wall's time stands the processor's, of this process and of PostgreSQL's server: its ratio
changes less where others load the machine.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Final, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy import create_mock_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from benchmarks.report import Row, print_report
from council.ledger.opening import migrate
from policies.contracts.request import ImpactCandidate
from tests.contract.postgres_server import fresh_database, running_server
from world.influence.recent import canonical_act
from world.persistence.acts import Asked, Judge, Judgement, Known, LedgerRow, NewRow
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore
from world.persistence.sql_engine import Database, Sql
from world.persistence.sql_rows import INFLUENCE, influence_values
from world.persistence.sql_tables import influence
from world.realm.rules import Caps
from world.realm.rules_document import default_world_path, load_world
from world.service.ingestion import Ingestion
from world.service.questions import dispute_question
from world.service.realms import RealmReader, first_snapshot

BATCH: Final = 128
ACCOUNTS: Final = 1_000
STEP_MS: Final = 15_000
"""Time between two batches: each account acts about every two minutes."""
START: Final = 1_772_359_200_000
REALM: Final = "realm-1"
WORLD: Final = load_world(default_world_path())
_NO_CAP: Final = 10**15
RULES: Final = replace(WORLD.rules, caps=Caps(_NO_CAP, _NO_CAP, {}))
"""The shipped rules with caps so high that every act counts: a refused act would be cheaper."""


def main() -> None:
    """Run the benchmark and print its table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=5_120)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sqlite-only", action="store_true")
    args = parser.parse_args()
    rows = asyncio.run(_on_sqlite(args.rows, args.rounds))
    if not args.sqlite_only:
        with running_server() as socket:
            _postmaster[:] = [int(lock.read_text().split()[0]) for lock in socket.glob(".s.PGSQL.*.lock")]
            rows += asyncio.run(_on_postgres(socket, args.rows, args.rounds))
    print_report("Taking acts in, per act, against bare batched inserts of the same rows", rows, as_json=args.json)


def acts(count: int, *, skewed: bool) -> list[ImpactCandidate]:
    """Return acts of many accounts in order of time, for factions drawn evenly or by Zipf 1.5."""
    draw = Random(7)
    factions = list(WORLD.new_realm(REALM).factions)
    territories = sorted(WORLD.new_realm(REALM).territories)
    weights = [1 / (rank + 1) ** 1.5 if skewed else 1.0 for rank in range(len(factions))]
    chosen = draw.choices(factions, weights, k=count)
    return [_act(number, chosen[number], draw.choice(territories)) for number in range(count)]


def _act(number: int, faction: str, territory: str) -> ImpactCandidate:
    user = number * 7919 % ACCOUNTS
    moment = START + number // BATCH * STEP_MS - number % BATCH
    document = {
        "event_id": f"5b7d1c1e-0000-4000-8000-{number:012d}",
        "realm_id": REALM,
        "user_id": f"user-{user}",
        "device_id": f"device-{user}",
        "session_id": f"session-{user}",
        "story_id": f"story-{number % 50}",
        "chapter_id": f"chapter-{number % 7}",
        "action_type": "faction_quest_complete",
        "faction_id": faction,
        "target_id": territory,
        "base_points": RULES.actions["faction_quest_complete"].base / 1_000,
        "evidence": {"risk": 1 + number % 5, "stakes": "regional"},
        "created_at": datetime.fromtimestamp(moment / 1_000, UTC).isoformat(),
    }
    return ImpactCandidate.model_validate(document)


class _Took(NamedTuple):
    """Seconds: by the clock on the wall, and of the processor."""

    wall: float
    cpu: float
    """Of this process, and of the server that it asks."""


class _Recording:
    """A store that keeps what is submitted, so that the bare contenders insert the very same rows."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        self.submitted: list[NewRow] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def take_in(
        self, realm_id: str, asked: Sequence[Asked], judge: Judge, *, since: int, tick: int
    ) -> tuple[LedgerRow, ...]:
        def recorded(known: Sequence[Known]) -> Judgement:
            judgement = judge(known)
            self.submitted += judgement.rows
            return judgement

        return await self._store.take_in(realm_id, asked, recorded, since=since, tick=tick)


async def _on_sqlite(rows: int, rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(10**6))

        async def fresh() -> str:
            return f"sqlite:///{Path(folder)}/{next(numbers)}.db"

        return await _compare("SQLite", fresh, rows, rounds)


_postmaster: Final[list[int]] = []
"""The server's first process, while it runs."""


async def _on_postgres(socket: Path, rows: int, rounds: int) -> list[Row]:
    async def fresh() -> str:
        url = await fresh_database(socket)
        await asyncio.to_thread(migrate, url)
        return url

    return await _compare("PostgreSQL", fresh, rows, rounds)


async def _compare(database: str, fresh: Callable[[], Awaitable[str]], count: int, rounds: int) -> list[Row]:
    even, skewed = acts(count, skewed=False), acts(count, skewed=True)
    judged = await _judged(even)
    contenders: dict[str, Callable[[str], Awaitable[_Took]]] = {
        "bare, no index": lambda url: _bare(url, judged, indexed=False),
        "bare, same indexes": lambda url: _bare(url, judged, indexed=True),
        "submit": lambda url: _submitted(url, judged),
        "ingestion": lambda url: _ingested(url, even),
        "ingestion, Zipf 1.5": lambda url: _ingested(url, skewed),
    }
    took: dict[str, list[_Took]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            took[name].append(await run(await fresh()))
    return [_line(database, name, took, count) for name in contenders]


_BOUNDS: Final = {
    "submit": ("bare, same indexes", 1.5),
    "ingestion": ("bare, same indexes", 3.0),
    "ingestion, Zipf 1.5": ("ingestion", 1.2),
}


def _line(database: str, name: str, took: Mapping[str, Sequence[_Took]], count: int) -> Row:
    wall, cpu = median(each.wall for each in took[name]), median(each.cpu for each in took[name])
    figure = f"{wall / count * 1e6:.0f} µs ({cpu / count * 1e6:.0f} of the processor), {count / wall:,.0f}/s"
    if name not in _BOUNDS:
        return Row(f"{database}: {name}", figure, "", "")
    peer, bound = _BOUNDS[name]
    pairs = list(zip(took[name], took[peer], strict=True))
    by_wall, by_cpu = median(us.wall / it.wall for us, it in pairs), median(us.cpu / it.cpu for us, it in pairs)
    return Row(f"{database}: {name}", figure, f"{by_wall:.2f} x {peer}, {by_cpu:.2f} by the processor", f"<= {bound} x")


async def _judged(candidates: Sequence[ImpactCandidate]) -> list[NewRow]:
    """Return the rows that ingestion makes of acts; every one is accepted."""
    recording = _Recording(open_world_store("memory://"))
    await _through(recording, candidates)  # type: ignore[arg-type]
    assert all(row.judged.state == "accepted" for row in recording.submitted)
    return recording.submitted


async def _ingested(url: str, candidates: Sequence[ImpactCandidate]) -> _Took:
    store = open_world_store(url)
    took = await _through(store, candidates)
    totals = await store.totals(REALM)
    assert totals.watermark == len(candidates)
    await store.close()
    return took


async def _through(store: WorldStore, candidates: Sequence[ImpactCandidate]) -> _Took:
    now, sent = START, [canonical_act(each) for each in candidates]
    ingestion = Ingestion(store, RealmReader(store), RULES, partial(dispute_question, WORLD), lambda: now)
    await store.create(first_snapshot(WORLD.new_realm(REALM), START))
    started = _clocks()
    for first in range(0, len(sent), BATCH):
        read = [ImpactCandidate.model_validate(orjson.loads(each)) for each in sent[first : first + BATCH]]
        await ingestion.submit(read)
        now += STEP_MS
    return _took_since(started)


async def _submitted(url: str, rows: Sequence[NewRow]) -> _Took:
    store = open_world_store(url)
    await store.create(first_snapshot(WORLD.new_realm(REALM), START))
    started = _clocks()
    for first in range(0, len(rows), BATCH):
        await store.submit(rows[first : first + BATCH], {})
    took = _took_since(started)
    await store.close()
    return took


async def _bare(url: str, rows: Sequence[NewRow], *, indexed: bool) -> _Took:
    driver = "sqlite+aiosqlite" if url.startswith("sqlite") else "postgresql+asyncpg"
    database = Database(f"{driver}://{url.partition('://')[2]}")
    await database.write(lambda sql: _make_bare(sql, indexed))
    values = [influence_values(new, number, number) for number, new in enumerate(rows, 1)]
    insert = f"INSERT INTO bare ({', '.join(INFLUENCE)}) VALUES ({', '.join(f':{name}' for name in INFLUENCE)})"
    started = _clocks()
    for first in range(0, len(values), BATCH):
        batch = values[first : first + BATCH]
        await database.write(lambda sql, batch=batch: sql.many(insert, batch))  # type: ignore[misc]
    took = _took_since(started)
    await database.close()
    return took


def _clocks() -> _Took:
    server_s = _server_s(_postmaster[0]) if _postmaster else 0.0
    return _Took(time.perf_counter(), time.process_time() + server_s)


def _server_s(postmaster: int) -> float:
    """Return the processor time of a PostgreSQL server, seconds: of its first process and all that it started."""
    found = [_counters(path) for path in Path("/proc").glob("[0-9]*/stat")]
    # What ended children used stands with their parent, after what it used itself.
    mine = [each for pid, parent, each in found if postmaster in (pid, parent)]
    return sum(map(sum, mine)) / os.sysconf("SC_CLK_TCK")


def _counters(path: Path) -> tuple[int, int, tuple[int, ...]]:
    """Return a process's id, its parent's and its ticks on the processor; nothing of one that has ended meanwhile."""
    try:
        counters = path.read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0, ()
    return int(path.parent.name), int(counters[1]), tuple(map(int, counters[11:15]))


def _took_since(started: _Took) -> _Took:
    now = _clocks()
    return _Took(now.wall - started.wall, now.cpu - started.cpu)


async def _make_bare(sql: Sql, indexed: bool) -> None:
    dialect = create_mock_engine("postgresql://" if sql.is_postgres else "sqlite://", _ignore).dialect
    table = influence.to_metadata(sa.MetaData(), name="bare")
    if not indexed:
        table.constraints.clear()
    await sql.run(str(CreateTable(table).compile(dialect=dialect)))
    for index in sorted(table.indexes, key=lambda each: str(each.name)) if indexed else ():
        created = str(CreateIndex(index).compile(dialect=dialect))
        await sql.run(created.replace(f"INDEX {index.name}", f"INDEX bare_{index.name}"))


def _ignore(*_: object, **__: object) -> None:
    """Run nothing: the engine is there for its dialect."""


if __name__ == "__main__":
    main()
