"""The map as news crosses it: steps from one territory to another on the graph of neighbours (domain.md C10)."""

from collections.abc import Mapping
from typing import Final

from world.realm.state import Territory

REACH: Final = 12
"""Steps beyond which nothing is near any more: locality is 0 there."""


def distances(territories: Mapping[str, Territory], place: str) -> dict[str, int]:
    """Return the steps from a place to every territory that a road leads to, itself at 0.

    A road that one of two territories names leads both ways. What the design calls hex distance is steps here: the world has
    territories and their neighbours, and no hexes.

    Returns:
        No entry for what no road leads to; empty where the realm does not have the place.
    """
    if place not in territories:
        return {}
    roads = _roads(territories)
    found, edge = {place: 0}, [place]
    while edge:
        steps = found[edge[0]] + 1
        edge = sorted({near for name in edge for near in roads[name] if near not in found})
        found.update(dict.fromkeys(edge, steps))
    return found


def nearest(places: tuple[str, ...], distances: Mapping[str, int]) -> int | None:
    """Return the steps to the nearest of several places; None where no road leads to any."""
    return min([distances[place] for place in places if place in distances], default=None)


def locality(distance: int | None) -> int:
    """Return how near something is, 0 to 1,000: 1000 / (1 + steps), 0 beyond twelve steps.

    >>> [locality(steps) for steps in (0, 1, 2, 12, 13, None)]
    [1000, 500, 333, 76, 0, 0]
    """
    return 0 if distance is None or distance > REACH else 1_000 // (1 + distance)


def _roads(territories: Mapping[str, Territory]) -> dict[str, set[str]]:
    roads: dict[str, set[str]] = {name: set() for name in territories}
    for name in sorted(territories):
        for near in territories[name].neighbors:
            if near in roads:
                roads[name].add(near)
                roads[near].add(name)
    return roads
