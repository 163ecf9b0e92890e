"""The bus on NATS JetStream, through FastStream: one subject and one durable consumer a lane, one message of a lane under way.

Needs a server with JetStream. Here it is tried only as far as FastStream's test broker goes: the handling of messages, not the
server's redelivery.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from faststream import AckPolicy
from faststream.nats import ConsumerConfig, DeliverPolicy, JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NotJSMessageError

from world.bus.brokered import BrokeredBus, Letters, Taker, message_from
from world.bus.port import LANES, BusUnavailableError, Message, Terms, lane_of

ACK_WAIT_S: Final = 30
"""How long a consumer that has gone silent keeps its message from others."""
DUPLICATES_S: Final = 120
"""How long JetStream drops a message that is published twice."""


class NatsWire:
    """A connection to NATS; its broker is open to tests."""

    def __init__(self, url: str) -> None:
        self.broker = NatsBroker(url, connect_timeout=2, allow_reconnect=True)
        self.stream = JStream("COUNCIL_BUS", subjects=["council.bus.*"], duplicate_window=DUPLICATES_S)
        self._is_started = False

    async def start(self) -> None:
        if self._is_started:
            return
        try:
            await self.broker.start()
        except (NatsError, OSError, TimeoutError) as error:
            raise BusUnavailableError(f"NATS does not answer ({type(error).__name__})") from error
        self._is_started = True

    async def send(self, message: Message, headers: Mapping[str, str]) -> None:
        # JetStream drops what it has had under this id; a dead letter that is sent again is meant.
        unique = f"{message.message_id}/{headers['letter']}" if "letter" in headers else message.message_id
        try:
            await self.broker.publish(
                message.payload,
                f"council.bus.{lane_of(message.key)}",
                headers={**headers, "Nats-Msg-Id": unique},
                stream=self.stream.name,
            )
        except (NatsError, OSError, TimeoutError) as error:
            raise BusUnavailableError(f"NATS does not answer ({type(error).__name__})") from error

    def receive(self, group: str, taker: Taker) -> None:
        for lane in range(LANES):
            durable = f"{group}-{lane}"
            # One message of a lane under way, over all consumers of the group: that keeps order among competitors.
            config = ConsumerConfig(
                durable_name=durable, deliver_policy=DeliverPolicy.ALL, ack_wait=ACK_WAIT_S, max_ack_pending=1
            )
            subscribe = self.broker.subscriber(
                f"council.bus.{lane}", durable=durable, config=config, stream=self.stream,
                pull_sub=PullSub(batch_size=1), ack_policy=AckPolicy.MANUAL,
            )  # fmt: skip
            subscribe(_receiver(taker))

    async def stop(self) -> None:
        if self._is_started:
            await self.broker.stop()
            self._is_started = False


def _receiver(taker: Taker) -> Callable[[Any], Awaitable[None]]:
    # FastStream reads the annotation of the inner function: it is how the message is handed in.
    async def received(raw: NatsMessage) -> None:
        message = message_from(raw.headers, raw.body)
        await taker.take(message, raw.headers.get("only"), _deliveries(raw.raw_message), raw.in_progress)
        await raw.ack()

    return received


def _deliveries(raw: Msg) -> int:
    """Return how often JetStream has pushed a message; 1 for one that did not come through it, as in a test broker."""
    try:
        return raw.metadata.num_delivered
    except NotJSMessageError:
        return 1


def nats_bus(url: str, letters: Letters, terms: Terms | None = None) -> BrokeredBus:
    """Return the bus on a NATS server, nats://HOST:PORT; its dead letters are kept elsewhere."""
    return BrokeredBus(NatsWire(url), letters, terms)
