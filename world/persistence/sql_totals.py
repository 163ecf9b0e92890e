"""What counts in the next tick, kept as acts are accepted (domain.md C1; S9): totals, links between accounts, tallies of a day.

Every accepted act has its place in the realm's count. The totals are kept in buckets; a bucket is named by the count at which it
was opened and holds the acts counted behind it, until `close` opens the next. So what a tick takes is a closed set: acts that are
accepted while it computes are in a later bucket, and none is lost or counted twice.
"""

from collections.abc import Sequence
from typing import Final

from world.clusters import joined
from world.persistence.port import Totals
from world.persistence.sql_engine import Row, Sql
from world.persistence.sql_realms import counted, keep_counts, locked

_COLUMNS = (
    "l.realm_id, l.user_id, l.device_id, l.session_id, COALESCE(l.faction_id, '') AS faction_id,"
    " COALESCE(l.territory_id, '') AS territory_id, l.action_type, l.source, l.relic_id, l.is_against, l.tick, l.correlation_id"
)
_COUNTED: Final = (
    f"(SELECT {_COLUMNS}, l.points FROM world_influence l"
    " WHERE l.realm_id = :realm_id AND l.counted_at > :after AND l.counted_at <= :upto"
    f" UNION ALL SELECT {_COLUMNS}, m.points FROM world_transitions m JOIN world_influence l"
    " ON l.realm_id = m.realm_id AND l.sequence = m.sequence"
    " WHERE m.realm_id = :realm_id AND m.counted_at > :after AND m.counted_at <= :upto) AS a"
)
"""Acts of a stretch of the count: those accepted at once, and those by a transition with the points that it left."""
_CELL = "is_against, territory_id, faction_id, user_id"
_SUMS = f"SELECT {_CELL}, CAST(SUM(points) AS BIGINT) FROM {_COUNTED} GROUP BY {_CELL}"
_LINKS = (
    f"SELECT kind, name, holder FROM (SELECT 'device' AS kind, device_id AS name, user_id AS holder FROM {_COUNTED}"
    f" UNION SELECT 'session', session_id, user_id FROM {_COUNTED}"
    f" UNION SELECT 'relic', relic_id, faction_id FROM {_COUNTED}) AS k WHERE name IS NOT NULL"
)
_ADD_TOTALS = (
    # A batch of acts has one correlation id: any of a stretch is its newest.
    f"INSERT INTO world_totals (realm_id, bucket, {_CELL}, points, correlation_id)"
    f" SELECT realm_id, CAST(:bucket AS BIGINT), {_CELL}, CAST(SUM(points) AS BIGINT), MAX(correlation_id)"
    f" FROM {_COUNTED} WHERE true GROUP BY realm_id, {_CELL} ON CONFLICT (realm_id, bucket, {_CELL})"
    " DO UPDATE SET points = world_totals.points + excluded.points,"
    " correlation_id = COALESCE(excluded.correlation_id, world_totals.correlation_id)"
)
_ADD_LINKS = (
    "INSERT INTO world_links (realm_id, bucket, kind, name, holder)"
    f" SELECT :realm_id, CAST(:bucket AS BIGINT), kind, name, holder FROM ({_LINKS}) AS found WHERE true"
    " ON CONFLICT (realm_id, bucket, kind, name, holder) DO NOTHING"
)
_TALLY = "realm_id, user_id, tick, action_type, faction_id, source"
_ADD_TALLIES = (
    f"INSERT INTO world_tallies ({_TALLY}, acts, points)"
    f" SELECT {_TALLY}, COUNT(*), CAST(SUM(points) AS BIGINT) FROM {_COUNTED} WHERE true GROUP BY {_TALLY}"
    f" ON CONFLICT ({_TALLY}) DO UPDATE"
    " SET acts = world_tallies.acts + excluded.acts, points = world_tallies.points + excluded.points"
)
_ADD_FACTION_TICKS = (
    "INSERT INTO world_faction_ticks (realm_id, tick, faction_id, points)"
    f" SELECT realm_id, tick, faction_id, CAST(SUM(points) AS BIGINT) FROM {_COUNTED} WHERE true"
    " GROUP BY realm_id, tick, faction_id ON CONFLICT (realm_id, tick, faction_id)"
    " DO UPDATE SET points = world_faction_ticks.points + excluded.points"
)
_KEPT = "WHERE realm_id = :realm_id AND bucket >= :consumed AND bucket < :opened"
_TOTALS = f"SELECT {_CELL}, points FROM world_totals {_KEPT}"
_TRACES = (
    "SELECT user_id, correlation_id FROM world_totals WHERE realm_id = :realm_id AND bucket < :opened"
    " AND bucket >= (SELECT consumed FROM world_realms WHERE realm_id = :realm_id)"
    " AND correlation_id IS NOT NULL ORDER BY bucket"
)
_KEPT_LINKS = f"SELECT kind, name, holder FROM world_links {_KEPT}"
_SHARED = (
    " SELECT kind, name, holder FROM ({links}) AS all_links WHERE kind = 'relic' OR (kind, name) IN"
    " (SELECT kind, name FROM ({links}) AS grouped GROUP BY kind, name HAVING MIN(holder) <> MAX(holder))"
)


