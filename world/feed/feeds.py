"""The feeds of one process: one per realm that is read, with places for so many readers."""

import asyncio
import time
from collections.abc import Callable

from world.errors import WorldError
from world.feed.frames import Audience
from world.feed.limits import FeedLimits
from world.feed.reader import Reader
from world.feed.realm_feed import RealmFeed
from world.feed.wire import Wire
from world.persistence.messages import Event
from world.persistence.port import WorldStore


class FeedFullError(WorldError):
    """there is no place for another reader now"""

    def __init__(self, realm_id: str, retry_s: int) -> None:
        self.retry_s = retry_s
        super().__init__(f"no further reader of realm {realm_id!r} now")


class Feeds:
    """Every realm's feed.

    Args:
        store: holds the durable sequences.
        limits: how much is kept, waited and served.
        monotonic: seconds that never run back.
        arrived: told of every event that comes to readers, as it comes.
    """

    def __init__(
        self,
        store: WorldStore,
        limits: FeedLimits = FeedLimits(),  # noqa: B008 - a frozen value
        monotonic: Callable[[], float] = time.monotonic,
        arrived: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.limits = limits
        self.monotonic = monotonic
        self._arrived = arrived
        self._store = store
        self._feeds: dict[str, RealmFeed] = {}
        self._places: dict[str, int] = {}
        """Readers of each realm, those on their way in too."""
        self._opening = asyncio.Lock()
        self._is_stopping = False

    @property
    def readers(self) -> int:
        """How many readers there are."""
        return sum(self._places.values())

    async def open(
        self,
        realm_id: str,
        audience: Audience,
        after: int | None = None,
        wire: Wire | None = None,
    ) -> Reader:
        """Let a reader in; whoever opens must leave.

        Args:
            after: sequence behind which it goes on; None: from now on.
            wire: its connection, where the server offers one.

        Raises:
            FeedFullError: where there is no place, or the process stops.
            UnknownRealmError: where there is no such realm.
            StoreUnavailableError: where the sequence cannot be read now.
        """
        taken = self._places.get(realm_id, 0)
        if self._is_stopping or taken >= self.limits.realm_readers or self.readers >= self.limits.readers:
            raise FeedFullError(realm_id, self.limits.retry_s)
        self._places[realm_id] = taken + 1
        try:
            feed = await self._feed(realm_id)
            reader = await feed.add(audience, after, wire)
        except BaseException:
            await self._give_back(realm_id)
            raise
        if self._is_stopping:
            reader.end("stopping")
        return reader

    async def leave(self, realm_id: str, reader: Reader) -> None:
        """Let a reader go; the last one ends the realm's feed."""
        self._feeds[realm_id].remove(reader)
        await self._give_back(realm_id)

    async def knows(self, realm_id: str) -> bool:
        """Return whether there is such a realm.

        Raises:
            StoreUnavailableError: where it cannot be known now.
        """
        return realm_id in self._feeds or realm_id in await self._store.realms()

    def wake(self, realm_id: str) -> None:
        """Say that this process has committed events; without it they are found at the next poll."""
        if (feed := self._feeds.get(realm_id)) is not None:
            feed.wake()

    def stop(self) -> None:
        """Let nobody in any more, and tell every reader that the server stops."""
        self._is_stopping = True
        for feed in self._feeds.values():
            feed.end("stopping")

    async def close(self) -> None:
        """Stop, and follow no realm any more."""
        self.stop()
        async with self._opening:
            for feed in self._feeds.values():
                await feed.close()

    async def _feed(self, realm_id: str) -> RealmFeed:
        async with self._opening:
            feed = self._feeds.get(realm_id)
            if feed is None:
                # The ring starts filled: readers who come back after a restart are served from it, not each from the store.
                last = await self._store.last_sequence(realm_id)
                start = max(0, last - self.limits.ring)
                feed = RealmFeed(self._store, realm_id, start, self.limits, self.monotonic, self._arrived)
                await feed.start(last)
                self._feeds[realm_id] = feed
            return feed

    async def _give_back(self, realm_id: str) -> None:
        self._places[realm_id] -= 1
        if self._places[realm_id]:
            return
        del self._places[realm_id]
        async with self._opening:
            if realm_id not in self._places and (feed := self._feeds.pop(realm_id, None)) is not None:
                await feed.close()
