"""Appending hash-chained records by group commit, against raw batched inserts of the same rows, in one run.

    python -m benchmarks.ledger_append [--json] [--rows N] [--rounds N] [--sqlite-only]

Raw: `executemany` in transactions of 128 rows, same columns, same values, same pragmas, by the same driver, and nobody waits for
an answer: "same table" into a table with the ledger's indexes, "bare" into one with none at all. The rows hold about 900 bytes.
Contenders take turns within a round, and a ratio is the median over the rounds of that round's ratio: a machine that slows
down meanwhile slows both sides.
"""

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import asyncpg
from rich.console import Console
from rich.table import Table

from council.ledger.chain import begin_link, link
from council.ledger.opening import migrate, open_ledger
from council.ledger.port import NewRecord, StoredRecord, decision_id_of
from council.ledger.reading import COLUMNS
from council.ledger.sqlite_files import connect
from tests.contract.postgres_server import fresh_database, running_server

BATCH = 128
PRODUCERS = (1, 16, 32, 128)
_HASH = "a" * 64
_SAME = "raw, same table"
_BARE = "raw, bare table"
_INDEXES = (
    "CREATE UNIQUE INDEX raw_chain ON raw (realm_id, position)",
    "CREATE UNIQUE INDEX raw_decision_id ON raw (decision_id)",
    "CREATE INDEX raw_listing ON raw (recorded_at, seq, realm_id, decision_type, verdict, path, held)",
)


class Line(NamedTuple):
    """One contender."""

    database: str
    name: str
    rows_per_s: float
    to_same_table: float
    to_bare_table: float


