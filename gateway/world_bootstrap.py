"""The world put together: store, rules, services, and its way to the council, in this process or over HTTP."""

import os
import socket
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.errors import SettingsError
from gateway.settings import Settings
from world.feed.announcing import announcing
from world.realm.rules_document import World, default_world_path, load_world
from world.service.clock import Clock, system_clock
from world.service.expiry import Expiry
from world.service.ingestion import Ingestion
from world.service.moments import MomentReader
from world.service.petitions import Petitions
from world.service.questions import dispute_question, trigger_question
from world.service.realms import RealmReader, first_snapshot
from world.service.sovereign import Sovereignty
from world.service.ticking import Ticker
from world.service.verdicts import Verdicts

if TYPE_CHECKING:
    from gateway.bootstrap import Council
    from gateway.feed_parts import FeedParts
    from gateway.rate_limits import RateLimits
    from gateway.world_decisions import Decisions
    from gateway.world_parts import WorldParts
    from gateway.world_watch import WorldWatch
    from world.persistence.port import WorldStore
    from world.review.port import ReviewClient


@dataclass(frozen=True, slots=True)
class LivingWorld:
    """A world that is ready to move.

    Attributes:
        world: its file.
        store: where it is kept.
        realms: reads the latest state of a realm.
        ingestion: takes acts in.
        ticker: runs ticks.
        verdicts: asks the council and applies what it says.
        sovereignty: takes up sovereign actions.
        reviews: the way to the council.
        decisions: where decisions stand on record.
        limits: how often acts may be reported.
        feed: tells readers what happens.
        watch: shows in the metrics how the world stands; to run for as long as the process lives.
        clock: milliseconds since 1970.
        settings: what the operator has set.
    """

    world: World
    store: "WorldStore"
    realms: RealmReader
    ingestion: Ingestion
    ticker: Ticker
    verdicts: Verdicts
    sovereignty: Sovereignty
    reviews: "ReviewClient"
    decisions: "Decisions"
    limits: "RateLimits"
    feed: "FeedParts"
    watch: "WorldWatch"
    clock: Clock
    settings: Settings

    def parts(self) -> "WorldParts":
        """Return the world as the HTTP application sees it."""
        from gateway.world_parts import WorldParts  # noqa: PLC0415 - only a server needs the endpoints' parts
        from gateway.world_signature import BodySignature  # noqa: PLC0415

        secret = self.settings.influence_secret
        return WorldParts(
            world=self.world,
            store=self.store,
            realms=self.realms,
            moments=MomentReader(self.store, self.settings.tick_s),
            ingestion=self.ingestion,
            ticker=self.ticker,
            verdicts=self.verdicts,
            sovereignty=self.sovereignty,
            decisions=self.decisions,
            clock=self.clock,
            signature=BodySignature(secret.get_secret_value()) if secret is not None else None,
            limits=self.limits,
            max_body_bytes=self.settings.max_body_bytes,
            body_timeout_s=self.settings.body_timeout_s,
            feed=self.feed,
        )

    async def seed(self, realm_id: str) -> bool:
        """Make a realm as the world's file has it; False where it exists."""
        return await self.store.create(first_snapshot(self.world.new_realm(realm_id), self.clock()))

    async def close(self) -> None:
        """Let connections and the database go; the council in this process stays open."""
        await self.feed.close()
        await self.reviews.close()
        await self.decisions.close()
        await self.limits.close()
        await self.store.close()


async def open_world(settings: Settings, council: "Council", clock: Clock = system_clock) -> LivingWorld:
    """Put the world together over the database of the settings.

    Args:
        council: decides, unless the settings name another one.
        clock: milliseconds since 1970.

    Raises:
        InvalidPolicyError: where the world's file is not valid.
        LedgerConfigError: for a database URL that cannot be used.
        StoreUnavailableError: where the store cannot be opened now.
        SettingsError: where a setting of the council elsewhere is missing.
    """
    from gateway.feed_opening import open_feed  # noqa: PLC0415 - these after the settings are known to be good
    from gateway.observed_world import observe_world  # noqa: PLC0415
    from gateway.rate_limits_opening import open_rate_limits  # noqa: PLC0415
    from world.persistence.opening import open_world_store  # noqa: PLC0415

    world = load_world(settings.world_path or default_world_path())
    reviews, decisions = _council(settings, council)
    bare, tracing = open_world_store(settings.database_url.get_secret_value()), council.tracing
    observed = observe_world(bare, council.metrics.registry, tick_s=settings.tick_s, clock=clock)
    feed = open_feed(settings, bare, council.metrics, observed.metrics, clock)
    store = announcing(tracing.store(observed.store), feed.feeds.wake)
    realms, rules = RealmReader(store), world.rules
    ticker = Ticker(
        store,
        realms,
        rules,
        partial(trigger_question, world),
        clock,
        holder=_holder(),
        petitions=Petitions(world, store),
        expiry=Expiry(store),
    )
    return LivingWorld(
        world=world,
        store=store,
        realms=realms,
        ingestion=tracing.ingestion(Ingestion(store, realms, rules, partial(dispute_question, world), clock)),
        ticker=tracing.ticker(ticker),
        verdicts=Verdicts(store, realms, rules, reviews, clock),
        sovereignty=Sovereignty(store, realms, rules, clock),
        reviews=reviews,
        decisions=decisions,
        limits=open_rate_limits(settings, council.metrics),
        feed=feed,
        watch=observed.watch,
        clock=clock,
        settings=settings,
    )


def _council(settings: Settings, council: "Council") -> "tuple[ReviewClient, Decisions]":
    from gateway.world_decisions import HttpDecisions, LedgerDecisions  # noqa: PLC0415 - each with its own client library

    if settings.council_url is None:
        from gateway.in_process import InProcessReviewClient  # noqa: PLC0415

        return InProcessReviewClient(council.service), LedgerDecisions(council.ledger)
    from world.review.client import HttpReviewClient  # noqa: PLC0415

    token = settings.council_token or settings.service_token
    if token is None:
        raise SettingsError(["COUNCIL_COUNCIL_TOKEN is not set; set it to the service token of COUNCIL_COUNCIL_URL"])
    secret = token.get_secret_value()
    return HttpReviewClient(settings.council_url, secret), HttpDecisions(settings.council_url, secret)


def _holder() -> str:
    """Return what this process is called in leases."""
    return f"{socket.gethostname()}:{os.getpid()}"
