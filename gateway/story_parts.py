"""What the story's endpoints are built from."""

from dataclasses import dataclass
from typing import Protocol

from gateway.rate_limits import RateLimits
from story.ledger.port import StoryStore
from story.service.deeds import Sender
from story.service.telling import PlanAsk, Told
from story.tale.outcome import ChapterOutcome


class Teller(Protocol):
    """Plans, tells and closes chapters (`story.service.telling.StoryTeller`)."""

    async def plan(self, ask: PlanAsk) -> Told:
        """Return the chapter after the last closed one."""
        ...

    async def close(self, story_id: str, number: int, outcome: ChapterOutcome) -> Told:
        """Close a chapter with what the player did."""
        ...


@dataclass(frozen=True, slots=True)
class StoryParts:
    """The story as the HTTP application sees it.

    Attributes:
        teller: plans, tells and closes chapters.
        store: where they are kept.
        sender: sends a chapter's deeds to the world.
        max_body_bytes: largest body accepted.
        body_timeout_s: how long a caller may take to send it, seconds.
        limits: how often chapters may be planned for a user; None: as often as they are asked for.
    """

    teller: Teller
    store: StoryStore
    sender: Sender
    max_body_bytes: int
    body_timeout_s: float
    limits: RateLimits | None = None
