"""What a player did to the world, as the story knows it: sums and places, never points that a reader could see (S0-73, S0-87)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

BELONGING: Final = 300
"""Involvement of the faction that the player stands with, whatever was done for it."""


class Own(NamedTuple):
    """The player's own contribution."""

    user_id: str
    faction_id: str | None = None
    points: Mapping[str, Mapping[str, int]] = {}
    """Milli-points of all accepted acts, by faction and territory ("" for none), as `WorldStore.contribution` has them."""
    points_before: Mapping[str, Mapping[str, int]] = {}
    """The same at the tick that the last chapter had seen."""
    decisions: frozenset[str] = frozenset()
    """Verdicts over the player's own acts, or over an action that the player spoke for."""
    correlation_id: str | None = None
    """Of the latest act that counts."""

    @property
    def since(self) -> dict[tuple[str, str], int]:
        """Milli-points that came since the last chapter, by territory and faction; what did not change is left out."""
        return {
            (territory, faction): milli - self.points_before.get(faction, {}).get(territory, 0)
            for faction, places in sorted(self.points.items())
            for territory, milli in sorted(places.items())
            if milli != self.points_before.get(faction, {}).get(territory, 0)
        }

    @property
    def has_changed(self) -> bool:
        """Whether there is anything new to tell."""
        return bool(self.since)


def acted_on(own: Own) -> frozenset[str]:
    """Return the territories and factions that the player acted on since the last chapter."""
    return frozenset([name for key in own.since for name in key if name])


def involvement(own: Own, faction_id: str | None = None) -> dict[str, int]:
    """Return the player's own part in territories, factions and verdicts, 0 to 1,000, by id.

    The part of everything that the player did, for or against, which was done there; of the player's own faction 300 at
    least; of a verdict over an own act, all.

    Args:
        faction_id: the faction that the hero stands with, where the account names none.
    """
    done: dict[str, int] = {}
    for faction, places in own.points.items():
        for territory, milli in places.items():
            done[territory] = done.get(territory, 0) + abs(milli)
            done[faction] = done.get(faction, 0) + abs(milli)
    whole = sum(abs(milli) for places in own.points.values() for milli in places.values())
    found = {name: milli * 1_000 // whole for name, milli in sorted(done.items()) if name and milli}
    mine = own.faction_id or faction_id
    if mine is not None:
        found[mine] = max(BELONGING, found.get(mine, 0))
    found.update(dict.fromkeys(sorted(own.decisions), 1_000))
    return found
