"""Taking acts in: judged by rules against what the ledger knows, entered in one transaction (000 §8; S0-65 to S0-69, S0-114)."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from policies.contracts.request import ImpactCandidate
from world.contribution import epoch_ms
from world.influence.judging import Judged, Rejected, Surroundings, judge
from world.influence.recent import canonical_act
from world.persistence.port import Asked, Known, LedgerRow, NewQuestion, NewRow, WorldStore
from world.realm.rules import WorldRules
from world.realm.state import Realm
from world.service.clock import Clock
from world.service.realms import RealmReader

DAY_MS: Final = 86_400_000
Questioner = Callable[[Realm, ImpactCandidate, Judged, Sequence[ImpactCandidate]], NewQuestion]
"""Makes the council's question of an act in review, from the realm, the act, its judgement and what is near it."""


class Taken(NamedTuple):
    """What became of one submitted act."""

    row: LedgerRow
    rejected: Rejected | None
    is_repeat: bool
    """Whether its event id stood in the ledger before."""


class Ingestion:
    """Takes acts into the ledger.

    Args:
        store: where the ledger is.
        realms: reads the latest state of a realm.
        rules: the world's catalogue and caps.
        question: makes the council's question of an act in review.
        clock: milliseconds since 1970.
    """

    def __init__(
        self, store: WorldStore, realms: RealmReader, rules: WorldRules, question: Questioner, clock: Clock
    ) -> None:
        self._store = store
        self._realms = realms
        self._rules = rules
        self._question = question
        self._clock = clock

    async def submit(self, candidates: Sequence[ImpactCandidate], correlation_id: str | None = None) -> list[Taken]:
        """Judge acts of one realm and enter them, in the order given; acts before one another in a batch count for it.

        Raises:
            UnknownRealmError: where there is no such realm.
            ValueError: for acts of several realms.
        """
        if not candidates:
            return []
        realm_id = candidates[0].realm_id
        if any(each.realm_id != realm_id for each in candidates):
            raise ValueError("a batch is of one realm; send one batch for each")
        realm, now = await self._realms.current(realm_id), self._clock()
        asked = [Asked(each, self._source(each)) for each in candidates]
        known = await self._store.known(realm_id, asked, since=now - DAY_MS, tick=realm.tick_number)
        batch = _Batch(self._rules, realm, now)
        judged = [batch.judge(each, around) for each, around in zip(asked, known, strict=True)]
        rows = [self._row(each, found, realm, now, correlation_id) for each, found in zip(asked, judged, strict=True)]
        questions = {
            each.candidate.event_id: self._question(
                realm, each.candidate, found, [act.act() for act in around.recent]
            )._replace(correlation_id=correlation_id)
            for each, found, around in zip(asked, judged, known, strict=True)
            if found.state == "in_review"
        }
        entered = await self._store.submit(rows, questions)
        return [
            Taken(row, found.rejected, around.row is not None)
            for row, found, around in zip(entered, judged, known, strict=True)
        ]

    def _source(self, candidate: ImpactCandidate) -> str:
        action = self._rules.actions.get(candidate.action_type)
        return action.source if action is not None else ""

    def _row(self, asked: Asked, judged: Judged, realm: Realm, now: int, correlation_id: str | None) -> NewRow:
        candidate = asked.candidate
        action = self._rules.actions.get(candidate.action_type)
        return NewRow(
            realm_id=candidate.realm_id,
            event_id=candidate.event_id,
            candidate=canonical_act(candidate),
            user_id=candidate.user_id,
            device_id=candidate.device_id,
            session_id=candidate.session_id,
            faction_id=candidate.faction_id,
            action_type=candidate.action_type,
            source=asked.source,
            judged=judged,
            created_at=epoch_ms(candidate.created_at),
            received_at=now,
            tick=realm.tick_number,
            correlation_id=correlation_id,
            relic_id=candidate.target_id if action is not None and action.is_relic_claim else None,
        )


class _Mine(NamedTuple):
    """What one account's accepted acts of a batch come to."""

    points: int
    by_source: dict[str, int]
    repeats: dict[tuple[str, str | None], int]


class _Batch:
    """Judges a batch in order: what was accepted before in it counts toward caps, repeats and odd patterns."""

    def __init__(self, rules: WorldRules, realm: Realm, now: int) -> None:
        self._rules = rules
        self._realm = realm
        self._now = now
        self._events: set[str] = set()
        self._acts: list[ImpactCandidate] = []
        self._by_key: dict[tuple[str, str], list[int]] = {}
        """Places in `_acts` by account, device and session."""
        self._accepted: dict[str, _Mine] = {}
        self._of_faction: dict[str | None, int] = {}

    def judge(self, asked: Asked, known: Known) -> Judged:
        candidate = asked.candidate
        mine = self._accepted.get(candidate.user_id) or _Mine(0, {}, {})
        around = Surroundings(
            recent=(*known.recent, *self._near(candidate)),
            is_known=known.row is not None or candidate.event_id in self._events,
            repeats=known.repeats + mine.repeats.get(_kind(candidate), 0),
            user_day=known.user_day + mine.points,
            source_day=known.source_day + mine.by_source.get(asked.source, 0),
            faction_tick=known.faction_tick + self._of_faction.get(candidate.faction_id, 0),
            account_ms=self._now - known.first_seen if known.first_seen is not None else 0,
            now_ms=self._now,
        )
        found = judge(candidate, around, self._realm, self._rules)
        self._remember(asked, found, mine)
        return found

    def _near(self, candidate: ImpactCandidate) -> list[ImpactCandidate]:
        places = {place for key in _keys(candidate) for place in self._by_key.get(key, ())}
        return [self._acts[place] for place in sorted(places)]

    def _remember(self, asked: Asked, found: Judged, mine: _Mine) -> None:
        candidate = asked.candidate
        self._events.add(candidate.event_id)
        if found.rejected is None or found.rejected.kind != "duplicate":  # a bad line is not an odd pattern
            for key in _keys(candidate):
                self._by_key.setdefault(key, []).append(len(self._acts))
            self._acts.append(candidate)
        if found.state == "accepted" and found.score is not None:
            worth, kind = found.score.normalized, _kind(candidate)
            mine.by_source[asked.source] = mine.by_source.get(asked.source, 0) + worth
            mine.repeats[kind] = mine.repeats.get(kind, 0) + 1
            self._accepted[candidate.user_id] = mine._replace(points=mine.points + worth)
            self._of_faction[candidate.faction_id] = self._of_faction.get(candidate.faction_id, 0) + worth


def _kind(candidate: ImpactCandidate) -> tuple[str, str | None]:
    return candidate.action_type, candidate.faction_id


def _keys(candidate: ImpactCandidate) -> list[tuple[str, str]]:
    keys = [("user", candidate.user_id)]
    if candidate.device_id is not None:
        keys.append(("device", candidate.device_id))
    if candidate.session_id is not None:
        keys.append(("session", candidate.session_id))
    return keys
