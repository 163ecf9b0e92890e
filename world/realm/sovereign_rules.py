"""What a faction may do as a whole, as the world's file has it: costly, seldom, and open to counterplay (companions.md)."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from pydantic import TypeAdapter

from policies.contracts.effects import Effect

TargetKind = Literal["none", "territory", "faction"]
FACTION: Final = "$faction"
"""Stands in an effect for the faction that acts."""
TARGET: Final = "$target"
"""Stands for the territory or the faction that the action is done to."""
CONTROLLER: Final = "$controller"
"""Stands for the faction that controls the territory."""
PLACEHOLDERS: Final[Mapping[TargetKind, tuple[str, ...]]] = {
    "none": (FACTION,),
    "territory": (FACTION, TARGET, CONTROLLER),
    "faction": (FACTION, TARGET),
}
_EFFECT: Final[TypeAdapter[Effect]] = TypeAdapter(Effect)


class SovereignKind(NamedTuple):
    """One kind of sovereign action."""

    kind: str
    told: str
    """What it is, in a sentence of the world."""
    cost: int
    """Milli-points of the faction's treasury."""
    cooldown: int
    """Ticks between two proposals of this kind by one faction."""
    uses: int
    """Most that a faction may use in a season."""
    window: int
    """Ticks in which others may stand against it before the council is asked."""
    target: TargetKind
    factions: tuple[str, ...]
    """Factions that have it, sorted; empty: all."""
    effects: tuple[Mapping[str, Any], ...]
    """Effects as requests carry them, with placeholders."""


class SovereignRules(NamedTuple):
    """What factions may do as a whole."""

    treasury_most: int
    """Milli-points that a treasury holds at most; what comes on top is lost."""
    kinds: Mapping[str, SovereignKind]


NO_SOVEREIGNTY: Final = SovereignRules(0, {})


def effects_of(kind: SovereignKind, *, faction: str, target: str | None, controller: str | None) -> tuple[Effect, ...]:
    """Return what an action of a kind would do.

    Raises:
        pydantic.ValidationError: where the world's file describes no effect that there is.
    """
    known = {FACTION: faction, TARGET: target, CONTROLLER: controller}
    filled = [
        {key: known.get(value, value) if isinstance(value, str) else value for key, value in effect.items()}
        for effect in kind.effects
    ]
    return tuple([_EFFECT.validate_python(effect) for effect in filled])
