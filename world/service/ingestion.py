"""Taking acts in: judged by rules against what the ledger knows, entered in one transaction (000 §8; S0-65 to S0-69, S0-114)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from policies.contracts.request import ImpactCandidate
from world.contribution import epoch_ms
from world.influence.judging import Judged, Rejected, Surroundings, judge
from world.influence.recent import Recent, canonical_act
from world.persistence.acts import Asked, Judgement, Known, LedgerRow, NewRow
from world.persistence.messages import NewQuestion
from world.persistence.port import WorldStore
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
    relic_id: str | None
    """The relic that it claims, where it does."""
    moment: int
    """When it happened, milliseconds since 1970."""
    canonical: bytes


class _Arrival(NamedTuple):
    """When and where a batch comes in."""

    realm: Realm
    now: int
    correlation_id: str | None


class _Disputed(NamedTuple):
    """An act in review, with everything that it was judged beside."""

    act: ImpactCandidate
    judged: Judged
    recent: Sequence[Recent]
    of_batch: list[ImpactCandidate]
    """Acts of the same account, device or session that came before it in its batch."""


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
        sent = [self._sent(each) for each in candidates]  # outside of the realm's lock, what can be
        judged: list[tuple[Rejected | None, bool]] = []

        def judge(known: Sequence[Known]) -> Judgement:
            batch = _Batch(self._rules, arrival)
            found = [batch.judge(each, around) for each, around in zip(sent, known, strict=True)]
            judged[:] = [(each.rejected, around.row is not None) for each, around in zip(found, known, strict=True)]
            rows = [_row(each, verdict, arrival) for each, verdict in zip(sent, found, strict=True)]
            return Judgement(rows, self._questions(batch.disputed, arrival))

        asked = [Asked(each.candidate, each.source) for each in sent]
        since, tick = arrival.now - DAY_MS, arrival.realm.tick_number
        entered = await self._store.take_in(realm_id, asked, judge, since=since, tick=tick)
        return [Taken(row, *each) for row, each in zip(entered, judged, strict=True)]

    def _questions(self, disputed: Sequence[_Disputed], arrival: _Arrival) -> dict[str, NewQuestion]:
        return {
            each.act.event_id: self._question(
                arrival.realm, each.act, each.judged, [near.act() for near in each.recent] + each.of_batch
            )._replace(correlation_id=arrival.correlation_id)
            for each in disputed
        }

    def _sent(self, act: ImpactCandidate) -> _Sent:
        action = self._rules.actions.get(act.action_type)
        source, is_claim = (action.source, action.is_relic_claim) if action is not None else ("", False)
        return _Sent(act, source, act.target_id if is_claim else None, epoch_ms(act.created_at), canonical_act(act))


def _row(sent: _Sent, judged: Judged, arrival: _Arrival) -> NewRow:
    act = sent.candidate
    return NewRow(
        act.realm_id, act.event_id, sent.canonical, act.user_id, act.device_id, act.session_id, act.faction_id,
        act.action_type, sent.source, judged, sent.moment, arrival.now, arrival.realm.tick_number,
        arrival.correlation_id, sent.relic_id,
    )  # fmt: skip


@dataclass(slots=True)
class _Mine:
    """What one account's accepted acts of a batch come to."""

    points: int = 0
    by_source: dict[str, int] = field(default_factory=dict)
    repeats: dict[tuple[str, str | None], int] = field(default_factory=dict)


_NOTHING: Final = _Mine()


class _Batch:
    """Judges a batch in order: what was accepted before in it counts toward caps, repeats and odd patterns."""

    def __init__(self, rules: WorldRules, arrival: _Arrival) -> None:
        self.disputed: list[_Disputed] = []
        self._rules = rules
        self._arrival = arrival
        self._events: set[str] = set()
        self._refused: set[str] = set()
        """Those of them that were refused before they were scored."""
        self._acts: list[_Sent] = []
        self._of_user: dict[str | None, list[int]] = {}
        """Places in `_acts`; acts that share an account, a device or a session are near one another."""
        self._of_device: dict[str | None, list[int]] = {}
        self._of_session: dict[str | None, list[int]] = {}
        self._accepted: dict[str, _Mine] = {}
        self._of_faction: dict[str | None, int] = {}

    def judge(self, sent: _Sent, known: Known) -> Judged:
        act = sent.candidate
        near = self._near(act)
        found = judge(act, self._around(sent, known, near), self._arrival.realm, self._rules)
        self._events.add(act.event_id)
        if found.rejected is None or found.rejected.kind != "duplicate":  # a bad line is not an odd pattern
            self._place(sent)
        if found.score is None:
            self._refused.add(act.event_id)
        if found.state == "accepted" and found.score is not None:
            self._count(sent, found.score.normalized)
        elif found.state == "in_review":
            self.disputed.append(_Disputed(act, found, known.recent, [each.candidate for each in near]))
        return found

    def _around(self, sent: _Sent, known: Known, near: Sequence[_Sent]) -> Surroundings:
        act, now = sent.candidate, self._arrival.now
        mine = self._accepted.get(act.user_id, _NOTHING)
        moments = [each.moment for each in known.recent]
        moments += [each.moment for each in near]
        moments.append(sent.moment)
        refused = [place for place, each in enumerate(known.recent) if each.is_refused]
        if self._refused:
            behind = enumerate(near, start=len(known.recent))
            refused += [place for place, each in behind if each.candidate.event_id in self._refused]
        return Surroundings(
            (*known.recent, *[each.candidate for each in near]) if near else known.recent,
            moments,
            known.row is not None or act.event_id in self._events,
            known.repeats + mine.repeats.get((act.action_type, act.faction_id), 0),
            known.user_day + mine.points,
            known.source_day + mine.by_source.get(sent.source, 0),
            known.faction_tick + self._of_faction.get(act.faction_id, 0),
            now - known.first_seen if known.first_seen is not None else 0,
            now,
            refused,
        )

    def _near(self, act: ImpactCandidate) -> list[_Sent]:
        places = [
            *self._of_user.get(act.user_id, ()),
            *self._of_device.get(act.device_id, ()),
            *self._of_session.get(act.session_id, ()),
        ]
        return [self._acts[place] for place in sorted(set(places))] if places else []

    def _place(self, sent: _Sent) -> None:
        act, place = sent.candidate, len(self._acts)
        self._acts.append(sent)
        self._of_user.setdefault(act.user_id, []).append(place)
        if act.device_id is not None:
            self._of_device.setdefault(act.device_id, []).append(place)
        if act.session_id is not None:
            self._of_session.setdefault(act.session_id, []).append(place)

    def _count(self, sent: _Sent, worth: int) -> None:
        act = sent.candidate
        kind = act.action_type, act.faction_id
        mine = self._accepted.setdefault(act.user_id, _Mine())
        mine.points += worth
        mine.by_source[sent.source] = mine.by_source.get(sent.source, 0) + worth
        mine.repeats[kind] = mine.repeats.get(kind, 0) + 1
        self._of_faction[act.faction_id] = self._of_faction.get(act.faction_id, 0) + worth
