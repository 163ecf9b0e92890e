"""Territory shares: every tick each faction stakes a little of what it holds, and the tick's acts win it (domain.md C2).

Elite's mechanic in whole numbers. Without acts nothing moves; with them no faction can lose more than its stake, so that no
territory flips in one tick (companions.md).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from policies.numbers import PPM, apportion
from world.balance import BIT, log2

TICKS_A_DAY: Final = 96
FLOOR: Final = 10_000
"""Least share of a faction that is present, ppm: 1 %."""
_LOG10_2: Final = 301_030
"""log10(2), millionths."""


class Acts(NamedTuple):
    """What the tick's acts did for and against one faction in one territory, effective milli-points."""

    gained: int = 0
    opposed: int = 0


def days_to_stake(population: int) -> int:
    """Return D(P) = clamp(5 * log10 P - 10, 5, 40), milli-days: in how many days a faction stakes all that it holds.

    >>> days_to_stake(1_000), days_to_stake(10**10)
    (5000, 40000)
    """
    log10 = log2(max(1, population)) * _LOG10_2 // BIT  # millionths of a decade
    return min(40_000, max(5_000, (5 * log10 - 10_000_000) // 1_000))


def full_pot(population: int) -> int:
    """Return N0, the effective milli-points that win the whole pot of a tick: ten points per decade of population."""
    return 10_000 * max(1, len(str(max(1, population))) - 1)


def stakes(shares: Mapping[str, int], acts: Mapping[str, Acts], population: int) -> dict[str, int]:
    """Return what each faction stakes in this tick, ppm of the territory; acts against it raise it to twice at most."""
    whole = full_pot(population)
    divisor = days_to_stake(population) * TICKS_A_DAY * whole
    return {
        faction: share * 1_000 * (whole + min(acts[faction].opposed if faction in acts else 0, whole)) // divisor
        for faction, share in shares.items()
    }


def moved(shares: Mapping[str, int], acts: Mapping[str, Acts], population: int) -> dict[str, int]:
    """Return the shares after one tick, ppm: they sum to 1,000,000 as before.

    Args:
        shares: per faction that is present, sum 1,000,000.
        acts: what was done in the territory; factions that are not present and gain come in.
        population: of the territory.
    """
    everybody = {
        **shares,
        **{faction: 0 for faction, act in sorted(acts.items()) if act.gained > 0 and faction not in shares},
    }
    staked = stakes(everybody, acts, population)
    gained = {faction: acts[faction].gained if faction in acts else 0 for faction in everybody}
    pot, whole = sum(staked.values()), full_pot(population)
    claimed = pot * min(sum(gained.values()), whole) // whole
    if not claimed:
        return dict(shares)
    back, won = apportion(staked, pot - claimed), apportion(gained, claimed)
    after = {faction: share - staked[faction] + back[faction] + won[faction] for faction, share in everybody.items()}
    return at_least({faction: share for faction, share in after.items() if share or faction in shares}, FLOOR)


def is_whole(shares: Mapping[str, int]) -> bool:
    """Whether shares are those of one territory: none negative, all of it held."""
    return sum(shares.values()) == PPM and all(share >= 0 for share in shares.values())


def at_least(shares: Mapping[str, int], floor: int) -> dict[str, int]:
    """Return shares of the same sum in which nobody has less than a floor: the others give in proportion to what they have over.

    Where the floors do not fit into the whole, everybody gets the same.

    Args:
        floor: of each, in the unit of the shares.
    """
    total = sum(shares.values())
    if floor * len(shares) >= total:
        return apportion(dict.fromkeys(shares, 1), total)
    missing = sum(max(0, floor - share) for share in shares.values())
    if not missing:
        return dict(shares)
    over = {name: max(0, share - floor) for name, share in shares.items()}
    given = apportion(over, missing)
    return {name: max(share, floor) - given[name] for name, share in shares.items()}
