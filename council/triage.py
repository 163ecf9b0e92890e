"""Triage: does this change need a council, and which members (000 §6.2; register rows S0-46 to S0-50)?

Everything else takes the fast path: approved at once, and still recorded with the score that let it through.
"""

from typing import NamedTuple

from policies.evidence import Evidence, values_of
from policies.policy import Policy, RealmPolicy
from policies.rules import RuleResult
from policies.verdicts import MEMBERS, Member
from world.case import Case
from world.impact import triage_signals


class Triage(NamedTuple):
    """What triage found."""

    signals: Evidence
    """The world-impact score with its terms, and the flags that rules read."""
    values: dict[str, int]
    reasons: tuple[RuleResult, ...]
    """Invocation rules that hold; empty on the fast path."""
    seated: tuple[Member, ...]
    """Members convened, in seat order; empty on the fast path."""


def triage(case: Case, policy: Policy, realm: RealmPolicy) -> Triage:
    """Decide whether the council convenes, and who sits."""
    signals = triage_signals(
        case,
        impact_weights=policy.impact_weights,
        impact_floors=policy.impact_floors,
        impact_threshold=realm.impact_threshold,
    )
    values = values_of(signals)
    if realm.mode == "off":
        return Triage(signals, values, (), ())
    reasons = tuple([result for result in policy.invocation.evaluate(values) if result.fired])
    return Triage(signals, values, reasons, _seated(case, policy, values) if reasons else ())


def _seated(case: Case, policy: Policy, values: dict[str, int]) -> tuple[Member, ...]:
    required = policy.required[case.request.decision_type]
    wanted = {result.rule.rule_id for result in policy.seating.evaluate(values) if result.fired}
    return tuple([member for member in MEMBERS if member in wanted or member in required])
