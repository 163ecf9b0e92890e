"""SQLite's statements over remarks."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import orjson

from council.ledger.remark_rows import REMARK_CHUNK, REMARK_COLUMNS, ROW_COLUMNS, is_storable, remark_rows
from council.ledger.remarks import Remark

REMARKS_OF: Final = (
    f"SELECT {REMARK_COLUMNS} FROM remarks WHERE decision_id IN (SELECT value FROM json_each(?)) ORDER BY seq"
)
SCAN_REMARKS: Final = (
    f"SELECT {REMARK_COLUMNS}, seq FROM remarks WHERE seq > ?1 AND (?2 IS NULL OR realm_id = ?2)"
    f" ORDER BY seq LIMIT {REMARK_CHUNK}"
)
_REALMS = "SELECT decision_id, realm_id FROM records WHERE decision_id IN (SELECT value FROM json_each(?))"
_INSERT = f"INSERT INTO remarks ({', '.join(ROW_COLUMNS)}) VALUES ({', '.join('?' * len(ROW_COLUMNS))})"


def listed(decision_ids: Sequence[str]) -> str:
    """Return ids as the one parameter that `json_each` takes apart; those that no row can hold are left out."""
    return orjson.dumps(list(filter(is_storable, decision_ids))).decode()


def add_remarks(connection: sqlite3.Connection, remarks: Sequence[Remark]) -> None:
    """Insert checked remarks within the caller's transaction.

    Raises:
        UnknownDecisionError: where a decision is not on record.
    """
    ids = listed([remark.decision_id for remark in remarks])
    realms = dict(connection.execute(_REALMS, (ids,)).fetchall())
    connection.executemany(_INSERT, remark_rows(remarks, realms))
