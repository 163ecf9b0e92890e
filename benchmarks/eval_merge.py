"""The merge of 100,000 decisions of five votes under 100 policies: against exact weighted sums in numpy, and the scalar merge.

The peer sums weight times unit per verdict over the same arrays in blocks of 32,768 decisions and compares with the quotas, in
64-bit integers, and does nothing else: no quorum, no required members, no abstentions. A second peer does the same by
matrix products in floats. The scalar merge is timed on a part.

python -m benchmarks.eval_merge [--json]
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Row, print_report
from council.merge import Ballot, merge
from council.seating import seats_for
from evals.batch_merge import VoteBatch, merge_batch
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, MEMBERS, STRICTNESS, VERDICTS

DECISIONS: Final = 100_000
POLICIES: Final = 100
BLOCK: Final = 32_768
SCALAR: Final = 2_000
"""Decisions that the scalar merge is timed on, under one policy."""
ROUNDS: Final = 7


def measure() -> list[Row]:
    """Time both forms of vote, with and without confidence, each against its peers."""
    draw = np.random.default_rng(7)
    batch = _batch(draw)
    rows = []
    for what, uses in (("confidence ignored", False), ("confidence used", True)):
        policies = _policies(draw, uses)
        ours = _best(partial(merge_batch, batch, policies))
        found = merge_batch(batch, policies)
        units = batch.confidences if uses else np.full_like(batch.confidences, 1000)
        peers = {
            "exact weighted sum in numpy, blocked": _sums,
            "the same by matrix products in floats": _products,
        }
        scalar, verdicts = _scalar(batch, policies[0])
        assert (found[0, :SCALAR] == verdicts).all(), "the merges differ"
        rows.append(Row(f"{what}: merge_batch", _rate(ours), "1.00", ""))
        for name, peer in peers.items():
            took = _best(partial(peer, batch.verdicts, units, policies))
            assert (peer(batch.verdicts, units, policies) == found).all(), f"{name} differs"
            rows.append(Row(f"  {name}", _rate(took), f"{took / ours:.2f} x ours", ">= 1 x" if peer is _sums else ""))
        rows.append(Row("  scalar merge", _rate(scalar), f"{scalar / ours:.0f} x ours", ">= 25 x"))
    return rows


def _batch(draw: np.random.Generator) -> VoteBatch:
    return VoteBatch(
        draw.integers(0, len(DECISION_TYPES), DECISIONS).astype(np.int8),
        draw.integers(0, 4, (DECISIONS, len(MEMBERS))).astype(np.int8),
        draw.integers(1, 1001, (DECISIONS, len(MEMBERS))).astype(np.int16),
        np.zeros(DECISIONS, np.int8),
        np.ones(DECISIONS, bool),
    )


def _policies(draw: np.random.Generator, uses: bool) -> list[Policy]:
    shipped = load_policy(default_policy_path())
    members = {member: replace(shipped.members[member], use_confidence=uses) for member in MEMBERS}
    return [
        replace(
            shipped,
            members=members,
            weights={
                kind: {member: Fraction(int(draw.integers(1, 13))) for member in MEMBERS} for kind in DECISION_TYPES
            },
            quotas=dict(
                zip(VERDICTS[1:], sorted(Fraction(int(each), 60) for each in draw.integers(1, 60, 3)), strict=True)
            ),
        )
        for _ in range(POLICIES)
    ]


Verdicts = NDArray[np.int8]


def _sums(verdicts: Verdicts, units: NDArray[np.int16], policies: Sequence[Policy]) -> Verdicts:
    found = np.zeros((len(policies), len(verdicts)), np.int8)
    for start in range(0, len(verdicts), BLOCK):
        rows = slice(start, start + BLOCK)
        voted, unit = verdicts[rows], units[rows].astype(np.int64)
        masks = [np.where(voted >= rank, unit, 0) for rank in (1, 2, 3)]
        for at, policy in enumerate(policies):
            weights = _whole(policy)
            total = unit @ weights
            for rank, mask in zip((1, 2, 3), masks, strict=True):
                quota = policy.quotas[VERDICTS[rank]]
                found[at, rows] += (mask @ weights) * quota.denominator >= quota.numerator * total
    return found


def _products(verdicts: Verdicts, units: NDArray[np.int16], policies: Sequence[Policy]) -> Verdicts:
    weights = np.array([_whole(policy) for policy in policies], np.float64).T
    found = np.zeros((len(policies), len(verdicts)), np.int8)
    for start in range(0, len(verdicts), BLOCK):
        rows = slice(start, start + BLOCK)
        unit = units[rows].astype(np.float64)
        total = unit @ weights
        for rank in (1, 2, 3):
            quotas = [policy.quotas[VERDICTS[rank]] for policy in policies]
            share = (unit * (verdicts[rows] >= rank)) @ weights * [quota.denominator for quota in quotas]
            found[:, rows] += (share >= total * [quota.numerator for quota in quotas]).T
    return found


def _whole(policy: Policy) -> NDArray[np.int64]:
    return np.array([int(policy.weights[DECISION_TYPES[0]][member]) for member in MEMBERS], np.int64)


def _scalar(batch: VoteBatch, policy: Policy) -> tuple[float, Verdicts]:
    """Return the seconds that all decisions and policies would take, and the verdicts of the part that was merged."""
    ballots = [
        [
            Ballot(member, VERDICTS[rank], confidence)
            for member, rank, confidence in zip(MEMBERS, ranks, confidences, strict=True)
        ]
        for ranks, confidences in zip(
            batch.verdicts[:SCALAR].tolist(), batch.confidences[:SCALAR].tolist(), strict=True
        )
    ]
    seats = [seats_for(policy, DECISION_TYPES[index], MEMBERS) for index in batch.decision_types[:SCALAR].tolist()]
    started = time.perf_counter()
    verdicts = [STRICTNESS[merge(seat, votes).verdict] for seat, votes in zip(seats, ballots, strict=True)]
    took = time.perf_counter() - started
    return took * (DECISIONS / SCALAR) * POLICIES, np.array(verdicts, np.int8)


def _best(work: Callable[[], Any]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - started)
    return sorted(rounds)[len(rounds) // 2]


def _rate(seconds: float) -> str:
    return f"{DECISIONS * POLICIES / seconds / 1e6:.1f} M/s"


if __name__ == "__main__":
    print_report("Merging 100,000 decisions under 100 policies", measure(), as_json="--json" in sys.argv)
