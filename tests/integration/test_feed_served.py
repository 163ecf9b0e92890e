"""The feed of a whole server in a process of its own: real ticks, a kill, a stop (S0-19, S0-78, S0-108, S0-109; S1, S5)."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import websockets

from tests.integration.feed_serving import player
from tests.integration.serving_process import JSON, ServerProcess, running
from tests.unit.gateway.identity_samples import write_key_set
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm
from world.persistence.messages import NewEvent
from world.persistence.opening import open_world_store
from world.persistence.port import Advance
from world.service.clock import system_clock
from world.service.realms import first_snapshot

STREAM = f"/api/world/{REALM}/stream"
WAIT_S = 30.0


async def seed(folder: Path) -> None:
    store = open_world_store(f"sqlite:///{folder}/council.db")
    await store.create(first_snapshot(WORLD.new_realm(REALM), system_clock()))
    await store.close()


async def happen(folder: Path, told: str) -> None:
    """Commit an event from this process: the lease of a server that was killed keeps ticks away for a minute."""
    store = open_world_store(f"sqlite:///{folder}/council.db")
    latest = await store.latest(REALM)
    revision = latest.revision + 1
    snapshot = latest._replace(snapshot_id=f"snap-{latest.tick_number}.{revision}", revision=revision)
    event = NewEvent("tick", orjson.dumps({"told": told}))
    await store.advance(Advance(REALM, latest.snapshot_id, snapshot, (event,)), None, system_clock())
    await store.close()


async def tick(server: ServerProcess) -> None:
    async with httpx.AsyncClient(base_url=server.url, headers=JSON, timeout=WAIT_S, trust_env=False) as client:
        assert (await client.post("/internal/world/tick/run", json={"realm_id": REALM})).status_code == 200


class Reading:
    """A client that keeps what it got, and its place."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []

    @property
    def last_id(self) -> int:
        return max([each["sequence"] for each in self.got], default=0)

    def events(self) -> list[tuple[int, str]]:
        return [(each["sequence"], each["kind"]) for each in self.got if "payload" in each]

    async def over_sse(self, server: ServerProcess, **headers: str) -> None:
        """Read until the server ends it."""
        sent = {"Last-Event-ID": str(self.last_id), **headers}
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=WAIT_S, trust_env=False) as client,
            client.stream("GET", STREAM, headers=sent) as response,
        ):
            assert response.status_code == 200
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    self.got.append(orjson.loads(line[6:]))

    async def over_websocket(self, server: ServerProcess) -> None:
        """Read until the server ends it."""
        url = f"{server.url.replace('http', 'ws', 1)}/api/world/{REALM}/ws?after={self.last_id}"
        async with websockets.connect(url, proxy=None) as connection:
            while True:
                self.got.append(orjson.loads(await connection.recv()))

    async def until(self, kind: str, count: int = 1) -> None:
        end = time.monotonic() + WAIT_S
        while sum(each["kind"] == kind for each in self.got) < count:
            assert time.monotonic() < end, self.got
            await asyncio.sleep(0.01)


async def test_two_clients_see_the_same_change_and_a_player_learns_what_it_contributed(tmp_path: Path) -> None:
    await seed(tmp_path)
    act = LivingRealm()
    act.now = system_clock()
    with running(tmp_path, COUNCIL_JWT_KEYS=str(write_key_set(tmp_path))) as server:
        ana, anybody = Reading(), Reading()
        tasks = [
            asyncio.create_task(ana.over_sse(server, **player("ana"))),
            asyncio.create_task(anybody.over_websocket(server)),
        ]
        await asyncio.gather(ana.until("hello"), anybody.until("hello"))
        body = act.act("ana", target_id="far-wilds")
        async with httpx.AsyncClient(base_url=server.url, headers=JSON, timeout=WAIT_S, trust_env=False) as client:
            sent = body.model_dump(mode="json", exclude_none=True)
            taken = await client.post("/internal/influence/submit", json=sent)
        assert taken.status_code == 200, taken.text
        await tick(server)
        await tick(server)
        await asyncio.gather(ana.until("tick", 2), anybody.until("tick", 2))
        server.terminate()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert server.wait() == 0
        logged = [line["event"] for line in server.log if line["level"] in ("error", "warning")]

    personal = [each for each in ana.got if each["kind"] == "contributed"]
    assert [each["payload"]["territory_id"] for each in personal] == ["far-wilds"]
    public = [event for event in ana.events() if event[1] != "contributed"]
    assert public == anybody.events(), "the same changes in the same order"
    assert [reading.got[-1]["reason"] for reading in (ana, anybody)] == ["stopping", "stopping"]
    assert logged == []


async def test_a_client_goes_on_without_gap_or_repeat_after_the_server_was_killed(tmp_path: Path) -> None:
    await seed(tmp_path)
    reading = Reading()
    with running(tmp_path) as server:
        task = asyncio.create_task(reading.over_sse(server))
        await reading.until("hello")
        await tick(server)
        await tick(server)
        await reading.until("tick", 2)
        server.kill()
        with pytest.raises(httpx.TransportError):
            await task
    await happen(tmp_path, "while nobody reads or serves")
    with running(tmp_path) as server:
        task = asyncio.create_task(reading.over_sse(server))
        await reading.until("tick", 3)
        await happen(tmp_path, "by another process")
        await reading.until("tick", 4)
        server.terminate()
        await task

    sequences = [sequence for sequence, _ in reading.events()]
    assert sequences == list(range(1, len(sequences) + 1))
    assert [kind for _, kind in reading.events()].count("tick") == 4
