"""The feed, put together from the settings."""

import secrets
import time
from functools import partial
from typing import Final

from gateway.feed_parts import FeedParts, FeedWatch, Transport, Unwatched
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.world_metrics import WorldMetrics
from world.feed.feeds import Feeds
from world.feed.limits import FeedLimits
from world.feed.reader import Ended
from world.feed.tickets import LocalTickets, Tickets
from world.persistence.messages import Event
from world.persistence.port import WorldStore
from world.service.clock import Clock, system_clock

SECRET_BYTES: Final = 24
"""Of a ticket: 192 bits, 32 characters in an address."""


def open_feed(
    settings: Settings,
    store: WorldStore,
    metrics: Metrics,
    world_metrics: WorldMetrics | None = None,
    clock: Clock = system_clock,
) -> FeedParts:
    """Return the feed over a store: tickets in Redis where one is set, else of this process.

    Args:
        world_metrics: counts readers and how late events come; None: nobody does.
        clock: milliseconds since 1970, as the store's events have it.
    """
    limits = FeedLimits(
        kept=settings.feed_kept,
        heartbeat_s=settings.feed_heartbeat_s,
        realm_readers=min(settings.feed_realm_readers, settings.feed_readers),
        readers=settings.feed_readers,
    )
    watch = _MeteredFeed(world_metrics, clock) if world_metrics is not None else None
    feeds = Feeds(store, limits, arrived=watch.arrived) if watch is not None else Feeds(store, limits)
    return FeedParts(
        feeds, _tickets(settings), partial(secrets.token_urlsafe, SECRET_BYTES), watch or Unwatched(), metrics
    )


class _MeteredFeed(FeedWatch):
    """Counts readers and measures how late events come."""

    def __init__(self, metrics: WorldMetrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    def arrived(self, event: Event) -> None:
        self._metrics.event_lag.observe(max(0, self._clock() - event.made_at) / 1_000)

    def came(self, transport: Transport) -> None:
        self._metrics.child(self._metrics.readers, transport).inc()

    def went(self, transport: Transport, reason: Ended) -> None:
        self._metrics.child(self._metrics.readers, transport).dec()
        if reason != "gone":
            self._metrics.child(self._metrics.feed_dropped, reason).inc()


def _tickets(settings: Settings) -> Tickets:
    if settings.redis_url is None:
        return LocalTickets(time.monotonic)
    # Late: a world without Redis does without its driver.
    from gateway.feed_tickets_shared import RedisTickets  # noqa: PLC0415

    return RedisTickets(settings.redis_url.get_secret_value())
