"""Seats: the weights and quotas that a policy gives to the members convened for one case."""

from functools import lru_cache

from council.merge import Seats
from policies.policy import Policy
from policies.verdicts import DecisionType, Member


@lru_cache(maxsize=256)
def seats_for(policy: Policy, decision_type: DecisionType, seated: tuple[Member, ...]) -> Seats:
    """Return the seats of the members convened, in seat order."""
    weights = policy.weights[decision_type]
    weighs = [member for member in seated if policy.members[member].use_confidence]
    return Seats(
        weights={member: weights[member] for member in seated},
        quotas=policy.quotas,
        quorum=policy.quorum,
        required=frozenset(policy.required[decision_type]),
        use_confidence=frozenset(weighs),
        calibration={member: steps for member in weighs if (steps := policy.members[member].calibration) is not None},
        absent_counts_as=policy.absent_counts_as,
        confidence_floor=policy.confidence_floor,
        rule=policy.merge_rule,
    )
