"""The Tower's instability mirrors how far a player has come apart (register rows S4-39, S4-40, S4-71, K12)."""

from typing import Final, NamedTuple

FLOOR_MODIFIERS: Final = {1: 0, 2: 15, 3: 30}
SHIFTS_FROM: Final = 40
"""Instability from which the Tower may change around the player."""


class Tower(NamedTuple):
    """Instability, and the number before it was clamped."""

    value: int
    """0 to 100."""
    raw: int
    """Up to 130: kept for the trace."""

    @property
    def may_shift(self) -> bool:
        """Whether an encounter with the changing Tower is possible (dị_biến_encounter_eligible)."""
        return self.value >= SHIFTS_FROM


def tower_instability(coherence: int, floor: int) -> Tower:
    """Return the instability at a coherence (0 to 100) on a floor (0 outside of the Tower: no modifier)."""
    raw = 100 - coherence + FLOOR_MODIFIERS.get(floor, 0)
    return Tower(min(100, max(0, raw)), raw)
