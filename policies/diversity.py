"""Diversity: how many votes a council's votes are worth where members share a model. Pure, exact.

A council decides better than one judge only as far as its members err apart. Members that ask one model get that model's
errors several times: Kish's design effect (Kish 1965, Survey Sampling, §5.4) says what votes with correlated errors count.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from policies.policy import Policy
from policies.verdicts import Member

ILLUSTRATED: Final = (Fraction(0), Fraction(1, 2), Fraction(1))
"""Correlations that are shown. None is measured: what it is for a given model, only labelled decisions can tell."""


class SharedModel(NamedTuple):
    """Members that ask the same model."""

    model: str
    """Its name without endpoint and publisher: the same model behind two servers is one model."""
    members: tuple[Member, ...]


def effective_votes(groups: Sequence[int], rho: Fraction) -> Fraction:
    """Return how many independent votes equal votes are worth whose errors are correlated within groups.

    n^2 / sum of k (1 + (k - 1) rho) over groups of k members, n in all; for a single group k / (1 + (k - 1) rho). Groups are
    taken to err independently of each other, which flatters them: models are trained on the same texts.

    >>> [str(effective_votes([5], Fraction(rho))) for rho in ("0", "1/2", "1")]
    ['5', '5/3', '1']
    >>> str(effective_votes([4, 1], Fraction(1)))
    '25/17'

    Args:
        groups: number of members per group, each at least 1.
        rho: correlation of the errors of two members of one group, 0 to 1.

    Returns:
        Between 1 and n; 0 where there is no group.

    Raises:
        ValueError: for a group of nobody, or a correlation outside its range.
    """
    if any(size < 1 for size in groups):
        raise ValueError("every group has at least one member")
    if not 0 <= rho <= 1:
        raise ValueError(f"the correlation {str(rho)!r} does not lie between 0 and 1")
    if not groups:
        return Fraction(0)
    return Fraction(sum(groups) ** 2) / sum(size * (1 + (size - 1) * rho) for size in groups)


def shared_models(policy: Policy) -> tuple[SharedModel, ...]:
    """Return the models that members ask, each with its members: the most shared first, else in seat order."""
    groups: dict[str, list[Member]] = {}
    for member, seat in policy.members.items():
        if seat.model is not None:
            groups.setdefault(_bare(seat.model.model), []).append(member)
    shared = [SharedModel(model, tuple(members)) for model, members in groups.items()]
    return tuple(sorted(shared, key=lambda each: -len(each.members)))


def votes_worth(policy: Policy) -> tuple[Fraction, ...]:
    """Return what the votes of members with models are worth, per correlation of `ILLUSTRATED`."""
    sizes = [len(each.members) for each in shared_models(policy)]
    return tuple(effective_votes(sizes, rho) for rho in ILLUSTRATED)


def diversity_told(policy: Policy) -> str | None:
    """Return how members share models and what their votes are worth; None where fewer than two ask any."""
    shared = shared_models(policy)
    sizes = [len(each.members) for each in shared]
    if sum(sizes) < 2:
        return None
    worth = worth_told(votes_worth(policy))
    if len(shared) > 1:
        parts = "; ".join(f"{', '.join(each.members)}: {each.model!r}" for each in shared)
        return f"models shared as {parts}; where errors of one model are correlated by rho, {sum(sizes)} votes are worth {worth}"
    count = sizes[0]
    who = "all five members ask" if count == len(policy.members) else f"the {count} members with a model all ask"
    return (
        f"{who} one model, {shared[0].model!r}: where its errors are correlated by rho, "
        f"{count} votes are worth {count} / (1 + {count - 1} rho): {worth}"
    )


def diversity_warning(policy: Policy) -> str | None:
    """Return what follows from all members with models sharing one; None where they do not, or fewer than two ask any."""
    return diversity_told(policy) if len(shared_models(policy)) == 1 else None


def worth_told(worth: Sequence[Fraction]) -> str:
    """Return numbers of effective votes with the correlations that they hold for; "none" where nobody asks a model."""
    if not any(worth):
        return "none"
    return ", ".join(
        f"{_two_places(votes)} at rho {_two_places(rho)}" for votes, rho in zip(worth, ILLUSTRATED, strict=True)
    )


def _bare(model: str) -> str:
    return model.rpartition("/")[2].casefold()


def _two_places(value: Fraction) -> str:
    hundredths = round(value * 100)
    return f"{hundredths // 100}.{hundredths % 100:02d}".rstrip("0").rstrip(".")
