"""What a tick tells each account that took part, in SQL: pages of the realm's sequence, and the events that they stand for."""

from collections.abc import Sequence
from typing import Final

from world.persistence.contributions import KIND, Contributions, page_bytes, page_from, pages, tellings
from world.persistence.messages import Event, OutboxRow
from world.persistence.sql_engine import Row, Sql
from world.persistence.sql_realms import check_realm, keep_counts, locked

_COLUMNS: Final = (
    "realm_id", "sequence", "first", "tick_number", "first_user", "last_user", "made_at", "payload",
)  # fmt: skip
_PAGES: Final = (
    "SELECT realm_id, sequence, first, tick_number, made_at, payload FROM world_told"
    " WHERE realm_id = :realm_id AND sequence > :after AND first <= :upto"
)
_OF_USER: Final = " AND first_user <= :user_id AND last_user >= :user_id"
_MESSAGES: Final = (
    "INSERT INTO world_outbox (realm_id, topic, sequence) SELECT realm_id, :kind, sequence FROM world_told"
    " WHERE realm_id = :realm_id AND sequence > :after AND sequence <= :upto ORDER BY sequence"
)
_NEWEST: Final = "SELECT tick_number FROM world_told WHERE realm_id = :realm_id ORDER BY sequence DESC LIMIT 1"
LOOKED: Final = 32
"""Pages read at once for one account, which stands in one or two of every tick."""


async def tell(sql: Sql, realm_id: str, tick_number: int, told: Contributions, now: int) -> bool:
    """Write tellings behind what has happened, and one outbox row for every page; False where the tick has told already."""
    counts = await locked(sql, realm_id)
    if tick_number <= await told_tick(sql, realm_id):
        return False
    rows: list[tuple[object, ...]] = []
    newest = counts.happened
    for page in pages(told):
        first, newest = newest + 1, newest + len(page.users)
        rows.append((realm_id, newest, first, tick_number, page.users[0], page.users[-1], now, page_bytes(page)))
    if rows:
        await sql.append("world_told", _COLUMNS, rows)
        await sql.run(_MESSAGES, realm_id=realm_id, kind=KIND, after=counts.happened, upto=newest)
        await keep_counts(sql, realm_id, counts._replace(happened=newest))
    return True


async def told_tick(sql: Sql, realm_id: str) -> int:
    """Return the newest tick that told anybody; 0 before the first."""
    row = await sql.row(_NEWEST, realm_id=realm_id)
    if row is None:
        await check_realm(sql, realm_id)
    return int(row[0]) if row is not None else 0


async def told(sql: Sql, realm_id: str, after: int, upto: int) -> list[Event]:
    """Return every telling of a stretch of the sequence."""
    found = await sql.rows(_PAGES, realm_id=realm_id, after=after, upto=upto)
    return [event for page in found for event in _events(page, None) if after < event.sequence <= upto]


async def told_to(sql: Sql, realm_id: str, user_id: str, after: int, upto: int, limit: int) -> list[Event]:
    """Return the tellings for one account in a stretch of the sequence, oldest first."""
    found: list[Event] = []
    behind = after
    while len(found) < limit:
        some = await sql.rows(
            f"{_PAGES}{_OF_USER} ORDER BY sequence LIMIT {LOOKED}",
            realm_id=realm_id, user_id=user_id, after=behind, upto=upto,
        )  # fmt: skip
        found += [event for page in some for event in _events(page, user_id) if after < event.sequence <= upto]
        if len(some) < LOOKED:
            break
        behind = int(some[-1][1])
    return found[:limit]


def messages_of(row: OutboxRow, first: int) -> list[OutboxRow]:
    """Return the messages of a page's outbox row: one for each telling, all under its number.

    Args:
        row: with the page as its payload.
        first: place of its first telling in the realm's sequence.
    """
    return [
        row._replace(
            key=f"{row.realm_id}/{first + each.place}",
            payload=each.payload,
            correlation_id=each.correlation_id,
            part=each.place,
        )
        for each in tellings(page_from(row.payload))
    ]


def _events(page: Row, user_id: str | None) -> Sequence[Event]:
    realm_id, _, first, tick_number, made_at, payload = page
    return [
        Event(
            realm_id, first + each.place, tick_number, KIND, each.payload, each.user_id, made_at, each.correlation_id
        )
        for each in tellings(page_from(payload), user_id)
    ]  # fmt: skip
