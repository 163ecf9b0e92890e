"""A relay and a consumer at work over a bus whose server a test takes away and gives back."""

import asyncio
import time
from collections.abc import Callable

from tests.contract.bus_outbox import FakeOutbox
from tests.contract.bus_samples import Taken
from world.bus.distinct import Distinct
from world.bus.port import Bus, BusUnavailableError, Subscription
from world.bus.relay import Relay


class Scene:
    """Two outboxes that others commit to, what was taken from them, and who was told that the bus is away."""

    def __init__(self, bus: Bus, rows: int = 400) -> None:
        self.bus = bus
        self.outboxes = [FakeOutbox("realm-1"), FakeOutbox("realm-2")]
        for number, outbox in enumerate(self.outboxes):
            outbox.prefix = f"box-{number}"
        self.taken = Taken()
        self.away: list[str] = []
        """What the consumer was told while the bus was away."""
        self.takes = asyncio.Event()
        """Cleared: the consumer rests, and what is published stays on the bus alone."""
        self.takes.set()
        self._rows = rows
        self._stop = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Begin to commit, to publish and to take."""
        relay = Relay(self.bus, self.outboxes, lambda: time.time_ns() // 1_000_000)
        consumer = await self.bus.subscribe("feed", (), Distinct(self.taken), consumer="feed-1")
        self._work = [
            asyncio.create_task(relay.run(self._stop)),
            asyncio.create_task(self._consume(consumer)),
            asyncio.create_task(self._commit()),
        ]

    async def end(self) -> None:
        """Stop."""
        self._stop.set()
        await asyncio.wait_for(asyncio.gather(*self._work), 20)
        await self.bus.close()

    async def taken_some(self, count: int) -> None:
        """Wait until so many messages were taken."""
        await self._until(lambda: len(self.taken.ids) >= count)

    async def ahead(self, count: int) -> None:
        """Let the consumer rest until the bus has so many messages that nobody has taken."""
        self.takes.clear()
        await self._until(lambda: sum(len(box.marked) for box in self.outboxes) >= len(self.taken.ids) + count)

    async def drained(self) -> None:
        """Wait until all that is committed was taken; S6: in 60 s."""
        await self._until(lambda: all(self.taken.of_key(box.key) == box.ids for box in self.outboxes))

    async def noticed(self) -> None:
        """Wait until the consumer was told that the bus is away."""
        await self._until(lambda: bool(self.away))

    @property
    def committed(self) -> set[str]:
        """Ids of all that is committed."""
        return {each for box in self.outboxes for each in box.ids}

    def check(self) -> None:
        """Everything committed was taken once and in order, and is marked."""
        for box in self.outboxes:
            in_order = [each.message_id for each in self.taken.messages if each.key == box.key]
            assert in_order == box.ids
            assert set(box.marked) == {row.number for row in box.rows}

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                for ended in [each for each in self._work if each.done()]:
                    await ended  # with what ended it
                await asyncio.sleep(0.02)

    async def _consume(self, consumer: Subscription) -> None:
        while not self._stop.is_set():
            await self.takes.wait()
            try:
                if await consumer.step() == 0:
                    await asyncio.sleep(0.02)
            except BusUnavailableError as error:
                self.away.append(str(error))
                await asyncio.sleep(0.1)

    async def _commit(self) -> None:
        while not self._stop.is_set():
            for outbox in self.outboxes:
                if len(outbox.rows) < self._rows:
                    outbox.commit(3)
            await asyncio.sleep(0.02)
