"""What the story needs of a store: tales that change chapter by chapter, chapters that never do.

A chapter is written twice and no more: when it is planned, and when it is closed with what the player did. Both are idempotent,
so that a caller who lost an answer asks again and reads the same.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol

MAX_PAGE: Final = 100
DeedState = Literal["pending", "accepted", "in_review", "quarantined", "rejected", "given_up"]
"""given_up: the world could not take it in all its tries; it is not sent again."""
UnsentState = Literal["pending", "given_up"]
Author = Literal["template", "model"]


class StoredTale(NamedTuple):
    """A tale as the store keeps it."""

    story_id: str
    realm_id: str
    user_id: str
    chapter: int
    """Last closed chapter; 0 before the first."""
    tale: bytes
    """Canonical JSON (`story.tale.documents`)."""
    updated_at: int
    """Milliseconds since 1970."""


class NewChapter(NamedTuple):
    """A chapter as it was planned and told."""

    story_id: str
    number: int
    language: str
    title: str
    prose: bytes
    """JSON: a list of {"beat": number, "text": paragraph}."""
    author: Author
    plan: bytes
    """JSON of the plan."""
    context: bytes
    """JSON of the world context, what was left out included."""
    why: bytes
    """JSON of how beats were chosen, and of what went wrong with a model's text."""
    tick: int
    """Tick of the realm that it saw."""
    snapshot_id: str
    correlation_id: str | None
    planned_at: int


class Chapter(NamedTuple):
    """A chapter with its end, where it has one."""

    told: NewChapter
    outcome: bytes | None = None
    """JSON of what the player did in it."""
    recap: bytes | None = None
    """JSON of what the player's acts did to the world."""
    closed_at: int | None = None


class NewDeed(NamedTuple):
    """An act of a chapter on its way to the world."""

    event_id: str
    """Also its idempotency key there."""
    candidate: bytes
    """JSON of the `impact_candidate`."""


class Deed(NamedTuple):
    """An act of a chapter, and what the world made of it."""

    event_id: str
    story_id: str
    chapter: int
    candidate: bytes
    state: DeedState
    told: str
    """Why, where it was refused or held."""


class Waiting(NamedTuple):
    """A chapter whose deeds wait for the world: they go together."""

    story_id: str
    realm_id: str
    chapter: int
    tries: int
    """Times that the world could not take them."""
    deeds: tuple[Deed, ...]
    """Those that wait, in order of their ids."""


class Postponed(NamedTuple):
    """A chapter whose deeds the world could not take."""

    story_id: str
    chapter: int
    tries: int
    """Times so far, this one included."""
    due_at: int | None
    """When they are sent again, milliseconds since 1970; None: never, they are given up."""
    told: str
    """Why, one sentence for operators."""


class Unsent(NamedTuple):
    """A chapter whose deeds wait, or were given up, for an operator."""

    story_id: str
    realm_id: str
    chapter: int
    state: UnsentState
    deeds: int
    tries: int
    due_at: int | None
    """When they are sent again, milliseconds since 1970; 0: as soon as it is their turn; None: never."""
    told: str
    """Why the last try failed; empty where there was none."""


class Booked(NamedTuple):
    """What became of an amount that writing may cost."""

    is_booked: bool
    total: int
    """Picodollars of the day, those booked now included."""


class NewClosing(NamedTuple):
    """The end of a chapter."""

    story_id: str
    number: int
    outcome: bytes
    recap: bytes
    after: StoredTale
    """The tale as it goes on."""
    deeds: tuple[NewDeed, ...]
    closed_at: int


class StoryStore(Protocol):
    """The store. Every method is one transaction; times are milliseconds since 1970 and handed in."""

    async def begin(self, tale: StoredTale) -> StoredTale:
        """Keep a new tale; one that exists is returned as it stands."""
        ...

    async def tale(self, story_id: str) -> StoredTale:
        """Return a tale.

        Raises:
            UnknownStoryError: where there is none.
        """
        ...

    async def tales(
        self, realm_id: str | None = None, *, after: str = "", limit: int = MAX_PAGE
    ) -> tuple[StoredTale, ...]:
        """Return tales in order of their ids."""
        ...

    async def tell(self, chapter: NewChapter) -> Chapter:
        """Keep a chapter that was planned; one that was told before is returned, and this one is thrown away.

        Raises:
            UnknownStoryError: where there is no such tale.
            ChapterConflictError: where it is not the chapter after the last closed one.
        """
        ...

    async def chapter(self, story_id: str, number: int) -> Chapter | None:
        """Return one chapter."""
        ...

    async def chapters(self, story_id: str, *, after: int = 0, limit: int = MAX_PAGE) -> tuple[Chapter, ...]:
        """Return chapters in their order.

        Raises:
            UnknownStoryError: where there is no such tale.
        """
        ...

    async def close_chapter(self, closing: NewClosing) -> Chapter:
        """Close a chapter, let its tale go on, and keep its deeds for the world; the same again changes nothing.

        Raises:
            UnknownStoryError: where there is no such tale.
            ChapterConflictError: where it was not told, or was closed with another outcome.
        """
        ...

    async def deeds(self, story_id: str, number: int) -> tuple[Deed, ...]:
        """Return the deeds of a chapter, in order of their ids."""
        ...

    async def waiting(self, now: int, *, story_id: str | None = None, limit: int = MAX_PAGE) -> tuple[Waiting, ...]:
        """Return the first waiting chapter of each story, where it is due: a story's chapters go one behind the other.

        Realms take turns, so that none stands before the others with all of its stories; within one, what was never tried goes
        first, then what is due for longest.

        Args:
            story_id: only this one.
            limit: most chapters.
        """
        ...

    async def settle(self, settled: Sequence[tuple[str, DeedState, str]]) -> None:
        """Write what the world made of deeds: event id, state, why. One that is settled stays so."""
        ...

    async def postpone(self, postponed: Sequence[Postponed]) -> None:
        """Let the deeds of chapters wait until they are due again, or give them up; those that are settled stay so."""
        ...

    async def unsent(self, *, limit: int = MAX_PAGE) -> tuple[Unsent, ...]:
        """Return chapters whose deeds were given up, then those whose deeds wait, each in order of story and chapter."""
        ...

    async def unsent_deeds(self) -> Mapping[UnsentState, int]:
        """Return how many deeds wait and how many were given up."""
        ...

    async def book(self, day: str, picodollars: int, limit: int | None = None) -> Booked:
        """Add what writing costs to a day's total, in one step with the look at it: processes share one budget.

        Args:
            day: UTC, such as 2026-11-21.
            picodollars: below 0 to give a part back; the total does not fall below 0.
            limit: most that the day may come to; an amount that would overrun it is not booked. None: whatever it comes to.
        """
        ...

    async def ready(self) -> None:
        """Ask the database for one row."""
        ...

    async def close(self) -> None:
        """Let it go."""
        ...
