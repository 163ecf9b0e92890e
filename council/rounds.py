"""Rounds: who is asked what, and whether the council speaks twice. Pure.

A second round is held at most once, where the policy wants it and the first one was split (council.md, procedure 6).
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from agents.asking import Slot
from agents.player_text import has_player_text
from council.merge import Merged
from council.opinions import Bounds, Opinion
from council.triage import Triage
from policies.policy import Policy
from policies.verdicts import Member
from policies.votes import Vote
from world.case import Case

FIRST: Final = 1
REBUTTAL: Final = 2


def bounds_of(member: Member, case: Case, policy: Policy, found: Triage) -> Bounds:
    """Return what a member's model may do in this case."""
    return Bounds(policy.members[member], policy.models, needs_twin(member, case, policy, found))


def needs_twin(member: Member, case: Case, policy: Policy, found: Triage) -> bool:
    """Tell whether a member's model is also asked without the players' text.

    Only a member that reads such text and may be milder than its rules can be talked into anything by it; for the others
    the rules' vote is the bound already (reliability.md, injection 5).
    """
    mine = policy.members[member]
    least = policy.models.twin_from_impact
    # A shadow that names no model of its own hears one of which it is not known what it read.
    may_have_read = mine.judge == "model" and (mine.model is None or mine.model.reads_player_text)
    if not may_have_read or mine.models_may == "tighten" or least is None:
        return False
    # An impact that could not be computed is taken for a high one.
    return found.values.get("impact_score", 100) >= least and has_player_text(case)


def slots_of(member: Member, number: int, case: Case, policy: Policy, found: Triage) -> tuple[Slot, ...]:
    """Return the questions that a member's model is asked in a round."""
    full = Slot(member, number)
    return (full, Slot(member, number, "twin")) if needs_twin(member, case, policy, found) else (full,)


def is_split(merged: Merged, margin: Fraction) -> bool:
    """Tell whether a first round is so close that a second is held.

    The margin is the merge's own: how far the shares stand from the nearest quota that would change the verdict
    (council.md, the merge). Members that agree are not asked again, whatever the margin.
    """
    spoken = {term.counted_at for term in merged.terms if term.voted}
    if len(spoken) < 2 or not merged.coverage:
        return False
    return merged.confidence / merged.coverage < margin


def others_said(opinions: Sequence[Opinion], slot: Slot, policy: Policy) -> tuple[Vote, ...]:
    """Return what the other members' votes of the first round said, for the rebuttal.

    A twin hears nothing of players' text by way of others either: of a member that read some, it hears what that member's own
    twin said, or its rules.
    """
    others = [formed for formed in opinions if formed.member != slot.member]
    if slot.variant == "full":
        return tuple([formed.counted for formed in others])
    return tuple([_said_without_text(formed, policy) for formed in others])


def _said_without_text(formed: Opinion, policy: Policy) -> Vote:
    use = policy.members[formed.member].model
    if use is None or not use.reads_player_text:
        return formed.counted
    return formed.twin_vote if formed.twin_vote is not None else formed.rule_vote


def asked_members(seated: Iterable[Member], policy: Policy) -> tuple[Member, ...]:
    """Return the seated members that have a model."""
    return tuple([member for member in seated if policy.members[member].model is not None])
