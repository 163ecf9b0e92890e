"""The story put together: its ledger, what it hears the world with, who writes, who reviews its plans, where its deeds go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.rate_limits import RateLimits
from gateway.rate_limits_opening import open_chapter_limits
from gateway.story_metrics import StoryMetrics
from gateway.story_models import open_writer
from gateway.story_parts import StoryParts, Teller
from gateway.story_sending import IngestingWorld
from gateway.story_telling import WatchedTeller
from story.ledger.opening import open_story_store
from story.ledger.port import StoryStore
from story.service.deeds import Sender
from story.service.hearing import Listener
from story.service.library import open_library
from story.service.plan_review import CouncilReview
from story.service.telling import StoryTeller

if TYPE_CHECKING:
    from gateway.bootstrap import Council
    from gateway.settings import Settings
    from gateway.world_bootstrap import LivingWorld


@dataclass(frozen=True, slots=True)
class LivingStory:
    """A story teller that is ready to tell.

    Attributes:
        teller: plans, tells and closes chapters.
        watched: the same, counted and drawn: what endpoints call.
        store: the story ledger.
        sender: sends deeds that wait to the world of this process.
        metrics: what is counted.
        limits: how often chapters may be planned for a user.
        settings: what the operator has set.
    """

    teller: StoryTeller
    watched: Teller
    store: StoryStore
    sender: Sender
    metrics: StoryMetrics
    limits: RateLimits
    settings: "Settings"

    def parts(self) -> StoryParts:
        """Return the story as the HTTP application sees it."""
        settings = self.settings
        return StoryParts(
            self.watched, self.store, self.sender, settings.max_body_bytes, settings.body_timeout_s, self.limits
        )

    async def send(self) -> int:
        """Send what deeds wait; return how many the world has taken."""
        return await self.sender.send()

    async def close(self) -> None:
        """Let the database go; world and council stay open."""
        await self.limits.close()
        await self.store.close()


def open_story(settings: "Settings", council: "Council", world: "LivingWorld") -> LivingStory:
    """Put the story together over the database of the settings, which is the world's own.

    Raises:
        InvalidPolicyError: where a file of `story/data` is not valid, or a story's model is at an endpoint that the policy does
            not know.
        StoreConfigError: for a database URL that cannot be used.
        StoreUnavailableError: where the store cannot be opened now.
    """
    metrics = StoryMetrics(council.metrics.registry)
    store = open_story_store(settings.database_url.get_secret_value())
    teller = StoryTeller(
        store,
        Listener(world.store, world.realms),
        world.world,
        open_library(),
        open_writer(settings, lambda: council.policies.current, council.endpoints, store, answered=metrics.answered),
        CouncilReview(world.reviews, world.world),
        world.clock,
    )
    return LivingStory(
        teller=teller,
        watched=WatchedTeller(council.tracing.teller(teller), metrics),
        store=store,
        sender=Sender(store, IngestingWorld(world.ingestion, metrics), world.clock),
        metrics=metrics,
        limits=open_chapter_limits(settings, council.metrics),
        settings=settings,
    )
