"""An outbox for tests of the relay: messages committed one after another, what was marked, and when."""

from collections.abc import Sequence

from tests.contract.bus_samples import message
from world.bus.relay import Outgoing


class FakeOutbox:
    """Committed messages in memory."""

    def __init__(self, key: str = "realm-1") -> None:
        self.key = key
        self.prefix = "world"
        self.rows: list[Outgoing] = []
        self.marked: dict[int, int] = {}

    def commit(self, count: int = 1) -> None:
        """Commit messages."""
        for _ in range(count):
            number = len(self.rows) + 1
            row = message(number, self.key)._replace(message_id=f"{self.prefix}-{number}")
            self.rows.append(Outgoing(number, row))

    @property
    def ids(self) -> list[str]:
        """Ids of all that is committed, in order."""
        return [row.message.message_id for row in self.rows]

    async def pending(self, limit: int) -> Sequence[Outgoing]:
        return [row for row in self.rows if row.number not in self.marked][:limit]

    async def published(self, since: int, after: int, limit: int) -> Sequence[Outgoing]:
        return [row for row in self.rows if row.number > after and self.marked.get(row.number, -1) >= since][:limit]

    async def mark(self, numbers: Sequence[int], now: int) -> None:
        for number in numbers:
            self.marked.setdefault(number, now)
