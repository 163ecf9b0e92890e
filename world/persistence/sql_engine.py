"""A database of the world: its connections, its transactions, what differs between SQLite and PostgreSQL, and what errors mean.

Statements are written once, with `:names` for values; they reach the driver as numbered marks.
"""

import asyncio
import re
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import cache, partial
from typing import Any, Final, NamedTuple, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from world.errors import StoreUnavailableError
from world.persistence.sql_tables import metadata
from world.persistence.sqlite_threads import SqliteThreads, finished

T = TypeVar("T")
Row = Sequence[Any]

LOCK_TIMEOUT_MS: Final = 2_000
"""How long a write waits for another process's lock (reliability.md, S3)."""
STATEMENT_TIMEOUT_MS: Final = 5_000
CONNECT_TIMEOUT_S: Final = 2
CONNECTIONS: Final = 8
"""Most connections of one process."""
MAX_TRIES: Final = 3
"""Tries of a transaction that the database broke off for another one's sake."""
_LOOK_S: Final = 0.001
"""Pause between looks whether SQLite's write lock is free."""
_CONFLICTS: Final = frozenset(["40001", "40P01"])
_NAME: Final = re.compile(r":([a-z_]+)")
_POSTGRES: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout={LOCK_TIMEOUT_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=4000",
)


class _Statement(NamedTuple):
    text: str
    names: tuple[str, ...]


