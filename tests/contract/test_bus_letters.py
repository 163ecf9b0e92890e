"""`council world dead-letters` over brokers: the letters lie in the world's database, the broker gets the messages back."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main
from council.ledger.opening import migrate
from tests.contract.bus_samples import Taken, drain, message
from tests.kafka_server import kafka
from tests.nats_server import nats
from world.bus.brokered import BrokeredBus
from world.bus.database import DatabaseBus
from world.bus.kafka import PARTITIONS, KafkaWire
from world.bus.opening import open_bus
from world.bus.port import Bus, Terms

TERMS = Terms(max_tries=1)
NOW = 1_772_359_200_000


@pytest.fixture(params=["nats", "kafka"])
def bus_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A broker's URL, as COUNCIL_BUS_URL takes it."""
    if request.param == "nats":
        with nats(tmp_path / "nats") as server:
            yield server.url
    else:
        with kafka(**{"council.bus": PARTITIONS}) as broker:
            yield f"kafka://{broker.address}"


def test_a_letter_is_listed_shown_and_sent_again_to_its_group(
    bus_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = f"sqlite:///{tmp_path / 'council.db'}"
    migrate(database)

    async def consume(taken: Taken, publish: int = 0) -> None:
        bus = _consumers_bus(bus_url, database)
        await bus.publish([message(number) for number in range(publish)], NOW)
        await drain(await bus.subscribe("analytics", (), taken, consumer="a-1"))
        await bus.close()

    where = ["--bus", bus_url, "--database", database]
    asyncio.run(consume(Taken(fails=lambda each: each.message_id == "world-1"), publish=3))
    assert main(["world", "dead-letters", "--json", *where]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["message_id"], listed["group"], listed["tries"]) == ("world-1", "analytics", 1)
    assert main(["world", "dead-letters", "show", listed["letter_id"], *where]) == 0
    assert "cannot take world-1" in capsys.readouterr().out
    assert main(["world", "dead-letters", "resend", listed["letter_id"], *where]) == 0
    assert "1 message sent again" in capsys.readouterr().out
    learned = Taken()
    asyncio.run(consume(learned))
    assert learned.ids == ["world-1"]
    assert main(["world", "dead-letters", *where]) == 0
    assert "no dead letters" in capsys.readouterr().err


def _consumers_bus(bus_url: str, database: str) -> Bus:
    """Open a bus as its URL says; on Kafka with a short session, for which the mock waits when its only consumer has left."""
    scheme, _, servers = bus_url.partition("://")
    if scheme == "nats":
        return open_bus(bus_url, database, TERMS)
    letters = DatabaseBus(database.replace("sqlite", "sqlite+aiosqlite"), TERMS)
    return BrokeredBus(KafkaWire(servers, session_ms=1_000), letters, TERMS)


@pytest.mark.parametrize("bus_url", ["nats://127.0.0.1:1", "kafka://127.0.0.1:1"])
def test_a_broker_that_is_away_keeps_its_letter(
    bus_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = f"sqlite:///{tmp_path / 'council.db'}"
    migrate(database)

    async def fail() -> None:
        bus = open_bus(None, database, TERMS)
        await bus.publish([message(1)], NOW)
        await drain(await bus.subscribe("analytics", (), Taken(fails=lambda _: True), consumer="a-1"))
        await bus.close()

    asyncio.run(fail())
    where = ["--bus", bus_url, "--database", database]
    assert main(["world", "dead-letters", "resend", "--all", *where]) == 2
    told = capsys.readouterr().err
    assert "the bus is unavailable" in told
    assert "check that it runs and can be reached" in told
    assert main(["world", "dead-letters", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)["letter_id"] == "1"
