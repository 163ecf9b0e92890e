"""What the story's endpoints are asked, as models: strict bodies and query parameters (register row S0-86).

What a chapter's outcome is the story says itself (`story.tale.outcome`), as it does which archetypes there are.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from policies.contracts.base import Id, Line, Wire
from story.languages import Language
from story.ledger.port import MAX_PAGE
from story.tale.outcome import ChapterOutcome, PlayerNow
from story.threat.environment import General

MAX_SEED: Final = 2**53 - 1
Number = Annotated[int, Field(ge=1, le=10_000)]


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
    player: PlayerNow = PlayerNow()


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


class CloseAsked(Wire):
    """The end of a chapter."""

    outcome: ChapterOutcome


class ChaptersQuery(BaseModel):
    """Which chapters, and how much of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    after: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Number behind which to begin; `next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 20
    why: bool = False
    """Also the plan, what was chosen and left out with its numbers, and what was held against a text; not for players."""
