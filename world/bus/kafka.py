"""The bus on Kafka, through FastStream: one topic, its partitions are the lanes, one consumer group a group.

Needs a broker; the topic should have eight partitions or more. Here it is tried only as far as FastStream's test broker goes: the
handling of messages, not rebalancing. Kafka counts no deliveries, so a message that kills its consumer is not found out.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage

from world.bus.brokered import BrokeredBus, Letters, Taker, message_from
from world.bus.port import BusUnavailableError, Message, Terms

TOPIC: Final = "council.bus"


class KafkaWire:
    """A connection to Kafka; its broker is open to tests."""

    def __init__(self, servers: str) -> None:
        self.broker = KafkaBroker(servers, enable_idempotence=True)
        self._is_started = False

    async def start(self) -> None:
        if self._is_started:
            return
        try:
            await self.broker.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise BusUnavailableError(f"Kafka does not answer ({type(error).__name__})") from error
        self._is_started = True

    async def send(self, message: Message, headers: Mapping[str, str]) -> None:
        try:
            await self.broker.publish(message.payload, TOPIC, key=message.key.encode(), headers=dict(headers))
        except (KafkaError, OSError, TimeoutError) as error:
            raise BusUnavailableError(f"Kafka does not answer ({type(error).__name__})") from error

    def receive(self, group: str, taker: Taker) -> None:
        subscribe = self.broker.subscriber(
            TOPIC, group_id=group, auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL
        )
        subscribe(_receiver(taker))

    async def stop(self) -> None:
        if self._is_started:
            await self.broker.stop()
            self._is_started = False


def _receiver(taker: Taker) -> Callable[[Any], Awaitable[None]]:
    # FastStream reads the annotation of the inner function: it is how the message is handed in.
    async def received(raw: KafkaMessage) -> None:
        await taker.take(message_from(raw.headers, raw.body), raw.headers.get("only"), 1, _alive)
        await raw.ack()

    return received


async def _alive() -> None:
    """Kafka takes a consumer for alive while it sends heartbeats, which its client does by itself."""


def kafka_bus(servers: str, letters: Letters, terms: Terms | None = None) -> BrokeredBus:
    """Return the bus on Kafka servers, HOST:PORT[,HOST:PORT]; its dead letters are kept elsewhere."""
    return BrokeredBus(KafkaWire(servers), letters, terms)
