"""The merge of many decisions under many policies by products of matrices, one per verdict. Exact.

A verdict x is carried where (mass at x or stricter) * denominator - numerator * (all mass) is not negative. That is a sum over
members of weight times units, so for all policies at once it is a product of matrices; whole numbers below 2^24
(2^53) stay whole in floats of 32 (64) bits, and where they may not, every decision is merged by integers.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.batch_merge import (
    ABSENT,
    UNSEATED,
    Flags,
    Integers,
    Numbers,
    Ranks,
    VoteBatch,
    merge_each,
    numbers_of,
    worths_of,
)
from policies.calibration import FULL, Steps
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, STRICTNESS

_BLOCK: Final = 2048
"""Decisions per product: what it writes for a hundred policies stays in the cache."""
Floats = NDArray[np.floating[Any]]


class _Shared(NamedTuple):
    """What policies of one product have in common."""

    uses: tuple[bool, ...]
    tables: tuple[Steps | None, ...]
    absent: int


class _Lot(NamedTuple):
    """Policies that are merged by one product, with their numbers and their rows of the result."""

    at: list[int]
    numbers: list[Numbers]


def merge_by_products(batch: VoteBatch, policies: Sequence[Policy]) -> Ranks:
    """Return the rank of every decision's merged verdict, shape (policies, N); as `batch_merge.merge_batch`."""
    is_sorted = bool((np.diff(batch.decision_types) >= 0).all())
    order = None if is_sorted else np.argsort(batch.decision_types, kind="stable")
    ordered = batch if order is None else batch.take(order)
    merged = np.empty((len(policies), len(batch.fired)), np.int8)
    for decision_type, rows in _runs(ordered.decision_types):
        part = ordered.take(rows)
        lots, others = _lots(policies, decision_type)
        for shared, lot in lots.items():
            is_all = len(lot.at) == len(policies)
            found = merged[:, rows] if is_all else np.empty((len(lot.at), len(part.fired)), np.int8)
            _multiply(part, shared, lot.numbers, found)
            if not is_all:
                merged[lot.at, rows] = found
        for at in others:
            merged[at, rows] = merge_each(part, policies[at])
    return merged if order is None else _in_the_order_given(merged, order)


def _runs(decision_types: Ranks) -> Iterator[tuple[int, slice]]:
    """Yield each decision type that occurs with its rows, where they are sorted by it."""
    ends = np.searchsorted(decision_types, np.arange(len(DECISION_TYPES) + 1))
    for index in range(len(DECISION_TYPES)):
        if ends[index] < ends[index + 1]:
            yield index, slice(int(ends[index]), int(ends[index + 1]))


def _in_the_order_given(merged: Ranks, order: Integers) -> Ranks:
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    found = np.empty_like(merged)
    for at in range(len(merged)):
        np.take(merged[at], place, out=found[at], mode="clip")
    return found


def _lots(policies: Sequence[Policy], decision_type: int) -> tuple[dict[_Shared, _Lot], list[int]]:
    lots: dict[_Shared, _Lot] = {}
    others: list[int] = []
    for at, policy in enumerate(policies):
        numbers = numbers_of(policy, decision_type)
        if numbers is None or policy.merge_rule != "quota" or policy.confidence_floor or _largest(numbers) >= 2**53:
            others.append(at)
            continue
        shared = _Shared(tuple(numbers.uses.tolist()), numbers.tables, STRICTNESS[policy.absent_counts_as])
        lot = lots.setdefault(shared, _Lot([], []))
        lot.at.append(at)
        lot.numbers.append(numbers)
    return lots, others


def _largest(numbers: Numbers) -> int:
    """Return the greatest size of any sum on the way through the product."""
    return 2 * 1000 * int(numbers.weights.sum()) * max(denominator for _, denominator in numbers.quotas)


