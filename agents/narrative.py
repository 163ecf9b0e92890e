"""The Narrative Impact member: does the outcome pay off a story, or are these dry numbers (register row S0-54)?

Its business: stakes, involvement, setup, and whether the change names a thing that a chapter can tell of. Not its business:
balance (governor), who gains unfairly (fairness), canon (lore), suspicion (risk), and above all not the quality of anyone's
prose. It judges typed fields only. What a player wrote (`narrative`, events' `note`) is measured for its length, and no
rule reads even that: words never earn anything.

Mandate: at most it asks to bound or drop what is unearned. It rejects in one case only: a trigger that changes the realm
with nothing at all before it, neither an act of a player nor pressure in the world.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from policies.contracts.effects import CanonAssert, Effect, FactionDelta, MeterDelta, TerritoryTransfer, TriggerFire
from policies.contracts.request import Actor, DecisionRequest, ImpactCandidate
from policies.evidence import Evidence, Signal
from policies.numbers import PERMILLE, scaled
from policies.votes import AMOUNT_SCALE, Modification, Reason, Vote
from world.balance import ramp
from world.case import Case
from world.pressure import pressure_ticks

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
"""A sovereign's own act is setup: few uses a season, costly, with a window for the others to counter (companions.md)."""
PRESSURE_EARNS: Final = 400
"""Most that pressure in the world earns for what a trigger brings with it."""
SPREAD_FULL: Final = 3
MOST_POINTERS: Final = 8

_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(minutes=15)
_EFFECTS: Final = ("/proposed_change/effects",)
_EVENTS: Final = ("/supporting_events",)
_INVOLVING: Final = ("/proposed_change/effects", "/supporting_events")
_WORLD: Final = ("/world_snapshot",)
_PROSE: Final = ("/proposed_change/narrative",)
_NAMING: Final = ("/proposed_change/effects", "/proposed_change/summary", "/supporting_events")


class _Change(NamedTuple):
    """What the proposed change names."""

    factions: set[str]
    things: set[str]
    """Ids of places, triggers and facts' subjects."""
    is_firing: bool
    """Whether it fires a trigger."""


class _Debt(NamedTuple):
    """What the effects under judgement ask to be earned."""

    owed: int
    share: int
    meter: int
    triggers: int


class _Setup(NamedTuple):
    """What the events that prepared the change amount to."""

    events: list[int]
    """Their positions."""
    count: int
    """Distinct events: one that is sent twice is one."""
    users: int
    factions: set[str]
    targets: set[str]
    spread: int
    stakes: int | None
    risk: int | None


def find_evidence(case: Case) -> Evidence:
    """Return what the change owes its readers, and what was done to earn it.

    Setup, naming and pressure are those of the change as it was proposed, so that dropping one effect never makes
    another one look unprepared; what is owed is that of the effects under judgement.
    """
    request = case.request
    proposal = request.proposed_change
    change = _read_change(proposal.effects, proposal.actor)
    setup = _read_setup(request.supporting_events, change)
    named = len(change.things | setup.targets)
    is_named = named > 0 or _summary_names(request)
    owed, share, meter, triggers = _read_debt(case.effects)
    pressure = pressure_ticks(request.world_snapshot, case.before) if change.is_firing else 0
    is_sovereign = proposal.actor is not None and proposal.actor.sovereign
    is_act = is_sovereign and request.decision_type == "sovereign_action"
    where = tuple([_event_pointer(at) for at in setup.events[:MOST_POINTERS]]) or _EVENTS
    signals = [
        Signal("setup_events", setup.count, where),
        Signal("setup_spread", setup.spread, where),
        Signal("involved_users", setup.users, where),
        Signal("involved_factions", len(change.factions | setup.factions), _INVOLVING),
        Signal("named_things", named, _NAMING),
        Signal("is_named", int(is_named), _NAMING),
        Signal("dry_share", 0 if is_named else share, _EFFECTS),
        Signal("dry_meter", 0 if is_named else meter, _EFFECTS),
        Signal("payoff_owed", owed, _EFFECTS),
        Signal("payoff_earned", _earned(setup, pressure, is_sovereign_act=is_act), where),
        Signal("trigger_effects", triggers, _EFFECTS),
        Signal("pressure_ticks", pressure, _WORLD),
        Signal("prose_length", len(proposal.narrative), _PROSE),
    ]
    if setup.stakes is not None:
        signals.append(Signal("stakes", setup.stakes, where))
    if setup.risk is not None:
        signals.append(Signal("risk_taken", setup.risk, where))
    return tuple(signals)


