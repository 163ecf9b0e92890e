"""What the buses over a message broker share: the broker keeps messages and places, the world's own database dead letters."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import quote, unquote

from world.bus.courier import Courier, Post
from world.bus.port import DeadLetter, Handler, Message, Subscription, Terms, UnknownLetterError, lane_of

_PLAIN: Final = "/:@ +,;=()"


class Letters(Protocol):
    """Where dead letters are kept; the database's bus does so, and the one in memory."""

    async def keep(self, group: str, message: Message, tries: int, reason: str) -> None:
        """Keep a dead letter."""
        ...

    async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Return dead letters, oldest first."""
        ...

    async def inspect(self, letter_id: str) -> DeadLetter | None:
        """Return one dead letter."""
        ...

    async def forget(self, letter_id: str) -> bool:
        """Drop a dead letter; False where it is gone already."""
        ...

    async def close(self) -> None:
        """Let them go."""
        ...


class ClosingPost(Post, Protocol):
    """A post that holds something of the broker's."""

    async def close(self) -> None:
        """Give it back, so that others of the group need not wait for its lease."""
        ...


class Wire(Protocol):
    """A broker as the bus uses it; every method raises BusUnavailableError where the broker cannot be asked now."""

    async def publish(self, messages: Sequence[Message], now: int, at_least: int | None) -> None:
        """As `Bus.publish`."""
        ...

    async def standing(self) -> int | None:
        """As `Bus.standing`."""
        ...

    async def again(self, letter: DeadLetter) -> None:
        """Append a dead letter's message, for its group alone."""
        ...

    def post(self, group: str, consumer: str, terms: Terms, letters: Letters) -> ClosingPost:
        """Return a group's lanes as one consumer sees them."""
        ...

    async def tidy(self, before: int) -> int:
        """As `Bus.tidy`."""
        ...

    async def ready(self) -> None:
        """As `Bus.ready`."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class BrokeredBus:
    """A `Bus` over a broker's wire, for one event loop.

    A dead letter is kept, then its message acknowledged: a consumer that dies between the two leaves it to be buried once more.
    """

    def __init__(self, wire: Wire, letters: Letters, terms: Terms | None = None) -> None:
        self.wire = wire
        self.terms = terms or Terms()
        self._letters = letters
        self._posts: list[ClosingPost] = []

    async def publish(self, messages: Sequence[Message], now: int, *, at_least: int | None = None) -> None:
        await self.wire.publish(messages, now, at_least)

    async def standing(self) -> int | None:
        return await self.wire.standing()

    async def subscribe(self, group: str, topics: Collection[str], handler: Handler, *, consumer: str) -> Subscription:
        post = self.wire.post(group, consumer, self.terms, self._letters)
        self._posts.append(post)
        return BrokeredSubscription(post, Courier(post, group, topics, handler, self.terms, lane_of(consumer)))

    async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        return await self._letters.dead_letters(group, limit)

    async def inspect(self, letter_id: str) -> DeadLetter | None:
        return await self._letters.inspect(letter_id)

    async def resend(self, letter_id: str) -> None:
        letter = await self._letters.inspect(letter_id)
        if letter is None:
            raise UnknownLetterError(letter_id)
        # Sent, then forgotten: whoever dies between the two leaves a letter that can be sent once more.
        await self.wire.again(letter)
        await self._letters.forget(letter_id)

    async def tidy(self, before: int) -> int:
        return await self.wire.tidy(before)

    async def ready(self) -> None:
        await self.wire.ready()

    async def close(self) -> None:
        for post in self._posts:
            await post.close()
        await self.wire.close()
        await self._letters.close()


class BrokeredSubscription:
    """A consumer that gives its post back when it is closed."""

    def __init__(self, post: ClosingPost, courier: Courier) -> None:
        self.post = post
        self._courier = courier

    async def step(self) -> int:
        return await self._courier.step()

    async def close(self) -> None:
        await self._courier.close()
        await self.post.close()


def by_lane(messages: Sequence[Message]) -> Mapping[int, Sequence[Message]]:
    """Return messages by the lane of their keys, in their order."""
    found: dict[int, list[Message]] = {}
    for message in messages:
        found.setdefault(lane_of(message.key), []).append(message)
    return found


def headers_of(message: Message, only: str | None = None) -> dict[str, str]:
    """Return what a message carries beside its payload; percent-encoded, because headers hold ASCII at best.

    >>> headers_of(Message("d-1", "council.decided", "realm-ü", b""))
    {'message_id': 'd-1', 'topic': 'council.decided', 'key': 'realm-%C3%BC', 'subject': ''}
    """
    found = {
        "message_id": message.message_id,
        "topic": message.topic,
        "key": message.key,
        "subject": message.subject,
        **({"correlation": message.correlation_id} if message.correlation_id is not None else {}),
        **({"only": only} if only is not None else {}),
    }
    return {name: escaped(text) for name, text in found.items()}


def message_from(headers: Mapping[str, str], payload: bytes) -> Message:
    """Return the message that `headers_of` describes."""
    told = {name: _plain(text) for name, text in headers.items()}
    return Message(
        told["message_id"],
        told["topic"],
        told["key"],
        payload,
        told.get("correlation"),
        told.get("subject", ""),
    )


def only_from(headers: Mapping[str, str]) -> str | None:
    """Return the one group that a message is for, where it was sent again."""
    return _plain(headers["only"]) if "only" in headers else None


def escaped(text: str, plain: str = _PLAIN) -> str:
    """Return text in printable ASCII without a space at either end."""
    found = quote(text, safe=plain, errors="surrogatepass")
    return found.replace(" ", "%20") if found != found.strip() else found


def _plain(text: str) -> str:
    return unquote(text, errors="surrogatepass")


async def side_by_side(work: Sequence[Coroutine[object, object, None]]) -> None:
    """Do work for several lanes at once; raise the first fault when none of it is under way any more."""
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
