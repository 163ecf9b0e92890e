"""What the story's endpoints are asked, as models: strict bodies and query parameters (register row S0-86).

The story reads these documents once more into its own values: a rule of the story, such as which archetypes there are, is told by
the story itself.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from policies.contracts.base import Id, Line, Text, Wire
from story.languages import Language
from story.ledger.port import MAX_PAGE
from story.threat.environment import General

MAX_SEED: Final = 2**53 - 1
_MOST: Final = 64
_LONGEST_TEXT: Final = 20_000
Percent = Annotated[int, Field(ge=0, le=100)]
Number = Annotated[int, Field(ge=1, le=10_000)]
Ids = Annotated[tuple[Id, ...], Field(strict=False, max_length=_MOST)]


class PlayerAsked(Wire):
    """The player's own numbers, as the engine counts them; what is left out stays as it was. No player ever sees them."""

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


class HeroAsked(Wire):
    """Who a new story is about."""

    name: Line
    """Letters, with spaces, hyphens and apostrophes between them; as prose writes it."""
    place: Id
    """Territory where the story begins."""
    archetype: Id
    """seeker, wanderer, guardian or rebel."""
    language: Language = "en"
    faction_id: Id | None = None
    """Whom the hero stands with; left out: nobody."""
    general: General | None = None
    """The General who is set on the player."""
    player: PlayerAsked = PlayerAsked()


class PlanAsked(Wire):
    """A chapter that is wanted: the one after the last closed one, or one that was told before."""

    story_id: Id
    realm_id: Id
    user_id: Id
    """Whose story it is."""
    hero: HeroAsked | None = None
    """Begins a story that there is not yet; one that exists goes on as it is."""
    chapter: Number | None = None
    """Number of the chapter that is wanted: sent again, it returns what it returned. Without it the next one."""
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    """Of a new story's people and questions; without it, of its id."""


class DeedAsked(Wire):
    """One thing that the player did for the world; the server makes an act of it, with points of its own."""

    action_type: Id
    """As the world's catalogue names it, such as patrol_complete."""
    faction_id: Id | None = None
    territory_id: Id | None = None
    target: Id | None = None
    """What it was done to, where that is no territory."""
    beat: Annotated[int, Field(ge=1, le=8)] | None = None
    risk: Annotated[int, Field(ge=0, le=10)] = 0
    success: bool = True


class EnteredAsked(Wire):
    """A territory that the hero came to; who holds it the realm knows."""

    territory_id: Id


class MovedAsked(Wire):
    """Somebody of the cast who went elsewhere."""

    entity_id: Id
    territory_id: Id


class OutcomeAsked(Wire):
    """What happened while a chapter was played; what is not said did not happen."""

    deeds: Annotated[tuple[DeedAsked, ...], Field(strict=False, max_length=_MOST)] = ()
    tags: Ids = ()
    """Structured tags for the threat rules, such as empire_encounter, floor_1_completed, captive_rescued."""
    text: Annotated[Text, Field(max_length=_LONGEST_TEXT)] = ""
    """What the simulator said; searched for keywords where no tag tells, never shown and never told on."""
    losses: Percent = 0
    deaths: Ids = ()
    """People of the cast who died."""
    departures: Ids = ()
    moved: Annotated[tuple[MovedAsked, ...], Field(strict=False, max_length=_MOST)] = ()
    entered: Annotated[tuple[EnteredAsked, ...], Field(strict=False, max_length=_MOST)] = ()
    """Territories that the hero came to, in order; the last is where the hero is now."""
    joined: Ids = ()
    """People of the cast who travel with the hero from now on."""
    left: Ids = ()
    player: PlayerAsked = PlayerAsked()


class CloseAsked(Wire):
    """The end of a chapter."""

    outcome: OutcomeAsked


class ChaptersQuery(BaseModel):
    """Which chapters, and how much of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    after: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Number behind which to begin; `next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 20
    why: bool = False
    """Also the plan, what was chosen and left out with its numbers, and what was held against a text; not for players."""
