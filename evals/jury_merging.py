"""What a jury's votes come to: merged by a policy or by equal weights, with and without each member. Pure.

Only votes are merged here, rules aside: vetoes and floors are no member's doing.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from council.merge import Ballot as MergeBallot
from council.merge import Seats, merge
from council.seating import seats_for
from evals.jury import Ballot, JuryItem
from evals.statistics.intervals import LEVEL, Interval, newcombe_paired, wilson
from evals.statistics.paired import mcnemar_exact
from evals.statistics.resampling import SEED
from policies.policy import Policy
from policies.power import effective_quota, power
from policies.verdicts import DECISION_TYPES, MEMBERS, VERDICTS, Verdict

MOST_COMBINATIONS: Final = 200_000
"""Largest number of combinations of votes that are merged one by one: five members with six states make 7,776."""
_RESAMPLES: Final = 400
EQUAL: Final = "equal weights, the median of those who voted, ties to the stricter"
_BALLOTS: Final[dict[Verdict | None, Ballot]] = {verdict: Ballot(verdict) for verdict in (None, *VERDICTS)}
Floats = NDArray[np.float64]


class Ablation(NamedTuple):
    """The jury without one of its members."""

    member: str
    accuracy: Interval
    """Of the votes merged without it."""
    difference: Interval
    """Accuracy without it less accuracy with it, paired: below 0 the member helps."""
    p_value: float
    """Exact McNemar."""
    turned: int
    """Items whose merged verdict it turns."""


class Merger:
    """Merges the votes on an item; the same votes are merged once.

    Args:
        policy: whose weights and quotas hold; None for equal weights, which any jury can use.
        note: what a reader should know of the choice; "" for nothing.

    Attributes:
        told: how votes are merged, in words.
        weighs_confidence: whether the outcome hangs on more than verdicts.
    """

    def __init__(self, policy: Policy | None = None, note: str = "") -> None:
        self._policy = policy
        self._known: dict[tuple[str, tuple[tuple[str, Ballot], ...]], Verdict | None] = {}
        self.weighs_confidence = policy is not None and any(seat.use_confidence for seat in policy.members.values())
        name = EQUAL if policy is None else f"policy {policy.policy_id} version {policy.version}"
        self.told = f"{name}; {note}" if note else name

    def verdict(self, decision_class: str, ballots: Mapping[str, Ballot], without: str = "") -> Verdict | None:
        """Return what votes come to; None where nobody is left to vote."""
        # Where confidence does not weigh, votes that differ in nothing else are the same votes.
        kept = tuple([(member, self._alike(ballot)) for member, ballot in ballots.items() if member != without])
        key = (decision_class, kept)
        if key not in self._known:
            self._known[key] = self._merged(decision_class, kept)
        return self._known[key]

    def power(self, decision_class: str, members: Sequence[str]) -> dict[str, Fraction]:
        """Return the members' normalised Banzhaf power to tighten a verdict to reject, all seated."""
        if self._policy is None:
            weights, quota = dict.fromkeys(members, Fraction(1)), Fraction(1, 2)
        else:
            kind = next(kind for kind in DECISION_TYPES if kind == decision_class)
            weights = {str(member): weight for member, weight in self._policy.weights[kind].items()}
            quota = effective_quota(self._policy, kind, "reject")
        return {each.player: each.banzhaf_share for each in power(weights, quota)}

    def _alike(self, ballot: Ballot) -> Ballot:
        return ballot if self.weighs_confidence else _BALLOTS[ballot.verdict]

    def _merged(self, decision_class: str, kept: tuple[tuple[str, Ballot], ...]) -> Verdict | None:
        if self._policy is None:
            kept = tuple([(member, ballot) for member, ballot in kept if ballot.verdict is not None])
        if not kept:
            return None
        votes = [MergeBallot(member, ballot.verdict, ballot.confidence) for member, ballot in kept]
        return merge(self._seats(decision_class, [member for member, _ in kept]), votes).verdict

    def _seats(self, decision_class: str, members: Sequence[str]) -> Seats:
        if self._policy is None:
            return Seats(dict.fromkeys(members, Fraction(1)), rule="median")
        kind = next(kind for kind in DECISION_TYPES if kind == decision_class)
        return seats_for(self._policy, kind, tuple([member for member in MEMBERS if member in members]))


def merged_right(items: Sequence[JuryItem], merger: Merger, without: str = "") -> list[bool]:
    """Return per labelled item whether the merged votes are right; nobody left to vote is not right."""
    return [merger.verdict(item.decision_class, item.ballots, without) == item.label for item in items]


def ablate(
    items: Sequence[JuryItem], members: Sequence[str], merger: Merger, level: float = LEVEL
) -> tuple[Ablation, ...]:
    """Return the jury without each of its members, over labelled items; empty without one."""
    whole = merged_right(items, merger)
    found = []
    for member in members:
        rest = merged_right(items, merger, member)
        turned = sum(
            merger.verdict(item.decision_class, item.ballots, member)
            != merger.verdict(item.decision_class, item.ballots)
            for item in items
        )
        lost, gained = _turns(whole, rest)
        accuracy, difference = wilson(sum(rest), len(rest), level), paired_difference(whole, rest, level)
        if accuracy is not None and difference is not None:
            found.append(Ablation(member, accuracy, difference, mcnemar_exact(lost, gained), turned))
    return tuple(found)


