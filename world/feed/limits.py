"""How much the feed keeps, waits and serves."""

from typing import NamedTuple


class FeedLimits(NamedTuple):
    """Bounds of the feeds of one process."""

    ring: int = 1_024
    """Latest events of a realm kept encoded in memory; a reader who was up to date and falls further behind is dropped."""
    kept: int = 100_000
    """Events back from the newest up to which a reader may resume; behind them it is told to start again."""
    page: int = 256
    """Most events read from the store or written to a reader at once; at most half the ring, so that a burst drops nobody."""
    slice: int = 128
    """Readers who are written to before anything else may run: a millisecond or two of processor time."""
    poll_s: float = 0.25
    """How often the store is looked at for what another process committed, seconds."""
    heartbeat_s: float = 15.0
    """Silence after which a reader is shown that the connection lives, seconds."""
    write_timeout_s: float = 10.0
    """How long a reader may leave what was sent untaken, seconds; after twice that its connection is cut."""
    realm_readers: int = 5_000
    """Most readers of one realm in this process."""
    readers: int = 10_000
    """Most readers in this process."""
    retry_s: int = 5
    """How long a reader who finds no place should wait, seconds."""