class Merge(NamedTuple):
    """Rows to be inserted into a table, or merged with those that have their keys; no two of them have one key."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    """Values in the order of the columns."""
    conflict: str = ""
    """The ON CONFLICT clause of a row whose key is taken."""


class Sql(ABC):
    """One transaction's statements; they go to the driver itself, for there are many of them and each is small."""

    is_postgres: bool

    @abstractmethod
    async def begin(self) -> None:
        """Begin a transaction that writes."""

    @abstractmethod
    async def rows(self, statement: str, **values: object) -> Sequence[Row]:
        """Run a statement and return all its rows."""

    @abstractmethod
    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement once per row; its names stand in the order of a row's values."""

    @abstractmethod
    async def append(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
        """Insert rows the fastest way that the database has; the values stand in the order of the columns."""

    @abstractmethod
    async def merge(self, *merges: Merge) -> None:
        """Insert or merge rows of several tables, each named once."""

    @abstractmethod
    def among(self, column: str, name: str) -> str:
        """Return the condition that a text column is among several values, handed in by `listed`."""

    @abstractmethod
    def table_of(self, name: str) -> str:
        """Return the table expression whose rows have the values handed in by `listed`, as `value`."""

    @abstractmethod
    def object_of(self, key: str, value: str) -> str:
        """Return the aggregate that makes one JSON object, as text, of the rows of a group."""

    @abstractmethod
    def listed(self, values: Sequence[str]) -> object:
        """Return several texts as one value."""

    @property
    @abstractmethod
    def for_update(self) -> str:
        """Return what locks the rows that a SELECT finds."""

    async def row(self, statement: str, **values: object) -> Row | None:
        """Return the first row; None where there is none."""
        rows = await self.rows(statement, **values)
        return rows[0] if rows else None

    async def run(self, statement: str, **values: object) -> None:
        """Run a statement."""
        await self.rows(statement, **values)


class _SqliteSql(Sql):
    is_postgres = False
    for_update = ""  # the writer holds the whole file

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver

    async def begin(self) -> None:
        self._wait_for_turn()

    def _wait_for_turn(self) -> None:
        # SQLite's own wait looks again after up to a tenth of a second; where other processes write one batch behind the
        # other, the moment in between is far shorter, and a tick would starve.
        until = time.monotonic() + LOCK_TIMEOUT_MS / 1_000
        self._driver.execute("PRAGMA busy_timeout=0")
        try:
            while not self._has_begun(until):
                time.sleep(_LOOK_S)
        finally:
            self._driver.execute(f"PRAGMA busy_timeout={LOCK_TIMEOUT_MS}")

    def _has_begun(self, until: float) -> bool:
        try:
            self._driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > until:
                raise
            return False
        return True

    async def rows(self, statement: str, **values: object) -> Sequence[Row]:
        text, names = _numbered(statement, "?")
        return self._driver.execute(text, [values[name] for name in names]).fetchall()

    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            self._driver.executemany(_numbered(statement, "?").text, rows)

    async def append(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
        await self.merge(Merge(table, columns, rows))

    async def merge(self, *merges: Merge) -> None:
        # A fault breaks off the transaction, as `_in_transaction` would. To undo the one statement SQLite would copy every
        # page that it touches, for each row, where the table's trigger may refuse it.
        for table, columns, rows, conflict in merges:
            if rows:
                marks = ", ".join("?" * len(columns))
                insert = f"INSERT OR ROLLBACK INTO {table} ({', '.join(columns)}) VALUES ({marks}) {conflict}"
                self._driver.executemany(insert, rows)

    def among(self, column: str, name: str) -> str:
        return f"{column} IN (SELECT value FROM json_each(:{name}))"

    def table_of(self, name: str) -> str:
        return f"json_each(:{name}) AS {name}"

    def object_of(self, key: str, value: str) -> str:
        return f"json_group_object({key}, {value})"

    def listed(self, values: Sequence[str]) -> object:
        return orjson.dumps(list(values)).decode()


class _PostgresSql(Sql):
    is_postgres = True
    for_update = " FOR UPDATE"

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    async def begin(self) -> None:
        await self.run("BEGIN")

    async def rows(self, statement: str, **values: object) -> Sequence[Row]:
        text, names = _numbered(statement, "$")
        found: Sequence[Row] = await self._driver.fetch(text, *[values[name] for name in names])
        return found

    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            await self._driver.executemany(_numbered(statement, "$").text, rows)

    async def append(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            await self._driver.copy_records_to_table(table, records=rows, columns=columns)

    async def merge(self, *merges: Merge) -> None:
        # One statement, and the same whichever of them are empty: a round trip takes as long as a hundred rows.
        if any(each.rows for each in merges):
            arrays = [zip(*each.rows, strict=True) if each.rows else [()] * len(each.columns) for each in merges]
            statement = _merging(tuple([(each.table, each.columns, each.conflict) for each in merges]))
            await self._driver.execute(statement, *[values for each in arrays for values in each])

    def among(self, column: str, name: str) -> str:
        return f"{column} = ANY(CAST(:{name} AS text[]))"

    def table_of(self, name: str) -> str:
        return f"unnest(CAST(:{name} AS text[])) AS {name}(value)"

    def object_of(self, key: str, value: str) -> str:
        return f"CAST(json_object_agg({key}, {value}) AS TEXT)"

    @property
    def is_spoilt(self) -> bool:
        """Whether the connection must not be used again: it is lost, or a transaction was left open."""
        return bool(self._driver.is_closed() or self._driver.is_in_transaction())

    def listed(self, values: Sequence[str]) -> object:
        return list(values)


Work = Callable[[Sql], Awaitable[T]]
"""What is done on a connection; it waits for its statements and for nothing else."""


class Database:
    """Connections to one database, for one event loop; the first use connects.

    Args:
        url: SQLAlchemy's URL, sqlite+aiosqlite:///… or postgresql+asyncpg://….
    """

    def __init__(self, url: str) -> None:
        is_postgres = url.startswith("postgresql")
        self._database = _Postgres(url) if is_postgres else _Sqlite(url)
        # Within the process writers of SQLite wait here in turn, not in SQLite's polling.
        self._turn = nullcontext() if is_postgres else asyncio.Lock()
        self._is_closed = False

    async def read(self, work: Work[T]) -> T:
        """Run reads; several statements may see several states of the database.

        Raises:
            StoreUnavailableError: where the database cannot be asked now.
        """
        async with self._guarded():
            return await self._database.run(work)

    async def write(self, work: Work[T]) -> T:
        """Run one transaction that writes; it is run again where the database broke it off for another one's sake.

        Raises:
            StoreUnavailableError: where nothing was committed, or nobody can say whether.
        """
        async with self._guarded():
            for left in reversed(range(MAX_TRIES)):
                try:
                    async with self._turn:
                        return await self._database.run(partial(_in_transaction, work))
                except Exception as error:
                    if left == 0 or getattr(error, "sqlstate", None) not in _CONFLICTS:
                        raise
            raise AssertionError("the last try returns or raises")

    async def close(self) -> None:
        """Let the connections go; what comes later is refused."""
        self._is_closed = True
        await self._database.close()

    @asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        if self._is_closed:
            raise StoreUnavailableError("it is closed")
        try:
            yield
        except DBAPIError as error:
            raise _unavailable(error.orig) from error
        except (PoolTimeoutError, TimeoutError) as error:
            raise StoreUnavailableError("the database does not answer", retry_after_s=2) from error
        except OSError as error:
            reason = f"no connection to the database ({type(error).__name__})"
            raise StoreUnavailableError(reason, retry_after_s=2) from error
        except Exception as error:
            if not _is_of_driver(error):
                raise
            raise _unavailable(error) from error


class _Sqlite:
    """A file; work on it runs in a thread from beginning to end."""

    def __init__(self, url: str) -> None:
        path = sa.make_url(url).database or ""
        self._threads = SqliteThreads(CONNECTIONS, lambda: _sqlite_connection(path))

    async def run(self, work: Work[T]) -> T:
        return await self._threads.run(lambda connection: finished(work(_SqliteSql(connection))))

    async def close(self) -> None:
        await self._threads.close()


class _Postgres:
    """A server; work takes a connection from the pool."""

    def __init__(self, url: str) -> None:
        self._engine = _postgres_engine(url)

    async def run(self, work: Work[T]) -> T:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            if driver.is_closed():  # the server ended it while it lay in the pool
                await connection.invalidate()
                driver = (await connection.get_raw_connection()).driver_connection
            sql = _PostgresSql(driver)
            try:
                return await work(sql)
            except BaseException:
                if sql.is_spoilt:
                    await connection.invalidate()
                raise

    async def close(self) -> None:
        await self._engine.dispose()


async def _in_transaction(work: Work[T], sql: Sql) -> T:
    """Run work in a transaction, in SQLite under its write lock: committed at its end, rolled back where it raises."""
    try:
        await sql.begin()
        found = await work(sql)
        await sql.run("COMMIT")
        return found
    except BaseException:
        with suppress(Exception):  # a lost connection rolls back by itself; what raised is what is told
            await sql.run("ROLLBACK")
        raise


def is_taken(error: Exception) -> bool:
    """Whether a statement failed because a unique key is taken."""
    return isinstance(error, sqlite3.IntegrityError) or getattr(error, "sqlstate", None) == "23505"


def _is_of_driver(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) or type(error).__module__.startswith("asyncpg.")


@cache
def _numbered(statement: str, mark: str) -> _Statement:
    """Return a statement with numbered marks, and the names in the order of their numbers."""
    names: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        return f"{mark}{names.setdefault(found.group(1), len(names) + 1)}"

    return _Statement(_NAME.sub(numbered, statement), tuple(names))


@cache
def _merging(merges: tuple[tuple[str, tuple[str, ...], str], ...]) -> str:
    """Return PostgreSQL's statement for rows of several tables, each column handed in as one array."""
    inserts, first = [], 1
    for table, columns, conflict in merges:
        types = [metadata.tables[table].c[name].type.compile(_POSTGRES).partition(" ")[0] for name in columns]
        arrays = ", ".join([f"CAST(${number} AS {name}[])" for number, name in enumerate(types, first)])
        inserts.append(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) {conflict}")
        first += len(columns)
    *others, last = inserts
    ahead = ", ".join([f"m{number} AS ({insert})" for number, insert in enumerate(others)])
    return f"WITH {ahead} {last}" if others else last


def _unavailable(error: BaseException | None) -> StoreUnavailableError:
    """Return what a driver's error means to callers: never its SQL, its values or its address."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return StoreUnavailableError(_POSTGRES_ERRORS.get(state, f"the database refuses (SQLSTATE {state})"))
    name = getattr(error, "sqlite_errorname", "")
    if name in ("SQLITE_BUSY", "SQLITE_LOCKED"):
        return StoreUnavailableError("another process holds the database's lock")
    if name:
        return StoreUnavailableError(f"{str(error).partition(':')[0]} ({name})", retry_after_s=5)
    return StoreUnavailableError("no connection to the database", retry_after_s=2)


_POSTGRES_ERRORS: Final[Mapping[str, str]] = {
    "55P03": "another process holds a lock for longer than two seconds",
    "57014": "a statement took longer than five seconds",
    "40001": "other processes write the same rows",
    "40P01": "other processes write the same rows",
    "42P01": "its schema has no world: run 'council migrate'",
    "3D000": "there is no such database",
    "28P01": "the password is refused",
    "53300": "it has no connection left",
}


def _sqlite_connection(path: str) -> sqlite3.Connection:
    # The driver's own transactions are off: a write begins with BEGIN IMMEDIATE (`_in_transaction`), a read with none.
    timeout_s = LOCK_TIMEOUT_MS / 1_000
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


def _postgres_engine(url: str) -> AsyncEngine:
    settings = {
        "application_name": "council-world",
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    }
    # Behind the server's own limit, for a server that does not answer at all.
    arguments = {
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": STATEMENT_TIMEOUT_MS / 1_000 + 1,
        "server_settings": settings,
    }
    return create_async_engine(
        url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=CONNECT_TIMEOUT_S, isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True, connect_args=arguments,
    )  # fmt: skip
