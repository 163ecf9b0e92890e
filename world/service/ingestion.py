"""Taking acts in: judged by rules against what the ledger knows, entered in one transaction (000 §8; S0-65 to S0-69, S0-114)."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from policies.canonical import canonical_json
from policies.contracts.request import ImpactCandidate
from world.influence.judging import Judged, Rejected, Surroundings, judge
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
            each.candidate.event_id: self._question(realm, each.candidate, found, around.recent)
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
            candidate=canonical_json(candidate.model_dump(mode="json", exclude_none=True)),
            user_id=candidate.user_id,
            device_id=candidate.device_id,
            session_id=candidate.session_id,
            faction_id=candidate.faction_id,
            action_type=candidate.action_type,
            source=asked.source,
            judged=judged,
            created_at=int(candidate.created_at.timestamp() * 1_000),
            received_at=now,
            tick=realm.tick_number,
            correlation_id=correlation_id,
            relic_id=candidate.target_id if action is not None and action.is_relic_claim else None,
        )


class _Batch:
    """Judges a batch in order: what was accepted before in it counts toward caps, repeats and odd patterns."""

    def __init__(self, rules: WorldRules, realm: Realm, now: int) -> None:
        self._rules = rules
        self._realm = realm
        self._now = now
        self._before: list[tuple[Asked, Judged]] = []

    def judge(self, asked: Asked, known: Known) -> Judged:
        mine = [pair for pair in self._before if pair[0].candidate.user_id == asked.candidate.user_id]
        accepted = [pair for pair in mine if pair[1].state == "accepted"]
        near = [pair[0].candidate for pair in self._before if _is_near(pair[0].candidate, asked.candidate)]
        around = Surroundings(
            recent=(*known.recent, *near),
            is_known=known.row is not None
            or any(p[0].candidate.event_id == asked.candidate.event_id for p in self._before),
            repeats=known.repeats + sum(1 for pair in accepted if _is_same_kind(pair[0].candidate, asked.candidate)),
            user_day=known.user_day + sum(_worth(pair[1]) for pair in accepted),
            source_day=known.source_day + sum(_worth(pair[1]) for pair in accepted if pair[0].source == asked.source),
            faction_tick=known.faction_tick + self._of_faction(asked.candidate.faction_id),
            account_ms=self._now - known.first_seen if known.first_seen is not None else 0,
            now_ms=self._now,
        )
        found = judge(asked.candidate, around, self._realm, self._rules)
        self._before.append((asked, found))
        return found

    def _of_faction(self, faction_id: str | None) -> int:
        return sum(
            _worth(found)
            for asked, found in self._before
            if found.state == "accepted" and asked.candidate.faction_id == faction_id
        )


def _worth(judged: Judged) -> int:
    return judged.score.normalized if judged.score is not None else 0


def _is_same_kind(one: ImpactCandidate, other: ImpactCandidate) -> bool:
    return (one.action_type, one.faction_id) == (other.action_type, other.faction_id)


def _is_near(one: ImpactCandidate, other: ImpactCandidate) -> bool:
    return (
        one.user_id == other.user_id
        or (other.device_id is not None and one.device_id == other.device_id)
        or (other.session_id is not None and one.session_id == other.session_id)
    )
