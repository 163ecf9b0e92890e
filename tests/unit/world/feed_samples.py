"""A realm whose events tests make, its feeds, and readers that remember what they were sent."""

from typing import Any

import orjson

from tests.unit.world.living_realm import REALM, START, WORLD
from world.feed.feeds import Feeds
from world.feed.frames import Audience
from world.feed.limits import FeedLimits
from world.feed.reader import Ended, Reader
from world.persistence.memory import MemoryStore
from world.persistence.messages import NewEvent
from world.persistence.port import Advance
from world.service.realms import first_snapshot

LIMITS = FeedLimits(ring=8, kept=32, page=4, slice=1, poll_s=0.001, heartbeat_s=60, write_timeout_s=60)


class Happenings:
    """A realm in memory in which things happen when a test says so."""

    def __init__(self, limits: FeedLimits = LIMITS, **keys: Any) -> None:
        self.store = MemoryStore()
        self.feeds = Feeds(self.store, limits, **keys)
        self._steps = 0

    async def begin(self) -> "Happenings":
        await self.store.create(first_snapshot(WORLD.new_realm(REALM), START))
        return self

    async def happen(self, count: int = 1, user_id: str | None = None, kind: str = "tick", **payload: Any) -> int:
        """Commit events in one step, wake the feed, and return the newest one's sequence."""
        latest = await self.store.latest(REALM)
        self._steps += 1
        snapshot = latest._replace(snapshot_id=f"snap-0.{self._steps}", revision=self._steps)
        events = tuple([NewEvent(kind, orjson.dumps({"n": n, **payload}), user_id) for n in range(count)])
        await self.store.advance(Advance(REALM, latest.snapshot_id, snapshot, events), None, START + self._steps)
        self.feeds.wake(REALM)
        return await self.store.last_sequence(REALM)

    async def reader(
        self, after: int | None = None, user_id: str | None = None, sees_hidden: bool = False
    ) -> "Reading":
        return Reading(await self.feeds.open(REALM, Audience(user_id, sees_hidden), after))


class Reading:
    """A reader, and what it was sent."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.kinds: list[str] = []
        self.sequences: list[int] = []
        """Of events alone."""
        self.last_id: int | None = None
        """As a browser keeps it."""
        self.ended: Ended | None = None

    async def take(self) -> list[dict[str, Any]]:
        """Take what comes next, as documents."""
        frames, self.ended = await self.reader.take()
        found = []
        for frame in frames:
            document = orjson.loads(frame.text)
            self.kinds.append(document["kind"])
            if "payload" in document:
                self.sequences.append(document["sequence"])
            if frame.sse.startswith(b"id: ") or b"\nid: " in frame.sse:
                self.last_id = frame.sequence
            found.append(document)
        return found

    async def until(self, sequence: int) -> None:
        """Take until it stands at an event, or has ended."""
        while self.ended is None and self.reader.cursor < sequence:
            await self.take()
