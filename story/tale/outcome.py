"""The outcome of a chapter: what the player did in it, as a story engine sends it."""

from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field, TypeAdapter

from story.tale.plain import read
from story.threat.environment import ChapterEvents

Percent = Annotated[int, Field(ge=0, le=100)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Ids = Annotated[tuple[Id, ...], Field(max_length=64)]
COMBAT_TAGS: Final = frozenset({
    "combat", "duel", "empire_encounter", "lieutenant_defeated", "lieutenant_encounter", "patrol_fought",
})  # fmt: skip
"""Tags that say that the hero fought."""
PER_FIGHT: Final = 40
"""Intensity of one fight, of 100."""


class Deed(NamedTuple):
    """One thing that the player did for the world: what an impact candidate is made of."""

    action_type: Id
    """As the world's rules name it, such as patrol_complete."""
    faction_id: Id | None = None
    territory_id: Id | None = None
    target: Id | None = None
    beat: Annotated[int, Field(ge=1, le=8)] | None = None
    """The beat that it was done in."""
    risk: Annotated[int, Field(ge=0, le=10)] = 0
    success: bool = True


class Entered(NamedTuple):
    """A territory that the hero came to."""

    territory_id: Id
    controller: Id | None = None
    """Who held it then."""


class Moved(NamedTuple):
    """Somebody of the cast who went elsewhere."""

    entity_id: Id
    territory_id: Id


class PlayerNow(NamedTuple):
    """The player's own numbers after a chapter, as the engine counts them; None: as before. No player ever sees them (S4-67)."""

    notoriety: Percent | None = None
    identity_coherence: Percent | None = None
    curiosity_depth: Percent | None = None
    act: Annotated[int, Field(ge=1, le=4)] | None = None
    tower_floor: Annotated[int, Field(ge=0, le=3)] | None = None
    floors_cleared: Annotated[int, Field(ge=0, le=3)] | None = None
    veiled_will_phase: Annotated[int, Field(ge=0, le=100)] | None = None
    is_in_influence: bool | None = None
    named_villain_active: bool | None = None


class ChapterOutcome(NamedTuple):
    """What happened while a chapter was played.

    What is not said did not happen: the empty outcome is a chapter that went as planned.
    """

    deeds: Annotated[tuple[Deed, ...], Field(max_length=64)] = ()
    tags: Ids = ()
    """Structured tags for the threat rules, such as empire_encounter, floor_1_completed, captive_rescued."""
    text: Annotated[str, Field(max_length=20_000)] = ""
    """What the simulator said; searched for keywords where no tag tells, never shown and never told on."""
    losses: Percent = 0
    """How much the hero lost in this chapter."""
    deaths: Ids = ()
    """People of the cast who died."""
    departures: Ids = ()
    """People of the cast who left the story."""
    moved: Annotated[tuple[Moved, ...], Field(max_length=64)] = ()
    entered: Annotated[tuple[Entered, ...], Field(max_length=64)] = ()
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


def events_of(outcome: ChapterOutcome) -> ChapterEvents:
    """Return an outcome as the threat rules read it."""
    entered = tuple([(each.territory_id, each.controller) for each in outcome.entered])
    return ChapterEvents(outcome.tags, outcome.text, entered)


def combat_of(outcome: ChapterOutcome) -> int:
    """Return how hard a chapter was fought, 0 to 100."""
    return min(100, PER_FIGHT * len([tag for tag in outcome.tags if tag in COMBAT_TAGS]))
