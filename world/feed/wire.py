"""A reader's connection as the feed sees it: something to write to past the task that serves it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from world.feed.frames import Frame

Framing = Callable[[Sequence[Frame]], bytes]
"""Puts frames together as a connection's protocol has them; one value for all connections that speak it."""


class Transport(Protocol):
    """What the feed needs of an `asyncio.Transport`."""

    def write(self, data: bytes, /) -> None:
        """Send bytes, or keep them until they can be sent."""
        ...

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are kept."""
        ...

    def is_closing(self) -> bool:
        """Return whether it has ended, or ends once what it keeps is sent."""
        ...

    def abort(self) -> None:
        """End it at once, whatever still waits to be sent."""
        ...


class Wire(NamedTuple):
    """The connection below a reader; a server that offers none is served all the same."""

    transport: Transport
    framing: Framing | None = None
    """How the response that is under way goes on; None: only its task can write it."""
