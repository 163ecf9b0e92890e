"""Opinions: of a member's two votes, its rules' and its model's, which one counts, and why. Pure.

A model may be dead, lying or hijacked; what it can win is bounded here (council.md, vetoes and floors; reliability.md,
injection 2 and 5, and I6):

    the model failed                                  the member abstains, or its rules vote, tagged `degraded`
    it may tighten, and is milder than its rules      the rules' vote
    it may tighten, and is as strict or stricter      the model's vote, with what the rules require beside its own
    it may relax, and read no player's text           the model's vote
    it may relax, and its twin was not asked or is    as if it may only tighten
      silent
    it may relax, and its twin spoke                  the model's vote; that it is milder than the twin's is looked at
                                                      where the verdicts of both are known
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from agents.asking import Reply, Slot
from agents.parsing import vote_of
from policies.evidence import Evidence
from policies.models import ModelsPolicy
from policies.policy import MemberPolicy
from policies.rules import RuleResult
from policies.verdicts import STRICTNESS, Member
from policies.votes import Vote, vote_to_wire
from world.case import Case

Why = Literal["not_asked", "model", "bound_by_rules", "unconfirmed", "degraded", "abstained", "no_floor", "first_round"]
WHY: Mapping[Why, str] = {
    "not_asked": "its rules vote: no model is asked",
    "model": "the model's vote counts",
    "bound_by_rules": "the rules' vote counts: the model's is milder, and it may only tighten",
    "unconfirmed": "the rules' vote counts: the model's is milder, and no run without the players' text confirms it",
    "degraded": "the rules' vote stands in: the model failed",
    "abstained": "no vote: the model failed",
    "no_floor": "no vote: its rules failed, so nothing bounds its model",
    "first_round": "its vote of the first round stands: it was silent in the second",
}


class Opinion(NamedTuple):
    """One member in one round."""

    member: Member
    rule_vote: Vote
    model_vote: Vote | None
    """None where its model was not asked."""
    twin_vote: Vote | None
    """What its model says without the players' text; None where that was not asked."""
    counted: Vote
    why: Why
    counted_without_text: Vote
    """What would count if the twin's vote were the model's: the same vote where there is no twin."""


class Bounds(NamedTuple):
    """What a member's model may do in this case."""

    member: MemberPolicy
    models: ModelsPolicy
    needs_twin: bool
    """Whether a milder vote must be confirmed without the players' text."""


def opinion(rule_vote: Vote, model_vote: Vote | None, twin_vote: Vote | None, bounds: Bounds) -> Opinion:
    """Form one member's opinion from its votes."""
    counted, why = _counted(rule_vote, model_vote, twin_vote, bounds)
    without = counted
    if model_vote is not None and twin_vote is not None and twin_vote.verdict is not None:
        without = _counted(rule_vote, twin_vote, twin_vote, bounds)[0]
        if why == "model":
            counted = with_modifications(counted, twin_vote)
    return Opinion(rule_vote.member, rule_vote, model_vote, twin_vote, counted, why, without)


def second_opinion(first: Opinion, second: Opinion) -> Opinion:
    """Return a member's opinion after the rebuttal: one silent in the second round keeps its first vote."""
    if second.model_vote is None or second.model_vote.verdict is None:
        return first._replace(why="first_round") if first.model_vote is not None else first
    return second


def _counted(rule_vote: Vote, model_vote: Vote | None, twin_vote: Vote | None, bounds: Bounds) -> tuple[Vote, Why]:
    if model_vote is None:
        return rule_vote, "not_asked"
    if model_vote.verdict is None:
        return _without_model(rule_vote, model_vote, bounds.models)
    if rule_vote.verdict is None:
        # Nothing is known of how mild the vote may be, and what is unknown is never safe.
        return rule_vote, "no_floor"
    is_confirmed = not bounds.needs_twin or (twin_vote is not None and twin_vote.verdict is not None)
    if bounds.member.models_may == "relax" and is_confirmed:
        return model_vote, "model"
    if STRICTNESS[model_vote.verdict] < STRICTNESS[rule_vote.verdict]:
        return rule_vote, "bound_by_rules" if bounds.member.models_may == "tighten" else "unconfirmed"
    if bounds.member.use_confidence:
        # A model moves its member's mass to a stricter verdict; more or less of it could make the council's verdict milder.
        model_vote = model_vote._replace(confidence=rule_vote.confidence)
    return with_modifications(model_vote, rule_vote), "model"


def _without_model(rule_vote: Vote, failed: Vote, models: ModelsPolicy) -> tuple[Vote, Why]:
    is_budget = failed.abstained == "budget"
    in_its_place = models.budgets.when_spent == "rules" if is_budget else models.on_failure == "rules"
    if not in_its_place or rule_vote.verdict is None:
        # Silence must not lift what the member's rules require of the change (reliability.md, I6).
        return failed._replace(modifications=rule_vote.modifications), "abstained"
    return rule_vote._replace(degraded=failed.abstained), "degraded"


def with_modifications(vote: Vote, other: Vote) -> Vote:
    """Return a vote that also asks for what another one requires: bounds are merged, so the result is never looser.

    A stricter vote without modifications would else lift the bounds that the same member's rules have set.
    """
    if other.verdict is None or STRICTNESS[other.verdict] < STRICTNESS["modify"] or vote.verdict == "approve":
        return vote
    missing = tuple([item for item in other.modifications if item not in vote.modifications])
    return vote._replace(modifications=vote.modifications + missing) if missing else vote


def votes_said(
    replies: Mapping[Slot, Reply], case: Case, evidence: Evidence, results: tuple[RuleResult, ...]
) -> dict[Slot, Vote]:
    """Read every reply into the vote it holds, with the vetoes it claims checked against what the rules said."""
    ids = tuple([result.rule.rule_id for result in results])
    fired = {result.rule.rule_id for result in results if result.fired}
    said = {}
    for slot, reply in replies.items():
        vote = vote_of(reply, case, evidence, ids)
        claims = tuple([claim._replace(is_verified=claim.rule in fired) for claim in vote.claims])
        said[slot] = vote._replace(claims=claims) if claims else vote
    return said


def opinion_to_wire(number: int, formed: Opinion, ops: tuple[str, ...]) -> dict[str, Any]:
    """Return an opinion as the record shows it."""

    def wire(vote: Vote | None) -> dict[str, Any] | None:
        return None if vote is None else vote_to_wire(vote, ops)

    return {
        "member": formed.member,
        "round": number,
        "rule_vote": wire(formed.rule_vote),
        "model_vote": wire(formed.model_vote),
        "twin_vote": wire(formed.twin_vote),
        "counted": formed.counted.source,
        "why": formed.why,
    }
