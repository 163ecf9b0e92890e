"""Assessment: evidence of every member, rules over it, and the rule votes of those who sit. Pure.

Evidence is found by all five members, seated or not, because veto rules guard every case that reaches the council.
"""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from agents.roster import ROSTER
from council.merge import FiredRule
from council.triage import Triage
from policies.evidence import Evidence, values_of
from policies.policy import Policy
from policies.rules import RuleResult, as_error
from policies.verdicts import Member
from policies.votes import Vote, abstention
from world.case import Case

logger = logging.getLogger(__name__)


class Assessment(NamedTuple):
    """What is known of a case before any model is asked."""

    evidence: Evidence
    """Signals of triage and of every member, in seat order."""
    values: Mapping[str, int]
    rules: tuple[RuleResult, ...]
    """Every rule of the policy with what it said."""
    is_vetoed: bool
    """Whether an enforced veto of reject or quarantine ended the review: nobody is asked."""
    rule_votes: tuple[Vote, ...]
    """The rule vote of every seated member; empty where vetoed."""


class Found(NamedTuple):
    """The evidence of a case, and the members that failed to find theirs."""

    evidence: Evidence
    failed: tuple[Member, ...] = ()


def assess(case: Case, policy: Policy, triaged: Triage) -> Assessment:
    """Find all evidence, evaluate the rules, and let the seated members judge by rules."""
    found = find_evidence(case, triaged.signals)
    values = values_of(found.evidence)
    results = evaluate_rules(policy, found, values)
    is_vetoed = any(rule.outcome != "modify" for rule in enforced(results))
    votes = () if is_vetoed else rule_votes(case, policy, values, triaged.seated)
    return Assessment(found.evidence, values, results, is_vetoed, votes)


def find_evidence(case: Case, triage_signals: Evidence) -> Found:
    """Return the signals of triage and of all five members; a member that fails has found nothing."""
    evidence = list(triage_signals)
    failed: list[Member] = []
    for name, member in ROSTER.items():
        try:
            evidence.extend(member.find_evidence(case))
        except Exception:
            failed.append(name)
            logger.exception("evidence_failed", extra={"member": name, "realm_id": case.request.realm_id})
    return Found(tuple(evidence), tuple(failed))


def evaluate_rules(policy: Policy, found: Found, values: Mapping[str, int]) -> tuple[RuleResult, ...]:
    """Evaluate every rule; where a member failed, a rule that lacks a signal has fired (unknown is never safe)."""
    results = policy.rules.evaluate(values)
    if not found.failed:
        return results
    return tuple([as_error(result) if result.missing else result for result in results])


def rule_votes(case: Case, policy: Policy, values: Mapping[str, int], seated: tuple[Member, ...]) -> tuple[Vote, ...]:
    """Return the vote of each seated member's rule judge, in seat order; one that fails abstains."""
    return tuple([_rule_vote(member, case, policy, values) for member in seated])


def _rule_vote(member: Member, case: Case, policy: Policy, values: Mapping[str, int]) -> Vote:
    try:
        return ROSTER[member].judge(case, values, policy.members[member].thresholds)
    except Exception as error:
        logger.exception("judge_failed", extra={"member": member, "realm_id": case.request.realm_id})
        return abstention(member, "unreachable", source="rules", because=f"{type(error).__name__} in its rule judge")


def enforced(results: tuple[RuleResult, ...]) -> tuple[FiredRule, ...]:
    """Return the fired rules that act on the verdict."""
    return tuple(
        [
            FiredRule(result.rule.rule_id, result.outcome)
            for result in results
            if result.fired and result.rule.mode == "enforce"
        ]
    )
