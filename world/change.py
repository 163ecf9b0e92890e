"""A proposed change as arithmetic: the state of a realm before and after its effects, in integers.

Shares are ppm and always sum to 1,000,000 where any faction is known; meters are milli of a point, 0 to 100,000
(domain.md C0).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from policies.contracts.effects import Effect, FactionDelta, MeterDelta, TerritoryTransfer
from policies.contracts.request import FactionState, WorldSnapshot
from policies.numbers import PPM, apportion, scaled

METER_MAX = 100_000


class RealmState(NamedTuple):
    """What the council knows of a realm at one moment.

    Attributes:
        shares: influence per faction, ppm, summing to 1,000,000 (empty where no faction is known).
        meters: level per meter, milli, 0 to 100,000.
        controllers: controlling faction per territory, None where nobody controls it.
    """

    shares: Mapping[str, int]
    meters: Mapping[str, int]
    controllers: Mapping[str, str | None]


def state_of(snapshot: WorldSnapshot) -> RealmState:
    """Read a snapshot into integers."""
    return RealmState(
        shares=normalised_shares(snapshot.factions),
        meters={name: scaled(level, 1000) for name, level in snapshot.meters.items()},
        controllers={name: territory.controller for name, territory in snapshot.territories.items()},
    )


def normalised_shares(factions: Mapping[str, FactionState]) -> dict[str, int]:
    """Return shares in ppm that sum to 1,000,000, pro rata by largest remainder."""
    raw = {name: scaled(faction.influence, 10_000) for name, faction in factions.items()}
    return raw if sum(raw.values()) == PPM else apportion(raw, PPM)


def apply_effects(state: RealmState, effects: Iterable[Effect]) -> RealmState:
    """Return the state after effects: deltas added, floored at zero, shares renormalised pro rata to the whole.

    A one-sided delta is paid for by everyone: 41/33/26 with +12 for the first becomes 53/33/26 of 112, that is
    47.3214/29.4643/23.2143 percent.
    """
    effects = tuple(effects)
    return RealmState(
        shares_after(state.shares, effects),
        _meters_after(state.meters, effects),
        _controllers_after(state.controllers, effects),
    )


def shares_after(shares: Mapping[str, int], effects: Iterable[Effect]) -> Mapping[str, int]:
    """Return influence after effects, ppm: the same mapping where no effect moves it."""
    raw = _moved(shares, effects)
    return shares if raw == shares else apportion(raw, PPM)


def largest_move(shares: Mapping[str, int], effects: Iterable[Effect]) -> int:
    """Return the largest move of one faction's share, ppm, at most one ppm off: quicker than all of them."""
    raw = _moved(shares, effects)
    total = sum(raw.values())
    if total == 0 or raw == shares:
        return 0
    return max([abs(share * PPM // total - shares[name]) for name, share in raw.items()])


def _moved(shares: Mapping[str, int], effects: Iterable[Effect]) -> dict[str, int]:
    """Return shares with all deltas added and floored at zero, not yet renormalised."""
    raw = dict(shares)
    for effect in effects:
        if type(effect) is FactionDelta:
            raw[effect.faction_id] += scaled(effect.amount, 10_000)
    if raw and min(raw.values()) < 0:
        return {name: max(0, share) for name, share in raw.items()}
    return raw


def _meters_after(meters: Mapping[str, int], effects: Iterable[Effect]) -> Mapping[str, int]:
    deltas = [effect for effect in effects if type(effect) is MeterDelta]
    if not deltas:
        return meters
    levels = dict(meters)
    for effect in deltas:
        levels[effect.meter] = clamp(levels[effect.meter] + scaled(effect.amount, 1000), 0, METER_MAX)
    return levels


def _controllers_after(controllers: Mapping[str, str | None], effects: Iterable[Effect]) -> Mapping[str, str | None]:
    moved = {effect.territory_id: effect.to for effect in effects if type(effect) is TerritoryTransfer}
    return {**controllers, **moved} if moved else controllers


def clamp(value: int, low: int, high: int) -> int:
    """Return the value moved into [low, high]."""
    return low if value < low else high if value > high else value
