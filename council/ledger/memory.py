"""The ledger in memory: for trying decisions without a database, and the reference of the contract suite."""

from collections.abc import AsyncIterator, Sequence

from council.ledger.chain import begin_link, link
from council.ledger.cursors import Cursor, read_cursor
from council.ledger.port import (
    MAX_PAGE,
    Filters,
    Head,
    KeyTakenError,
    LedgerUnavailableError,
    NewRecord,
    OutboxEvent,
    Page,
    RecordRefusedError,
    StoredRecord,
    UnknownPolicyError,
)


class MemoryLedger:
    """Keeps everything in dictionaries; it ends with the process. For tests it takes any decision id, not only its key's."""

    def __init__(self) -> None:
        self._records: list[StoredRecord] = []
        self._by_key: dict[str, StoredRecord] = {}
        self._by_id: dict[str, StoredRecord] = {}
        self._chains: dict[str, list[StoredRecord]] = {}
        self._heads: dict[str, Head] = {}
        self._policies: dict[str, bytes] = {}
        self._pending: dict[int, OutboxEvent] = {}
        self._is_closed = False

    async def append(self, new: NewRecord) -> StoredRecord:
        self._check_open()
        if new.policy_hash not in self._policies:
            raise UnknownPolicyError(new.policy_hash)
        if (taken := self._by_key.get(new.request_key)) is not None:
            raise KeyTakenError(taken)
        if new.decision_id in self._by_id:
            raise RecordRefusedError(f"the decision id {new.decision_id!r} is on record under another key")
        linked = link([begin_link(new)], self._heads)
        stored = linked.records[0]
        self._heads.update(linked.heads)
        self._records.append(stored)
        self._by_key[stored.request_key] = self._by_id[stored.decision_id] = stored
        self._chains.setdefault(stored.realm_id, []).append(stored)
        event_id = len(self._records)
        self._pending[event_id] = OutboxEvent(event_id, new.realm_id, new.decision_id, new.topic, new.event)
        return stored

    async def find_by_key(self, request_key: str) -> StoredRecord | None:
        self._check_open()
        return self._by_key.get(request_key)

    async def get(self, decision_id: str) -> StoredRecord | None:
        self._check_open()
        return self._by_id.get(decision_id)

    async def list(self, filters: Filters = Filters(), *, cursor: str | None = None, limit: int = 50) -> Page:  # noqa: B008
        self._check_open()
        before = read_cursor(cursor)
        numbered = [
            (Cursor(record.recorded_at, number), record)
            for number, record in enumerate(self._records, start=1)
            if _is_kept(record, filters)
        ]
        numbered.sort(reverse=True, key=lambda pair: pair[0])
        wanted = [pair for pair in numbered if before is None or pair[0] < before]
        page = wanted[: min(max(limit, 1), MAX_PAGE)]
        records = tuple(record for _, record in page)
        return Page(records, str(page[-1][0]) if len(wanted) > len(page) else None)

    async def scan(self, realm_id: str | None = None, after: int = 0) -> AsyncIterator[StoredRecord]:
        self._check_open()
        for realm in sorted(self._chains) if realm_id is None else [realm_id]:
            for record in tuple(self._chains.get(realm, ()))[after:]:
                yield record

    async def head(self, realm_id: str) -> Head | None:
        self._check_open()
        return self._heads.get(realm_id)

    async def realms(self) -> tuple[str, ...]:
        self._check_open()
        return tuple(sorted(self._heads))

    async def put_policy(self, policy_hash: str, document: bytes) -> None:
        self._check_open()
        self._policies.setdefault(policy_hash, document)

    async def policy(self, policy_hash: str) -> bytes | None:
        self._check_open()
        return self._policies.get(policy_hash)

    async def pending_events(self, limit: int = 100) -> tuple[OutboxEvent, ...]:
        self._check_open()
        return tuple(self._pending.values())[:limit]

    async def mark_published(self, event_ids: Sequence[int]) -> None:
        self._check_open()
        for event_id in event_ids:
            self._pending.pop(event_id, None)

    async def ready(self) -> None:
        self._check_open()

    async def close(self) -> None:
        self._is_closed = True

    def _check_open(self) -> None:
        if self._is_closed:
            raise LedgerUnavailableError("it is closed")


def _is_kept(record: StoredRecord, filters: Filters) -> bool:
    if filters.since is not None and record.recorded_at < filters.since:
        return False
    if filters.until is not None and record.recorded_at >= filters.until:
        return False
    names = ("realm_id", "decision_type", "verdict", "path", "held", "policy_hash")
    return all(getattr(filters, name) in (None, getattr(record, name)) for name in names)
