"""The record store as the commands see it: opened from the settings, searched, closed.

Everything that a command awaits runs in one event loop of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from difflib import get_close_matches
from typing import Any, Final, TypeVar

import orjson

from cli.errors import CliError
from council.ledger import opening
from council.ledger.port import MAX_PAGE, Filters, Ledger, StoredRecord

T = TypeVar("T")
Opened = Ledger
Stored = StoredRecord
SEARCHED: Final = 5_000
"""How many of the newest decisions are searched for an id that was given in part or misspelled."""


def run_with_ledger(database: str | None, work: Callable[[Ledger], Awaitable[T]]) -> T:
    """Run work over the ledger of a database URL, or of the settings where that is None.

    Raises:
        LedgerError: where the database cannot be used.
    """

    async def run() -> T:
        async with open_ledger(database) as ledger:
            return await work(ledger)

    return asyncio.run(run())


@asynccontextmanager
async def open_ledger(database: str | None, *, create: bool = False) -> AsyncIterator[Ledger]:
    """Open the ledger of a database URL, or of the settings where that is None.

    Args:
        create: whether to make the database where there is none, and bring its schema up to date.

    Raises:
        LedgerError: where the database cannot be used.
    """
    ledger = opening.open_ledger(database_url(database), create=create)
    try:
        yield ledger
    finally:
        await ledger.close()


def database_url(database: str | None) -> str:
    """Return the database URL of the option, or of the settings where that is None."""
    if database is not None:
        return database
    from gateway.settings import read_settings  # noqa: PLC0415 - costs a tenth of a second; --database does without

    return read_settings().database_url.get_secret_value()


async def find_record(ledger: Ledger, wanted: str) -> StoredRecord:
    """Return the decision of an id, or of the first characters of one.

    Raises:
        CliError: where there is none, or more than one; it names what is near.
    """
    stored = await ledger.get(wanted)
    if stored is not None:
        return stored
    ids = await _newest_ids(ledger)
    starting = [found for found in ids if wanted and found.startswith(wanted)]
    if len(starting) == 1 and (stored := await ledger.get(starting[0])) is not None:
        return stored
    if starting:
        raise CliError(f"{wanted!r} is the start of {len(starting)} ids", "give more of it", starting[:5])
    near = get_close_matches(wanted, ids, n=3, cutoff=0.6)
    fix = f"did you mean {' or '.join(near)}?" if near else "'council list' shows the decisions on record"
    if not ids:
        fix = "nothing is on record here yet: 'council review FILE' decides something, --database names another place"
    raise CliError(f"no decision has the id {wanted!r}", fix)


def place_of(stored: StoredRecord) -> dict[str, Any]:
    """Return where a record stands in its chain."""
    return {"position": stored.position, "hash": stored.hash, "previous": stored.previous}


def stored_line(stored: StoredRecord) -> dict[str, Any]:
    """Return a record with its place, as `export` writes it: one JSON document that proves itself.

    The body is put in as its own bytes, because the hash covers them.
    """
    return {"realm_id": stored.realm_id, **place_of(stored), "body": orjson.Fragment(stored.body)}


async def _newest_ids(ledger: Ledger) -> list[str]:
    ids: list[str] = []
    cursor: str | None = None
    while len(ids) < SEARCHED:
        page = await ledger.list(Filters(), cursor=cursor, limit=MAX_PAGE)
        ids += [record.decision_id for record in page.records]
        cursor = page.cursor
        if cursor is None:
            break
    return ids
