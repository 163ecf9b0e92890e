"""The realm's meters: drawn to where they belong, moved by what happened, never by more than two points a tick (domain.md C4)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from world.change import METER_MAX

MOST_STEP: Final = 2_000
"""Largest move of a meter in one tick without a verdict, milli."""


class MeterRule(NamedTuple):
    """How one meter behaves when nothing else moves it."""

    target: int
    """Level that it returns to, milli."""
    pull: int
    """Permille of the distance per tick."""


def settled(levels: Mapping[str, int], rules: Mapping[str, MeterRule], effects: Mapping[str, int]) -> dict[str, int]:
    """Return the meters after a tick, milli, in order of names.

    Args:
        levels: before the tick.
        rules: per meter; one without a rule stays where it is.
        effects: what the tick's events add, milli.
    """
    after = {}
    for name in sorted(levels):
        level, rule = levels[name], rules.get(name)
        pull = (rule.target - level) * rule.pull // 1_000 if rule is not None else 0
        step = max(-MOST_STEP, min(MOST_STEP, pull + effects.get(name, 0)))
        after[name] = max(0, min(METER_MAX, level + step))
    return after
