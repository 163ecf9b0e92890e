"""A database of the world: its connections, its transactions, what differs between SQLite and PostgreSQL, and what errors mean.

Statements are written once, with `:names` for values; they reach the driver as numbered marks.
"""

import asyncio
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

import aiosqlite
import orjson
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from world.errors import StoreUnavailableError

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
_CONFLICTS: Final = frozenset(["40001", "40P01"])
_NAME: Final = re.compile(r":([a-z_]+)")
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout={LOCK_TIMEOUT_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=4000",
)


class _Statement(NamedTuple):
    text: str
    names: tuple[str, ...]


class Sql(ABC):
    """One transaction's statements; they go to the driver itself, for there are many of them and each is small."""

    is_postgres: bool

    @abstractmethod
    async def rows(self, statement: str, **values: object) -> Sequence[Row]:
        """Run a statement and return all its rows."""

    @abstractmethod
    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement once per row; its names stand in the order of a row's values."""

    @abstractmethod
    def among(self, column: str, name: str) -> str:
        """Return the condition that a text column is among several values, handed in by `listed`."""

    @abstractmethod
    def table_of(self, name: str) -> str:
        """Return the table expression whose rows have the values handed in by `listed`, as `value`."""

    @abstractmethod
    def listed(self, values: Sequence[str]) -> object:
        """Return several texts as one value."""

    @property
    @abstractmethod
    def is_spoilt(self) -> bool:
        """Whether the connection must not be used again: it is lost, or a transaction was left open."""

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

    def __init__(self, driver: aiosqlite.Connection) -> None:
        self._driver = driver

    async def rows(self, statement: str, **values: object) -> Sequence[Row]:
        text, names = _numbered(statement, "?")
        return list(await self._driver.execute_fetchall(text, [values[name] for name in names]))

    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            await self._driver.executemany(_numbered(statement, "?").text, rows)

    def among(self, column: str, name: str) -> str:
        return f"{column} IN (SELECT value FROM json_each(:{name}))"

    def table_of(self, name: str) -> str:
        return f"json_each(:{name}) AS {name}"

    @property
    def is_spoilt(self) -> bool:
        return self._driver.in_transaction

    def listed(self, values: Sequence[str]) -> object:
        return orjson.dumps(list(values)).decode()


class _PostgresSql(Sql):
    is_postgres = True
    for_update = " FOR UPDATE"

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    async def rows(self, statement: str, **values: object) -> Sequence[Row]:
        text, names = _numbered(statement, "$")
        found: Sequence[Row] = await self._driver.fetch(text, *[values[name] for name in names])
        return found

    async def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            await self._driver.executemany(_numbered(statement, "$").text, rows)

    def among(self, column: str, name: str) -> str:
        return f"{column} = ANY(CAST(:{name} AS text[]))"

    def table_of(self, name: str) -> str:
        return f"unnest(CAST(:{name} AS text[])) AS {name}(value)"

    @property
    def is_spoilt(self) -> bool:
        return bool(self._driver.is_closed() or self._driver.is_in_transaction())

    def listed(self, values: Sequence[str]) -> object:
        return list(values)


class Database:
    """Connections to one database, for one event loop; the first use connects.

    Args:
        url: SQLAlchemy's URL, sqlite+aiosqlite:///… or postgresql+asyncpg://….
    """

    def __init__(self, url: str) -> None:
        self._is_postgres = url.startswith("postgresql")
        self._engine = _postgres_engine(url) if self._is_postgres else _sqlite_engine(url)
        # Within the process writers of SQLite wait here in turn, not in SQLite's polling.
        self._turn = asyncio.Lock() if not self._is_postgres else nullcontext()
        self._is_closed = False

    async def read(self, work: Callable[[Sql], Awaitable[T]]) -> T:
        """Run reads; several statements may see several states of the database.

        Raises:
            StoreUnavailableError: where the database cannot be asked now.
        """
        async with self._guarded(), self._connected() as sql:
            return await work(sql)

    async def write(self, work: Callable[[Sql], Awaitable[T]]) -> T:
        """Run one transaction that writes; it is run again where the database broke it off for another one's sake.

        Raises:
            StoreUnavailableError: where nothing was committed, or nobody can say whether.
        """
        async with self._guarded():
            for left in reversed(range(MAX_TRIES)):
                try:
                    async with self._turn, self._connected() as sql, _transaction(sql):
                        return await work(sql)
                except Exception as error:
                    if left == 0 or getattr(error, "sqlstate", None) not in _CONFLICTS:
                        raise
            raise AssertionError("the last try returns or raises")

    async def close(self) -> None:
        """Let the connections go; what comes later is refused."""
        self._is_closed = True
        await self._engine.dispose()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Sql]:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            if self._is_postgres and driver.is_closed():  # the server ended it while it lay in the pool
                await connection.invalidate()
                driver = (await connection.get_raw_connection()).driver_connection
            sql: Sql = _PostgresSql(driver) if self._is_postgres else _SqliteSql(driver)
            try:
                yield sql
            except BaseException:
                if sql.is_spoilt:
                    await connection.invalidate()
                raise

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


@asynccontextmanager
async def _transaction(sql: Sql) -> AsyncIterator[None]:
    """Hold a transaction for a block, in SQLite its write lock: committed at the end, rolled back where the block raises."""
    try:
        # Inside of the block: SQLite's thread begins even where the caller was cancelled while it waited.
        await sql.run("BEGIN" if sql.is_postgres else "BEGIN IMMEDIATE")
        yield
        await sql.run("COMMIT")
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


def _sqlite_engine(url: str) -> AsyncEngine:
    # The driver's own transactions are off: a write begins with BEGIN IMMEDIATE (`_transaction`), a read with none.
    engine = create_async_engine(
        url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=CONNECT_TIMEOUT_S, isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True, connect_args={"timeout": LOCK_TIMEOUT_MS / 1_000},
    )  # fmt: skip
    sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


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
