"""What PostgreSQL does with reviews under way; each function runs inside the writer's transaction."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from council.ledger.port import OpenReview
from council.ledger.under_way import JournalledReply

_COLUMNS = ", ".join(OpenReview._fields)
_KINDS = {"request": "bytea"}
_ARRAYS = ", ".join(f"${n}::{_KINDS.get(name, 'text')}[]" for n, name in enumerate(OpenReview._fields, start=1))
_OPEN = (
    f"INSERT INTO open_reviews ({_COLUMNS}) SELECT * FROM unnest({_ARRAYS}) AS new ({_COLUMNS})"
    " WHERE NOT EXISTS (SELECT 1 FROM records WHERE records.decision_id = new.decision_id) ORDER BY new.decision_id"
    f" ON CONFLICT (decision_id) DO UPDATE SET leased_until = excluded.leased_until RETURNING {_COLUMNS}"
)
# The lock on the review holds off another process that closes it: no reply is left behind without one.
_KEEP = (
    "INSERT INTO open_replies (decision_id, slot, reply) SELECT new.decision_id, new.slot, new.reply"
    " FROM unnest($1::text[], $2::text[], $3::bytea[]) AS new (decision_id, slot, reply)"
    " JOIN open_reviews ON open_reviews.decision_id = new.decision_id ORDER BY new.decision_id"
    " FOR KEY SHARE OF open_reviews ON CONFLICT (decision_id, slot) DO NOTHING"
)
# The replies go with it: the foreign key cascades.
_LOCK = "SELECT decision_id FROM open_reviews WHERE decision_id = ANY($1) ORDER BY decision_id FOR UPDATE"
_CLOSE = f"DELETE FROM open_reviews USING ({_LOCK}) AS closed WHERE open_reviews.decision_id = closed.decision_id"
FIND_OPEN: Final = f"SELECT {_COLUMNS} FROM open_reviews WHERE decision_id = $1"
JOURNALLED: Final = "SELECT slot, reply FROM open_replies WHERE decision_id = $1 ORDER BY slot"
# Rows that another process has locked are passed over; a row that it has just changed is looked at again. So no two get one.
CLAIM: Final = (
    "WITH recorded AS MATERIALIZED (SELECT open_reviews.decision_id FROM open_reviews"
    " JOIN records ON records.decision_id = open_reviews.decision_id"
    " WHERE leased_until < $1 FOR UPDATE OF open_reviews SKIP LOCKED),"
    " swept AS (DELETE FROM open_reviews USING recorded WHERE open_reviews.decision_id = recorded.decision_id),"
    " due AS MATERIALIZED (SELECT decision_id FROM open_reviews WHERE leased_until < $1"
    " AND NOT EXISTS (SELECT 1 FROM records WHERE records.decision_id = open_reviews.decision_id)"
    " ORDER BY opened_at, decision_id LIMIT $3 FOR UPDATE SKIP LOCKED)"
    " UPDATE open_reviews SET leased_until = $2 FROM due WHERE open_reviews.decision_id = due.decision_id"
    f" RETURNING {', '.join(f'open_reviews.{name}' for name in OpenReview._fields)}"
)
"""Leases ended reviews anew ($1 now, $2 the new end, $3 how many), and deletes those whose decision is on record."""


async def lock_reviews(connection: Any, decision_ids: Collection[str]) -> None:
    """Lock the reviews that a transaction will write, in order of their ids, so that no two transactions wait for each other."""
    if len(decision_ids) > 1:
        await connection.execute(_LOCK, sorted(decision_ids))


async def open_reviews(connection: Any, reviews: Sequence[OpenReview]) -> dict[str, OpenReview]:
    """Open reviews, or lease them anew; return them as they are kept, without those whose decision is on record."""
    if not reviews:
        return {}
    rows = await connection.fetch(_OPEN, *map(list, zip(*reviews, strict=True)))
    return {row[0]: OpenReview(*row) for row in rows}


async def keep_replies(connection: Any, replies: Sequence[JournalledReply]) -> None:
    """Keep the first reply of each slot of the reviews that are open."""
    if replies:
        await connection.execute(_KEEP, *map(list, zip(*replies, strict=True)))


async def close_reviews(connection: Any, decision_ids: Sequence[str]) -> None:
    """Delete reviews and their replies."""
    if decision_ids:
        await connection.execute(_CLOSE, decision_ids)
