"""A realm as the council and players see it: shares in percent, meters 0 to 100. Pure; floats appear here, at the edge, only."""

from collections.abc import Mapping
from typing import Any, Final

from world.realm.shares import realm_shares
from world.realm.state import Past, Realm

HISTORY: Final = 8
"""Earlier ticks that a question carries: two hours, enough to show what held for three ticks in a row."""


def world_snapshot(realm: Realm) -> dict[str, Any]:
    """Return the `world_snapshot` of a decision request (000 §7.1)."""
    return {
        "snapshot_id": realm.snapshot_id,
        "tick_number": realm.tick_number,
        "factions": _factions(realm_shares(realm)),
        "territories": {
            name: {
                "name": each.name,
                "controller": each.controller,
                "strategic_value": each.strategic_value,
                "instability": each.instability / 1_000,
                "neighbors": list(each.neighbors),
            }
            for name, each in realm.territories.items()
        },
        "meters": _meters(realm.meters),
        "history": [_past(each) for each in realm.past[-HISTORY - 1 : -1]],
    }


def _past(past: Past) -> dict[str, Any]:
    return {"tick_number": past.tick_number, "factions": _factions(past.factions), "meters": _meters(past.meters)}


def _factions(shares: Mapping[str, int]) -> dict[str, dict[str, float]]:
    return {faction: {"influence": share / 10_000} for faction, share in shares.items()}


def _meters(levels: Mapping[str, int]) -> dict[str, float]:
    return {name: level / 1_000 for name, level in levels.items()}