async def count(sql: Sql, realm_id: str, *, bucket: int, after: int, upto: int) -> None:
    """Add the acts of a stretch of the count to everything that is summed."""
    if upto > after:
        stretch = {"realm_id": realm_id, "after": after, "upto": upto}
        await sql.run(_ADD_TOTALS, bucket=bucket, **stretch)
        await sql.run(_ADD_LINKS, bucket=bucket, **stretch)
        await sql.run(_ADD_TALLIES, **stretch)
        await sql.run(_ADD_FACTION_TICKS, **stretch)


async def close(sql: Sql, realm_id: str) -> tuple[int, int]:
    """Close the open bucket where it holds anything; return the count that ticks have taken, and the count now."""
    counts = await locked(sql, realm_id)
    if counts.counted > counts.opened:
        await keep_counts(sql, realm_id, counts._replace(opened=counts.counted))
    return counts.consumed, counts.counted


async def totals(sql: Sql, realm_id: str, consumed: int, opened: int) -> Totals:
    """Return what the closed buckets hold."""
    kept = {"realm_id": realm_id, "consumed": consumed, "opened": opened}
    cells = await sql.rows(_TOTALS, **kept)
    return _totals(opened, cells, await sql.rows(_SHARED.format(links=_KEPT_LINKS), **kept))


async def traces(sql: Sql, realm_id: str, opened: int) -> dict[str, str]:
    """Return a correlation id per account whose acts the closed buckets hold: of its newest act that carries one."""
    rows = await sql.rows(_TRACES, realm_id=realm_id, opened=opened)
    return {str(user): str(found) for user, found in rows}


async def recount(sql: Sql, realm_id: str, after: int | None, upto: int | None) -> Totals:
    """Return the same of a stretch of the count by grouping the ledger itself, without a lock: what was counted stays."""
    counts = await counted(sql, realm_id)
    last = counts.counted if upto is None else upto
    stretch = {"realm_id": realm_id, "after": counts.consumed if after is None else after, "upto": last}
    cells = await sql.rows(_SUMS, **stretch)
    return _totals(last, cells, await sql.rows(_SHARED.format(links=_LINKS), **stretch))


async def forget(sql: Sql, realm_id: str, consumed: int) -> None:
    """Delete the totals that a tick has taken; the ledger can tell them again."""
    for table in ("world_totals", "world_links"):
        await sql.run(
            f"DELETE FROM {table} WHERE realm_id = :realm_id AND bucket < :consumed",
            realm_id=realm_id,
            consumed=consumed,
        )


def _totals(watermark: int, cells: Sequence[Row], links: Sequence[Row]) -> Totals:
    gained: dict[str, dict[str, dict[str, int]]] = {}
    opposed: dict[str, dict[str, dict[str, int]]] = {}
    for is_against, territory, faction, user, points in cells:
        users = (opposed if is_against else gained).setdefault(territory, {}).setdefault(faction, {})
        users[user] = users.get(user, 0) + points
    relics: dict[str, set[str]] = {}
    shared: list[tuple[str, str]] = []
    for kind, name, holder in links:
        if kind == "relic":
            relics.setdefault(name, set()).add(holder)
        else:
            shared.append((f"{kind}:{name}", holder))
    return Totals(watermark, gained, opposed, joined(shared), {name: frozenset(each) for name, each in relics.items()})
