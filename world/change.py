"""A proposed change as arithmetic: the state of a realm before and after its effects, in integers.

Shares are ppm and always sum to 1,000,000 where any faction is known; meters are milli of a point, 0 to 100,000 (domain.md C0).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policies.contracts.effects import (
    CanonAssert,
    Effect,
    FactionDelta,
    MeterDelta,
    TerritoryTransfer,
    TriggerFire,
)
from policies.contracts.request import FactionState, WorldSnapshot
from policies.numbers import PPM, apportion, scaled

METER_MAX = 100_000


@dataclass(frozen=True, slots=True)
class RealmState:
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
    shares, meters, controllers = dict(state.shares), dict(state.meters), dict(state.controllers)
    for effect in effects:
        match effect:
            case FactionDelta():
                shares[effect.faction_id] += scaled(effect.amount, 10_000)
            case MeterDelta():
                meters[effect.meter] = clamp(meters[effect.meter] + scaled(effect.amount, 1000), 0, METER_MAX)
            case TerritoryTransfer():
                controllers[effect.territory_id] = effect.to
            case TriggerFire() | CanonAssert():
                pass
    if shares != state.shares:
        shares = apportion({name: max(0, share) for name, share in shares.items()}, PPM)
    return RealmState(shares, meters, controllers)


def clamp(value: int, low: int, high: int) -> int:
    """Return the value moved into [low, high]."""
    return low if value < low else high if value > high else value
