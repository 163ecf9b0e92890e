"""The merge over many decisions and policies at once: bit for bit what `council.merge` says, in arrays.

Votes that differ in nothing that a policy reads merge alike, and five members with four verdicts, absent or not seated have
few ways to vote. So every different ballot is merged once per policy, and a decision looks its own up; where a policy weighs
confidence, ballots differ in that too, and every decision is merged. `evals.merge_products` merges under many policies at once,
`merge_each` under one, by integers.
"""

from collections.abc import Sequence
from math import lcm
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from council.merge import Ballot, FiredRule, Seats, merge
from council.seating import seats_for
from policies.calibration import FULL, Steps, worth_of
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, MEMBERS, RULE_OUTCOMES, STRICTNESS, VERDICTS, Verdict

ABSENT: Final = 4
"""A seated member without a vote."""
UNSEATED: Final = 5
_STATES: Final = 6
_BALLOTS: Final = _STATES ** len(MEMBERS)
_SAFE: Final = 2**62
"""Products below it cannot leave 64 bits."""

Ranks = NDArray[np.int8]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class VoteBatch(NamedTuple):
    """The votes of N decisions, members in seat order."""

    decision_types: Ranks
    """(N,) index into DECISION_TYPES."""
    verdicts: Ranks
    """(N, 5) rank 0 to 3 of the vote that counted, ABSENT or UNSEATED."""
    confidences: NDArray[np.int16]
    """(N, 5) permille; read where a policy weighs it."""
    fired: Ranks
    """(N,) rank of the strictest enforced rule that fired; 0 for none, 1 for a floor."""
    asked: Flags
    """(N,) False where an enforced veto ended the review before anyone was asked."""

    def take(self, rows: Integers | Flags | slice) -> "VoteBatch":
        """Return some of the decisions."""
        return VoteBatch(
            self.decision_types[rows], self.verdicts[rows], self.confidences[rows], self.fired[rows], self.asked[rows]
        )


def merge_batch(batch: VoteBatch, policies: Sequence[Policy]) -> Ranks:
    """Return the rank of every decision's merged verdict under every policy, shape (policies, N).

    Args:
        batch: votes; every decision seats somebody.
        policies: weights, quotas, quorum, required members, confidence and floor are read from them.
    """
    from evals.merge_products import merge_by_products  # noqa: PLC0415 - the two rooms lean on each other

    merged = np.empty((len(policies), len(batch.fired)), np.int8)
    plain = [at for at, policy in enumerate(policies) if not _weighs_confidence(policy)]
    confident = [at for at, policy in enumerate(policies) if _weighs_confidence(policy)]
    if plain:
        ballots, place = _distinct(batch)
        for at, found in zip(plain, merge_by_products(ballots, [policies[at] for at in plain]), strict=True):
            np.take(found, place, out=merged[at], mode="clip")
    if confident:
        merged[confident] = merge_by_products(batch, [policies[at] for at in confident])
    return merged


def merge_each(batch: VoteBatch, policy: Policy) -> Ranks:
    """Return the rank of every decision's merged verdict under one policy, shape (N,)."""
    merged = np.empty(len(batch.fired), np.int8)
    for index, decision_type in enumerate(DECISION_TYPES):
        rows = np.flatnonzero(batch.decision_types == index)
        if rows.size:
            numbers = _numbers(seats_for(policy, decision_type, MEMBERS))
            part = batch.take(rows)
            merged[rows] = _scalar(part, policy) if numbers is None else _merged(part, numbers)
    return merged


class Numbers(NamedTuple):
    """What the merge of one decision type reads of a policy, as integers small enough for 64 bits."""

    seats: Seats
    weights: Integers
    """(5,)."""
    uses: Flags
    """(5,) whether the member's confidence weighs."""
    tables: tuple[Steps | None, ...]
    """Per member, what its confidence is worth; None: what it claims."""
    required: Flags
    """(5,)."""
    quotas: tuple[tuple[int, int], ...]
    """Numerator and denominator per rank."""


def numbers_of(policy: Policy, decision_type: int) -> Numbers | None:
    """Return the numbers of one decision type; None where they may leave 64 bits."""
    return _numbers(seats_for(policy, DECISION_TYPES[decision_type], MEMBERS))


