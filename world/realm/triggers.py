"""World triggers: conditions over the realm that fire once they have held long enough (domain.md C9; companions.md).

A trigger reads the state before it, fires at most once per season where it says so, rests through its cooldown, and is armed
again only when its measure has fallen below the disarm line. A major one does not fire by itself: it waits for the council.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from policies.rules import Rule, RuleSet
from world.realm.state import TriggerState

MOST_DEPTH: Final = 3
"""Deepest cascade of triggers within one tick; what is left waits for the next."""
Severity = Literal["minor", "major"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """One rule of the world.

    Attributes:
        trigger_id: its id.
        when: the condition over the realm's measures.
        disarm: the condition under which it may fire again.
        sustain: ticks in a row that `when` must hold.
        cooldown: ticks after a firing in which it rests.
        once: whether it fires at most once per season.
        group: at most one trigger of a group fires in a tick.
        priority: higher ones come first.
        severity: major ones need the council's approval.
        meters: what its firing adds to meters, milli.
        told: one sentence that players read.
    """

    trigger_id: str
    when: Rule
    disarm: Rule | None
    sustain: int
    cooldown: int
    once: bool
    group: str | None
    priority: int
    severity: Severity
    meters: Mapping[str, int]
    told: str


class Looked(NamedTuple):
    """What a tick found about all triggers."""

    states: Mapping[str, TriggerState]
    fired: tuple[str, ...]
    """Minor triggers that fired, in order of priority."""
    asked: tuple[str, ...]
    """Major triggers that now wait for the council."""


def look(
    triggers: Sequence[Trigger],
    states: Mapping[str, TriggerState],
    measures: Mapping[str, int],
    *,
    tick: int,
    season: str,
) -> Looked:
    """Look at every trigger once, in order of priority, then of ids.

    Args:
        states: what is remembered; a trigger without an entry is new.
        measures: whole numbers by name; a condition over a measure that is missing does not hold.
        tick: number of the tick that looks.
        season: the running season.
    """
    after = dict(sorted(states.items()))
    fired: list[str] = []
    asked: list[str] = []
    taken: set[str] = set()
    for trigger in sorted(triggers, key=lambda each: (-each.priority, each.trigger_id)):
        state = _noticed(trigger, after.get(trigger.trigger_id, TriggerState()), measures)
        if _is_ready(trigger, state, tick, season) and (trigger.group is None or trigger.group not in taken):
            if trigger.group is not None:
                taken.add(trigger.group)
            if trigger.severity == "major":
                asked.append(trigger.trigger_id)
                state = state._replace(pending_since=tick)
            else:
                fired.append(trigger.trigger_id)
                state = fire(state, tick=tick, season=season)
        after[trigger.trigger_id] = state
    return Looked(dict(sorted(after.items())), tuple(fired), tuple(asked))


def fire(state: TriggerState, *, tick: int, season: str) -> TriggerState:
    """Return a trigger's state once it has fired, by itself or by a verdict."""
    return state._replace(is_armed=False, held=0, last_fired=tick, fired_in_season=season, pending_since=None)


def refused(state: TriggerState, *, tick: int) -> TriggerState:
    """Return a major trigger's state after a verdict against it: it rests as if it had fired, and may fire later."""
    return state._replace(is_armed=False, held=0, last_fired=tick, pending_since=None)


def _noticed(trigger: Trigger, state: TriggerState, measures: Mapping[str, int]) -> TriggerState:
    holds = _holds(trigger.when, measures)
    is_armed = state.is_armed or (_holds(trigger.disarm, measures) if trigger.disarm is not None else not holds)
    return state._replace(held=state.held + 1 if holds else 0, is_armed=is_armed)


def _is_ready(trigger: Trigger, state: TriggerState, tick: int, season: str) -> bool:
    rested = state.last_fired is None or tick - state.last_fired > trigger.cooldown
    spent = trigger.once and state.fired_in_season == season
    return state.pending_since is None and state.is_armed and state.held >= trigger.sustain and rested and not spent


def _holds(rule: Rule, measures: Mapping[str, int]) -> bool:
    result = RuleSet([rule]).evaluate(measures)[0]
    return result.fired and not result.error and not result.missing
