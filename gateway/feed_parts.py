"""What the feed's endpoints are built from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from gateway.metrics import Metrics
from world.feed.feeds import Feeds
from world.feed.reader import Ended
from world.feed.tickets import Tickets

Transport = Literal["sse", "websocket"]
WIRE: Final = "council.wire"
"""Key of a scope: the `Wire` below a connection; only our own server sets it."""


class FeedWatch(Protocol):
    """Is told who reads."""

    def came(self, transport: Transport) -> None:
        """Say that a reader came."""
        ...

    def went(self, transport: Transport, reason: Ended) -> None:
        """Say that a reader went, and why."""
        ...


class Unwatched:
    """Counts nothing."""

    def came(self, transport: Transport) -> None:
        return None

    def went(self, transport: Transport, reason: Ended) -> None:
        return None


@dataclass(frozen=True, slots=True)
class FeedParts:
    """The feed as the HTTP application sees it.

    Attributes:
        feeds: the realms' feeds.
        tickets: where one-time tickets wait.
        secret: makes a ticket's secret, which nobody can guess.
        watch: is told who reads.
        metrics: counts problem documents.
    """

    feeds: Feeds
    tickets: Tickets
    secret: Callable[[], str]
    watch: FeedWatch
    metrics: Metrics

    async def close(self) -> None:
        """Tell readers that the server stops, and let the tickets' store go."""
        await self.feeds.close()
        await self.tickets.close()
