"""The latest events of a realm, encoded, found by their sequence. Pure."""

from collections.abc import Sequence

from world.feed.frames import Frame


class Ring:
    """Keeps the latest frames of a gapless sequence.

    Args:
        size: most frames kept.
        last: sequence of the newest event that is already past.
    """

    def __init__(self, size: int, last: int) -> None:
        self._frames: list[Frame | None] = [None] * size
        self.last = last
        """Sequence of the newest event."""
        self.behind = last
        """Sequence behind which everything up to `last` is kept."""

    def add(self, frames: Sequence[Frame]) -> None:
        """Take in what follows the newest; INVARIANT: sequences rise by one."""
        size = len(self._frames)
        for frame in frames:
            assert frame.sequence == self.last + 1, (frame.sequence, self.last)
            self.last = frame.sequence
            self._frames[self.last % size] = frame
        self.behind = max(self.behind, self.last - size)

    def holds(self, cursor: int) -> bool:
        """Return whether everything behind a cursor is here."""
        return self.behind <= cursor

    def after(self, cursor: int, most: int) -> list[Frame]:
        """Return what follows a cursor, oldest first; INVARIANT: the ring holds it."""
        assert self.holds(cursor), (cursor, self.behind)
        size = len(self._frames)
        return [
            frame
            for number in range(cursor + 1, min(self.last, cursor + most) + 1)
            if (frame := self._frames[number % size]) is not None
        ]
