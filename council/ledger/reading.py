"""The read statements that SQLite and PostgreSQL share, and how their rows become records."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from council.ledger.cursors import Cursor, read_cursor
from council.ledger.port import MAX_PAGE, Filters, Page, StoredRecord

COLUMNS: Final = ", ".join(StoredRecord._fields)
BY_ID: Final = f"SELECT {COLUMNS} FROM records WHERE decision_id = "
REALMS: Final = "SELECT realm_id FROM heads UNION SELECT DISTINCT realm_id FROM records"
SCAN_CHUNK: Final = 64
"""Records fetched at once by a scan: all that it holds."""
_HELD = StoredRecord._fields.index("held")
_WIDTH = len(StoredRecord._fields)
_RECORDED_AT = StoredRecord._fields.index("recorded_at")

Placeholder = Callable[[int], str]
"""Writes the n-th parameter, from 1, the way a driver wants it."""


class Query(NamedTuple):
    """A statement and its parameters."""

    sql: str
    values: list[Any]


def stored_record(row: Sequence[Any]) -> StoredRecord:
    """Return the record in a row of COLUMNS; further columns are ignored."""
    return StoredRecord._make((*row[:_HELD], bool(row[_HELD]), *row[_HELD + 1 : _WIDTH]))


def page_size(limit: int) -> int:
    """Return the number of records that a page asked for with `limit` may hold."""
    return min(max(limit, 1), MAX_PAGE)


def listing(filters: Filters, cursor: str | None, limit: int, placeholder: Placeholder) -> Query:
    """Return the query of one page: one row more than the page holds, to see whether another follows."""
    terms: list[str] = []
    values: list[Any] = []

    def add(term: str, *new: Any) -> None:
        values.extend(new)
        marks = [placeholder(number) for number in range(len(values) - len(new) + 1, len(values) + 1)]
        terms.append(term.format(*marks))

    for name in ("realm_id", "decision_type", "verdict", "path", "held", "policy_hash"):
        if (value := getattr(filters, name)) is not None:
            add(name + " = {}", value)
    if filters.since is not None:
        add("recorded_at >= {}", filters.since)
    if filters.until is not None:
        add("recorded_at < {}", filters.until)
    if (before := read_cursor(cursor)) is not None:
        add("(recorded_at, seq) < ({}, {})", before.recorded_at, before.number)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    sql = f"SELECT {COLUMNS}, seq FROM records{where} ORDER BY recorded_at DESC, seq DESC LIMIT {page_size(limit) + 1}"
    return Query(sql, values)


def page(rows: Sequence[Sequence[Any]], limit: int) -> Page:
    """Return the page in the rows of a listing."""
    size = page_size(limit)
    shown = rows[:size]
    end = str(Cursor(shown[-1][_RECORDED_AT], shown[-1][-1])) if len(rows) > size else None
    return Page(tuple([stored_record(row) for row in shown]), end)
