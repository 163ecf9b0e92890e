"""The story ledger in SQLite or PostgreSQL: the same statements over both, in the world's kind of database."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from story.errors import UnknownStoryError
from story.ledger import sql_sending
from story.ledger.port import (
    MAX_PAGE,
    Booked,
    Chapter,
    Deed,
    DeedState,
    NewChapter,
    NewClosing,
    Postponed,
    StoredTale,
    Unsent,
    UnsentState,
    Waiting,
)
from story.ledger.rules import check_closing, check_next
from story.ledger.sql_sending import DEED, deed_of
from world.persistence.sql_engine import Database, Row, Sql

_TALE: Final = "story_id, realm_id, user_id, chapter, tale, updated_at"
_COLUMNS: Final = NewChapter._fields
_CHAPTER: Final = (
    f"{', '.join(f'c.{name}' for name in _COLUMNS)}, e.outcome, e.recap, e.closed_at FROM story_chapters AS c"
    " LEFT JOIN story_closings AS e ON e.story_id = c.story_id AND e.number = c.number"
)


class SqlStoryStore:
    """A `StoryStore` in one database, for one event loop.

    Args:
        url: SQLAlchemy's URL of a database that has the story's tables.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    async def begin(self, tale: StoredTale) -> StoredTale:
        async def work(sql: Sql) -> StoredTale:
            await sql.run(
                "INSERT INTO story_tales (story_id, realm_id, user_id, chapter, tale, updated_at)"
                " VALUES (:story_id, :realm_id, :user_id, :chapter, :tale, :updated_at) ON CONFLICT (story_id) DO NOTHING",
                **tale._asdict(),
            )
            return await _tale(sql, tale.story_id)

        return await self._database.write(work)

    async def tale(self, story_id: str) -> StoredTale:
        return await self._database.read(lambda sql: _tale(sql, story_id))

    async def tales(
        self, realm_id: str | None = None, *, after: str = "", limit: int = MAX_PAGE
    ) -> tuple[StoredTale, ...]:
        async def work(sql: Sql) -> tuple[StoredTale, ...]:
            within = "" if realm_id is None else " AND realm_id = :realm_id"
            statement = f"SELECT {_TALE} FROM story_tales WHERE story_id > :after{within} ORDER BY story_id LIMIT :most"
            values: dict[str, object] = {"after": after, "most": limit}
            rows = await sql.rows(statement, **values | ({} if realm_id is None else {"realm_id": realm_id}))
            return tuple([_stored(row) for row in rows])

        return await self._database.read(work)

    async def tell(self, chapter: NewChapter) -> Chapter:
        async def work(sql: Sql) -> Chapter:
            tale = await _tale(sql, chapter.story_id, locked=True)
            known = await _chapter(sql, chapter.story_id, chapter.number)
            if known is not None:
                return known
            check_next(tale, chapter)
            await sql.run(
                f"INSERT INTO story_chapters ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})",
                **chapter._asdict(),
            )
            return Chapter(chapter)

        return await self._database.write(work)

    async def chapter(self, story_id: str, number: int) -> Chapter | None:
        return await self._database.read(lambda sql: _chapter(sql, story_id, number))

    async def chapters(self, story_id: str, *, after: int = 0, limit: int = MAX_PAGE) -> tuple[Chapter, ...]:
        async def work(sql: Sql) -> tuple[Chapter, ...]:
            await _tale(sql, story_id)
            statement = (
                f"SELECT {_CHAPTER} WHERE c.story_id = :story_id AND c.number > :after ORDER BY c.number LIMIT :most"
            )
            return tuple([_told(row) for row in await sql.rows(statement, story_id=story_id, after=after, most=limit)])

        return await self._database.read(work)

    async def close_chapter(self, closing: NewClosing) -> Chapter:
        async def work(sql: Sql) -> Chapter:
            tale = await _tale(sql, closing.story_id, locked=True)
            told = await _chapter(sql, closing.story_id, closing.number)
            known = check_closing(tale, told, closing)
            if known is not None:
                return known
            assert told is not None
            await _close(sql, closing)
            return told._replace(outcome=closing.outcome, recap=closing.recap, closed_at=closing.closed_at)

        return await self._database.write(work)

    async def deeds(self, story_id: str, number: int) -> tuple[Deed, ...]:
        async def work(sql: Sql) -> tuple[Deed, ...]:
            statement = (
                f"SELECT {DEED} FROM story_deeds WHERE story_id = :story_id AND chapter = :number ORDER BY event_id"
            )
            return tuple([deed_of(row) for row in await sql.rows(statement, story_id=story_id, number=number)])

        return await self._database.read(work)

    async def waiting(self, now: int, *, story_id: str | None = None, limit: int = MAX_PAGE) -> tuple[Waiting, ...]:
        return await self._database.read(lambda sql: sql_sending.waiting(sql, now, story_id, limit))

    async def settle(self, settled: Sequence[tuple[str, DeedState, str]]) -> None:
        await self._database.write(lambda sql: sql_sending.settle(sql, settled))

    async def postpone(self, postponed: Sequence[Postponed]) -> None:
        await self._database.write(lambda sql: sql_sending.postpone(sql, postponed))

    async def unsent(self, *, limit: int = MAX_PAGE) -> tuple[Unsent, ...]:
        return await self._database.read(lambda sql: sql_sending.unsent(sql, limit))

    async def unsent_deeds(self) -> Mapping[UnsentState, int]:
        return await self._database.read(sql_sending.unsent_deeds)

    async def book(self, day: str, picodollars: int, limit: int | None = None) -> Booked:
        return await self._database.write(lambda sql: sql_sending.book(sql, day, picodollars, limit))

    async def ready(self) -> None:
        await self._database.read(lambda sql: sql.rows("SELECT version FROM story_schema"))

    async def close(self) -> None:
        await self._database.close()


