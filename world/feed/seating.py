"""Readers who wait for what has not happened yet, in rows that are written to together.

A thousand tasks woken for the same bytes cost several times what writing them costs. So a reader who has seen everything sits
down: its place is that of its row, and what comes is written to the row's connections in one loop, while their tasks sleep on.
"""

from collections.abc import Iterable, Iterator

from world.feed.batch import Batch
from world.feed.reader import Reader
from world.feed.wire import Framing, Transport


class Row:
    """Readers at one place in the sequence whose connections speak the same.

    Args:
        cursor: sequence up to which all of them were sent everything that is for them.
    """

    __slots__ = ("_readers", "cursor", "framing")

    def __init__(self, framing: Framing, cursor: int) -> None:
        self.framing = framing
        self.cursor = cursor
        self._readers: dict[Transport, Reader] = {}

    def __len__(self) -> int:
        return len(self._readers)

    def add(self, transport: Transport, reader: Reader) -> None:
        """Let a reader who stands where this row does sit down."""
        assert reader.cursor == self.cursor, (reader.cursor, self.cursor)
        self._readers[transport] = reader
        reader.row = self

    def remove(self, transport: Transport) -> None:
        """Let a reader go."""
        self._readers.pop(transport, None)

    def offer(self, batch: Batch) -> None:
        """Let everybody here have what has come, in one go: nothing else runs before all are at its end.

        Whoever's connection has not taken what was sent before is woken, at the place before it. Where the row stands elsewhere
        than at the batch's beginning, it has seen the batch, or everybody is woken to look for more.
        """
        if self.cursor == batch.behind:
            self.cursor = batch.upto
            for data, transports in self._addressed(batch):
                for transport in _write(data, transports):
                    self._readers[transport].wake(is_beat=batch.is_beat, at=batch.behind)
        elif self.cursor < batch.upto and not batch.is_beat:
            for reader in tuple(self._readers.values()):
                reader.wake()

    def _addressed(self, batch: Batch) -> Iterable[tuple[bytes, list[Transport]]]:
        """Return what to write, and to whom; nothing for those who may see nothing of it."""
        if batch.is_for_all:
            return [(batch.bytes_for(self.framing), list(self._readers))]
        found: dict[bytes, list[Transport]] = {}
        for transport, reader in self._readers.items():
            if data := batch.bytes_for(self.framing, reader.audience):
                found.setdefault(data, []).append(transport)
        return found.items()


def _write(data: bytes, transports: Iterable[Transport]) -> list[Transport]:
    """Write to all connections that are free, and return the others. What an event costs is this loop: it is kept bare."""
    full: list[Transport] = []
    for transport in transports:
        if transport.get_write_buffer_size() or transport.is_closing():
            full.append(transport)
        else:
            transport.write(data)
    return full


class Seating:
    """All who wait for news of one realm.

    Args:
        size: most readers of a row, and most who are woken before anything else may run.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: list[Row] = []
        self._standing: set[Reader] = set()
        """Those whose connections only their tasks can write to."""

    def take_in(self, reader: Reader) -> None:
        """Let a reader wait for what is behind its place."""
        wire = reader.wire
        if wire is None or wire.framing is None:
            self._standing.add(reader)
        else:
            self._row(wire.framing, reader.cursor).add(wire.transport, reader)

    def let_go(self, reader: Reader) -> None:
        """Let a reader wait no more."""
        self._standing.discard(reader)
        reader.rise()

    def offer(self, batch: Batch) -> Iterator[None]:
        """Let everybody have what has come, some at each step."""
        self._rows = [row for row in self._rows if len(row)]
        standing = tuple(self._standing)
        for row in tuple(self._rows):
            row.offer(batch)
            yield
        for first in range(0, len(standing), self._size):
            for reader in standing[first : first + self._size]:
                reader.wake(is_beat=batch.is_beat)
            yield

    def _row(self, framing: Framing, cursor: int) -> Row:
        for row in self._rows:
            if row.framing is framing and row.cursor == cursor and len(row) < self._size:
                return row
        self._rows.append(Row(framing, cursor))
        return self._rows[-1]
