"""Statements past the ledger, as somebody with the database in hand would run them."""

import sqlite3
from typing import Any

import asyncpg

WRITE_ONCE_ERRORS = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)
_DISARM = {
    "sqlite": ["DROP TRIGGER records_no_update", "DROP TRIGGER records_no_delete", "DROP TRIGGER records_no_insert"],
    "postgresql": ["ALTER TABLE records DISABLE TRIGGER ALL"],
}


async def run_sql(url: str, *statements: str) -> list[Any]:
    """Run statements in a connection of their own; return the rows of the last."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        try:
            rows: list[Any] = []
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            return rows
        finally:
            connection.close()
    opened = await asyncpg.connect(url)
    try:
        found: list[Any] = []
        for statement in statements:
            found = [tuple(row) for row in await opened.fetch(statement)]
        return found
    finally:
        await opened.close()


async def tamper(url: str, *statements: str) -> None:
    """Take the triggers of `records` away, then run statements."""
    await run_sql(url, *_DISARM[url.partition(":")[0]], *statements)
