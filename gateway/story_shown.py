"""What the story's endpoints return, as models: the OpenAPI document is made from them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.shown import Shown
from story.languages import Language
from story.ledger.port import Author, DeedState
from story.threat.environment import ThreatPressure

Number = Annotated[int, Field(ge=1)]


class ParagraphShown(Shown):
    """A paragraph of a chapter."""

    beat: Number
    """The beat of the plan that it tells."""
    text: str


class ThreatTold(Shown):
    """How the chapter sounds: a word and a tone, and no number."""

    pressure: ThreatPressure
    tone: str
    """In the story's language, for whoever writes on from here."""


class RecapLine(Shown):
    """One thing that the player's acts came to."""

    about: Literal["death", "deeds", "verdict", "world", "sent", "quiet"]
    text: str
    """A sentence in the story's language."""
    decision_id: str | None = None
    """The verdict that it tells of."""


class RecapShown(Shown):
    """What the player's acts did to the world."""

    language: Language
    lines: list[RecapLine]


class DeedShown(Shown):
    """An act of a chapter, and what the world made of it."""

    event_id: str
    """Also its id in the influence ledger."""
    action_type: str
    faction_id: str | None
    target_id: str | None
    beat: int | None
    """Number of the plan's beat that it was done in, where the outcome said so."""
    state: DeedState
    """pending: the world has not taken it yet, and it is sent again; given_up: the world could not take it, and never will."""
    told: str
    """Why, where it was refused or held."""


class ChapterPlanned(Shown):
    """A chapter for a story engine: its prose, its plan, and what of the world went into it."""

    story_id: str
    realm_id: str
    user_id: str
    chapter: Number
    language: Language
    title: str
    prose: list[ParagraphShown]
    author: Author
    """Whose words they are: the grammar's alone, or a model's for some paragraphs."""
    plan: dict[str, Any]
    """As schema council.plan/1."""
    world_context: dict[str, Any]
    """The four fields of 000 §9, fresh verdicts, and what was left out with the reason."""
    verdicts_cited: list[str]
    """Decision ids of the verdicts that the plan rests on."""
    threat: ThreatTold
    tick_number: int
    snapshot_id: str
    correlation_id: str | None
    """Follows the chapter to its deeds in the influence ledger."""
    is_closed: bool


class UnreadTag(Shown):
    """A tag of an outcome that no rule reads: an engine's own name, or a slip."""

    tag: str
    meant: str
    """A tag like it that the rules read, or all of them."""


class ChapterClosed(Shown):
    """The end of a chapter: what it tells the player, and what became of its acts."""

    story_id: str
    chapter: Number
    recap: RecapShown
    deeds: list[DeedShown]
    """In the outcome's order; the chapter's own end is the last of them."""
    unread_tags: list[UnreadTag]
    correlation_id: str | None


class ChapterShown(Shown):
    """A chapter as its player reads it."""

    chapter: Number
    language: Language
    title: str
    paragraphs: list[str]
    is_closed: bool
    recap: RecapShown | None
    """Once it is closed."""
    why: dict[str, Any] | None = None
    """Only where it was asked for: plan, context, choices with their numbers, outcome."""


class ChaptersShown(Shown):
    """One page of a story, in its order."""

    story_id: str
    realm_id: str
    hero: str
    chapters: list[ChapterShown]
    next: int
    """Send it as `after` for the page behind."""
    has_more: bool