def worths_of(confidences: NDArray[np.int16], tables: Sequence[Steps | None]) -> NDArray[np.int16]:
    """Return what claimed confidences are worth, permille, shape (N, 5)."""
    if not any(tables):
        return confidences
    worths = confidences.copy()
    for member, steps in enumerate(tables):
        if steps:
            table = np.array([worth_of(steps, confidence) for confidence in range(FULL + 1)], np.int16)
            worths[:, member] = table[confidences[:, member]]
    return worths


def _weighs_confidence(policy: Policy) -> bool:
    return any(member.use_confidence for member in policy.members.values())


def _distinct(batch: VoteBatch) -> tuple[VoteBatch, NDArray[np.int32]]:
    """Return the different ballots and, per decision, the place of its own; confidence is left out."""
    codes = batch.decision_types.astype(np.int32)
    codes = (codes * 4 + batch.fired) * 2 + batch.asked
    for member in range(len(MEMBERS)):
        codes = codes * _STATES + batch.verdicts[:, member]
    counts = np.bincount(codes, minlength=1)
    known = np.flatnonzero(counts)
    places = np.zeros(len(counts), np.int32)
    places[known] = np.arange(len(known), dtype=np.int32)
    return _decoded(known), places[codes]


def _decoded(codes: Integers) -> VoteBatch:
    verdicts = np.empty((len(codes), len(MEMBERS)), np.int8)
    for member in reversed(range(len(MEMBERS))):
        codes, verdicts[:, member] = np.divmod(codes, _STATES)
    codes, asked = np.divmod(codes, 2)
    types, fired = np.divmod(codes, 4)
    confidences = np.full(verdicts.shape, 1000, np.int16)
    return VoteBatch(types.astype(np.int8), verdicts, confidences, fired.astype(np.int8), asked.astype(bool))


def _numbers(seats: Seats) -> Numbers | None:
    scale = lcm(*(weight.denominator for weight in seats.weights.values()))
    weights = [int(seats.weights[member] * scale) for member in MEMBERS]
    quotas = tuple((quota.numerator, quota.denominator) for quota in seats.quota_ladder)
    mass = sum(weights) * 1000
    largest = mass * max(*(denominator for _, denominator in quotas), seats.quorum.denominator)
    floor = seats.confidence_floor
    if floor:
        largest *= sum(weights) * max(floor.denominator, floor.numerator)
    if largest >= _SAFE:
        return None
    return Numbers(
        seats,
        np.array(weights, np.int64),
        np.array([member in seats.use_confidence for member in MEMBERS]),
        tuple([seats.calibration.get(member) for member in MEMBERS]),
        np.array([member in seats.required for member in MEMBERS]),
        quotas,
    )


class _Count(NamedTuple):
    """The sums that a merge compares, per decision."""

    masses: Integers
    """(4, N) mass at each rank."""
    at_or_stricter: Integers
    """(4, N) mass at each rank or a stricter one; row 0 is all mass."""
    voted: Integers
    """Weight of those who voted."""
    seated: Integers
    wants_votes: Flags


def _merged(batch: VoteBatch, numbers: Numbers) -> Ranks:
    """Merge decisions of one type: the steps of `council.merge.merge`, in its order."""
    count = _counted(batch, numbers)
    rank = np.where(count.wants_votes, 3, _RULES[numbers.seats.rule](count, numbers))
    merged = np.maximum(rank, batch.fired)
    if numbers.seats.confidence_floor:
        # A veto is sure; a floor keeps the confidence of the votes; want of votes has none.
        is_sure = ((batch.fired >= 2) & (batch.fired >= rank)) | (
            ~count.wants_votes & _reaches_floor(count, numbers, rank)
        )
        merged = np.where(is_sure, merged, 3)
    return np.where(batch.asked | (batch.fired < 2), merged, batch.fired).astype(np.int8)


