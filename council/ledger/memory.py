"""The ledger in memory: for trying decisions without a database, and the reference of the contract suite."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from operator import add

from council.ledger.accounts import Decided, Spend, SpendLine
from council.ledger.chain import begin_link, check_spend, link
from council.ledger.cursors import Cursor, read_cursor
from council.ledger.port import (
    MAX_PAGE,
    Filters,
    Head,
    KeyTakenError,
    LedgerUnavailableError,
    NewRecord,
    OpenReview,
    OutboxEvent,
    Page,
    RecordRefusedError,
    Remark,
    StoredRecord,
    UnknownPolicyError,
)
from council.ledger.remark_rows import check_remarks, remark_rows
from council.ledger.under_way import by_age
from council.moments import iso


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
        self._published: dict[int, tuple[str, OutboxEvent]] = {}
        self._under_way: dict[str, OpenReview] = {}
        self._replies: dict[str, dict[str, bytes]] = {}
        self._spend: list[tuple[StoredRecord, Spend]] = []
        self._remarks: list[Remark] = []
        self._is_closed = False

    async def append(self, new: NewRecord) -> StoredRecord:
        self._check_open()
        if new.policy_hash not in self._policies:
            raise UnknownPolicyError(new.policy_hash)
        if (taken := self._by_key.get(new.request_key)) is not None:
            if new.was_opened:
                self._close_review(new.decision_id)
            raise KeyTakenError(taken)
        if new.decision_id in self._by_id:
            raise RecordRefusedError(f"the decision id {new.decision_id!r} is on record under another key")
        check_spend(new.spend)
        linked = link([begin_link(new)], self._heads)
        stored = linked.records[0]
        self._heads.update(linked.heads)
        self._records.append(stored)
        self._by_key[stored.request_key] = self._by_id[stored.decision_id] = stored
        self._chains.setdefault(stored.realm_id, []).append(stored)
        event_id = len(self._records)
        self._pending[event_id] = OutboxEvent(event_id, new.realm_id, new.decision_id, new.topic, new.event)
        self._spend += [(stored, spend) for spend in new.spend]
        if new.was_opened:
            self._close_review(new.decision_id)
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

    async def mark_published(self, event_ids: Sequence[int], at: str | None = None) -> None:
        self._check_open()
        for event_id in event_ids:
            if (event := self._pending.pop(event_id, None)) is not None:
                self._published[event_id] = (at or iso(datetime.now(UTC)), event)

    async def published_events(self, since: str, *, after: int = 0, limit: int = 100) -> tuple[OutboxEvent, ...]:
        self._check_open()
        found = [event for _, (at, event) in sorted(self._published.items()) if at >= since and event.event_id > after]
        return tuple(found[:limit])

    async def open_review(self, review: OpenReview) -> OpenReview:
        self._check_open()
        if review.policy_hash not in self._policies:
            raise UnknownPolicyError(review.policy_hash)
        if review.decision_id in self._by_id:
            return review
        first = self._under_way.get(review.decision_id, review)
        kept = self._under_way[review.decision_id] = first._replace(leased_until=review.leased_until)
        return kept

    async def journal_reply(self, decision_id: str, slot: str, reply: bytes) -> None:
        self._check_open()
        if decision_id in self._under_way:
            self._replies.setdefault(decision_id, {}).setdefault(slot, reply)

    async def journalled(self, decision_id: str) -> dict[str, bytes]:
        self._check_open()
        return dict(sorted(self._replies.get(decision_id, {}).items()))

    async def find_open(self, decision_id: str) -> OpenReview | None:
        self._check_open()
        return self._under_way.get(decision_id)

    async def claim_orphans(self, now: str, leased_until: str, limit: int = 20) -> tuple[OpenReview, ...]:
        self._check_open()
        ended = sorted([review for review in self._under_way.values() if review.leased_until < now], key=by_age)
        for review in ended:
            if review.decision_id in self._by_id:
                self._close_review(review.decision_id)
        claimed = [
            review._replace(leased_until=leased_until) for review in ended if review.decision_id in self._under_way
        ][:limit]
        self._under_way.update({review.decision_id: review for review in claimed})
        return tuple(claimed)

    async def spending(self, since: str, until: str, realm_id: str | None = None) -> tuple[SpendLine, ...]:
        sums: dict[tuple[str, str, str, str], tuple[int, ...]] = {}
        for record, spend in self._spent_within(since, until, realm_id):
            group = (record.realm_id, record.decision_type, spend.member, spend.model)
            amounts = (1, *[getattr(spend, name) for name in SpendLine._fields[5:]])
            sums[group] = tuple(map(add, sums.get(group, (0,) * len(amounts)), amounts))
        return tuple([SpendLine(*group, *sums[group]) for group in sorted(sums)])

    async def spent(self, since: str, until: str) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for record, spend in self._spent_within(since, until, None):
            sums[record.realm_id] += spend.picodollars
        return dict(sorted(sums.items()))

    async def spent_by_day(self, since: str, until: str, realm_id: str | None = None) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for record, spend in self._spent_within(since, until, realm_id):
            sums[record.recorded_at[:10]] += spend.picodollars
        return dict(sorted(sums.items()))

    async def decided(self, since: str, until: str, realm_id: str | None = None) -> tuple[Decided, ...]:
        self._check_open()
        filters = Filters(realm_id=realm_id, since=since, until=until)
        kept = [record for record in self._records if _is_kept(record, filters)]
        counts = Counter([(record.realm_id, record.decision_type, record.path) for record in kept])
        return tuple([Decided(*group, counts[group]) for group in sorted(counts)])

    async def add_remarks(self, remarks: Sequence[Remark]) -> None:
        self._check_open()
        check_remarks(remarks)
        remark_rows(remarks, {key: record.realm_id for key, record in self._by_id.items()})
        self._remarks += remarks

    async def remarks_of(self, decision_ids: Sequence[str]) -> tuple[Remark, ...]:
        self._check_open()
        wanted = frozenset(decision_ids)
        return tuple([remark for remark in self._remarks if remark.decision_id in wanted])

    async def scan_remarks(self, realm_id: str | None = None) -> AsyncIterator[Remark]:
        self._check_open()
        for remark in tuple(self._remarks):
            if realm_id in (None, self._by_id[remark.decision_id].realm_id):
                yield remark

    async def ready(self) -> None:
        self._check_open()

    async def close(self) -> None:
        self._is_closed = True

    def _close_review(self, decision_id: str) -> None:
        self._under_way.pop(decision_id, None)
        self._replies.pop(decision_id, None)

    def _spent_within(self, since: str, until: str, realm_id: str | None) -> Iterator[tuple[StoredRecord, Spend]]:
        self._check_open()
        filters = Filters(realm_id=realm_id, since=since, until=until)
        return ((record, spend) for record, spend in self._spend if _is_kept(record, filters))

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
