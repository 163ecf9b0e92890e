"""The outcome of a chapter: what the player did in it, as a story engine sends it.

These are the wire models and the story's own values at once: an engine's body, a file of `council story close --outcome` and the
ledger hold the same fields with the same limits.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from policies.contracts.base import Id, Wire
from story.tale.plain import read
from story.threat.environment import ChapterEvents
from story.threat.tags import COMBAT

MOST: Final = 64
"""Entries of each list of an outcome."""
MOST_BEATS: Final = 8
"""Of a chapter's plan."""
Percent = Annotated[int, Field(ge=0, le=100)]
Ids = Annotated[tuple[Id, ...], Field(strict=False, max_length=MOST)]
LongText = Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
"""Several lines: tabs and newlines, no other control characters."""
PER_FIGHT: Final = 40
"""Intensity of one fight, of 100."""


class Deed(Wire):
    """One thing that the player did for the world; the server makes an act of it, with points of its own."""

    action_type: Id
    """As the world's catalogue names it, such as patrol_complete."""
    faction_id: Id | None = None
    territory_id: Id | None = None
    target: Id | None = None
    """What it was done to, where that is no territory."""
    beat: Annotated[int, Field(ge=1, le=MOST_BEATS)] | None = None
    """Number of the plan's beat that it was done in: where the deed names no place, the recap tells it of that beat's."""
    risk: Annotated[int, Field(ge=0, le=10)] = 0
    success: bool = True
    """A deed that failed is no act of the world."""


class Entered(Wire):
    """A territory that the hero came to; who holds it the realm knows."""

    territory_id: Id


class Moved(Wire):
    """Somebody of the cast who went elsewhere."""

    entity_id: Id
    territory_id: Id


class PlayerNow(Wire):
    """The player's own numbers, as the engine counts them; what is left out stays as it was. No player ever sees them (S4-67)."""

    notoriety: Percent | None = None
    identity_coherence: Percent | None = None
    curiosity_depth: Percent | None = None
    act: Annotated[int, Field(ge=1, le=4)] | None = None
    tower_floor: Annotated[int, Field(ge=0, le=3)] | None = None
    """Floor of the Tower that the player stands on; 0 outside of it."""
    floors_cleared: Annotated[int, Field(ge=0, le=3)] | None = None
    veiled_will_phase: Percent | None = None
    is_in_influence: bool | None = None
    """Whether the Empire reaches the player's place; the world's own state overrules it."""
    named_villain_active: bool | None = None
    """Whether an Emissary or a General is on stage: threats stand back while one is."""

    def told(self) -> dict[str, Any]:
        """Return the numbers that were said."""
        return {name: value for name, value in self if value is not None}


class ChapterOutcome(Wire):
    """What happened while a chapter was played.

    What is not said did not happen: the empty outcome is a chapter that went as planned.
    """

    deeds: Annotated[tuple[Deed, ...], Field(strict=False, max_length=MOST)] = ()
    tags: Ids = ()
    """Structured tags for the threat rules, such as empire_encounter, floor_1_completed, captive_rescued; one that no rule reads
    is an engine's own, and does nothing."""
    text: LongText = ""
    """What the simulator said; searched for keywords where no tag tells, never shown and never told on."""
    losses: Percent = 0
    """How much the hero lost in this chapter."""
    deaths: Ids = ()
    """People of the cast who died."""
    departures: Ids = ()
    """People of the cast who left the story."""
    moved: Annotated[tuple[Moved, ...], Field(strict=False, max_length=MOST)] = ()
    entered: Annotated[tuple[Entered, ...], Field(strict=False, max_length=MOST)] = ()
    """Territories that the hero came to, in order; the last is where the hero is now."""
    joined: Ids = ()
    """People of the cast who travel with the hero from now on."""
    left: Ids = ()
    """People who no longer do."""
    player: PlayerNow = PlayerNow()
    """The player's numbers now."""


_ADAPTER: Final = TypeAdapter(ChapterOutcome)


def outcome_from(document: Any) -> ChapterOutcome:
    """Read an outcome as an engine sends it.

    Raises:
        InvalidInputError: with every place that does not fit.
    """
    return read(_ADAPTER, document, "a chapter's outcome")


def events_of(outcome: ChapterOutcome, controllers: Mapping[str, str | None]) -> ChapterEvents:
    """Return an outcome as the threat rules read it.

    Args:
        controllers: who holds each territory of the realm; one that it lacks is nobody's.
    """
    entered = tuple([(each.territory_id, controllers.get(each.territory_id)) for each in outcome.entered])
    return ChapterEvents(outcome.tags, outcome.text, entered)


def combat_of(outcome: ChapterOutcome) -> int:
    """Return how hard a chapter was fought, 0 to 100."""
    return min(100, PER_FIGHT * len([tag for tag in outcome.tags if tag in COMBAT]))
