"""The merge: a quota rule on an ordered scale, exact, with a trace of every term.

Verdicts are ordered approve < modify < reject < quarantine. A verdict is carried when the share of the council's mass at
it or stricter reaches its quota; the strictest carried verdict is the votes' outcome. Fired rules may only tighten it
(council.md, the merge; register rows S0-56, S0-59, S0-60). This is a generalised median (Moulin 1980): monotone in every
vote, and no member gains by exaggerating.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Final, Literal, NamedTuple

from policies.calibration import Steps, worth_of
from policies.verdicts import STRICTNESS, VERDICTS, Abstention, DecidedBy, RuleOutcome, Verdict

DEFAULT_QUOTAS: Final[dict[Verdict, Fraction]] = {
    "modify": Fraction(1, 3),
    "reject": Fraction(1, 3),
    "quarantine": Fraction(1, 3),
}
DEFAULT_QUORUM: Final = Fraction(3, 5)
FULL_UNIT: Final = 1000
"""Units of a vote whose confidence does not weigh, and of an absent member."""

RuleName = Literal["quota", "plurality", "median", "strictest"]
_APPROVE, _QUARANTINE = 0, 3


class MergeInputError(ValueError):
    """the votes do not fit the seats: an unknown member, or a member with two votes"""


class Ballot(NamedTuple):
    """What the merge needs of one vote."""

    member: str
    verdict: Verdict | None
    """None where the member abstained."""
    confidence: int = FULL_UNIT
    """Permille, 0 to 1000."""
    abstained: Abstention | None = None


class FiredRule(NamedTuple):
    """What the merge needs of one enforced rule that fired."""

    rule: str
    outcome: RuleOutcome


@dataclass(frozen=True, slots=True)
class Seats:
    """The members seated in one review and the numbers that merge their votes.

    Attributes:
        weights: weight per seated member, above 0.
        quotas: share that carries modify, reject and quarantine; strictly between 0 and 1, never falling with strictness.
        quorum: share of the weight that must have voted.
        required: members without whose vote there is no verdict but quarantine; those not seated do not count.
        use_confidence: members whose confidence scales their mass.
        calibration: what the confidence of such a member is worth; one without a table is worth what it claims.
        absent_counts_as: verdict at which a seated member without a vote counts.
        confidence_floor: least confidence of a verdict that is sent as it is.
        rule: name of the merge rule.
        units: the weights as integers over one denominator, in the order of `weights`.
    """

    weights: Mapping[str, Fraction]
    quotas: Mapping[Verdict, Fraction] = field(default_factory=lambda: dict(DEFAULT_QUOTAS))
    quorum: Fraction = DEFAULT_QUORUM
    required: frozenset[str] = frozenset()
    use_confidence: frozenset[str] = frozenset()
    absent_counts_as: Verdict = "quarantine"
    confidence_floor: Fraction = Fraction(0)
    rule: RuleName = "quota"
    calibration: Mapping[str, Steps] = field(default_factory=dict)
    units: Mapping[str, int] = field(init=False)
    quota_ladder: tuple[Fraction, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not self.weights:
            raise MergeInputError("nobody is seated")
        scale = lcm(*(weight.denominator for weight in self.weights.values()))
        units = {member: int(weight * scale) for member, weight in self.weights.items()}
        object.__setattr__(self, "units", units)
        object.__setattr__(self, "quota_ladder", (Fraction(0), *(self.quotas[verdict] for verdict in VERDICTS[1:])))


class Term(NamedTuple):
    """How one seated member entered the sum."""

    member: str
    weight: Fraction
    unit: int
    """1000, or what the vote's confidence is worth where that weighs."""
    counted_at: Verdict
    voted: bool
    abstained: Abstention | None = None
    """Why the member has no vote, where that is known."""
    confidence: int | None = None
    """What the vote claimed, permille, where a calibration table says what that is worth; None where none was read."""


class Merged(NamedTuple):
    """The merge's result with everything needed to explain it. Fractions are exact."""

    verdict: Verdict
    decided_by: DecidedBy
    confidence: Fraction
    coverage: Fraction
    shares: Mapping[Verdict, Fraction]
    """Per verdict, the share of mass at it or stricter."""
    tags: tuple[str, ...]
    votes_outcome: Verdict | None
    """None where votes were never asked."""
    rules_outcome: RuleOutcome | None
    terms: tuple[Term, ...]


def merge(seats: Seats, ballots: Sequence[Ballot], fired: Sequence[FiredRule] = ()) -> Merged:
    """Merge votes and fired rules into one verdict.

    Args:
        seats: who is seated, with weights and quotas.
        ballots: at most one per seated member; a seated member without one is absent.
        fired: enforced rules that fired.

    Raises:
        MergeInputError: for a ballot of a member that is not seated, or a second ballot of one member.
    """
    terms, present = _terms(seats, ballots)
    masses, total, coverage = _masses(seats, terms, present)
    shares = _shares(masses, total)
    rules_outcome = _strictest_rule(fired)
    if not ballots and rules_outcome in ("reject", "quarantine"):
        # An enforced veto ended the review before anyone was asked.
        return _floored(
            seats, Merged(rules_outcome, "veto", Fraction(1), coverage, shares, (), None, rules_outcome, terms)
        )
    tags = _want_of_votes(seats, present, coverage)
    rank = _QUARANTINE if tags else _RULES[seats.rule](seats, masses, total)
    outcome: Verdict = VERDICTS[rank]
    confidence = Fraction(0) if tags else coverage * _margin(seats, masses, total, rank)
    decided_by: DecidedBy = "want_of_votes" if tags else "votes"
    verdict = outcome
    if rules_outcome is not None and STRICTNESS[rules_outcome] >= rank:
        verdict = rules_outcome
        decided_by = "floor" if rules_outcome == "modify" else "veto"
        confidence = confidence if decided_by == "floor" else Fraction(1)
    return _floored(
        seats, Merged(verdict, decided_by, confidence, coverage, shares, tags, outcome, rules_outcome, terms)
    )