def _multiply(batch: VoteBatch, shared: _Shared, lot: Sequence[Numbers], merged: Ranks) -> None:
    """Merge decisions of one type into `merged`, shape (policies, N)."""
    kind: type[np.floating[Any]] = np.float32 if max(map(_largest, lot)) < 2**24 else np.float64
    uses = np.array(shared.uses)
    is_seated = batch.verdicts != UNSEATED
    worths = worths_of(batch.confidences, shared.tables)
    has_voted = (batch.verdicts < ABSENT) & (~uses | (worths > 0))
    units = np.where(is_seated, np.where(uses & has_voted, worths, FULL), 0).astype(kind).T
    ranks = np.where(has_voted, batch.verdicts, shared.absent).T
    levels = [_coefficients(lot, rank, kind) for rank in (1, 2, 3)]
    wants = _want_votes(is_seated, has_voted, lot)
    sums, is_carried = np.empty((len(lot), _BLOCK), kind), np.empty((len(lot), _BLOCK), bool)
    for start in range(0, len(batch.fired), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(batch.fired)))
        width, verdicts = rows.stop - start, merged[:, rows]
        wants.fill(verdicts, rows)
        for rank, coefficients in enumerate(levels, 1):
            features = np.concatenate([np.where(ranks[:, rows] >= rank, units[:, rows], 0), units[:, rows]])
            # Shares fall with strictness and quotas never do, so the verdicts carried are all up to the strictest.
            carried = np.greater_equal(
                np.matmul(coefficients, features, out=sums[:, :width]), 0, out=is_carried[:, :width]
            )
            np.maximum(verdicts, carried.view(np.int8) * np.int8(rank), out=verdicts)
        np.maximum(verdicts, batch.fired[rows], out=verdicts)
    vetoed = np.flatnonzero(~batch.asked & (batch.fired >= 2))
    merged[:, vetoed] = batch.fired[vetoed]


def _coefficients(lot: Sequence[Numbers], rank: int, kind: type[np.floating[Any]]) -> Floats:
    """Return (policies, 10): what a unit of each member at the rank or stricter adds, then what any unit takes."""
    rows = [
        np.concatenate([numbers.weights * denominator, numbers.weights * -numerator])
        for numbers in lot
        for numerator, denominator in [numbers.quotas[rank]]
    ]
    return np.array(rows, dtype=kind)


class _Wanting(NamedTuple):
    """Where votes are wanting: quarantine, whatever was said."""

    by_form: Ranks
    """(policies, forms) 3 where votes are wanting, else 0; a form is who is seated and who has voted."""
    form: NDArray[np.int32]
    """(N,) the form of each decision."""

    def fill(self, verdicts: Ranks, rows: slice) -> None:
        """Start a block of verdicts: quarantine where votes are wanting, else approve."""
        if self.by_form.any():
            verdicts[:] = self.by_form[:, self.form[rows]]
        else:
            verdicts[:] = 0


def _want_votes(is_seated: Flags, has_voted: Flags, lot: Sequence[Numbers]) -> _Wanting:
    """Look at each form once per policy: who sat and who voted has few."""
    powers = 1 << np.arange(is_seated.shape[1])
    codes = (is_seated @ powers) * 32 + has_voted @ powers
    places = np.zeros(1024, np.int32)
    known = np.flatnonzero(np.bincount(codes, minlength=1024))
    places[known] = np.arange(len(known), dtype=np.int32)
    seated, voted = _bits(known // 32), _bits(known % 32)
    by_form = np.array([_wants(seated, voted, numbers) for numbers in lot]).astype(np.int8) * np.int8(3)
    return _Wanting(by_form, places[codes])


def _wants(seated: Flags, voted: Flags, numbers: Numbers) -> Flags:
    quorum = numbers.seats.quorum
    is_short = (voted @ numbers.weights) * quorum.denominator < quorum.numerator * (seated @ numbers.weights)
    lacks_required = (numbers.required & seated & ~voted).any(axis=1)
    found: Flags = is_short | ~voted.any(axis=1) | lacks_required
    return found


def _bits(codes: Integers) -> Flags:
    found: Flags = (codes[:, None] >> np.arange(5)) & 1 == 1
    return found
