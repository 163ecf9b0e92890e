"""What would have turned the verdict: the smallest change of votes, of one weight, or of one quota. Pure and exact.

It answers "who was pivotal" (council.md, replay and what-if): a verdict that one vote would turn is a close one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from typing import NamedTuple

from council.merge import Ballot, FiredRule, Seats, merge
from policies.verdicts import STRICTNESS, VERDICTS, Verdict


class VoteFlip(NamedTuple):
    """Votes that, changed together, turn the verdict."""

    changes: tuple[tuple[str, Verdict], ...]
    """Member and the vote it would have had to give."""
    verdict: Verdict


class WeightFlip(NamedTuple):
    """One member's weight at which the verdict turns."""

    member: str
    weight: Fraction
    """The weight now."""
    beyond: Fraction
    """The verdict turns at this weight, or just past it where `is_strict`."""
    is_strict: bool
    verdict: Verdict


class QuotaFlip(NamedTuple):
    """One quota at which the verdict turns."""

    level: Verdict
    quota: Fraction
    """The quota now."""
    beyond: Fraction
    """The verdict turns at this quota, or just above it where `is_strict`."""
    is_strict: bool
    verdict: Verdict


class Flips(NamedTuple):
    """The smallest changes of each kind; empty or None where no such change turns the verdict."""

    votes: tuple[VoteFlip, ...]
    """All smallest sets of changed votes, fewest and nearest changes first."""
    weight: WeightFlip | None
    quota: QuotaFlip | None
    held_by_rules: bool
    """Whether fired rules alone hold the verdict, so that nothing about votes can turn it."""


def flips(seats: Seats, ballots: Sequence[Ballot], fired: Sequence[FiredRule] = ()) -> Flips:
    """Find the smallest changes that would turn a verdict."""
    now = merge(seats, ballots, fired)
    if now.votes_outcome is None:
        return Flips((), None, None, True)
    votes = _fewest_votes(seats, ballots, fired, now.verdict)
    weight = _nearest_weight(seats, ballots, fired, now.verdict)
    quota = _nearest_quota(seats, ballots, fired, now.verdict)
    return Flips(votes, weight, quota, not votes and now.decided_by in ("veto", "floor"))


def _fewest_votes(
    seats: Seats, ballots: Sequence[Ballot], fired: Sequence[FiredRule], verdict: Verdict
) -> tuple[VoteFlip, ...]:
    cast = {ballot.member: ballot for ballot in ballots}
    members = list(seats.weights)
    for count in range(1, len(members) + 1):
        found = [
            (_distance(cast, changes), VoteFlip(changes, outcome))
            for changes in _changes(members, cast, count)
            if (outcome := _with_votes(seats, cast, fired, changes)) != verdict
        ]
        if found:
            least = min(distance for distance, _ in found)
            return tuple([flip for distance, flip in found if distance == least])
    return ()


def _changes(members: Sequence[str], cast: dict[str, Ballot], count: int) -> Iterator[tuple[tuple[str, Verdict], ...]]:
    for chosen in combinations(members, count):
        options = [[x for x in VERDICTS if member not in cast or cast[member].verdict != x] for member in chosen]
        for verdicts in product(*options):
            yield tuple(zip(chosen, verdicts, strict=True))


def _distance(cast: dict[str, Ballot], changes: tuple[tuple[str, Verdict], ...]) -> int:
    # An absent member stands at quarantine, where the merge counts it.
    return sum(
        abs(STRICTNESS[new] - STRICTNESS[(cast[member].verdict if member in cast else None) or "quarantine"])
        for member, new in changes
    )


def _with_votes(
    seats: Seats,
    cast: dict[str, Ballot],
    fired: Sequence[FiredRule],
    changes: tuple[tuple[str, Verdict], ...],
) -> Verdict:
    changed = {**cast, **{member: Ballot(member, verdict) for member, verdict in changes}}
    return merge(seats, list(changed.values()), fired).verdict


def _nearest_weight(
    seats: Seats, ballots: Sequence[Ballot], fired: Sequence[FiredRule], verdict: Verdict
) -> WeightFlip | None:
    """The least relative change of one weight: only weights where a share meets a quota, or coverage the quorum, matter."""
    best: tuple[Fraction, WeightFlip] | None = None
    for member, weight in seats.weights.items():
        for candidate in sorted(_turning_weights(seats, ballots, member)):
            for probe, is_strict in _probes(candidate, weight):
                outcome = merge(_reweighted(seats, member, probe), ballots, fired).verdict
                size = abs(candidate - weight) / weight
                if outcome != verdict and (best is None or size < best[0]):
                    best = (size, WeightFlip(member, weight, candidate, is_strict, outcome))
    return best[1] if best else None


def _probes(candidate: Fraction, now: Fraction) -> list[tuple[Fraction, bool]]:
    """The candidate itself, and a point just past it on the far side of the present value."""
    step = Fraction(1, 10**9) * (1 if candidate >= now else -1)
    return [(probe, is_strict) for probe, is_strict in ((candidate, False), (candidate + step, True)) if probe > 0]


def _turning_weights(seats: Seats, ballots: Sequence[Ballot], member: str) -> set[Fraction]:
    """Weights of one member at which some share equals its quota, or coverage the quorum.

    With the others' mass at x or stricter A, their whole mass B, and this member's units u and place p in {0, 1}, the share
    (A + p*u*w) / (B + u*w) meets the quota q at w = (q*B - A) / (u * (p - q)).
    """
    terms = merge(seats, ballots).terms
    own = next(term for term in terms if term.member == member)
    others = [term for term in terms if term.member != member]
    weights = set()
    for rank in (1, 2, 3):
        quota = seats.quota_ladder[rank]
        above = sum((t.weight * t.unit for t in others if STRICTNESS[t.counted_at] >= rank), Fraction(0))
        whole = sum((t.weight * t.unit for t in others), Fraction(0))
        place = int(STRICTNESS[own.counted_at] >= rank)
        weights.add((quota * whole - above) / (own.unit * (place - quota)))
    voted = sum((term.weight for term in others if term.voted), Fraction(0))
    seated = sum((term.weight for term in others), Fraction(0))
    if int(own.voted) != seats.quorum:
        weights.add((seats.quorum * seated - voted) / (int(own.voted) - seats.quorum))
    return {weight for weight in weights if weight > 0}


def _reweighted(seats: Seats, member: str, weight: Fraction) -> Seats:
    return replace(seats, weights={**seats.weights, member: weight})


def _nearest_quota(
    seats: Seats, ballots: Sequence[Ballot], fired: Sequence[FiredRule], verdict: Verdict
) -> QuotaFlip | None:
    shares = merge(seats, ballots).shares
    best: tuple[Fraction, QuotaFlip] | None = None
    for level in VERDICTS[1:]:
        share, quota = shares[level], seats.quotas[level]
        is_strict = share >= quota
        probe = share + Fraction(1, 10**9) if is_strict else share
        if not 0 < probe < 1:
            continue
        quotas = {**seats.quotas, level: probe}
        outcome = merge(replace(seats, quotas=quotas), ballots, fired).verdict
        size = abs(share - quota)
        if outcome != verdict and (best is None or size < best[0]):
            best = (size, QuotaFlip(level, quota, share, is_strict, outcome))
    return best[1] if best else None
