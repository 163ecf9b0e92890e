"""A made-up case, to ask a model one real question without any real world at stake."""

from typing import Any, Final

from agents.asking import Question, Slot
from council.assessment import find_evidence, rule_votes
from council.triage import triage
from policies.contracts.reading import validate_request
from policies.evidence import values_of
from policies.policy import Policy, RealmPolicy
from policies.verdicts import Member
from world.case import open_case

CASE: Final[dict[str, Any]] = {
    "decision_type": "sovereign_action",
    "realm_id": "made-up",
    "proposed_change": {
        "summary": "The Free Cities hold the river bridge for a season",
        "actor": {"user_id": "u-1", "faction_id": "free_cities", "sovereign": True},
        "effects": [{"op": "faction_delta", "faction_id": "free_cities", "amount": 2}],
    },
    "world_snapshot": {
        "snapshot_id": "made-up-1",
        "tick_number": 1,
        "factions": {
            "empire": {"influence": 40}, "veil": {"influence": 33}, "free_cities": {"influence": 27},
        },
        "meters": {"stability": 60, "tension": 30, "chaos": 20},
    },
    "lore_constraints": ["No bridge of the realm has ever been burned."],
}  # fmt: skip
_REALM: Final = RealmPolicy("enforce", 0)


def question_to(member: Member, policy: Policy) -> Question:
    """Return the question that a member's model is asked about the made-up case.

    Raises:
        ValueError: where the policy gives the member no model.
    """
    use = policy.members[member].model
    if use is None:
        raise ValueError(f"member {member!r} asks no model")
    case = open_case(validate_request(CASE))
    evidence = find_evidence(case, triage(case, policy, _REALM).signals).evidence
    (rule_vote,) = rule_votes(case, policy, values_of(evidence), (member,))
    rules = tuple([rule.rule_id for rule in policy.rules.rules])
    return Question(Slot(member, 1), case, evidence, rule_vote, rules, use, policy.models, "")
