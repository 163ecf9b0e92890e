"""The world's store in memory: for tests, simulations and demos that end with their process."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from policies.contracts.request import ImpactCandidate
from world.clusters import link
from world.errors import LeaseLostError, MovedOnError, UnknownRealmError
from world.influence.judging import State
from world.influence.recent import Recent, recent_from
from world.persistence.acts import Asked, Judge, Known, LedgerRow, NewRow, Totals, Transition
from world.persistence.contributions import KIND, Contributions, tellings
from world.persistence.messages import Event, NewEvent, NewQuestion, OutboxRow, Question, QuestionState
from world.persistence.port import DAY_TICKS, RECENT, TIDY, Advance, Lease, Snapshot
from world.persistence.verdicts_told import VERDICT, is_hidden


@dataclass(slots=True)
class _Entry:
    new: NewRow
    sequence: int
    state: State
    because: str
    points: int
    counted_at: int | None = None
    parsed: ImpactCandidate | None = None
    light: Recent | None = None

    def act(self) -> ImpactCandidate:
        if self.parsed is None:
            self.parsed = ImpactCandidate.model_validate(orjson.loads(self.new.candidate))
        return self.parsed

    def recent(self) -> Recent:
        if self.light is None:
            self.light = recent_from(self.new.candidate, is_refused=self.new.judged.score is None)
        return self.light


@dataclass(slots=True)
class _RealmStore:
    snapshots: list[Snapshot] = field(default_factory=list)
    entries: list[_Entry] = field(default_factory=list)
    by_event: dict[str, _Entry] = field(default_factory=dict)
    by_key: dict[tuple[str, str], list[_Entry]] = field(default_factory=dict)
    """Entries of each user, device, session, and of each faction in a tick: looking at all of them is quadratic."""
    count: int = 0
    consumed: int = 0
    events: list[Event] = field(default_factory=list)
    told: int = 0
    """Newest tick that told anybody."""
    applied: dict[str, Snapshot] = field(default_factory=dict)
    lease: Lease | None = None
    token: int = 0


class MemoryStore:
    """A `WorldStore` of one process."""

    def __init__(self) -> None:
        self._realms: dict[str, _RealmStore] = {}
        self._questions: dict[str, Question] = {}
        self._outbox: list[OutboxRow] = []
        self._published: dict[int, int] = {}
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

    async def take_in(
        self, realm_id: str, asked: Sequence[Asked], judge: Judge, *, since: int, tick: int
    ) -> tuple[LedgerRow, ...]:
        # Nothing in between gives another task its turn.
        judgement = judge(await self.known(realm_id, asked, since=since, tick=tick))
        return await self.submit(judgement.rows, judgement.questions)

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
        self,
        realm_id: str,
        *,
        state: State | None = None,
        user_id: str | None = None,
        after: int = 0,
        since_tick: int = 0,
        limit: int = 100,
    ) -> tuple[LedgerRow, ...]:
        found = [
            _row(entry)
            for entry in self._realm(realm_id).entries
            if entry.sequence > after
            and entry.new.tick >= since_tick
            and state in (None, entry.state)
            and user_id in (None, entry.new.user_id)
        ]
        return tuple(found[:limit])

    async def move(self, realm_id: str, transitions: Sequence[Transition], now: int) -> None:
        self._move(self._realm(realm_id), transitions)

    async def totals(self, realm_id: str) -> Totals:
        return self._totals(self._realm(realm_id))

    async def recount(self, realm_id: str, *, after: int | None = None, upto: int | None = None) -> Totals:
        return self._totals(self._realm(realm_id), after, upto)

    async def taken(self, realm_id: str, after: int, upto: int) -> Totals:
        return self._totals(self._realm(realm_id), after, upto)

    async def traces(self, realm_id: str, after: int, upto: int) -> Mapping[str, str]:
        realm = self._realm(realm_id)
        counted = [
            (entry.counted_at, entry.new)
            for entry in realm.entries
            if entry.counted_at is not None and after < entry.counted_at <= upto
        ]
        return {
            new.user_id: new.correlation_id
            for _, new in sorted(counted, key=lambda pair: pair[0])
            if new.correlation_id is not None
        }

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
            if latest != step.expected or (step.decision_id is not None and await self.applied(step.decision_id)):
                raise MovedOnError(step.realm_id, step.expected, latest)
            realm.snapshots.append(step.snapshot)
            for event in step.events:
                self._happen(realm, step.realm_id, step.snapshot.tick_number, event, now)
            for question in step.questions:
                self._raise(step.realm_id, question, step.snapshot.tick_number)
            self._move(realm, step.transitions)
            if step.consumed is not None:
                realm.consumed = step.consumed
            for question_id in step.expired:
                self._expire(question_id)
            if step.decision_id is not None:
                realm.applied[step.decision_id] = step.snapshot
            if step.applied is not None and step.applied in self._questions:
                self._questions[step.applied] = self._questions[step.applied]._replace(state="applied")

    async def tell(self, realm_id: str, tick_number: int, told: Contributions, now: int) -> bool:
        async with self._lock:
            realm = self._realm(realm_id)
            if tick_number <= realm.told:
                return False
            for each in tellings(told):
                event = NewEvent(KIND, each.payload, each.user_id, each.correlation_id)
                self._happen(realm, realm_id, tick_number, event, now)
                realm.told = tick_number
            return True

    async def told(self, realm_id: str) -> int:
        return self._realm(realm_id).told

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

    async def question(self, question_id: str) -> Question | None:
        return self._questions.get(question_id)

    async def answer(
        self, question_id: str, state: QuestionState, answer: bytes | None, decision_id: str | None
    ) -> None:
        known = self._questions[question_id]
        if known.state in ("applied", "expired"):
            return
        self._questions[question_id] = known._replace(state=state, answer=answer, decision_id=decision_id)

    async def events(
        self, realm_id: str, after: int = 0, limit: int = 500, user_id: str | None = None
    ) -> tuple[Event, ...]:
        found = [
            event for event in self._realm(realm_id).events[after:] if event.user_id is None or event.user_id == user_id
        ]
        return tuple(found[:limit])

    async def all_events(self, realm_id: str, after: int = 0, limit: int = 500) -> tuple[Event, ...]:
        return tuple(self._realm(realm_id).events[after : after + limit])

    async def latest_events(self, realm_id: str, kind: str, limit: int = 10) -> tuple[Event, ...]:
        found = [each for each in self._realm(realm_id).events if each.kind == kind and each.user_id is None]
        return tuple(found[: -limit - 1 : -1])

    async def public_verdicts(self, realm_id: str, limit: int) -> tuple[Event, ...]:
        events = reversed(self._realm(realm_id).events)
        verdicts = [each for each in events if each.kind == VERDICT and each.user_id is None]
        return tuple([each for each in verdicts if not is_hidden(each.kind, orjson.loads(each.payload))][:limit])

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
        for number in numbers:
            self._published.setdefault(number, now)

    async def published(self, since: int, *, after: int = 0, limit: int = 100) -> tuple[OutboxRow, ...]:
        found = [row for row in self._outbox[after:] if self._published.get(row.number, -1) >= since]
        return tuple(found[:limit])

    async def tidy(self, limit: int = TIDY) -> int:
        return 0  # it keeps no sums beside the ledger

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
        mine = realm.by_key.get(("user", candidate.user_id), [])
        linked = {
            each.sequence: each
            for key in _keys(candidate.user_id, candidate.device_id, candidate.session_id)
            for each in realm.by_key.get(key, [])
            if each.new.received_at >= since
        }
        near = [linked[sequence] for sequence in sorted(linked)]
        today = [each for each in mine if each.state == "accepted" and each.new.tick > tick - DAY_TICKS]
        same = [
            each
            for each in today
            if each.new.action_type == candidate.action_type and each.new.faction_id == candidate.faction_id
        ]
        of_faction = [
            each
            for each in realm.by_key.get((f"tick {tick}", candidate.faction_id or ""), [])
            if each.state == "accepted"
        ]
        return Known(
            _row(entry) if entry is not None else None,
            tuple([each.recent() for each in near[-RECENT:]]),
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
        for key in (*_keys(new.user_id, new.device_id, new.session_id), (f"tick {new.tick}", new.faction_id or "")):
            realm.by_key.setdefault(key, []).append(entry)
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
            if entry.state == "accepted" or transition.expected not in (None, entry.state):
                continue
            entry.state, entry.because = transition.state, transition.because
            if transition.points is not None:
                entry.points = transition.points
            if transition.state == "accepted" and entry.counted_at is None:
                self._count(realm, entry)

    def _totals(self, realm: _RealmStore, after: int | None = None, upto: int | None = None) -> Totals:
        first = realm.consumed if after is None else after
        last = realm.count if upto is None else upto
        gained: dict[str, dict[str, dict[str, int]]] = {}
        opposed: dict[str, dict[str, dict[str, int]]] = {}
        relics: dict[str, set[str]] = {}
        counted = [each for each in realm.entries if each.counted_at is not None and first < each.counted_at <= last]
        for each in counted:
            new, faction = each.new, each.new.faction_id or ""
            side = opposed if new.judged.is_against else gained
            users = side.setdefault(new.judged.territory_id or "", {}).setdefault(faction, {})
            users[new.user_id] = users.get(new.user_id, 0) + each.points
            if new.relic_id is not None:
                relics.setdefault(new.relic_id, set()).add(faction)
        hard, _ = link([each.act() for each in counted])
        clusters = {user: root for user, root in hard.items() if user != root}
        return Totals(last, gained, opposed, clusters, {name: frozenset(each) for name, each in relics.items()})

    def _happen(self, realm: _RealmStore, realm_id: str, tick_number: int, event: NewEvent, now: int) -> None:
        sequence = len(realm.events) + 1
        realm.events.append(
            Event(
                realm_id, sequence, tick_number, event.kind, event.payload, event.user_id, now, event.correlation_id
            )
        )  # fmt: skip
        self._publish(realm_id, event.kind, f"{realm_id}/{sequence}", event.payload, event.correlation_id)

    def _raise(self, realm_id: str, question: NewQuestion, tick: int) -> Question:
        known = self._questions.get(question.question_id)
        if known is None:
            known = Question(
                realm_id, question.question_id, question.subject, question.request, "open", tick, None, None,
                question.correlation_id,
            )  # fmt: skip
            self._questions[question.question_id] = known
        return known

    def _expire(self, question_id: str) -> None:
        known = self._questions.get(question_id)
        if known is not None and known.state != "applied":
            self._questions[question_id] = known._replace(state="expired")

    def _publish(self, realm_id: str, topic: str, key: str, payload: bytes, correlation_id: str | None) -> None:
        self._outbox.append(OutboxRow(len(self._outbox) + 1, realm_id, topic, key, payload, correlation_id))


def _row(entry: _Entry) -> LedgerRow:
    new = entry.new
    return LedgerRow(
        new.realm_id, entry.sequence, new.event_id, new.candidate, new.user_id, new.faction_id, new.judged.territory_id,
        new.action_type, new.judged.is_against, entry.state, new.judged.score, new.judged.anomaly, new.judged.terms,
        entry.because, new.received_at, new.tick, entry.counted_at, new.correlation_id,
    )  # fmt: skip


def _keys(user_id: str, device_id: str | None, session_id: str | None) -> list[tuple[str, str]]:
    """Return what an act is found by: acts that share one of them are near one another."""
    named = (("user", user_id), ("device", device_id), ("session", session_id))
    return [(what, value) for what, value in named if value is not None]
