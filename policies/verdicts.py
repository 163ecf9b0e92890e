"""The closed vocabularies of a decision: verdicts, members, decision types, abstentions, modes.

They live in the lowest package because agents, story, council and evals all speak them (register rows S0-57, S0-59).
"""

from typing import Final, Literal, get_args

Verdict = Literal["approve", "modify", "reject", "quarantine"]
"""What the council says, from mildest to strictest. `quarantine` also keeps the case open for a person."""

DecisionType = Literal["sovereign_action", "major_trigger", "impact_dispute"]
Member = Literal["governor", "fairness", "lore", "narrative", "risk"]
Path = Literal["fast", "council", "veto"]
RealmMode = Literal["off", "log_only", "review_only", "enforce"]
RuleMode = Literal["log_only", "review_only", "enforce"]
RuleOutcome = Literal["modify", "reject", "quarantine"]
JudgeKind = Literal["rules", "model", "recorded", "scripted"]
Abstention = Literal["timeout", "unreachable", "unparsed", "off_schema", "refused", "budget", "no_confidence"]
DecidedBy = Literal["veto", "floor", "votes", "want_of_votes"]

VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
MEMBERS: Final[tuple[Member, ...]] = get_args(Member)
DECISION_TYPES: Final[tuple[DecisionType, ...]] = get_args(DecisionType)
ABSTENTIONS: Final[tuple[Abstention, ...]] = get_args(Abstention)
REALM_MODES: Final[tuple[RealmMode, ...]] = get_args(RealmMode)
RULE_MODES: Final[tuple[RuleMode, ...]] = get_args(RuleMode)
RULE_OUTCOMES: Final[tuple[RuleOutcome, ...]] = get_args(RuleOutcome)

STRICTNESS: Final[dict[Verdict, int]] = {verdict: rank for rank, verdict in enumerate(VERDICTS)}
"""Rank on the ordered scale approve 0 < modify 1 < reject 2 < quarantine 3."""


def strictest(first: Verdict, *others: Verdict) -> Verdict:
    """Return the strictest of one or more verdicts."""
    return max((first, *others), key=STRICTNESS.__getitem__)