def _counted(batch: VoteBatch, numbers: Numbers) -> _Count:
    is_seated = batch.verdicts != UNSEATED
    has_voted = batch.verdicts < ABSENT
    confidences = worths_of(batch.confidences, numbers.tables)
    if numbers.uses.any():
        has_voted &= ~numbers.uses | (confidences > 0)
    units = np.where(numbers.uses & has_voted, confidences, 1000)
    mass = np.where(is_seated, numbers.weights * units, 0)
    counted_at = np.where(has_voted, batch.verdicts, STRICTNESS[numbers.seats.absent_counts_as])
    masses = np.stack([np.where(counted_at == rank, mass, 0).sum(axis=1) for rank in range(4)])
    voted = np.where(has_voted, numbers.weights, 0).sum(axis=1)
    seated = np.where(is_seated, numbers.weights, 0).sum(axis=1)
    quorum = numbers.seats.quorum
    lacks_required = (numbers.required & is_seated & ~has_voted).any(axis=1)
    wants_votes = (voted * quorum.denominator < quorum.numerator * seated) | ~has_voted.any(axis=1) | lacks_required
    return _Count(masses, masses[::-1].cumsum(axis=0)[::-1], voted, seated, wants_votes)


def _quota(count: _Count, numbers: Numbers) -> Integers:
    total = count.at_or_stricter[0]
    carried = np.zeros(len(total), np.int64)
    for rank in (1, 2, 3):
        numerator, denominator = numbers.quotas[rank]
        carried[count.at_or_stricter[rank] * denominator >= numerator * total] = rank
    return carried


def _plurality(count: _Count, numbers: Numbers) -> Integers:
    """The first of the reversed ranks with the most mass: ties go to the stricter."""
    rank: Integers = 3 - np.argmax(count.masses[::-1], axis=0)
    return rank


def _median(count: _Count, numbers: Numbers) -> Integers:
    is_reached = 2 * count.at_or_stricter >= count.at_or_stricter[0]
    rank: Integers = 3 - np.argmax(is_reached[::-1], axis=0)
    return rank


def _strictest(count: _Count, numbers: Numbers) -> Integers:
    rank: Integers = 3 - np.argmax(count.masses[::-1] > 0, axis=0)
    return rank


_RULES: Final = {"quota": _quota, "plurality": _plurality, "median": _median, "strictest": _strictest}


def _reaches_floor(count: _Count, numbers: Numbers, rank: Integers) -> Flags:
    """Whether coverage times margin reaches the confidence floor: every fraction of the margin has to."""
    floor, total = numbers.seats.confidence_floor, count.at_or_stricter[0]

    def reaches(part: Integers, whole: Integers) -> Flags:
        return count.voted * part * floor.denominator >= floor.numerator * count.seated * whole

    if numbers.seats.rule != "quota":
        return reaches(np.take_along_axis(count.masses, rank[None, :], axis=0)[0], total)
    is_reached = np.ones(len(total), bool)
    for level, (numerator, denominator) in enumerate(numbers.quotas):
        share, quota = count.at_or_stricter[level] * denominator, numerator * total
        above = reaches(share - quota, (denominator - numerator) * total)
        below = reaches(quota - share, quota)
        is_reached &= np.where(rank == level, above, np.where(rank < level, below, True))
    return is_reached


def _scalar(batch: VoteBatch, policy: Policy) -> Ranks:
    """Merge one by one: weights so fine that their products leave 64 bits."""
    return np.array([STRICTNESS[_one(batch, row, policy)] for row in range(len(batch.fired))], np.int8)


def _one(batch: VoteBatch, row: int, policy: Policy) -> Verdict:
    states = dict(zip(MEMBERS, batch.verdicts[row].tolist(), strict=True))
    seated = tuple([member for member in MEMBERS if states[member] != UNSEATED])
    confidences = dict(zip(MEMBERS, batch.confidences[row].tolist(), strict=True))
    ballots = [
        Ballot(member, None if states[member] == ABSENT else VERDICTS[states[member]], confidences[member])
        for member in seated
    ]
    rank = int(batch.fired[row])
    fired = [FiredRule("fired", RULE_OUTCOMES[rank - 1])] if rank else []
    seats = seats_for(policy, DECISION_TYPES[int(batch.decision_types[row])], seated)
    return merge(seats, ballots if batch.asked[row] else [], fired).verdict