def main() -> None:
    """Run the benchmark and print its table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=6_400)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sqlite-only", action="store_true")
    args = parser.parse_args()
    lines = _sqlite(args.rows, args.rounds)
    if not args.sqlite_only:
        lines += _postgres(args.rows, args.rounds)
    if args.json:
        print(json.dumps(_as_json(lines, args.rows), indent=2))
    else:
        _print_table(lines)


def sample_rows(count: int) -> list[NewRecord]:
    """Return records whose stored rows hold about 900 bytes."""
    return [_sample(number) for number in range(count)]


def _sample(number: int) -> NewRecord:
    key = hashlib.sha256(b"%d" % number).hexdigest()[:32]
    answer = b'{"decision_id":"%b","final_verdict":"approve"}' % decision_id_of(key).encode()
    body = b'{"answer":%b,"evidence":"%b","request_key":"%b"}' % (answer, b"e" * 200, key.encode())
    seconds, milliseconds = divmod(number, 1000)
    recorded_at = f"2026-11-21T10:{seconds // 60:02d}:{seconds % 60:02d}.{milliseconds:03d}Z"
    return NewRecord(
        "aelvyndor",
        key,
        hashlib.sha256(body).hexdigest(),
        decision_id_of(key),
        recorded_at,
        body,
        answer,
        "sovereign_action",
        "approve",
        "fast",
        False,
        _HASH,
        None,
        "council.decided",
        b'{"decision_id":"%b"}' % decision_id_of(key).encode(),
    )


def _sqlite(rows: int, rounds: int) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        counter = iter(range(10**6))

        async def ledger_run(producers: int) -> float:
            url = f"sqlite:///{folder}/{next(counter)}.db"
            return await _ledger_seconds(url, sample_rows(rows), producers)

        async def raw_run(indexes: Sequence[str]) -> float:
            return _raw_sqlite_seconds(Path(folder) / f"{next(counter)}.db", _stored(rows), indexes)

        return asyncio.run(_compare("SQLite", rows, rounds, ledger_run, raw_run))


def _postgres(rows: int, rounds: int) -> list[Line]:
    with running_server() as socket:

        async def ledger_run(producers: int) -> float:
            url = await fresh_database(socket)
            await asyncio.to_thread(migrate, url)
            return await _ledger_seconds(url, sample_rows(rows), producers)

        async def raw_run(indexes: Sequence[str]) -> float:
            return await _raw_postgres_seconds(await fresh_database(socket), _stored(rows), indexes)

        return asyncio.run(_compare("PostgreSQL", rows, rounds, ledger_run, raw_run))


async def _compare(
    database: str,
    rows: int,
    rounds: int,
    ledger_run: Callable[[int], Awaitable[float]],
    raw_run: Callable[[Sequence[str]], Awaitable[float]],
) -> list[Line]:
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        seconds.setdefault(_BARE, []).append(await raw_run(()))
        seconds.setdefault(_SAME, []).append(await raw_run(_INDEXES))
        for producers in PRODUCERS:
            seconds.setdefault(f"ledger, {producers} producers", []).append(await ledger_run(producers))
    return [
        Line(database, name, rows / median(taken), _ratio(seconds[_SAME], taken), _ratio(seconds[_BARE], taken))
        for name, taken in seconds.items()
    ]


def _ratio(raw: Sequence[float], taken: Sequence[float]) -> float:
    return median(one / other for one, other in zip(raw, taken, strict=True))


async def _ledger_seconds(url: str, news: Sequence[NewRecord], producers: int) -> float:
    """Return the time per `len(news)` appends; one producer appends a tenth of them."""
    ledger = open_ledger(url)
    await ledger.put_policy(_HASH, b"{}")
    share = len(news) if producers > 1 else len(news) // 10
    waiting = islice(iter(news), share)
    started = time.perf_counter()
    await asyncio.gather(*[_produce(ledger.append, waiting) for _ in range(producers)])
    taken = time.perf_counter() - started
    head = await ledger.head("aelvyndor")
    assert head is not None
    assert head.position == share
    await ledger.close()
    return taken * len(news) / share


async def _produce(append: Callable[[NewRecord], Awaitable[StoredRecord]], waiting: Iterator[NewRecord]) -> None:
    for new in waiting:
        await append(new)


def _stored(rows: int) -> list[StoredRecord]:
    return link([begin_link(new) for new in sample_rows(rows)], {}).records


def _raw_sqlite_seconds(path: Path, rows: Sequence[StoredRecord], indexes: Sequence[str]) -> float:
    connection = connect(path)
    connection.execute(_raw_table("INTEGER PRIMARY KEY", "BLOB"))
    for index in indexes:
        connection.execute(index)
    insert = f"INSERT INTO raw ({COLUMNS}) VALUES ({', '.join('?' * len(StoredRecord._fields))})"
    started = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows[start : start + BATCH])
        connection.execute("COMMIT")
    taken = time.perf_counter() - started
    connection.close()
    return taken


async def _raw_postgres_seconds(url: str, rows: Sequence[StoredRecord], indexes: Sequence[str]) -> float:
    connection: Any = await asyncpg.connect(url)
    await connection.execute(_raw_table("BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "BYTEA"))
    for index in indexes:
        await connection.execute(index)
    marks = ", ".join(f"${number}" for number in range(1, len(StoredRecord._fields) + 1))
    insert = f"INSERT INTO raw ({COLUMNS}) VALUES ({marks})"
    started = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        await connection.executemany(insert, rows[start : start + BATCH])
    taken = time.perf_counter() - started
    await connection.close()
    return taken


def _raw_table(key: str, binary: str) -> str:
    kinds = {"position": "BIGINT", "held": "BOOLEAN", "body": binary, "answer": binary}
    columns = [f"{name} {kinds.get(name, 'TEXT')}" for name in StoredRecord._fields]
    return f"CREATE TABLE raw (seq {key}, {', '.join(columns)})"


def _as_json(lines: Sequence[Line], rows: int) -> dict[str, Any]:
    row_bytes = sum(len(value) for value in _stored(1)[0] if isinstance(value, str | bytes))
    return {
        "benchmark": "ledger_append",
        "rows": rows,
        "row_bytes": row_bytes,
        "lines": [line._asdict() for line in lines],
    }


def _print_table(lines: Sequence[Line]) -> None:
    table = Table(title="Record append: hash-chained group commit against raw batched inserts")
    table.add_column("database")
    table.add_column("contender")
    for heading in ("rows/s", "to raw, same table", "to raw, bare table"):
        table.add_column(heading, justify="right")
    for database, name, rows_per_s, same, bare in lines:
        table.add_row(database, name, f"{rows_per_s:,.0f}", f"{same:.2f}", f"{bare:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
