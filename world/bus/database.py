"""The bus in the database that the world lives in: no server beside it, SQLite or PostgreSQL.

A message that is published twice is kept once, because its id is unique. Publishing holds the head's row, so that numbers appear
in their order and a group's cursor passes over nothing.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Final, TypeVar

from world.bus.courier import Courier, Delivery, Lane
from world.bus.port import (
    LANES,
    BusUnavailableError,
    DeadLetter,
    Handler,
    Message,
    Subscription,
    Terms,
    UnknownLetterError,
    lane_of,
    moved_standing,
)
from world.errors import StoreUnavailableError
from world.persistence.sql_engine import Database, Row, Sql

T = TypeVar("T")

_MESSAGE: Final = "message_id, topic, order_key, payload, correlation_id, subject"
_LETTER: Final = f"number, group_name, {_MESSAGE}, tries, reason, died_at"
_HEAD: Final = "SELECT number, letter, published_at FROM world_bus_head WHERE only_row = 1"
_PUBLISH: Final = (
    f"INSERT INTO world_bus_messages (number, lane, {_MESSAGE}, only_group, published_at) VALUES (:number, :lane,"
    " :message_id, :topic, :order_key, :payload, :correlation_id, :subject, :only_group, :published_at)"
)
_OPEN_LANE: Final = (
    "INSERT INTO world_bus_cursors (group_name, lane, position, holder, until) VALUES (:group_name, :lane, 0, NULL, 0)"
    " ON CONFLICT (group_name, lane) DO NOTHING"
)
_BUSY: Final = (
    "SELECT lane FROM world_bus_cursors c WHERE group_name = :group_name AND (EXISTS (SELECT 1 FROM world_bus_messages m"
    " WHERE m.lane = c.lane AND m.number > c.position) OR EXISTS (SELECT 1 FROM world_bus_waiting w"
    " WHERE w.group_name = c.group_name AND w.lane = c.lane))"
)
_HOLD: Final = (
    "UPDATE world_bus_cursors SET holder = :consumer, until = :until WHERE group_name = :group_name AND lane = :lane"
    " AND (holder IS NULL OR holder = :consumer OR until <= :now)"
)
_LEAVE: Final = (
    "UPDATE world_bus_cursors SET holder = NULL WHERE group_name = :group_name AND lane = :lane AND holder = :consumer"
)
_WAITING: Final = (
    f"SELECT w.number, w.tries, w.tried_at, m.only_group, {_MESSAGE} FROM world_bus_waiting w"
    " JOIN world_bus_messages m ON m.number = w.number"
    " WHERE w.group_name = :group_name AND w.lane = :lane ORDER BY w.number LIMIT :limit"
)
_FRESH: Final = (
    f"SELECT m.number, 1, 0, m.only_group, {_MESSAGE} FROM world_bus_messages m WHERE m.lane = :lane AND m.number >"
    " (SELECT position FROM world_bus_cursors WHERE group_name = :group_name AND lane = :lane)"
    " ORDER BY m.number LIMIT :limit"
)
_HAND_OUT: Final = (
    "INSERT INTO world_bus_waiting (group_name, lane, number, tries, tried_at)"
    " VALUES (:group_name, :lane, :number, 1, :tried_at)"
)
_MOVE: Final = "UPDATE world_bus_cursors SET position = :position WHERE group_name = :group_name AND lane = :lane"
_AGAIN: Final = (
    "UPDATE world_bus_waiting SET tries = tries + 1, tried_at = :now"
    " WHERE group_name = :group_name AND lane = :lane AND number = :number AND tries = :tries"
)
_SETTLE: Final = "DELETE FROM world_bus_waiting WHERE group_name = :group_name AND lane = :lane AND number = :number"
_TAKE_BACK: Final = (
    "UPDATE world_bus_waiting SET tries = tries - 1"
    " WHERE group_name = :group_name AND lane = :lane AND number = :number AND tries = :tries"
)
_BURY: Final = (
    f"INSERT INTO world_bus_letters ({_LETTER}) VALUES (:number, :group_name, :message_id, :topic, :order_key, :payload,"
    " :correlation_id, :subject, :tries, :reason, :died_at)"
)
_TIDY: Final = (
    "DELETE FROM world_bus_messages WHERE published_at < :before AND NOT EXISTS (SELECT 1 FROM world_bus_cursors c"
    " WHERE c.lane = world_bus_messages.lane AND c.position < world_bus_messages.number)"
    " AND NOT EXISTS (SELECT 1 FROM world_bus_waiting w WHERE w.number = world_bus_messages.number)"
)


class DatabaseBus:
    """A `Bus` in one database, for one event loop.

    Args:
        url: SQLAlchemy's URL of a database that has the bus's tables.
        now: milliseconds since 1970; leases and rests are reckoned by it.
    """

    def __init__(
        self, url: str, terms: Terms | None = None, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._database = Database(url)
        self.terms = terms or Terms()
        self.now = now

    async def publish(self, messages: Sequence[Message], now: int, *, at_least: int | None = None) -> None:
        await self.write(lambda sql: _publish(sql, messages, now, at_least))

    async def standing(self) -> int | None:
        found = await self.read(lambda sql: sql.row("SELECT published_at FROM world_bus_head WHERE only_row = 1"))
        return found[0] if found is not None else None

    async def subscribe(self, group: str, topics: Collection[str], handler: Handler, *, consumer: str) -> Subscription:
        await self.write(lambda sql: sql.many(_OPEN_LANE, [(group, lane) for lane in range(LANES)]))
        return Courier(_DatabasePost(self, group, consumer), group, topics, handler, self.terms, lane_of(consumer))

    async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        rows = await self.read(
            lambda sql: sql.rows(
                f"SELECT {_LETTER} FROM world_bus_letters{' WHERE group_name = :group_name' if group is not None else ''}"
                " ORDER BY number LIMIT :limit",
                **({"group_name": group} if group is not None else {}),
                limit=limit,
            )
        )
        return tuple([_letter(row) for row in rows])

    async def inspect(self, letter_id: str) -> DeadLetter | None:
        return await self.read(lambda sql: _find(sql, letter_id))

    async def resend(self, letter_id: str) -> None:
        await self.write(lambda sql: _resend(sql, letter_id, self.now()))

    async def keep(self, group: str, message: Message, tries: int, reason: str) -> None:
        """Keep a dead letter that another bus has."""
        await self.write(lambda sql: _keep(sql, group, message, tries, reason, self.now()))

    async def forget(self, letter_id: str) -> bool:
        """Drop a dead letter; False where it is gone already."""
        return await self.write(lambda sql: _forget(sql, letter_id))

    async def tidy(self, before: int) -> int:
        return await self.write(lambda sql: _changed(sql, _TIDY, before=before))

    async def ready(self) -> None:
        await self.standing()

    async def close(self) -> None:
        await self._database.close()

    async def read(self, work: Callable[[Sql], Awaitable[T]]) -> T:
        """Run reads.

        Raises:
            BusUnavailableError: where the database cannot be asked now.
        """
        try:
            return await self._database.read(work)
        except StoreUnavailableError as error:
            raise BusUnavailableError(str(error)) from error

    async def write(self, work: Callable[[Sql], Awaitable[T]]) -> T:
        """Run one transaction.

        Raises:
            BusUnavailableError: where nothing was committed, or nobody can say whether.
        """
        try:
            return await self._database.write(work)
        except StoreUnavailableError as error:
            raise BusUnavailableError(str(error)) from error


class _DatabasePost:
    """A group's lanes as one consumer sees them."""

    def __init__(self, bus: DatabaseBus, group: str, consumer: str) -> None:
        self._bus = bus
        self._group = group
        self._consumer = consumer

    async def busy(self) -> Collection[int]:
        rows = await self._bus.read(lambda sql: sql.rows(_BUSY, group_name=self._group))
        return [row[0] for row in rows]

    def lane(self, number: int) -> Lane:
        return _DatabaseLane(self._bus, self._group, self._consumer, number)