def paired_difference(first: Sequence[bool], second: Sequence[bool], level: float = LEVEL) -> Interval | None:
    """Return how much more often the second is right than the first, over the same items."""
    lost, gained = _turns(first, second)
    both = sum(a and b for a, b in zip(first, second, strict=True))
    return newcombe_paired(both, lost, gained, len(first) - both - lost - gained, level)


def _turns(first: Sequence[bool], second: Sequence[bool]) -> tuple[int, int]:
    pairs = list(zip(first, second, strict=True))
    return sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)


def independent_accuracy(
    items: Sequence[JuryItem], members: Sequence[str], merger: Merger, level: float = LEVEL, seed: int = SEED
) -> tuple[Interval, Interval] | None:
    """Return what the same merge would reach if members erred apart, and how far the jury falls short of it.

    Every member keeps its votes per label, drawn independently of the others: sum over labels and combinations of votes of
    the chance of both, where the merge of the combination is the label; all combinations, no sampling. The interval comes
    from resampled items. The second interval is that of the shortfall, independent less actual: the Condorcet gap.

    Returns:
        None without labelled items, with too many combinations to count, or where confidence weighs in the merge.
    """
    states = [_states(items, member) for member in members]
    if not items or merger.weighs_confidence or prod(map(len, states)) > MOST_COMBINATIONS:
        return None
    model = _Independent(items, members, states, merger)
    right = np.asarray(merged_right(items, merger), dtype=np.float64)[model.first]
    draws = np.random.default_rng(seed).multinomial(len(items), model.times / len(items), _RESAMPLES)
    reached = np.asarray([model.accuracy(draw) for draw in draws])
    short = reached - draws @ right / len(items)
    tails = [(1 - level) / 2, (1 + level) / 2]
    (low, high), (least, most) = np.quantile(reached, tails), np.quantile(short, tails)
    estimate = model.accuracy(model.times)
    gap = estimate - float(model.times @ right / len(items))
    return (
        Interval(estimate, float(low), float(high), len(items)),
        Interval(gap, float(least), float(most), len(items)),
    )


_State = tuple[bool, Verdict | None]
"""Whether the member is asked, and what it votes."""


def _state(item: JuryItem, member: str) -> _State:
    ballot = item.ballots.get(member)
    return (ballot is not None, None if ballot is None else ballot.verdict)


def _states(items: Sequence[JuryItem], member: str) -> list[_State]:
    return list(dict.fromkeys(_state(item, member) for item in items))


class _Independent:
    """The accuracy of independent members with given votes per label, as a sum over all combinations of votes."""

    def __init__(
        self, items: Sequence[JuryItem], members: Sequence[str], states: Sequence[Sequence[_State]], merger: Merger
    ) -> None:
        kinds = list(dict.fromkeys((item.decision_class, item.label) for item in items))
        labels = list(dict.fromkeys(label for _, label in kinds))
        self._label_of = np.asarray([labels.index(label) for _, label in kinds])
        self._sizes = [len(each) for each in states]
        self._right = [self._rights(kind, members, states, merger) for kind in kinds]
        places = [{state: place for place, state in enumerate(each)} for each in states]
        kind_of = {kind: place for place, kind in enumerate(kinds)}
        rows = [
            [
                kind_of[item.decision_class, item.label],
                *[at[_state(item, who)] for who, at in zip(members, places, strict=True)],
            ]
            for item in items
        ]
        # Items of one kind with the same votes are counted together.
        patterns, self.first, self.times = np.unique(np.asarray(rows), axis=0, return_index=True, return_counts=True)
        self._kind, self._votes = patterns[:, 0], patterns[:, 1:]

    def accuracy(self, times: NDArray[np.int64]) -> float:
        """Return the accuracy where members are as good as on items that show each pattern so many times."""
        label = self._label_of[self._kind]
        chances = {each: self._chances(times * (label == each)) for each in set(label[times > 0].tolist())}
        by_kind = np.bincount(self._kind, weights=times, minlength=len(self._right)) / times.sum()
        parts = [
            share * float(chances[self._label_of[kind]] @ right)
            for kind, (share, right) in enumerate(zip(by_kind, self._right, strict=True))
            if share
        ]
        return float(sum(parts))

    def _chances(self, times: NDArray[np.int64]) -> Floats:
        """Return the chance of every combination of votes on items of one label."""
        chances = np.ones(1)
        for place, size in enumerate(self._sizes):
            counted = np.bincount(self._votes[:, place], weights=times, minlength=size) / times.sum()
            chances = np.multiply.outer(chances, counted).ravel()
        return chances

    @staticmethod
    def _rights(
        kind: tuple[str, Verdict | None], members: Sequence[str], states: Sequence[Sequence[_State]], merger: Merger
    ) -> Floats:
        found = []
        for combination in product(*states):
            votes = zip(members, combination, strict=True)
            ballots = {member: Ballot(verdict) for member, (is_asked, verdict) in votes if is_asked}
            found.append(merger.verdict(kind[0], ballots) == kind[1])
        return np.asarray(found, dtype=np.float64)
