"""S6 for the brokers: NATS killed, and Kafka as far as its mock goes: nothing committed is lost, the backlog drains in order."""

import asyncio
import shutil
import signal
from pathlib import Path

import pytest

from tests.contract.bus_samples import message
from tests.faults.bus_scene import Scene
from tests.kafka_server import kafka
from tests.nats_server import nats
from tests.ports import free_port
from world.bus.brokered import BrokeredBus
from world.bus.kafka import PARTITIONS, KafkaWire
from world.bus.memory import MemoryBus
from world.bus.nats import NatsWire
from world.bus.port import BusUnavailableError, Terms

TERMS = Terms(retry_ms=10, lease_ms=300)
NOW = 1_772_359_200_000


@pytest.mark.parametrize("how", ["killed with its store", "killed and empty", "killed with an old store"])
async def test_nats_killed_loses_nothing_and_the_backlog_drains_in_order(tmp_path: Path, how: str) -> None:
    with nats(tmp_path / "store") as server:
        scene = Scene(BrokeredBus(NatsWire(server.url, timeout_s=1), MemoryBus(TERMS), TERMS))
        await scene.begin()
        await scene.taken_some(60)
        if how == "killed with an old store":
            server.stop()
            shutil.copytree(tmp_path / "store", tmp_path / "old")
            server.start()
        await scene.taken_some(150)
        await scene.ahead(100)
        server.stop(signal.SIGKILL)
        assert set(scene.taken.ids) <= scene.committed  # I4, while it is dead
        scene.away.clear()
        scene.takes.set()
        await scene.noticed()
        if how != "killed with its store":
            shutil.rmtree(tmp_path / "store")
        if how == "killed with an old store":
            (tmp_path / "old").rename(tmp_path / "store")
        server.start()
        await scene.drained()
        await scene.end()
    scene.check()
    assert all(each.startswith("the bus is unavailable: NATS ") for each in scene.away)


@pytest.mark.parametrize("how", ["away for a while", "killed and empty"])
async def test_kafka_gone_loses_nothing_and_the_backlog_drains_in_order(how: str) -> None:
    with kafka(**{"council.bus": PARTITIONS}) as server:
        scene = Scene(BrokeredBus(KafkaWire(server.address, session_ms=1_000, timeout_s=1), MemoryBus(TERMS), TERMS))
        await scene.begin()
        await scene.taken_some(150)
        await scene.ahead(100)
        if how == "away for a while":
            server.tell("down")
        else:
            server.stop()
        assert set(scene.taken.ids) <= scene.committed  # I4, while it is dead
        scene.takes.set()
        await scene.noticed()
        if how == "away for a while":
            server.tell("up")
        else:
            await asyncio.sleep(2)  # longer than the publishing under way: the client tries it until its second is over
            server.start()
        await scene.drained()
        await scene.end()
    scene.check()
    assert all(each.startswith("the bus is unavailable: Kafka ") for each in scene.away)


@pytest.mark.parametrize("scheme", ["nats", "kafka"])
async def test_a_broker_that_never_was_there_is_told_as_such_and_leaves_nothing_open(scheme: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    wire = NatsWire(f"nats://{address}") if scheme == "nats" else KafkaWire(address)
    bus = BrokeredBus(wire, MemoryBus(TERMS), TERMS)
    consumer = await bus.subscribe("feed", (), _take, consumer="feed-1")
    with pytest.raises(BusUnavailableError):
        await bus.publish([message(1)], NOW)
    with pytest.raises(BusUnavailableError):
        await consumer.step()
    with pytest.raises(BusUnavailableError):
        await bus.ready()
    await bus.close()
    assert [each for each in asyncio.all_tasks() if each is not asyncio.current_task()] == []


async def test_a_kafka_topic_with_too_few_partitions_is_refused_with_the_command_that_mends_it() -> None:
    with kafka(**{"council.bus": 4}) as server:
        bus = BrokeredBus(KafkaWire(server.address), MemoryBus(TERMS), TERMS)
        with pytest.raises(BusUnavailableError) as caught:
            await bus.publish([message(1)], NOW)
        assert str(caught.value) == (
            "the bus is unavailable: Kafka's topic council.bus has 4 partitions, 9 are needed:"
            " kafka-topics --alter --topic council.bus --partitions 9"
        )
        await bus.close()


async def _take(_: object) -> None:
    return None
