"""Deeds on their way to the world, and what writing has cost, as statements over SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Final

from story.ledger.port import Booked, Deed, DeedState, Postponed, Unsent, UnsentState, Waiting
from world.persistence.sql_engine import Row, Sql

DEED: Final = "event_id, story_id, chapter, candidate, state, told"
_WAITING: Final = """
WITH heads AS (
  SELECT story_id, MIN(chapter) AS chapter FROM story_deeds WHERE state = 'pending'{within} GROUP BY story_id
), due AS (
  SELECT h.story_id, h.chapter, t.realm_id, COALESCE(s.tries, 0) AS tries,
    ROW_NUMBER() OVER (PARTITION BY t.realm_id ORDER BY COALESCE(s.due_at, 0), h.story_id) AS turn
  FROM heads AS h
  JOIN story_tales AS t ON t.story_id = h.story_id
  LEFT JOIN story_sendings AS s ON s.story_id = h.story_id AND s.chapter = h.chapter
  WHERE COALESCE(s.due_at, 0) <= :now
  ORDER BY turn, t.realm_id LIMIT :most
)
SELECT due.realm_id, due.tries, d.event_id, d.story_id, d.chapter, d.candidate, d.state, d.told FROM due
JOIN story_deeds AS d ON d.story_id = due.story_id AND d.chapter = due.chapter AND d.state = 'pending'
ORDER BY due.turn, due.realm_id, d.event_id
"""
_SETTLE: Final = "UPDATE story_deeds SET state = :state, told = :told WHERE event_id = :event_id AND state = 'pending'"
_FORGET: Final = (
    "DELETE FROM story_sendings WHERE due_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM story_deeds AS d WHERE"
    " d.story_id = story_sendings.story_id AND d.chapter = story_sendings.chapter AND d.state = 'pending')"
)
_HAS: Final = (
    "SELECT 1 FROM story_deeds WHERE story_id = :story_id AND chapter = :chapter AND state = 'pending' LIMIT 1"
)
_POSTPONE: Final = (
    "INSERT INTO story_sendings (story_id, chapter, tries, due_at, told)"
    " VALUES (:story_id, :chapter, :tries, :due_at, :told) ON CONFLICT (story_id, chapter)"
    " DO UPDATE SET tries = excluded.tries, due_at = excluded.due_at, told = excluded.told"
)
_GIVE_UP: Final = (
    "UPDATE story_deeds SET state = 'given_up', told = :told"
    " WHERE story_id = :story_id AND chapter = :chapter AND state = 'pending'"
)
# Chapters that were given up stand in the small table of sendings; deeds that wait have an index of their own.
_GIVEN_UP: Final = (
    "SELECT s.story_id, t.realm_id, s.chapter, 'given_up', COUNT(*), s.tries, s.due_at, s.told FROM story_sendings AS s"
    " JOIN story_tales AS t ON t.story_id = s.story_id"
    " JOIN story_deeds AS d ON d.story_id = s.story_id AND d.chapter = s.chapter AND d.state = 'given_up'"
    " WHERE s.due_at IS NULL GROUP BY s.story_id, t.realm_id, s.chapter, s.tries, s.due_at, s.told"
    " ORDER BY s.story_id, s.chapter LIMIT :most"
)
_PENDING: Final = (
    "SELECT d.story_id, t.realm_id, d.chapter, 'pending', COUNT(*), COALESCE(s.tries, 0), COALESCE(s.due_at, 0),"
    " COALESCE(s.told, '') FROM story_deeds AS d JOIN story_tales AS t ON t.story_id = d.story_id"
    " LEFT JOIN story_sendings AS s ON s.story_id = d.story_id AND s.chapter = d.chapter WHERE d.state = 'pending'"
    " GROUP BY d.story_id, t.realm_id, d.chapter, s.tries, s.due_at, s.told ORDER BY d.story_id, d.chapter LIMIT :most"
)
_MANY_PENDING: Final = "SELECT COUNT(*) FROM story_deeds WHERE state = 'pending'"
_MANY_GIVEN_UP: Final = (
    "SELECT COUNT(*) FROM story_sendings AS s JOIN story_deeds AS d"
    " ON d.story_id = s.story_id AND d.chapter = s.chapter AND d.state = 'given_up' WHERE s.due_at IS NULL"
)
_SPENT: Final = "SELECT picodollars FROM story_spending WHERE day = :day"


async def waiting(sql: Sql, now: int, story_id: str | None, limit: int) -> tuple[Waiting, ...]:
    """Return the due chapters, realms in turns."""
    within = "" if story_id is None else " AND story_id = :story_id"
    values: dict[str, object] = {"now": now, "most": limit}
    rows = await sql.rows(
        _WAITING.format(within=within), **values | ({} if story_id is None else {"story_id": story_id})
    )
    found: dict[tuple[str, int], Waiting] = {}
    for realm_id, tries, *row in rows:
        deed = deed_of(row)
        key = (deed.story_id, deed.chapter)
        known = found.get(key) or Waiting(deed.story_id, realm_id, deed.chapter, tries, ())
        found[key] = known._replace(deeds=(*known.deeds, deed))
    return tuple(found.values())


async def settle(sql: Sql, settled: Sequence[tuple[str, DeedState, str]]) -> None:
    """Write what the world made of deeds, and forget the tries of chapters that have none waiting."""
    await sql.many(_SETTLE, [(state, told, event_id) for event_id, state, told in settled])
    await sql.run(_FORGET)


async def postpone(sql: Sql, postponed: Sequence[Postponed]) -> None:
    """Let chapters wait on, or give them up."""
    for each in postponed:
        if await sql.row(_HAS, story_id=each.story_id, chapter=each.chapter) is not None:
            await sql.run(_POSTPONE, **each._asdict())
            if each.due_at is None:
                await sql.run(_GIVE_UP, told=each.told, story_id=each.story_id, chapter=each.chapter)


async def unsent(sql: Sql, limit: int) -> tuple[Unsent, ...]:
    """Return what was given up, then what waits."""
    given_up = await sql.rows(_GIVEN_UP, most=limit)
    pending = await sql.rows(_PENDING, most=limit)
    return tuple([Unsent(*row) for row in [*given_up, *pending][:limit]])


async def unsent_deeds(sql: Sql) -> Mapping[UnsentState, int]:
    """Return how many wait and how many were given up."""
    pending, given_up = await sql.rows(_MANY_PENDING), await sql.rows(_MANY_GIVEN_UP)
    return {"pending": pending[0][0], "given_up": given_up[0][0]}


async def book(sql: Sql, day: str, picodollars: int, limit: int | None) -> Booked:
    """Book an amount; the row is locked from the look to the write."""
    await sql.run(
        "INSERT INTO story_spending (day, picodollars) VALUES (:day, 0) ON CONFLICT (day) DO NOTHING", day=day
    )
    row = await sql.row(_SPENT + sql.for_update, day=day)
    assert row is not None, "it was inserted above"
    total = max(0, row[0] + picodollars)
    if limit is not None and total > limit:
        return Booked(is_booked=False, total=row[0])
    await sql.run("UPDATE story_spending SET picodollars = :total WHERE day = :day", total=total, day=day)
    return Booked(is_booked=True, total=total)


def deed_of(row: Row) -> Deed:
    """Return the deed in a row of `DEED`."""
    return Deed(row[0], row[1], row[2], bytes(row[3]), row[4], row[5])