def _terms(seats: Seats, ballots: Sequence[Ballot]) -> tuple[tuple[Term, ...], set[str]]:
    votes: dict[str, Ballot] = {}
    for ballot in ballots:
        if ballot.member not in seats.weights:
            raise MergeInputError(f"member {ballot.member!r} is not seated")
        if ballot.member in votes:
            raise MergeInputError(f"member {ballot.member!r} has two votes")
        votes[ballot.member] = ballot
    terms = [_term(seats, member, weight, votes.get(member)) for member, weight in seats.weights.items()]
    return tuple(terms), {term.member for term in terms if term.voted}


def _term(seats: Seats, member: str, weight: Fraction, cast: Ballot | None) -> Term:
    if cast is None or cast.verdict is None:
        kind = cast.abstained if cast is not None else None
        return Term(member, weight, FULL_UNIT, seats.absent_counts_as, False, kind)
    if member not in seats.use_confidence:
        return Term(member, weight, FULL_UNIT, cast.verdict, True)
    steps = seats.calibration.get(member)
    unit, claimed = (cast.confidence, None) if steps is None else (worth_of(steps, cast.confidence), cast.confidence)
    if unit == 0:
        return Term(member, weight, FULL_UNIT, seats.absent_counts_as, False, "no_confidence", claimed)
    return Term(member, weight, unit, cast.verdict, True, None, claimed)


def _masses(seats: Seats, terms: tuple[Term, ...], present: set[str]) -> tuple[list[int], int, Fraction]:
    masses = [0, 0, 0, 0]
    voted = seated = 0
    for term in terms:
        weight = seats.units[term.member]
        masses[STRICTNESS[term.counted_at]] += weight * term.unit
        seated += weight
        if term.member in present:
            voted += weight
    return masses, sum(masses), Fraction(voted, seated)


def _shares(masses: list[int], total: int) -> dict[Verdict, Fraction]:
    return {verdict: Fraction(sum(masses[rank:]), total) for rank, verdict in enumerate(VERDICTS)}


def _strictest_rule(fired: Sequence[FiredRule]) -> RuleOutcome | None:
    return max((rule.outcome for rule in fired), key=STRICTNESS.__getitem__, default=None)


def _want_of_votes(seats: Seats, present: set[str], coverage: Fraction) -> tuple[str, ...]:
    tags = []
    if coverage < seats.quorum:
        tags.append("no_quorum")
    if not present:
        tags.append("no_votes")
    if any(member in seats.weights and member not in present for member in seats.required):
        tags.append("required_member_absent")
    return tuple(tags)


def _quota(seats: Seats, masses: list[int], total: int) -> int:
    """The strictest verdict whose share of mass at it or stricter reaches its quota."""
    at_or_stricter = 0
    for rank in (3, 2, 1):
        at_or_stricter += masses[rank]
        quota = seats.quota_ladder[rank]
        if at_or_stricter * quota.denominator >= quota.numerator * total:
            return rank
    return _APPROVE


def _plurality(seats: Seats, masses: list[int], total: int) -> int:
    """The verdict with the most mass, ties to the stricter."""
    return max(range(4), key=lambda rank: (masses[rank], rank))


def _median(seats: Seats, masses: list[int], total: int) -> int:
    """The weighted upper median: the strictest verdict that half of the mass reaches."""
    return max(rank for rank in range(4) if 2 * sum(masses[rank:]) >= total)


def _strictest(seats: Seats, masses: list[int], total: int) -> int:
    """The strictest verdict that anyone holds."""
    return max(rank for rank in range(4) if masses[rank])


_RULES: Final[dict[RuleName, Callable[[Seats, list[int], int], int]]] = {
    "quota": _quota,
    "plurality": _plurality,
    "median": _median,
    "strictest": _strictest,
}


def _margin(seats: Seats, masses: list[int], total: int, rank: int) -> Fraction:
    """How far the shares stand from the nearest quota that would change the verdict, as a fraction of the way.

    For the quota rule: the least of (share(x) - quota(x)) / (1 - quota(x)) at the verdict x, and
    (quota(y) - share(y)) / quota(y) for every stricter y. For the other rules: the share of mass at the verdict itself.
    """
    if seats.rule != "quota":
        return Fraction(masses[rank], total)
    # Each margin as (numerator, denominator) over positive denominators, compared by cross-multiplication.
    best = (1, 1)
    at_or_stricter = 0
    for level in range(3, rank - 1, -1):
        at_or_stricter += masses[level]
        quota = seats.quota_ladder[level]
        share_part, quota_part = at_or_stricter * quota.denominator, quota.numerator * total
        if level == rank:
            margin = (share_part - quota_part, (quota.denominator - quota.numerator) * total)
        else:
            margin = (quota_part - share_part, quota_part)
        if margin[0] * best[1] < best[0] * margin[1]:
            best = margin
    return Fraction(*best)


def _floored(seats: Seats, merged: Merged) -> Merged:
    if merged.confidence >= seats.confidence_floor:
        return merged
    return merged._replace(verdict="quarantine", tags=(*merged.tags, "low_confidence"))
