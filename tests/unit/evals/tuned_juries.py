"""Juries for the tests of tuning: members of chosen skill, drawn from a seed."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from council.merge import Seats
from evals.jury import Ballot, Jury, JuryItem
from policies.verdicts import MEMBERS, VERDICTS

SHARES = (5, 2, 2, 1)
"""How often each verdict is right, and how often a member that does not know says it."""


def drawn_jury(
    seed: int, count: int, skills: Sequence[float], *, is_noise: bool = False, decision_class: str = "impact_dispute"
) -> Jury:
    """Return a jury whose members know the label with a chance each, and guess where they do not.

    Args:
        is_noise: whether the labels are dealt anew among the items, so that votes tell nothing of them.
    """
    random = Random(seed)
    labels = random.choices(VERDICTS, SHARES, k=count)
    ballots: list[dict[str, Ballot]] = [
        {
            member: Ballot(label if random.random() < skill else random.choices(VERDICTS, SHARES)[0])
            for member, skill in zip(MEMBERS, skills, strict=True)
        }
        for label in labels
    ]
    if is_noise:
        random.shuffle(labels)
    items = [
        JuryItem(f"{decision_class}-{place}", decision_class, votes, None, label)
        for place, (votes, label) in enumerate(zip(ballots, labels, strict=True))
    ]
    return Jury(MEMBERS, tuple(items), "a drawn jury")


def equal_seats(*classes: str) -> dict[str, Seats]:
    """Return the shipped numbers: weight 1 each, quotas of a third."""
    return {name: Seats(dict.fromkeys(MEMBERS, Fraction(1))) for name in classes or ("impact_dispute",)}
