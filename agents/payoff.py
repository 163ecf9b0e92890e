"""What a change asks its story to have earned, and what was done to earn it: payoff in numbers (register row S0-54).

Read from typed fields only; no text that a player wrote reaches these numbers.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from policies.contracts.effects import Effect
from policies.contracts.request import Actor, DecisionRequest, ImpactCandidate
from policies.numbers import PERMILLE, scaled
from policies.votes import AMOUNT_SCALE
from world.balance import ramp

STAKES: Final = {"personal": 200, "local": 400, "regional": 600, "realm": 800, "sovereign": 1000}
"""Ladder of stakes (domain.md C1), permille."""
TRIGGER_OWES: Final = 1000
FACT_OWES: Final = 700
TERRITORY_OWES: Final = 600
SHARE_FULL: Final = 100_000
"""Ten points of influence owe as much as a trigger; ppm."""
METER_FULL: Final = 30_000
"""Thirty points of a meter owe as much as a trigger; milli."""
SOVEREIGN_EARNS: Final = 200
"""A sovereign's own act is setup: few uses a season, costly, with a counterplay window (companions.md)."""
PRESSURE_EARNS: Final = 400
"""Most that pressure in the world earns for what a trigger brings with it."""
SPREAD_FULL: Final = 3

_BETWEEN: Final = re.compile(r"[\W_]+")
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(minutes=15)


class Change(NamedTuple):
    """What the proposed change names."""

    factions: set[str]
    things: set[str]
    """Ids of places, triggers and facts' subjects."""
    is_firing: bool
    """Whether it fires a trigger."""


class Debt(NamedTuple):
    """What the effects under judgement ask to be earned."""

    owed: int
    share: int
    meter: int
    triggers: int


class Setup(NamedTuple):
    """What the events that prepared the change amount to."""

    events: list[int]
    """Their positions."""
    distinct: int
    """Distinct events: one that is sent twice is one."""
    users: int
    factions: set[str]
    targets: set[str]
    spread: int
    stakes: int | None
    risk: int | None


def read_change(effects: Sequence[Effect], actor: Actor | None) -> Change:
    """Collect what the proposed change names."""
    factions = {actor.faction_id} if actor is not None and actor.faction_id is not None else set()
    things: set[str] = set()
    is_firing = False
    for effect in effects:
        if effect.op == "faction_delta":
            factions.add(effect.faction_id)
        elif effect.op == "territory_transfer":
            things.add(effect.territory_id)
            factions.update((effect.to, effect.from_ or effect.to))
        elif effect.op == "trigger_fire":
            is_firing = True
            things.add(effect.trigger_id)
        elif effect.op == "canon_assert":
            things.add(effect.subject)
    return Change(factions, things, is_firing)


def read_debt(effects: Sequence[Effect]) -> Debt:
    """Weigh the effects: the gravest one sets what is owed, permille."""
    owed = share = meter = triggers = 0
    for effect in effects:
        if effect.op == "faction_delta":
            amount = abs(scaled(effect.amount, AMOUNT_SCALE["faction_delta"]))
            share, owed = max(share, amount), max(owed, amount * PERMILLE // SHARE_FULL)
        elif effect.op == "meter_delta":
            amount = abs(scaled(effect.amount, AMOUNT_SCALE["meter_delta"]))
            meter, owed = max(meter, amount), max(owed, amount * PERMILLE // METER_FULL)
        elif effect.op == "trigger_fire":
            triggers, owed = triggers + 1, TRIGGER_OWES
        else:
            owed = max(owed, FACT_OWES if effect.op == "canon_assert" else TERRITORY_OWES)
    return Debt(min(PERMILLE, owed), share, meter, triggers)


def read_setup(events: Sequence[ImpactCandidate], change: Change) -> Setup:
    """Collect the events that prepared the change; where it names no faction, every event put forward counts."""
    factions, things = change.factions, change.things
    found = [
        at
        for at, event in enumerate(events)
        if not factions or event.faction_id in factions or event.target_id in things
    ]
    chosen = [events[at] for at in found]
    stakes: int | None = None
    risk: int | None = None
    for event in chosen:
        facts = event.evidence
        named, dared = facts.get("stakes"), facts.get("risk")
        if isinstance(named, str) and named in STAKES:
            stakes = max(stakes or 0, STAKES[named])
        if type(dared) is int and 1 <= dared <= 5:
            risk = max(risk or 0, (dared - 1) * 250)
    return Setup(
        events=found,
        distinct=len({event.event_id for event in chosen}),
        users=len({event.user_id for event in chosen}),
        factions={event.faction_id for event in chosen if event.faction_id is not None},
        targets={event.target_id for event in chosen if event.target_id is not None},
        spread=_spread(chosen),
        stakes=stakes,
        risk=risk,
    )


def _spread(events: Sequence[ImpactCandidate]) -> int:
    """Return distinct chapters; where they are fewer than three, distinct ticks if those are more."""
    chapters = len({event.chapter_id for event in events if event.chapter_id is not None})
    if chapters >= SPREAD_FULL:
        return chapters
    return max(chapters, len({(event.created_at - _EPOCH) // _TICK for event in events}))


def earned(setup: Setup, pressure: int, *, is_sovereign_act: bool) -> int:
    """Return what was earned, permille: four setup events 350, three moments 200, three users 250, highest drama 200.

    A sovereign's own act adds 200, each tick of pressure behind a trigger 100 up to 400; no more than 1,000 in all.
    Worked: two events by two users in two moments, risk 4: 175 + 133 + 166 + 150 = 624.
    """
    base = (SOVEREIGN_EARNS if is_sovereign_act else 0) + min(PRESSURE_EARNS, 100 * pressure)
    if not setup.distinct:
        return base
    events, moments, users = ramp(setup.distinct, 0, 4), ramp(setup.spread, 0, SPREAD_FULL), ramp(setup.users, 0, 3)
    drama = max(setup.stakes or 0, setup.risk or 0)
    return min(PERMILLE, base + (350 * events + 200 * moments + 250 * users + 200 * drama) // PERMILLE)


def summary_names(request: DecisionRequest) -> bool:
    """Return whether the sim's own line names a place or a locked thing of this request, by id or by name.

    Whole words count: "the Gate of Ash." names `gate-of-ash`, "at 10" does not name `t-1`.
    """
    summary = _words(request.proposed_change.summary)
    snapshot = request.world_snapshot
    for name, place in snapshot.territories.items():
        if _words(name) in summary or (place.name is not None and _words(place.name) in summary):
            return True
    return any(not isinstance(lock, str) and _words(lock.subject) in summary for lock in request.lore_constraints)


@lru_cache(maxsize=4096)
def _words(text: str) -> str:
    return f" {_BETWEEN.sub(' ', text.casefold()).strip()} "
