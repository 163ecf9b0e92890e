"""The Narrative Impact member: does the outcome pay off a story, or are these dry numbers (register row S0-54)?

Its business: stakes, involvement, setup, and whether the change names a thing that a chapter can tell of. Not its
business: balance (governor), who gains unfairly (fairness), canon (lore), suspicion (risk), and above all not the
quality of anyone's prose. It judges typed fields only. What a player wrote (`narrative`, events' `note`) is measured
for its length, and no rule reads even that: words never earn anything.

Mandate: at most it asks to bound or drop what is unearned. It rejects in one case only: a trigger that changes the
realm with nothing at all before it, neither an act of a player nor pressure in the world.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from agents.payoff import (
    FACT_OWES,
    METER_FULL,
    SHARE_FULL,
    TERRITORY_OWES,
    earned,
    read_change,
    read_debt,
    read_setup,
    summary_names,
)
from policies.contracts.effects import Effect, FactionDelta, MeterDelta
from policies.evidence import Evidence, Signal
from policies.numbers import PERMILLE, scaled
from policies.votes import AMOUNT_SCALE, Modification, Reason, Vote
from world.case import Case
from world.pressure import pressure_ticks

MOST_POINTERS: Final = 8

_EFFECTS: Final = ("/proposed_change/effects",)
_EVENTS: Final = ("/supporting_events",)
_INVOLVING: Final = ("/proposed_change/effects", "/supporting_events")
_WORLD: Final = ("/world_snapshot",)
_PROSE: Final = ("/proposed_change/narrative",)
_NAMING: Final = ("/proposed_change/effects", "/proposed_change/summary", "/supporting_events")


def find_evidence(case: Case) -> Evidence:
    """Return what the change owes its readers, and what was done to earn it.

    Setup, naming and pressure are those of the change as it was proposed, so that dropping one effect never makes
    another one look unprepared; what is owed is that of the effects under judgement.
    """
    request = case.request
    proposal = request.proposed_change
    change = read_change(proposal.effects, proposal.actor)
    setup = read_setup(request.supporting_events, change)
    named = len(change.things | setup.targets)
    is_named = named > 0 or summary_names(request)
    owed, share, meter, triggers = read_debt(case.effects)
    pressure = pressure_ticks(request.world_snapshot, case.before) if change.is_firing else 0
    is_sovereign = proposal.actor is not None and proposal.actor.sovereign
    is_act = is_sovereign and request.decision_type == "sovereign_action"
    where = tuple([_event_pointer(at) for at in setup.events[:MOST_POINTERS]]) or _EVENTS
    signals = [
        Signal("setup_events", setup.distinct, where),
        Signal("setup_spread", setup.spread, where),
        Signal("involved_users", setup.users, where),
        Signal("involved_factions", len(change.factions | setup.factions), _INVOLVING),
        Signal("named_things", named, _NAMING),
        Signal("is_named", int(is_named), _NAMING),
        Signal("dry_share", 0 if is_named else share, _EFFECTS),
        Signal("dry_meter", 0 if is_named else meter, _EFFECTS),
        Signal("payoff_owed", owed, _EFFECTS),
        Signal("payoff_earned", earned(setup, pressure, is_sovereign_act=is_act), where),
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
    if effect.op == "faction_delta":
        return _against_number(effect, SHARE_FULL, thresholds["dry_share_limit"], values, limit)
    if effect.op == "meter_delta":
        return _against_number(effect, METER_FULL, thresholds["dry_meter_limit"], values, limit)
    if effect.op == "trigger_fire":
        return None if is_prepared else _Finding(_UNPREPARED, 0)
    owed = FACT_OWES if effect.op == "canon_assert" else TERRITORY_OWES
    return _Finding(_UNEARNED, 0) if owed > limit else None


def _against_number(
    effect: FactionDelta | MeterDelta, full: int, dry_limit: int, values: Mapping[str, int], limit: int
) -> _Finding | None:
    amount = abs(scaled(effect.amount, AMOUNT_SCALE[effect.op]))
    most = full * limit // PERMILLE if limit < PERMILLE else amount
    if not values["is_named"] and dry_limit < min(amount, most):
        return _Finding(_DRY, dry_limit)
    return _Finding(_UNEARNED, most) if most < amount else None


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
