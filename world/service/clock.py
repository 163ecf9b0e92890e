"""The world's clock, handed in so that tests and replays set it."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns milliseconds since 1970."""


def system_clock() -> int:
    """Return the machine's time."""
    return time.time_ns() // 1_000_000
