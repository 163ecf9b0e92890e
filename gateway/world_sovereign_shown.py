"""What callers read of sovereign actions: those under way, and what each faction could do; for OpenAPI."""

from typing import Literal

from gateway.shown import Shown
from gateway.world_shown import Heading
from world.realm.sovereign_rules import TargetKind


class ActionShown(Shown):
    """A sovereign action under way."""

    action_id: str
    kind: str
    told: str
    """What it is, in a sentence of the world."""
    faction_id: str
    """Faction that acts."""
    target: str | None
    """Territory or faction that it is done to."""
    phase: Literal["counterplay", "asked"]
    """counterplay: others may object; asked: the council decides."""
    since: int
    """Tick in which it was proposed."""
    closes: int
    """Last tick in which others may object; the tick after it asks the council."""
    objections: list[str]
    """Factions that stand against it."""


class KindShown(Shown):
    """What one faction could do."""

    kind: str
    told: str
    target: TargetKind
    """What it is done to."""
    cost: float
    """Points of the treasury; they come back where the council refuses."""
    window: int
    """Ticks in which others may object."""
    cooldown: int
    """Ticks between two of this kind."""
    free_from: int | None
    """Tick from which on the cooldown is over; null where it is."""
    uses_left: int
    """In this season."""
    because: Literal["under_way", "cooldown", "spent", "too_costly"] | None
    """What keeps the faction from it now; null: nothing does."""


class SovereigntyShown(Shown):
    """A faction's treasury, and what it may do with it."""

    faction_id: str
    treasury: float
    """Points that the faction's acts have earned."""
    treasury_most: float
    kinds: list[KindShown]


class SovereignTaken(Shown):
    """A sovereign action after a proposal or an objection."""

    realm_id: str
    snapshot_id: str
    is_repeat: bool
    """Whether the same had been said before: nothing was done now."""
    action: ActionShown


class ActionsShown(Heading):
    """Sovereign actions: those under way, next to close first, and what each faction could do."""

    actions: list[ActionShown]
    factions: list[SovereigntyShown]
