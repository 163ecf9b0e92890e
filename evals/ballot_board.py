"""Labelled votes as arrays, and what a set of weights and quotas makes of all of them at once. Exact.

It is the quota merge of `council.merge` for any members, rules and confidence floors aside: a test holds the two together.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from council.merge import FULL_UNIT, Seats
from evals.jury import JuryItem
from policies.calibration import FULL, Steps, worth_of
from policies.verdicts import STRICTNESS, VERDICTS, Verdict

ABSENT: Final = 4
"""Asked, and without a vote."""
UNSEATED: Final = 5
LEVELS: Final = (1, 2, 3)
"""Ranks that a quota guards: modify, reject, quarantine."""
_SAFE: Final = 2**62
"""Products below it cannot leave 64 bits."""

Ranks = NDArray[np.int8]
Rows = NDArray[np.int64]
Integers = NDArray[Any]
"""64-bit integers, or Python's own where those could overflow."""
Flags = NDArray[np.bool_]


class Board(NamedTuple):
    """The votes on N labelled items, one column per member."""

    members: tuple[str, ...]
    classes: tuple[str, ...]
    kinds: Rows
    """(N,) index into `classes`."""
    votes: Ranks
    """(N, members) rank 0 to 3, ABSENT or UNSEATED."""
    confidences: NDArray[np.int64]
    """(N, members) permille, as claimed."""
    labels: Ranks
    """(N,) rank of the right verdict."""


class Sums(NamedTuple):
    """The masses that quotas are held against."""

    at_or_stricter: tuple[Integers, Integers, Integers]
    """Mass at modify, reject, quarantine or stricter, (N,) each."""
    total: Integers
    is_held: Flags
    """Quarantine for want of votes, whatever the quotas."""


def board_of(items: Sequence[JuryItem], members: Sequence[str], *, leaves_out_silent: bool) -> Board:
    """Return labelled items as arrays; those without a label are left out.

    Args:
        leaves_out_silent: whether a member that abstained counts as if it had not been asked.
    """
    known = [item for item in items if item.label is not None]
    classes = tuple(dict.fromkeys(item.decision_class for item in known))
    silent = UNSEATED if leaves_out_silent else ABSENT
    votes = np.full((len(known), len(members)), UNSEATED, np.int8)
    confidences = np.zeros(votes.shape, np.int64)
    for row, item in enumerate(known):
        for column, member in enumerate(members):
            ballot = item.ballots.get(member)
            if ballot is not None:
                votes[row, column] = silent if ballot.verdict is None else STRICTNESS[ballot.verdict]
                confidences[row, column] = ballot.confidence
    labels = [STRICTNESS[item.label] for item in known if item.label is not None]
    kinds = np.array([classes.index(item.decision_class) for item in known], np.int64)
    return Board(tuple(members), classes, kinds, votes, confidences, np.array(labels, np.int8))


def sums(board: Board, seats: Mapping[str, Seats]) -> Sums:
    """Return the masses of every item.

    Args:
        seats: per class; weights, quorum, required members, confidence and absence are read, quotas are not.
    """
    scale = lcm(*(weight.denominator for each in seats.values() for weight in each.weights.values()))
    weights = [[int(seats[name].weights[member] * scale) for member in board.members] for name in board.classes]
    finest = max(part.denominator for each in seats.values() for part in (each.quorum, *each.quota_ladder))
    largest = max((sum(row) for row in weights), default=1) * FULL_UNIT * finest
    kind: Any = np.int64 if largest < _SAFE else object
    seat_weights = np.array(weights, kind).reshape(len(weights), len(board.members))[board.kinds]
    voted, units = _units(board, seats)
    is_seated = board.votes != UNSEATED
    mass = np.where(is_seated, seat_weights * units, 0)
    absent = np.array([STRICTNESS[seats[name].absent_counts_as] for name in board.classes], np.int8)[board.kinds]
    counted_at = np.where(voted, board.votes, absent[:, None])
    first, second, third = [np.where(counted_at >= level, mass, 0).sum(axis=1) for level in LEVELS]
    held = _held(board, seats, voted, np.where(is_seated, seat_weights, 0))
    return Sums((first, second, third), mass.sum(axis=1), held)


def carried(found: Sums, level: int, quota: Fraction) -> Flags:
    """Return per item whether the share of mass at a rank or stricter reaches a quota, or votes are wanting."""
    enough = found.at_or_stricter[level - 1] * quota.denominator >= quota.numerator * found.total
    reached: Flags = enough.astype(bool) | found.is_held
    return reached


def verdicts(found: Sums, quotas: Mapping[Verdict, Fraction]) -> Ranks:
    """Return the rank of every item's verdict. Shares fall with strictness and quotas never do, so that levels add up."""
    ranks = np.zeros(len(found.total), np.int8)
    for level in LEVELS:
        ranks += carried(found, level, quotas[VERDICTS[level]])
    return ranks


def _units(board: Board, seats: Mapping[str, Seats]) -> tuple[Flags, NDArray[np.int64]]:
    """Return who has a vote that counts, and the units of every vote."""
    voted = board.votes < ABSENT
    units = np.full(board.votes.shape, FULL_UNIT, np.int64)
    for kind, name in enumerate(board.classes):
        rows = board.kinds == kind
        for column, member in enumerate(board.members):
            if member in seats[name].use_confidence:
                claimed = board.confidences[rows, column]
                units[rows, column] = _worths(claimed, seats[name].calibration.get(member))
    voted = voted & (units > 0)
    return voted, np.where(voted, units, FULL_UNIT)


def _worths(claimed: NDArray[np.int64], steps: Steps | None) -> NDArray[np.int64]:
    if steps is None:
        return claimed
    table = np.array([worth_of(steps, confidence) for confidence in range(FULL + 1)], np.int64)
    return table[claimed]


def _held(board: Board, seats: Mapping[str, Seats], voted: Flags, weights: Integers) -> Flags:
    held: Flags = np.count_nonzero(voted, axis=1) == 0
    for kind, name in enumerate(board.classes):
        rows, quorum = board.kinds == kind, seats[name].quorum
        present = np.where(voted[rows], weights[rows], 0).sum(axis=1)
        is_short = present * quorum.denominator < quorum.numerator * weights[rows].sum(axis=1)
        needed = np.array([member in seats[name].required for member in board.members])
        is_missing = (needed & (board.votes[rows] != UNSEATED) & ~voted[rows]).any(axis=1)
        held[rows] |= is_short.astype(bool) | is_missing
    return held
