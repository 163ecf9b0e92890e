"""What a reader's connection can do past the task that serves it."""

from collections.abc import Callable
from typing import NamedTuple


def _nothing() -> None:
    return None


class Wire(NamedTuple):
    """The connection below a reader; a server that offers neither is served all the same."""

    cut: Callable[[], None] = _nothing
    """Ends it at once, whatever still waits to be written."""
    push: Callable[[bytes], bool] | None = None
    """Writes a chunk of the response that is under way, unless what was written before is not taken yet (False)."""