@lru_cache(maxsize=512)
def _event_pointer(at: int) -> str:
    return f"/supporting_events/{at}"


def _read_change(effects: Sequence[Effect], actor: Actor | None) -> _Change:
    factions = {actor.faction_id} if actor is not None and actor.faction_id is not None else set()
    things: set[str] = set()
    is_firing = False
    for effect in effects:
        if isinstance(effect, FactionDelta):
            factions.add(effect.faction_id)
        elif isinstance(effect, TerritoryTransfer):
            things.add(effect.territory_id)
            factions.update((effect.to, effect.from_ or effect.to))
        elif isinstance(effect, TriggerFire):
            is_firing = True
            things.add(effect.trigger_id)
        elif isinstance(effect, CanonAssert):
            things.add(effect.subject)
    return _Change(factions, things, is_firing)


def _read_debt(effects: Sequence[Effect]) -> _Debt:
    owed = share = meter = triggers = 0
    for effect in effects:
        if isinstance(effect, FactionDelta):
            amount = abs(scaled(effect.amount, AMOUNT_SCALE["faction_delta"]))
            share, owed = max(share, amount), max(owed, amount * PERMILLE // SHARE_FULL)
        elif isinstance(effect, MeterDelta):
            amount = abs(scaled(effect.amount, AMOUNT_SCALE["meter_delta"]))
            meter, owed = max(meter, amount), max(owed, amount * PERMILLE // METER_FULL)
        elif isinstance(effect, TriggerFire):
            triggers, owed = triggers + 1, TRIGGER_OWES
        else:
            owed = max(owed, FACT_OWES if isinstance(effect, CanonAssert) else TERRITORY_OWES)
    return _Debt(min(PERMILLE, owed), share, meter, triggers)


def _read_setup(events: Sequence[ImpactCandidate], change: _Change) -> _Setup:
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
    return _Setup(
        events=found,
        count=len({event.event_id for event in chosen}),
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


def _earned(setup: _Setup, pressure: int, *, is_sovereign_act: bool) -> int:
    """Return what was earned, permille: four setup events 350, three moments 200, three users 250, highest drama 200.

    A sovereign's own act adds 200, each tick of pressure behind a trigger 100 up to 400; no more than 1,000 in all.
    Worked: two events by two users in two moments, risk 4: 175 + 133 + 166 + 150 = 624.
    """
    base = (SOVEREIGN_EARNS if is_sovereign_act else 0) + min(PRESSURE_EARNS, 100 * pressure)
    if not setup.count:
        return base
    events, moments, users = ramp(setup.count, 0, 4), ramp(setup.spread, 0, SPREAD_FULL), ramp(setup.users, 0, 3)
    drama = max(setup.stakes or 0, setup.risk or 0)
    return min(PERMILLE, base + (350 * events + 200 * moments + 250 * users + 200 * drama) // PERMILLE)


def _summary_names(request: DecisionRequest) -> bool:
    """Return whether the sim's own line names a place or a locked thing of this request, by id or by name."""
    summary = _plain(request.proposed_change.summary)
    snapshot = request.world_snapshot
    for name, place in snapshot.territories.items():
        if _plain(name) in summary or (place.name is not None and _plain(place.name) in summary):
            return True
    return any(not isinstance(lock, str) and _plain(lock.subject) in summary for lock in request.lore_constraints)


def _plain(text: str) -> str:
    return text.casefold().replace("_", " ").replace("-", " ")


def judge(case: Case, values: Mapping[str, int], thresholds: Mapping[str, int]) -> Vote:
    """Return the narrative member's vote by rules.

    Confidence is 500 permille where what is owed meets the limit exactly and grows by half of the difference, up to
    1,000; a reject, which needs that nothing at all came before, has 900.
    """
    owed = values["payoff_owed"]
    limit = values["payoff_earned"] + thresholds["unearned_tolerance"]
    confidence = 500 + min(PERMILLE, abs(limit - owed)) // 2
    is_dry = values["dry_share"] > thresholds["dry_share_limit"] or values["dry_meter"] > thresholds["dry_meter_limit"]
    if owed <= limit and not values["trigger_effects"] and not is_dry:
        return Vote("narrative", "approve", confidence, (_approval(values),))
    is_prepared = (
        values["pressure_ticks"] >= thresholds["pressure_least"] or values["setup_events"] >= thresholds["setup_least"]
    )
    if values["trigger_effects"] and not is_prepared and not values["setup_events"]:
        return Vote("narrative", "reject", 900, (_FROM_NOWHERE,))
    reasons: dict[Reason, None] = {}
    changes: list[Modification] = []
    for effect, origin in zip(case.effects, case.origins, strict=True):
        finding = _against(effect, values, thresholds, limit, is_prepared=is_prepared)
        if finding is not None:
            reasons[finding.reason] = None
            changes.append(_modification(effect, origin, finding))
    if not changes:
        return Vote("narrative", "approve", confidence, (_approval(values),))
    return Vote("narrative", "modify", confidence, tuple(reasons), tuple(changes))


class _Finding(NamedTuple):
    """Why an effect may not stand as it is, and the largest amount it may have (0: none)."""

    reason: Reason
    bound: int


def _against(
    effect: Effect, values: Mapping[str, int], thresholds: Mapping[str, int], limit: int, *, is_prepared: bool
) -> _Finding | None:
    """Return what is held against one effect: unprepared, unearned or dry."""
    if isinstance(effect, FactionDelta):
        return _against_number(effect, SHARE_FULL, thresholds["dry_share_limit"], values, limit)
    if isinstance(effect, MeterDelta):
        return _against_number(effect, METER_FULL, thresholds["dry_meter_limit"], values, limit)
    if isinstance(effect, TriggerFire):
        return None if is_prepared else _Finding(_UNPREPARED, 0)
    owed = FACT_OWES if isinstance(effect, CanonAssert) else TERRITORY_OWES
    return _Finding(_UNEARNED, 0) if owed > limit else None


def _against_number(
    effect: FactionDelta | MeterDelta, full: int, dry_limit: int, values: Mapping[str, int], limit: int
) -> _Finding | None:
    amount = abs(scaled(effect.amount, AMOUNT_SCALE[effect.op]))
    earned = full * limit // PERMILLE if limit < PERMILLE else amount
    if not values["is_named"] and dry_limit < min(amount, earned):
        return _Finding(_DRY, dry_limit)
    return _Finding(_UNEARNED, earned) if earned < amount else None


_DRY: Final = Reason(
    "numbers alone: nothing is named that a chapter could tell of", ("is_named", "dry_share", "dry_meter")
)
_UNEARNED: Final = Reason(
    "the outcome is larger than what was done to earn it", ("payoff_owed", "payoff_earned", "setup_events")
)
_FROM_NOWHERE: Final = Reason(
    "a trigger would change the realm with nothing before it: no player's act, no pressure in the world",
    ("trigger_effects", "setup_events", "pressure_ticks"),
)
_UNPREPARED: Final = Reason(
    "a trigger that a single act prepared may fire once more has led up to it", ("setup_events", "pressure_ticks")
)


def _modification(effect: Effect, origin: int, finding: _Finding) -> Modification:
    because, bound = finding.reason.text, finding.bound
    if not bound or not isinstance(effect, FactionDelta | MeterDelta):
        return Modification(origin, drop=True, because=because)
    if effect.amount > 0:
        return Modification(origin, field="amount", max=bound, because=because)
    return Modification(origin, field="amount", min=-bound, because=because)


def _approval(values: Mapping[str, int]) -> Reason:
    text = (
        f"{values['setup_events']} events by {values['involved_users']} users over {values['setup_spread']} moments "
        f"lead up to this"
        if values["setup_events"]
        else "small enough to need no story of its own"
    )
    return Reason(text, ("setup_events", "involved_users", "setup_spread", "payoff_owed", "payoff_earned"))
