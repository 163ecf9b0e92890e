"""Taking acts in: judged by rules against what the ledger knows, entered in one transaction (000 §8; S0-65 to S0-69, S0-114)."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from policies.contracts.request import ImpactCandidate
from world.contribution import epoch_ms
from world.influence.judging import Judged, Rejected, Surroundings, judge
from world.influence.recent import canonical_act
from world.persistence.port import Asked, Judgement, Known, LedgerRow, NewQuestion, NewRow, WorldStore
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


class _Sent(NamedTuple):
    """One act as it was sent."""

    candidate: ImpactCandidate
    source: str
    """The group whose daily cap it counts against; empty where the catalogue does not know its type."""
    moment: int
    """When it happened, milliseconds since 1970."""
    canonical: bytes


class _Arrival(NamedTuple):
    """When and where a batch comes in."""

    realm: Realm
    now: int
    correlation_id: str | None


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
        arrival = _Arrival(await self._realms.current(realm_id), self._clock(), correlation_id)
        # Outside of the realm's lock, what can be.
        sent = [_Sent(each, self._source(each), epoch_ms(each.created_at), canonical_act(each)) for each in candidates]
        judged: list[tuple[Rejected | None, bool]] = []

        def judge(known: Sequence[Known]) -> Judgement:
            batch = _Batch(self._rules, arrival)
            found = [batch.judge(each, around) for each, around in zip(sent, known, strict=True)]
            judged[:] = [(each.rejected, around.row is not None) for each, around in zip(found, known, strict=True)]
            rows = [self._row(each, verdict, arrival) for each, verdict in zip(sent, found, strict=True)]
            return Judgement(rows, self._questions(sent, known, found, arrival))

        asked = [Asked(each.candidate, each.source) for each in sent]
        since, tick = arrival.now - DAY_MS, arrival.realm.tick_number
        entered = await self._store.take_in(realm_id, asked, judge, since=since, tick=tick)
        return [Taken(row, *each) for row, each in zip(entered, judged, strict=True)]

    def _questions(
        self, sent: Sequence[_Sent], known: Sequence[Known], judged: Sequence[Judged], arrival: _Arrival
    ) -> dict[str, NewQuestion]:
        return {
            act.event_id: self._question(arrival.realm, act, found, [other.act() for other in around.recent])._replace(
                correlation_id=arrival.correlation_id
            )
            for (act, *_), found, around in zip(sent, judged, known, strict=True)
            if found.state == "in_review"
        }

    def _source(self, candidate: ImpactCandidate) -> str:
        action = self._rules.actions.get(candidate.action_type)
        return action.source if action is not None else ""

    def _row(self, sent: _Sent, judged: Judged, arrival: _Arrival) -> NewRow:
        act = sent.candidate
        action = self._rules.actions.get(act.action_type)
        relic = act.target_id if action is not None and action.is_relic_claim else None
        return NewRow(
            act.realm_id, act.event_id, sent.canonical, act.user_id, act.device_id, act.session_id, act.faction_id,
            act.action_type, sent.source, judged, sent.moment, arrival.now, arrival.realm.tick_number,
            arrival.correlation_id, relic,
        )  # fmt: skip


class _Mine(NamedTuple):
    """What one account's accepted acts of a batch come to."""

    points: int
    by_source: dict[str, int]
    repeats: dict[tuple[str, str | None], int]


class _Batch:
    """Judges a batch in order: what was accepted before in it counts toward caps, repeats and odd patterns."""

    def __init__(self, rules: WorldRules, arrival: _Arrival) -> None:
        self._rules = rules
        self._arrival = arrival
        self._events: set[str] = set()
        self._acts: list[_Sent] = []
        self._by_key: dict[tuple[str, str | None], list[int]] = {}
        """Places in `_acts` by account, device and session."""
        self._accepted: dict[str, _Mine] = {}
        self._of_faction: dict[str | None, int] = {}

    def judge(self, sent: _Sent, known: Known) -> Judged:
        act, now = sent.candidate, self._arrival.now
        mine = self._accepted.get(act.user_id) or _Mine(0, {}, {})
        keys = _keys(act)
        near = self._near(keys)
        around = Surroundings(
            recent=(*known.recent, *[each.candidate for each in near]),
            moments=(*[each.moment for each in known.recent], *[each.moment for each in near], sent.moment),
            is_known=known.row is not None or act.event_id in self._events,
            repeats=known.repeats + mine.repeats.get((act.action_type, act.faction_id), 0),
            user_day=known.user_day + mine.points,
            source_day=known.source_day + mine.by_source.get(sent.source, 0),
            faction_tick=known.faction_tick + self._of_faction.get(act.faction_id, 0),
            account_ms=now - known.first_seen if known.first_seen is not None else 0,
            now_ms=now,
        )
        found = judge(act, around, self._arrival.realm, self._rules)
        self._events.add(act.event_id)
        if found.rejected is None or found.rejected.kind != "duplicate":  # a bad line is not an odd pattern
            for key in keys:
                self._by_key.setdefault(key, []).append(len(self._acts))
            self._acts.append(sent)
        if found.state == "accepted" and found.score is not None:
            self._count(sent, found.score.normalized, mine)
        return found

    def _near(self, keys: Sequence[tuple[str, str | None]]) -> list[_Sent]:
        found = [places for key in keys if (places := self._by_key.get(key))]
        return [self._acts[place] for place in sorted({place for places in found for place in places})] if found else []

    def _count(self, sent: _Sent, worth: int, mine: _Mine) -> None:
        act = sent.candidate
        kind = act.action_type, act.faction_id
        mine.by_source[sent.source] = mine.by_source.get(sent.source, 0) + worth
        mine.repeats[kind] = mine.repeats.get(kind, 0) + 1
        self._accepted[act.user_id] = mine._replace(points=mine.points + worth)
        self._of_faction[act.faction_id] = self._of_faction.get(act.faction_id, 0) + worth


def _keys(act: ImpactCandidate) -> list[tuple[str, str | None]]:
    """Return what an act is found by: acts that share one of them are near one another."""
    keys: list[tuple[str, str | None]] = [("user", act.user_id)]
    if act.device_id is not None:
        keys.append(("device", act.device_id))
    if act.session_id is not None:
        keys.append(("session", act.session_id))
    return keys
