"""The hash chain of a realm: how records are linked, and how a broken link is named. Pure.

A record's hash is SHA-256 over the RFC 8785 bytes of `{"body": …, "position": n, "previous": "hex", "realm_id": "…"}`. The keys
are already in canonical order, so the body's bytes are spliced in without parsing them; and because the body, the long part,
comes first, it is hashed when a record arrives, before its place in the chain is known.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from council.ledger.accounts import MAX_AMOUNT, Spend
from council.ledger.port import Head, NewRecord, RecordRefusedError, StoredRecord, decision_id_of
from policies.canonical import canonical_json, plain_canonical_json

GENESIS: Final = "0" * 64
"""`previous` of the first record of a realm."""


class Unlinked(NamedTuple):
    """A record that waits for its place, with the hash begun over its body."""

    new: NewRecord
    begun: "hashlib._Hash"


class Linked(NamedTuple):
    """Records in their places, and the heads that they leave."""

    records: list[StoredRecord]
    heads: dict[str, Head]
    """The new head of each realm that got a record."""


class Broken(NamedTuple):
    """The first place where a chain does not hold."""

    realm_id: str
    position: int
    decision_id: str
    """Empty where the record itself is missing."""
    reason: str


def begin_link(new: NewRecord) -> Unlinked:
    """Hash the long part of a record."""
    return Unlinked(new, hashlib.sha256(b'{"body":' + new.body))


def check_new(new: NewRecord) -> None:
    """Refuse a record that could not be found, verified or added up once it is stored.

    Raises:
        RecordRefusedError: for an id that is not its key's, a body that does not begin with its answer (the first key of
            the canonical form), or spending that no row can hold.
    """
    check_id(new.decision_id, new.request_key)
    if new.spend:
        check_spend(new.spend)
    if not new.body.startswith(b'{"answer":' + new.answer) or len(new.answer) < 3:
        raise RecordRefusedError(f"the body of {new.decision_id} does not begin with its answer")


def check_id(decision_id: str, request_key: str) -> None:
    """Refuse an id by which its request key would not find the decision again.

    Raises:
        RecordRefusedError: for an id that is not its key's.
    """
    if decision_id != decision_id_of(request_key):
        raise RecordRefusedError(f"the decision id {decision_id!r} is not the one of its request key")


def check_spend(spend: Sequence[Spend]) -> None:
    """Refuse spending that no row can hold.

    Raises:
        RecordRefusedError: for a member and model that come twice, or an amount that is negative or past 64 bits.
    """
    if len({(each.member, each.model) for each in spend}) < len(spend):
        raise RecordRefusedError("the spending of a decision names a member's model twice; add its amounts up first")
    for each in spend:
        for name, amount in zip(Spend._fields[2:], each[2:], strict=True):
            if not 0 <= amount <= MAX_AMOUNT:
                raise RecordRefusedError(f"the spending of {each.member!r} has {name} {amount}: not 0 to {MAX_AMOUNT}")


def link_hash(body: bytes, position: int, previous: str, realm_id: str) -> str:
    """Return the hash of a record in its place, as 64 hex digits."""
    digest = hashlib.sha256(b'{"body":' + body)
    digest.update(b',"position":%d,"previous":"%b","realm_id":%b}' % (position, previous.encode(), _quoted(realm_id)))
    return digest.hexdigest()


def link(batch: Iterable[Unlinked], heads: Mapping[str, Head]) -> Linked:
    """Give every record of a batch its place at the end of its realm's chain, in order.

    Args:
        heads: the present head of every realm that has one.
    """
    records: list[StoredRecord] = []
    ends: dict[str, tuple[int, str, bytes]] = {}
    for new, begun in batch:
        realm_id = new.realm_id
        end = ends.get(realm_id)
        if end is None:
            head = heads.get(realm_id)
            end = (head.position, head.hash, _quoted(realm_id)) if head else (0, GENESIS, _quoted(realm_id))
        position, previous, quoted = end[0] + 1, end[1], end[2]
        digest = begun.copy()  # a batch that has to be written again is linked again
        digest.update(b',"position":%d,"previous":"%b","realm_id":%b}' % (position, previous.encode(), quoted))
        hashed = digest.hexdigest()
        records.append(_stored(new, position, previous, hashed))
        ends[realm_id] = (position, hashed, quoted)
    return Linked(records, {realm_id: Head(realm_id, end[0], end[1]) for realm_id, end in ends.items()})


def check_link(record: StoredRecord, previous: Head | None) -> str | None:
    """Return what is wrong with a record that follows `previous` in its realm; None where it holds.

    Args:
        previous: place and hash of the record before; None before the first.
    """
    place = previous.position + 1 if previous else 1
    if record.position != place:
        return f"position {record.position} where {place} must follow: a record is missing, repeated or moved"
    if record.previous != (previous.hash if previous else GENESIS):
        return "it does not name the hash of the record before"
    if record.hash != link_hash(record.body, record.position, record.previous, record.realm_id):
        return "its hash does not match its body, place and realm"
    return check_columns(record)


def check_columns(record: StoredRecord) -> str | None:
    """Return which column of a record differs from its hashed body; None where all agree.

    The hash covers the body alone, so what is looked up, listed and answered must be shown to be what the body says.
    """
    try:
        body = orjson.loads(record.body)
        expected = _columns(body)
        answer = canonical_json(body["answer"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "its body is not the document of a record"
    if record.answer != answer:
        return "its answer is not the one in its body"
    wrong = [name for name, value in expected.items() if getattr(record, name) != value]
    return f"its column {wrong[0]!r} differs from its body" if wrong else None


class ChainCheck:
    """Checks the records of one realm as they stream by.

    Args:
        realm_id: the realm.
        head: the stored head, read before the first record.
    """

    def __init__(self, realm_id: str, head: Head | None) -> None:
        self._realm_id = realm_id
        self._head = head
        self._last: Head | None = None

    @property
    def records(self) -> int:
        """How many records held so far."""
        return self._last.position if self._last else 0

    def step(self, record: StoredRecord) -> Broken | None:
        """Return what is wrong with the next record; None where the chain still holds."""
        reason = check_link(record, self._last)
        if reason is None and self._head and record.position == self._head.position and record.hash != self._head.hash:
            reason = "its hash is not the one that the chain's head names"
        if reason is not None:
            return Broken(self._realm_id, record.position, record.decision_id, reason)
        self._last = Head(record.realm_id, record.position, record.hash)
        return None

    def finish(self, head: Head | None) -> Broken | None:
        """Return what is wrong with the chain's end.

        Args:
            head: the stored head, read after the last record, so that a chain that grows meanwhile is no fault.
        """
        if self._head and self.records < self._head.position:
            reason = (
                f"the chain ends before the position {self._head.position} that its head names: records are missing"
            )
            return Broken(self._realm_id, self.records + 1, "", reason)
        if self._last and (head is None or head.position < self._last.position):
            reason = "the chain goes on behind its head: the head was moved, or a record was added past it"
            return Broken(self._realm_id, self._last.position, "", reason)
        return None


def _stored(new: NewRecord, position: int, previous: str, hashed: str) -> StoredRecord:
    return StoredRecord(
        new.realm_id,
        position,
        previous,
        hashed,
        new.decision_id,
        new.request_key,
        new.fingerprint,
        new.recorded_at,
        new.decision_type,
        new.verdict,
        new.path,
        new.held,
        new.policy_hash,
        new.correlation_id,
        new.body,
        new.answer,
    )


def _columns(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "realm_id": body["realm_id"],
        "decision_id": body["decision_id"],
        "request_key": body["request_key"],
        "fingerprint": body["fingerprint"],
        "recorded_at": body["recorded_at"],
        "decision_type": body["decision_type"],
        "verdict": body["answer"]["final_verdict"],
        "path": body["path"],
        "held": body["held"],
        "policy_hash": body["policy"]["hash"],
        "correlation_id": body.get("correlation_id"),
    }


def _quoted(text: str) -> bytes:
    return plain_canonical_json(text)
