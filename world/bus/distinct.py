"""A handler that takes each message once, over a bus that may bring it twice."""

from collections import OrderedDict
from typing import Final

from world.bus.port import Handler, Message

REMEMBERED: Final = 100_000
"""Message ids kept; a repeat that comes later than so many others is not known any more."""


class Distinct:
    """Hands each message on once, as far back as it remembers and as long as the process lives.

    A consumer whose effect is a row does better: it keeps the message id in the effect's transaction, under a unique key.
    """

    def __init__(self, handler: Handler, remembered: int = REMEMBERED) -> None:
        self._handler = handler
        self._remembered = remembered
        self._taken: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, message: Message) -> None:
        if message.message_id in self._taken:
            return
        await self._handler(message)
        self._taken[message.message_id] = None
        if len(self._taken) > self._remembered:
            self._taken.popitem(last=False)
