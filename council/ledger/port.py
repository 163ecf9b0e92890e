"""The record store as the council sees it: append once, read for ever.

One entry per decision, hash-chained per realm, written together with its outbox event in one transaction (council.md, procedure
9; reliability.md, invariants I1 to I4). Beside the records stand the reviews that are under way (`under_way`), what decisions
cost (`accounts`) and what people said of them later (`remarks`). `memory`, `sqlite` and `postgres` implement this port and pass
one contract suite.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple, Protocol

from council.errors import CouncilError
from council.ledger.accounts import Accounts, Decided, Spend, SpendLine
from council.ledger.remarks import Remark, Remarks
from council.ledger.under_way import OpenReview, ReviewsUnderWay

# Their modules stay apart from this one; everybody else takes them from here.
__all__ = ["Decided", "OpenReview", "Remark", "Spend", "SpendLine"]

MAX_PAGE: Final = 500
"""Most records one page of a listing may hold."""


class NewRecord(NamedTuple):
    """A decision about to be recorded."""

    realm_id: str
    request_key: str
    """Idempotency key, unique over all realms."""
    fingerprint: str
    """SHA-256 (hex) of the canonical request: tells a retry from another body under the same key."""
    decision_id: str
    """`decision_id_of(request_key)`: the databases refuse another."""
    recorded_at: str
    """ISO 8601 UTC with milliseconds and "Z", so that text order is time order."""
    body: bytes
    """RFC 8785 JSON of the whole record; its keys are named in `council.ledger.chain`."""
    answer: bytes
    """JSON object of the answer without its `record` field: not empty, ends with "}"."""
    decision_type: str
    verdict: str
    path: str
    held: bool
    policy_hash: str
    """Content hash of a policy that `put_policy` has stored."""
    correlation_id: str | None
    topic: str
    event: bytes
    """Payload of the outbox event."""
    was_opened: bool = False
    """Whether `open_review` was called for the decision: its row and replies are then deleted together with this write."""
    spend: tuple[Spend, ...] = ()
    """What models cost in this decision, one a member and model."""


class StoredRecord(NamedTuple):
    """A committed record, in the order of its table's columns."""

    realm_id: str
    position: int
    """Place in the realm's chain, from 1 without gaps."""
    previous: str
    """Hash of the record before, 64 zeros for the first."""
    hash: str
    """SHA-256 (hex) over body, position, previous and realm (`council.ledger.chain`)."""
    decision_id: str
    request_key: str
    fingerprint: str
    recorded_at: str
    decision_type: str
    verdict: str
    path: str
    held: bool
    policy_hash: str
    correlation_id: str | None
    body: bytes
    answer: bytes


class Head(NamedTuple):
    """The end of a realm's chain, kept in its own row so that a cut tail is noticed."""

    realm_id: str
    position: int
    hash: str


class Filters(NamedTuple):
    """What a listing keeps; None keeps everything."""

    realm_id: str | None = None
    decision_type: str | None = None
    verdict: str | None = None
    path: str | None = None
    held: bool | None = None
    policy_hash: str | None = None
    since: str | None = None
    """Earliest `recorded_at`, included."""
    until: str | None = None
    """Latest `recorded_at`, excluded."""


class Page(NamedTuple):
    """Records, newest first, and the cursor of the page after; None on the last page."""

    records: tuple[StoredRecord, ...]
    cursor: str | None


class OutboxEvent(NamedTuple):
    """An event that waits to be published, in order of `event_id`."""

    event_id: int
    realm_id: str
    decision_id: str
    topic: str
    payload: bytes


class LedgerError(CouncilError):
    """Base of everything the ledger raises."""


class LedgerConfigError(LedgerError):
    """the database URL cannot be used"""


class LedgerUnavailableError(LedgerError):
    """the database cannot be reached or written now; nothing of this call was acknowledged

    Where the connection broke during the commit the record may exist all the same: the same key then returns it.
    """

    def __init__(self, reason: str, *, retry_after_s: int = 1) -> None:
        self.reason = reason
        self.retry_after_s = retry_after_s
        super().__init__(f"the record store is unavailable: {reason}")


class KeyTakenError(LedgerError):
    """the request key is on record; the caller compares fingerprints and answers from `stored`"""

    def __init__(self, stored: StoredRecord) -> None:
        self.stored = stored
        super().__init__(f"the key {stored.request_key!r} is taken by decision {stored.decision_id}")


class UnknownPolicyError(LedgerError):
    """a record or a review names a policy that was never stored, so it could not be replayed"""

    def __init__(self, policy_hash: str) -> None:
        super().__init__(f"no policy with the hash {policy_hash!r} is stored; call put_policy first")


