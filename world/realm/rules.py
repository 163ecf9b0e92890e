"""The rules of a world: what acts are worth, how meters behave, which triggers there are. Values, read from a file elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from world.realm.meters import MeterRule
from world.realm.sovereign_rules import NO_SOVEREIGNTY, SovereignRules
from world.realm.triggers import Trigger


class Action(NamedTuple):
    """One kind of act in the catalogue."""

    base: int
    """Milli-points; negative where it is done against its faction."""
    source: str
    """The group whose cap it counts against, such as quest or duel."""
    is_relic_claim: bool = False
    """Whether its target is a relic."""


class Caps(NamedTuple):
    """Most that counts, milli-points of normalised worth."""

    user_day: int
    """Of one account in a day of ticks."""
    faction_tick: int
    """Of one faction in one tick: what comes on top is refused, and the player may come back next tick."""
    source_day: Mapping[str, int]
    """Of one account from one source in a day; a source without an entry has no cap of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class WorldRules:
    """One version of a world's rules.

    Attributes:
        rules_id: their name.
        version: counts up with every change.
        content_hash: SHA-256 of their document; every snapshot names it.
        actions: the catalogue, by action type.
        caps: most that counts.
        meters: how each meter behaves.
        triggers: in no order; their priority says which comes first.
        move_tension: what a territory's change of hands adds to `tension`, milli.
        conflict_tension: what every running conflict adds to it per tick, milli.
        sovereign: what factions may do as a whole.
        asked_value: strategic value from which a territory that is won in a conflict waits for the council's word; None:
            no territory does.
    """

    rules_id: str
    version: int
    content_hash: str
    actions: Mapping[str, Action]
    caps: Caps
    meters: Mapping[str, MeterRule]
    triggers: tuple[Trigger, ...]
    move_tension: int
    conflict_tension: int
    sovereign: SovereignRules = NO_SOVEREIGNTY
    asked_value: int | None = None

    def trigger(self, trigger_id: str) -> Trigger | None:
        """Return one trigger."""
        return next((each for each in self.triggers if each.trigger_id == trigger_id), None)
