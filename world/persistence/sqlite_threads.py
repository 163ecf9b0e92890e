"""Connections to a SQLite file, each in a thread of its own: what runs there goes there and back once, whatever it asks.

A statement of SQLite takes microseconds, and handing one to another thread takes many times that. So a transaction is handed
over whole (performance.md: a hop per statement cost more than the statements).
"""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class SqliteThreads:
    """Threads with a connection each, opened when the thread is first needed.

    Args:
        most: most threads.
        connect: opens a connection that any thread may close.
    """

    def __init__(self, most: int, connect: Callable[[], sqlite3.Connection]) -> None:
        self._pool = ThreadPoolExecutor(most, "sqlite")
        self._connect = connect
        self._mine = threading.local()
        self._opened: set[sqlite3.Connection] = set()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work in a thread; where the caller is cancelled meanwhile, the work still comes to its end."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, work)

    async def close(self) -> None:
        """Close every connection, after the work that is under way."""
        await asyncio.to_thread(self._close)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = self._connect()
            self._opened.add(connection)
        try:
            return work(connection)
        finally:
            if connection.in_transaction:  # it could not be rolled back
                self._mine.connection = None
                self._opened.discard(connection)
                connection.close()

    def _close(self) -> None:
        self._pool.shutdown()
        for connection in self._opened:
            connection.close()


def finished(work: Awaitable[T]) -> T:
    """Run work that waits for nothing to its end, in this thread.

    Raises:
        RuntimeError: where it waits for something.
    """
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        found: T = end.value
        return found
    steps.close()
    raise RuntimeError("work on SQLite waits for nothing but its statements")