async def _tale(sql: Sql, story_id: str, *, locked: bool = False) -> StoredTale:
    statement = f"SELECT {_TALE} FROM story_tales WHERE story_id = :story_id{sql.for_update if locked else ''}"
    row = await sql.row(statement, story_id=story_id)
    if row is None:
        raise UnknownStoryError(story_id)
    return _stored(row)


async def _chapter(sql: Sql, story_id: str, number: int) -> Chapter | None:
    statement = f"SELECT {_CHAPTER} WHERE c.story_id = :story_id AND c.number = :number"
    row = await sql.row(statement, story_id=story_id, number=number)
    return None if row is None else _told(row)


async def _close(sql: Sql, closing: NewClosing) -> None:
    after = closing.after
    await sql.run(
        "INSERT INTO story_closings (story_id, number, outcome, recap, after, closed_at)"
        " VALUES (:story_id, :number, :outcome, :recap, :after, :closed_at)",
        story_id=closing.story_id, number=closing.number, outcome=closing.outcome, recap=closing.recap, after=after.tale,
        closed_at=closing.closed_at,
    )  # fmt: skip
    await sql.run(
        "UPDATE story_tales SET chapter = :chapter, tale = :tale, updated_at = :updated_at WHERE story_id = :story_id",
        chapter=after.chapter, tale=after.tale, updated_at=after.updated_at, story_id=after.story_id,
    )  # fmt: skip
    await sql.many(
        "INSERT INTO story_deeds (event_id, story_id, chapter, candidate, state, told)"
        " VALUES (:event_id, :story_id, :chapter, :candidate, :state, :told) ON CONFLICT (event_id) DO NOTHING",
        [(deed.event_id, closing.story_id, closing.number, deed.candidate, "pending", "") for deed in closing.deeds],
    )


def _stored(row: Row) -> StoredTale:
    return StoredTale(row[0], row[1], row[2], row[3], bytes(row[4]), row[5])


def _told(row: Row) -> Chapter:
    values: list[Any] = [bytes(value) if isinstance(value, memoryview) else value for value in row]
    outcome, recap, closed_at = values[len(_COLUMNS) :]
    return Chapter(NewChapter(*values[: len(_COLUMNS)]), outcome, recap, closed_at)
