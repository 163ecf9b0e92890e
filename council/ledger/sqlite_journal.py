"""What SQLite does with reviews under way; each function runs inside the writer's transaction."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from council.ledger.port import OpenReview
from council.ledger.under_way import JournalledReply, by_age

REVIEW_COLUMNS: Final = ", ".join(OpenReview._fields)
_MARKS = ", ".join("?" * len(OpenReview._fields))
_OPEN = (
    f"INSERT INTO open_reviews ({REVIEW_COLUMNS}) SELECT * FROM (SELECT {_MARKS})"
    " WHERE NOT EXISTS (SELECT 1 FROM records WHERE decision_id = ?1)"
    f" ON CONFLICT (decision_id) DO UPDATE SET leased_until = excluded.leased_until RETURNING {REVIEW_COLUMNS}"
)
_KEEP = (
    "INSERT INTO open_replies (decision_id, slot, reply) SELECT ?1, ?2, ?3"
    " WHERE EXISTS (SELECT 1 FROM open_reviews WHERE decision_id = ?1) ON CONFLICT (decision_id, slot) DO NOTHING"
)
# The replies go with it: the foreign key cascades.
_CLOSE = "DELETE FROM open_reviews WHERE decision_id = ?"
_SWEEP = (
    "DELETE FROM open_reviews WHERE leased_until < ?"
    " AND EXISTS (SELECT 1 FROM records WHERE records.decision_id = open_reviews.decision_id)"
)
_CLAIM = (
    "UPDATE open_reviews SET leased_until = ?2 WHERE decision_id IN"
    " (SELECT decision_id FROM open_reviews WHERE leased_until < ?1 ORDER BY opened_at, decision_id LIMIT ?3)"
    f" RETURNING {REVIEW_COLUMNS}"
)


def open_reviews(connection: sqlite3.Connection, reviews: Iterable[OpenReview]) -> dict[str, OpenReview]:
    """Open reviews, or lease them anew; return them as they are kept, without those whose decision is on record."""
    rows = [row for review in reviews for row in connection.execute(_OPEN, review).fetchall()]
    return {row[0]: OpenReview(*row) for row in rows}


def keep_replies(connection: sqlite3.Connection, replies: Iterable[JournalledReply]) -> None:
    """Keep the first reply of each slot of the reviews that are open."""
    connection.executemany(_KEEP, replies)


def close_reviews(connection: sqlite3.Connection, decision_ids: Iterable[str]) -> None:
    """Delete reviews and their replies."""
    connection.executemany(_CLOSE, [(decision_id,) for decision_id in decision_ids])


def claim_orphans(connection: sqlite3.Connection, now: str, leased_until: str, limit: int) -> list[OpenReview]:
    """Lease the oldest reviews whose lease has ended, and forget those whose decision is on record."""
    connection.execute(_SWEEP, (now,))
    rows = connection.execute(_CLAIM, (now, leased_until, limit)).fetchall()
    return sorted([OpenReview(*row) for row in rows], key=by_age)
