"""The world's store in memory: for tests, simulations and demos that end with their process."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from policies.contracts.request import ImpactCandidate
from world.clusters import link
from world.errors import LeaseLostError, MovedOnError, UnknownRealmError
from world.influence.judging import State
from world.persistence.port import (
    Advance,
    Asked,
    Event,
    Known,
    Lease,
    LedgerRow,
    NewEvent,
    NewQuestion,
    NewRow,
    OutboxRow,
    Question,
    QuestionState,
    Snapshot,
    Totals,
    Transition,
)

DAY_TICKS: Final = 96
RECENT: Final = 200


@dataclass(slots=True)
class _Entry:
    new: NewRow
    sequence: int
    state: State
    because: str
    points: int
    counted_at: int | None = None


@dataclass(slots=True)
class _RealmStore:
    snapshots: list[Snapshot] = field(default_factory=list)
    entries: list[_Entry] = field(default_factory=list)
    by_event: dict[str, _Entry] = field(default_factory=dict)
    count: int = 0
    consumed: int = 0
    events: list[Event] = field(default_factory=list)
    applied: dict[str, Snapshot] = field(default_factory=dict)
    lease: Lease | None = None
    token: int = 0


class MemoryStore:
    """A `WorldStore` of one process."""

    def __init__(self) -> None:
        self._realms: dict[str, _RealmStore] = {}
        self._questions: dict[str, Question] = {}
        self._outbox: list[OutboxRow] = []
        self._published: set[int] = set()
        self._lock = asyncio.Lock()

    async def create(self, snapshot: Snapshot) -> bool:
        if snapshot.realm_id in self._realms:
            return False
        self._realms[snapshot.realm_id] = _RealmStore(snapshots=[snapshot])
        return True

    async def realms(self) -> tuple[str, ...]:
        return tuple(sorted(self._realms))

    async def latest(self, realm_id: str) -> Snapshot:
        return self._realm(realm_id).snapshots[-1]

    async def snapshot(self, realm_id: str, snapshot_id: str) -> Snapshot | None:
        found = self._realm(realm_id).snapshots
        return next((each for each in found if each.snapshot_id == snapshot_id), None)

    async def snapshots(self, realm_id: str, first: int = 0, last: int | None = None) -> AsyncIterator[Snapshot]:
        for each in tuple(self._realm(realm_id).snapshots):
            if each.tick_number >= first and (last is None or each.tick_number <= last):
                yield each

    async def known(self, realm_id: str, asked: Sequence[Asked], *, since: int, tick: int) -> tuple[Known, ...]:
        realm = self._realm(realm_id)
        return tuple([self._known(realm, each, since, tick) for each in asked])

    async def submit(self, rows: Sequence[NewRow], questions: Mapping[str, NewQuestion]) -> tuple[LedgerRow, ...]:
        entered = []
        for new in rows:
            realm = self._realm(new.realm_id)
            entry = realm.by_event.get(new.event_id)
            if entry is None:
                entry = self._enter(realm, new)
                if (question := questions.get(new.event_id)) is not None:
                    self._raise(new.realm_id, question, new.tick)
            entered.append(_row(entry))
        return tuple(entered)

    async def row(self, realm_id: str, event_id: str) -> LedgerRow | None:
        entry = self._realm(realm_id).by_event.get(event_id)
        return _row(entry) if entry is not None else None

    async def rows(
        self, realm_id: str, *, state: State | None = None, user_id: str | None = None, after: int = 0, limit: int = 100
    ) -> tuple[LedgerRow, ...]:
        found = [
            _row(entry)
            for entry in self._realm(realm_id).entries
            if entry.sequence > after and state in (None, entry.state) and user_id in (None, entry.new.user_id)
        ]
        return tuple(found[:limit])

    async def move(self, realm_id: str, transitions: Sequence[Transition], now: int) -> None:
        self._move(self._realm(realm_id), transitions)

    async def totals(self, realm_id: str) -> Totals:
        return self._totals(self._realm(realm_id))

    async def recount(self, realm_id: str) -> Totals:
        return self._totals(self._realm(realm_id))

    async def take_lease(self, realm_id: str, holder: str, *, now: int, ttl_ms: int) -> Lease | None:
        realm = self._realm(realm_id)
        held = realm.lease
        if held is not None and held.until > now and held.holder != holder:
            return None
        if held is None or held.holder != holder or held.until <= now:
            realm.token += 1
        realm.lease = Lease(realm_id, holder, realm.token, now + ttl_ms)
        return realm.lease

    async def give_lease(self, lease: Lease) -> None:
        realm = self._realm(lease.realm_id)
        if realm.lease is not None and realm.lease.token == lease.token:
            realm.lease = None

    async def advance(self, step: Advance, lease: Lease | None, now: int) -> None:
        async with self._lock:
            realm = self._realm(step.realm_id)
            if lease is not None and lease.token != realm.token:
                raise LeaseLostError(step.realm_id)
            latest = realm.snapshots[-1].snapshot_id
            if latest != step.expected or (step.decision_id is not None and step.decision_id in realm.applied):
                raise MovedOnError(step.realm_id, step.expected, latest)
            realm.snapshots.append(step.snapshot)
            for event in step.events:
                self._happen(realm, step.snapshot, event, now)
            for question in step.questions:
                self._raise(step.realm_id, question, step.snapshot.tick_number)
            self._move(realm, step.transitions)
            if step.consumed is not None:
                realm.consumed = step.consumed
            if step.decision_id is not None:
                realm.applied[step.decision_id] = step.snapshot
            if step.applied is not None and step.applied in self._questions:
                self._questions[step.applied] = self._questions[step.applied]._replace(state="applied")

    async def applied(self, decision_id: str) -> Snapshot | None:
        return next(
            (realm.applied[decision_id] for realm in self._realms.values() if decision_id in realm.applied), None
        )

    async def ask(self, realm_id: str, question: NewQuestion, tick: int) -> Question:
        self._realm(realm_id)
        return self._raise(realm_id, question, tick)

    async def questions(
        self, realm_id: str | None = None, state: QuestionState | None = None, limit: int = 100
    ) -> tuple[Question, ...]:
        found = [
            each
            for each in self._questions.values()
            if realm_id in (None, each.realm_id) and state in (None, each.state)
        ]
        return tuple(found[:limit])

    async def answer(
        self, question_id: str, state: QuestionState, answer: bytes | None, decision_id: str | None
    ) -> None:
        known = self._questions[question_id]
        self._questions[question_id] = known._replace(state=state, answer=answer, decision_id=decision_id)

    async def events(
        self, realm_id: str, after: int = 0, limit: int = 500, user_id: str | None = None
    ) -> tuple[Event, ...]:
        found = [
            event for event in self._realm(realm_id).events[after:] if event.user_id is None or event.user_id == user_id
        ]
        return tuple(found[:limit])

    async def last_sequence(self, realm_id: str) -> int:
        return len(self._realm(realm_id).events)

    async def contribution(self, realm_id: str, user_id: str) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for entry in self._realm(realm_id).entries:
            if entry.new.user_id == user_id and entry.state == "accepted" and entry.new.faction_id is not None:
                by_territory = found.setdefault(entry.new.faction_id, {})
                territory = entry.new.judged.territory_id or ""
                by_territory[territory] = by_territory.get(territory, 0) + entry.points
        return found

    async def pending(self, limit: int = 100) -> tuple[OutboxRow, ...]:
        return tuple([row for row in self._outbox if row.number not in self._published][:limit])

    async def mark_published(self, numbers: Sequence[int], now: int) -> None:
        self._published.update(numbers)

    async def ready(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def _realm(self, realm_id: str) -> _RealmStore:
        if realm_id not in self._realms:
            raise UnknownRealmError(realm_id)
        return self._realms[realm_id]

    def _known(self, realm: _RealmStore, asked: Asked, since: int, tick: int) -> Known:
        candidate = asked.candidate
        entry = realm.by_event.get(candidate.event_id)
        mine = [each for each in realm.entries if each.new.user_id == candidate.user_id]
        near = [each for each in realm.entries if each.new.received_at >= since and _is_near(each.new, candidate)]
        today = [each for each in mine if each.state == "accepted" and each.new.tick > tick - DAY_TICKS]
        same = [
            each
            for each in today
            if each.new.action_type == candidate.action_type and each.new.faction_id == candidate.faction_id
        ]
        of_faction = [
            each
            for each in realm.entries
            if each.state == "accepted" and each.new.tick == tick and each.new.faction_id == candidate.faction_id
        ]
        return Known(
            _row(entry) if entry is not None else None,
            tuple([ImpactCandidate.model_validate(orjson.loads(each.new.candidate)) for each in near[-RECENT:]]),
            len(same),
            sum(each.points for each in today),
            sum(each.points for each in today if each.new.source == asked.source),
            sum(each.points for each in of_faction),
            mine[0].new.received_at if mine else None,
        )

    def _enter(self, realm: _RealmStore, new: NewRow) -> _Entry:
        judged = new.judged
        points = judged.score.normalized if judged.score is not None else 0
        because = judged.rejected.told if judged.rejected is not None else ""
        entry = _Entry(new, len(realm.entries) + 1, judged.state, because, points)
        realm.entries.append(entry)
        realm.by_event[new.event_id] = entry
        if judged.state == "accepted":
            self._count(realm, entry)
        self._publish(new.realm_id, "influence", new.event_id, new.candidate, new.correlation_id)
        return entry

    def _count(self, realm: _RealmStore, entry: _Entry) -> None:
        realm.count += 1
        entry.counted_at = realm.count

    def _move(self, realm: _RealmStore, transitions: Sequence[Transition]) -> None:
        for transition in transitions:
            entry = realm.entries[transition.sequence - 1]
            entry.state, entry.because = transition.state, transition.because
            if transition.points is not None:
                entry.points = transition.points
            if transition.state == "accepted" and entry.counted_at is None:
                self._count(realm, entry)

    def _totals(self, realm: _RealmStore) -> Totals:
        gained: dict[str, dict[str, dict[str, int]]] = {}
        opposed: dict[str, dict[str, dict[str, int]]] = {}
        relics: dict[str, set[str]] = {}
        counted = [each for each in realm.entries if each.counted_at is not None and each.counted_at > realm.consumed]
        for each in counted:
            new, faction = each.new, each.new.faction_id or ""
            side = opposed if new.judged.is_against else gained
            users = side.setdefault(new.judged.territory_id or "", {}).setdefault(faction, {})
            users[new.user_id] = users.get(new.user_id, 0) + each.points
            if new.relic_id is not None:
                relics.setdefault(new.relic_id, set()).add(faction)
        hard, _ = link([ImpactCandidate.model_validate(orjson.loads(each.new.candidate)) for each in counted])
        clusters = {user: root for user, root in hard.items() if user != root}
        return Totals(realm.count, gained, opposed, clusters, {name: frozenset(each) for name, each in relics.items()})

    def _happen(self, realm: _RealmStore, snapshot: Snapshot, event: NewEvent, now: int) -> None:
        sequence = len(realm.events) + 1
        realm.events.append(
            Event(
                snapshot.realm_id, sequence, snapshot.tick_number, event.kind, event.payload, event.user_id, now,
                event.correlation_id,
            )
        )  # fmt: skip
        self._publish(
            snapshot.realm_id, event.kind, f"{snapshot.realm_id}/{sequence}", event.payload, event.correlation_id
        )

    def _raise(self, realm_id: str, question: NewQuestion, tick: int) -> Question:
        known = self._questions.get(question.question_id)
        if known is None:
            known = Question(
                realm_id, question.question_id, question.subject, question.request, "open", tick, None, None,
                question.correlation_id,
            )  # fmt: skip
            self._questions[question.question_id] = known
        return known

    def _publish(self, realm_id: str, topic: str, key: str, payload: bytes, correlation_id: str | None) -> None:
        self._outbox.append(OutboxRow(len(self._outbox) + 1, realm_id, topic, key, payload, correlation_id))


def _row(entry: _Entry) -> LedgerRow:
    new = entry.new
    return LedgerRow(
        new.realm_id, entry.sequence, new.event_id, new.candidate, new.user_id, new.faction_id, new.judged.territory_id,
        new.action_type, new.judged.is_against, entry.state, new.judged.score, new.judged.anomaly, new.judged.terms,
        entry.because, new.received_at, new.tick, entry.counted_at, new.correlation_id,
    )  # fmt: skip


def _is_near(new: NewRow, candidate: ImpactCandidate) -> bool:
    return (
        new.user_id == candidate.user_id
        or (candidate.device_id is not None and new.device_id == candidate.device_id)
        or (candidate.session_id is not None and new.session_id == candidate.session_id)
    )
