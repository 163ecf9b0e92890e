"""S6: Redis killed and flushed while the world goes on: nothing is lost, the backlog drains in order (I4 held at the kill)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.bus_scene import Scene
from tests.valkey_server import valkey
from world.bus.port import LANES, Terms
from world.bus.redis_streams import RedisBus

TERMS = Terms(retry_ms=10, lease_ms=300)


async def _on_the_bus(bus: RedisBus) -> set[str]:
    found: set[str] = set()
    for lane in range(LANES):
        entries: Any = await bus.redis.xrange(bus.stream(lane))
        found |= {fields[b"message_id"].decode() for _, fields in entries}
    return found


@pytest.mark.parametrize("how", ["killed and empty", "flushed", "killed with an old file"])
async def test_redis_gone_loses_nothing_and_the_backlog_drains_in_order(tmp_path: Path, how: str) -> None:
    # An append-only file that is never synced by itself: what Redis wrote last may be lost, as a crash of its host does.
    keeps: dict[str, str] = {"appendonly": "yes"} if how == "killed with an old file" else {}
    with valkey(tmp_path / "one", config=keeps) as server:
        bus = RedisBus(f"redis://127.0.0.1:{server.port}", TERMS)
        scene = Scene(bus)
        await scene.begin()
        await scene.taken_some(150)
        on_bus = await _on_the_bus(bus)
        assert on_bus, "nothing had been published"
        assert on_bus <= scene.committed  # I4
        if how == "flushed":
            await bus.redis.flushall()
            await scene.drained()
        else:
            process: Any = server._process
            process.kill()
            process.wait()
            assert set(scene.taken.ids) <= scene.committed  # I4, while it is dead
            await asyncio.sleep(0.5)
            if how == "killed with an old file":
                _cut_in_half(tmp_path / "one")
            with valkey(tmp_path / ("one" if keeps else "two"), server.port, keeps):
                await scene.drained()
                await scene.end()
                scene.check()
            return
        await scene.end()
    scene.check()


def _cut_in_half(directory: Path) -> None:
    """Leave the append-only file as it was earlier."""
    (written,) = [each for each in (directory / "appendonlydir").iterdir() if each.name.endswith(".incr.aof")]
    content = written.read_bytes()
    # Cut behind a whole command: one begins with the number of its parts.
    middle = content.index(b"\r\n*1\r\n$5\r\nMULTI", len(content) // 2) + 2
    written.write_bytes(content[:middle])
