"""The five members and how each finds evidence and judges by rules (000 §6.3; register rows S0-51 to S0-55)."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from agents import fairness, governor, lore, narrative, risk
from policies.evidence import Evidence
from policies.verdicts import Member
from policies.votes import Vote
from world.case import Case


class RuleMember(NamedTuple):
    """A member's two pure functions."""

    find_evidence: Callable[[Case], Evidence]
    judge: Callable[[Case, Mapping[str, int], Mapping[str, int]], Vote]
    """(case, values of every signal, the member's thresholds) to its vote."""


ROSTER: Final[dict[Member, RuleMember]] = {
    "governor": RuleMember(governor.find_evidence, governor.judge),
    "fairness": RuleMember(fairness.find_evidence, fairness.judge),
    "lore": RuleMember(lore.find_evidence, lore.judge),
    "narrative": RuleMember(narrative.find_evidence, narrative.judge),
    "risk": RuleMember(risk.find_evidence, risk.judge),
}
"""In seat order."""