class _DatabaseLane:
    def __init__(self, bus: DatabaseBus, group: str, consumer: str, number: int) -> None:
        self._bus = bus
        self._group = group
        self._consumer = consumer
        self._number = number

    async def hold(self) -> bool:
        now = self._bus.now()
        until = now + self._bus.terms.lease_ms
        return await self._bus.write(partial(self._run, _HOLD, consumer=self._consumer, until=until, now=now)) == 1

    async def leave(self) -> None:
        await self._bus.write(partial(self._run, _LEAVE, consumer=self._consumer))

    async def waiting(self, limit: int) -> Sequence[Delivery]:
        now = self._bus.now()
        rows = await self._bus.read(
            lambda sql: sql.rows(_WAITING, group_name=self._group, lane=self._number, limit=limit)
        )
        return [_delivery(row, now) for row in rows]

    async def fresh(self, limit: int) -> Sequence[Delivery]:
        return await self._bus.write(lambda sql: self._hand_out(sql, limit))

    async def again(self, delivery: Delivery) -> Delivery | None:
        now, number = self._bus.now(), int(delivery.place)
        counted = await self._bus.write(partial(self._run, _AGAIN, number=number, tries=delivery.tries, now=now))
        return delivery._replace(tries=delivery.tries + 1, idle_ms=0) if counted else None

    async def settle(self, done: Sequence[Delivery], untried: Sequence[Delivery]) -> None:
        await self._bus.write(lambda sql: self._settle(sql, done, untried))

    async def bury(self, delivery: Delivery, reason: str) -> None:
        await self._bus.write(lambda sql: self._bury(sql, delivery, reason))

    async def _run(self, statement: str, sql: Sql, **values: object) -> int:
        return await _changed(sql, statement, group_name=self._group, lane=self._number, **values)

    async def _hand_out(self, sql: Sql, limit: int) -> Sequence[Delivery]:
        now = self._bus.now()
        rows = await sql.rows(_FRESH, group_name=self._group, lane=self._number, limit=limit)
        if rows:
            await sql.many(_HAND_OUT, [(self._group, self._number, row[0], now) for row in rows])
            await self._run(_MOVE, sql, position=rows[-1][0])
        return [_delivery(row, now)._replace(idle_ms=0) for row in rows]

    async def _settle(self, sql: Sql, done: Sequence[Delivery], untried: Sequence[Delivery]) -> None:
        await sql.many(_SETTLE, [(self._group, self._number, int(each.place)) for each in done])
        await sql.many(_TAKE_BACK, [(self._group, self._number, int(each.place), each.tries) for each in untried])

    async def _bury(self, sql: Sql, delivery: Delivery, reason: str) -> None:
        if not await self._run(_SETTLE, sql, number=int(delivery.place)):
            return  # another consumer has settled it meanwhile
        await _keep(sql, self._group, delivery.message, delivery.tries, reason, self._bus.now())


