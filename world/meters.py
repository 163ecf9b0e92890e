"""Which end of a meter is ruin: what it means for a change to do harm (domain.md C4; companions.md).

A meter that is not named here has no known direction, and nobody may judge it good or bad.
"""

from typing import Final

from world.change import METER_MAX

RUIN_AT_ZERO: Final = frozenset({"stability", "prosperity", "canon_integrity"})
RUIN_AT_TOP: Final = frozenset(
    {
        "tension",
        "global_tension",
        "chaos",
        "corruption",
        "catastrophe",
        "catastrophe_meter",
        "inflation",
        "threat",
        "instability",
    }
)


def margin(meter: str, level: int) -> int | None:
    """Return a meter's distance to its ruinous end, milli, or None where that end is not known.

    >>> margin("stability", 62_000), margin("chaos", 18_000)
    (62000, 82000)
    """
    if meter in RUIN_AT_ZERO:
        return level
    return METER_MAX - level if meter in RUIN_AT_TOP else None


def is_harmful(meter: str, amount: float) -> bool:
    """Return whether a step of this sign takes the meter toward its ruinous end; False where that end is not known."""
    return (amount < 0 and meter in RUIN_AT_ZERO) or (amount > 0 and meter in RUIN_AT_TOP)
