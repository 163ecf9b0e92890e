"""Flips: cases that two runs decide differently, with what differs behind them. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from evals.decisions import Axis, is_unsafe_approval
from evals.results import CaseResult, VoteCast
from policies.verdicts import STRICTNESS, DecisionType, Verdict


class Flip(NamedTuple):
    """One case that the second run decides differently from the first."""

    case: str
    repeat: int
    decision_type: DecisionType
    axis: Axis | None
    label: Verdict | None
    old: Verdict
    new: Verdict
    old_reasons: tuple[str, ...]
    new_reasons: tuple[str, ...]
    differences: tuple[str, ...]
    """Which rules and votes differ, a line each; says so where none does and the merge's numbers decided."""

    @property
    def steps(self) -> int:
        """Steps on the scale of verdicts; below 0 towards milder."""
        return STRICTNESS[self.new] - STRICTNESS[self.old]

    @property
    def is_unsafe(self) -> bool:
        """Whether it lets through now what its label says should be stopped."""
        return self.label is not None and is_unsafe_approval(self.new, self.label)

    @property
    def effect(self) -> str:
        """What the flip means for the label: corrected, broken, still wrong, or unlabelled."""
        if self.label is None:
            return "unlabelled"
        if self.new == self.label:
            return "corrected"
        return "broken" if self.old == self.label else "still wrong"


def flip_of(old: CaseResult, new: CaseResult) -> Flip | None:
    """Return how two results of a case differ in their verdict; None where they agree or one has none."""
    if old.verdict is None or new.verdict is None or old.verdict == new.verdict:
        return None
    return Flip(
        new.case, new.repeat, new.decision_type, new.axis, new.label, old.verdict, new.verdict, old.reasons, new.reasons,
        differences(old, new),
    )  # fmt: skip


def most_dangerous_first(flips: Iterable[Flip]) -> tuple[Flip, ...]:
    """Return flips in the order to look at: new unsafe approvals, then the furthest towards milder, then by case."""
    return tuple(sorted(flips, key=lambda flip: (not flip.is_unsafe, flip.steps, flip.case, flip.repeat)))


def differences(old: CaseResult, new: CaseResult) -> tuple[str, ...]:
    """Return what differs behind two verdicts: rules that fired, votes, the path; never empty."""
    found = [f"rule {rule} fires no longer" for rule in old.vetoes if rule not in new.vetoes]
    found += [f"rule {rule} fires now" for rule in new.vetoes if rule not in old.vetoes]
    found += _votes(old.votes, new.votes)
    if old.path != new.path:
        found.append(f"path {old.path} → {new.path}")
    return tuple(found) or ("votes and rules are the same: weights, quotas or other numbers of the merge decided",)


def _votes(old: Sequence[VoteCast], new: Sequence[VoteCast]) -> list[str]:
    before, after = {vote.member: vote for vote in old}, {vote.member: vote for vote in new}
    if not before or not after:
        # A rule ended one of the reviews before anyone was asked; the path says so.
        return []
    turns = [(member, before.get(member), after.get(member)) for member in dict.fromkeys([*before, *after])]
    return [f"{member}: {_told(was)} → {_told(now)}" for member, was, now in turns if _told(was) != _told(now)]


def _told(vote: VoteCast | None) -> str:
    if vote is None:
        return "not seated"
    return vote.verdict or f"abstained ({vote.abstained or 'no vote'})"