async def _changed(sql: Sql, statement: str, **values: object) -> int:
    """Run a statement and return how many rows it changed."""
    return len(await sql.rows(f"{statement} RETURNING 1", **values))


async def _publish(sql: Sql, messages: Sequence[Message], now: int, at_least: int | None) -> None:
    head = await _locked_head(sql)  # first, so that whoever publishes the same at this moment is seen
    standing = moved_standing(head[2], now, at_least)
    found = await sql.rows(
        f"SELECT message_id FROM world_bus_messages WHERE only_group IS NULL AND {sql.among('message_id', 'ids')}",
        ids=sql.listed([message.message_id for message in messages]),
    )
    known = {row[0] for row in found}
    new = {message.message_id: message for message in messages if message.message_id not in known}
    await _append(sql, tuple(new.values()), None, now)
    await sql.run("UPDATE world_bus_head SET published_at = :standing WHERE only_row = 1", standing=standing)


async def _append(sql: Sql, messages: Sequence[Message], only: str | None, now: int) -> None:
    last = (await _locked_head(sql))[0]
    rows = [
        (number, lane_of(message.key), *_columns(message), only, now)
        for number, message in enumerate(messages, last + 1)
    ]
    await sql.many(_PUBLISH, rows)
    await sql.run("UPDATE world_bus_head SET number = :number WHERE only_row = 1", number=last + len(rows))


async def _resend(sql: Sql, letter_id: str, now: int) -> None:
    letter = await _find(sql, letter_id)
    if letter is None or not await _forget(sql, letter_id):
        raise UnknownLetterError(letter_id)
    await _append(sql, [letter.message], letter.group, now)


async def _keep(sql: Sql, group: str, message: Message, tries: int, reason: str, now: int) -> None:
    letter = (await _locked_head(sql))[1] + 1
    await sql.many(_BURY, [(letter, group, *_columns(message), tries, _storable(reason), now)])
    await sql.run("UPDATE world_bus_head SET letter = :letter WHERE only_row = 1", letter=letter)


async def _forget(sql: Sql, letter_id: str) -> bool:
    if not _is_number(letter_id):
        return False
    return bool(await _changed(sql, "DELETE FROM world_bus_letters WHERE number = :number", number=int(letter_id)))


async def _locked_head(sql: Sql) -> Row:
    head = await sql.row(_HEAD + sql.for_update)
    if head is None:
        raise BusUnavailableError("its tables are empty: run 'council migrate'")
    return head


async def _find(sql: Sql, letter_id: str) -> DeadLetter | None:
    if not _is_number(letter_id):
        return None
    row = await sql.row(f"SELECT {_LETTER} FROM world_bus_letters WHERE number = :number", number=int(letter_id))
    return _letter(row) if row is not None else None


def _columns(message: Message) -> tuple[object, ...]:
    return (
        message.message_id, message.topic, message.key, message.payload, message.correlation_id, message.subject,
    )  # fmt: skip


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _storable(reason: str) -> str:
    """Return a reason without what PostgreSQL's text cannot hold."""
    return reason.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


def _delivery(row: Row, now: int) -> Delivery:
    number, tries, tried_at, only, *message = row
    return Delivery(str(number), _message(message), tries, now - tried_at, only)


def _letter(row: Row) -> DeadLetter:
    number, group, *message, tries, reason, died_at = row
    return DeadLetter(str(number), group, _message(message), tries, reason, died_at)


def _message(row: Row) -> Message:
    message_id, topic, key, payload, correlation_id, subject = row
    return Message(message_id, topic, key, bytes(payload), correlation_id, subject)
