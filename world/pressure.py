"""Pressure in the world: how long it has been heading for something big, so that a trigger is no surprise."""

from collections.abc import Mapping
from typing import Final

from policies.contracts.request import WorldSnapshot
from policies.numbers import PPM, scaled
from world.change import METER_MAX, RealmState, normalised_shares
from world.meters import margin

MAJORITY: Final = PPM // 2
"""A faction presses on the realm where it holds more than one half of all influence; ppm."""
DANGER: Final = METER_MAX // 2
"""A meter presses where it stands in the half of its scale that ends in ruin; milli."""


def pressure_ticks(snapshot: WorldSnapshot, now: RealmState) -> int:
    """Return how many ticks in a row, the present one included, the realm has been under pressure; 0 where it is not.

    Ticks that the history leaves out end the row: what is not shown is not counted.
    """
    if not _is_pressed(now.shares, now.meters):
        return 0
    past = {tick.tick_number: tick for tick in snapshot.history}
    count, number = 1, snapshot.tick_number - 1
    while (tick := past.get(number)) is not None:
        meters = {name: scaled(level, 1000) for name, level in tick.meters.items()}
        if not _is_pressed(normalised_shares(tick.factions), meters):
            break
        count, number = count + 1, number - 1
    return count


def _is_pressed(shares: Mapping[str, int], meters: Mapping[str, int]) -> bool:
    if len(shares) > 1 and max(shares.values()) > MAJORITY:
        return True
    for name, level in meters.items():
        left = margin(name, level)
        if left is not None and left < DANGER:
            return True
    return False