class RecordRefusedError(LedgerError):
    """the database refuses this record, review, reply or remark for what it holds; sending it again does not help"""


class UnknownDecisionError(LedgerError):
    """remarks speak of decisions that are not on record; none of them was kept"""

    def __init__(self, decision_ids: Sequence[str]) -> None:
        self.decision_ids = tuple(decision_ids)
        super().__init__(f"not on record: {', '.join(self.decision_ids)}")


class InvalidCursorError(LedgerError):
    """the cursor is not one that a listing returned"""


class Ledger(ReviewsUnderWay, Accounts, Remarks, Protocol):
    """An append-only store of decisions, with the reviews on their way there and what was said of them later."""

    async def append(self, new: NewRecord) -> StoredRecord:
        """Record a decision, its outbox event and its spending, and close its review; return after they are committed.

        A caller that is cancelled while it waits leaves its record in the queue: it may still be committed.

        Raises:
            KeyTakenError: where the request key is on record; a review that was opened for it is closed all the same.
            UnknownPolicyError: where the record's policy was never stored.
            RecordRefusedError: where the database refuses this record (a repeated decision id, a text it cannot hold, an
                amount past 64 bits).
            LedgerUnavailableError: where the database cannot be written now.
        """
        ...

    async def find_by_key(self, request_key: str) -> StoredRecord | None:
        """Return the record of an idempotency key."""
        ...

    async def get(self, decision_id: str) -> StoredRecord | None:
        """Return one decision."""
        ...

    async def list(self, filters: Filters = ..., *, cursor: str | None = None, limit: int = 50) -> Page:
        """Return records newest first (by `recorded_at`, then by arrival).

        Args:
            cursor: `Page.cursor` of the page before.
            limit: 1 to MAX_PAGE; outside, the nearest of the two.

        Raises:
            InvalidCursorError: for a cursor that no page returned.
        """
        ...

    def scan(self, realm_id: str | None = None, after: int = 0) -> AsyncIterator[StoredRecord]:
        """Stream records in chain order, holding few at a time.

        Args:
            realm_id: one realm, or None for all of them, one after another in order of their ids.
            after: position to start behind; counts in every realm.
        """
        ...

    async def head(self, realm_id: str) -> Head | None:
        """Return the stored end of a realm's chain, None before its first record."""
        ...

    async def realms(self) -> tuple[str, ...]:
        """Return the realms that have a record or a head, sorted."""
        ...

    async def put_policy(self, policy_hash: str, document: bytes) -> None:
        """Keep a policy document under its content hash; a hash that is stored keeps its first document."""
        ...

    async def policy(self, policy_hash: str) -> bytes | None:
        """Return a stored policy document."""
        ...

    async def pending_events(self, limit: int = 100) -> tuple[OutboxEvent, ...]:
        """Return the oldest events not yet published."""
        ...

    async def mark_published(self, event_ids: Sequence[int], at: str | None = None) -> None:
        """Mark events as published; those already marked, and unknown ids, stay as they are.

        Args:
            at: when, as `recorded_at` is written; None: now.
        """
        ...

    async def published_events(self, since: str, *, after: int = 0, limit: int = 100) -> tuple[OutboxEvent, ...]:
        """Return events marked as published at or after a time, in order of `event_id`: for a bus that has lost them.

        Args:
            since: a time as `recorded_at` is written.
            after: event id behind which they are taken.
        """
        ...

    async def ready(self) -> None:
        """Ask the database for one row.

        Raises:
            LedgerUnavailableError: where it does not answer, or its schema is not the one this code writes.
        """
        ...

    async def close(self) -> None:
        """Commit what is queued, then let the database go."""
        ...


def decision_id_of(request_key: str) -> str:
    """Return the id of the decision that a request key leads to: known before it is made, and one per key.

    96 bits of SHA-256: among a billion decisions two share an id with a chance below 1 in 10^10.

    >>> decision_id_of("k-1")
    'd-7c35c5a1785d20704e44d5de'
    """
    return "d-" + hashlib.sha256(request_key.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def answer_bytes(record: StoredRecord) -> bytes:
    """Return the whole answer as it is sent, the same bytes for ever.

    >>> answer_bytes(record)  # doctest: +SKIP
    b'{"final_verdict":"approve","record":{"hash":"5f…","position":7}}'
    """
    return b'%b,"record":{"hash":"%b","position":%d}}' % (record.answer[:-1], record.hash.encode(), record.position)
