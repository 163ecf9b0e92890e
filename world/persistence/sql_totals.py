"""What counts in the next tick, kept as acts are accepted (domain.md C1; S9): totals, links between accounts, tallies of a day.

Every accepted act has its place in the realm's count. The totals are kept in buckets; a bucket is named by the count at which it
was opened and holds the acts counted behind it, until `close` opens the next. So what a tick takes is a closed set: acts that are
accepted while it computes are in a later bucket, and none is lost or counted twice.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from world.clusters import joined
from world.persistence.port import DAY_TICKS, Totals
from world.persistence.sql_engine import Row, Sql
from world.persistence.sql_realms import counted, keep_counts, locked

_COLUMNS = (
    "l.user_id, l.device_id, l.session_id, COALESCE(l.faction_id, '') AS faction_id,"
    " COALESCE(l.territory_id, '') AS territory_id, l.relic_id, l.is_against"
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
_SUMS = f"SELECT 0 AS bucket, {_CELL}, CAST(SUM(points) AS BIGINT) AS points FROM {_COUNTED} GROUP BY {_CELL}"
_LINKS = (
    f"SELECT kind, name, holder FROM (SELECT 'device' AS kind, device_id AS name, user_id AS holder FROM {_COUNTED}"
    f" UNION SELECT 'session', session_id, user_id FROM {_COUNTED}"
    f" UNION SELECT 'relic', relic_id, faction_id FROM {_COUNTED}) AS k WHERE name IS NOT NULL"
)
_TOTAL: Final = ("realm_id", "bucket", "is_against", "territory_id", "faction_id", "user_id")
_ADD_TOTALS: Final = (
    f"ON CONFLICT ({', '.join(_TOTAL)}) DO UPDATE SET points = world_totals.points + excluded.points,"
    " correlation_id = COALESCE(excluded.correlation_id, world_totals.correlation_id)"
)
_LINK: Final = ("realm_id", "bucket", "kind", "name", "holder")
_TALLY: Final = ("realm_id", "user_id", "tick", "action_type", "faction_id", "source")
_ADD_TALLIES: Final = (
    f"ON CONFLICT ({', '.join(_TALLY)}) DO UPDATE"
    " SET acts = world_tallies.acts + excluded.acts, points = world_tallies.points + excluded.points"
)
_IN_TICK: Final = ("realm_id", "tick", "faction_id")
_ADD_IN_TICKS: Final = (
    f"ON CONFLICT ({', '.join(_IN_TICK)}) DO UPDATE SET points = world_faction_ticks.points + excluded.points"
)
_NEWEST_TICK: Final = (
    "SELECT tick_number FROM world_snapshots WHERE realm_id = :realm_id ORDER BY tick_number DESC LIMIT 1"
)
_TIDY: Final = tuple(
    f"DELETE FROM {table} WHERE ({', '.join(key)}) IN (SELECT {', '.join(key)} FROM {table}"
    " WHERE realm_id = :realm_id AND tick < :before LIMIT :limit) RETURNING 1"
    for table, key in (("world_tallies", _TALLY), ("world_faction_ticks", _IN_TICK))
)
_KEPT = "WHERE realm_id = :realm_id AND bucket >= :consumed AND bucket < :opened"
_TOTALS = f"SELECT bucket, {_CELL}, points FROM world_totals {_KEPT}"
_TRACES = (
    "SELECT {traces} FROM world_totals WHERE realm_id = :realm_id AND bucket < :opened"
    " AND bucket >= (SELECT consumed FROM world_realms WHERE realm_id = :realm_id)"
    " AND correlation_id IS NOT NULL GROUP BY bucket ORDER BY bucket"
)
_GROUPS = (
    "SELECT is_against, territory_id, faction_id, {users} FROM ({cells}) AS c"
    " GROUP BY bucket, is_against, territory_id, faction_id"
)
"""One row for each side of a territory and faction: a JSON object is read in a tenth of the time of as many rows."""
_KEPT_LINKS = f"SELECT kind, name, holder FROM world_links {_KEPT}"
_SHARED = (
    " SELECT kind, name, holder FROM ({links}) AS all_links WHERE kind = 'relic' OR (kind, name) IN"
    " (SELECT kind, name FROM ({links}) AS grouped GROUP BY kind, name HAVING MIN(holder) <> MAX(holder))"
)


class Counting(NamedTuple):
    """What is summed of an act that becomes accepted."""

    user_id: str
    device_id: str | None
    session_id: str | None
    faction_id: str
    territory_id: str
    action_type: str
    source: str
    relic_id: str | None
    is_against: bool
    tick: int
    correlation_id: str | None
    points: int


async def count(sql: Sql, realm_id: str, bucket: int, acts: Sequence[Counting]) -> None:
    """Add acts that become accepted, in order of the count, to everything that is summed: a row per cell, not per act."""
    await sql.merge("world_totals", (*_TOTAL, "points", "correlation_id"), _cells(realm_id, bucket, acts), _ADD_TOTALS)
    await sql.merge("world_links", _LINK, _links(realm_id, bucket, acts), "ON CONFLICT DO NOTHING")
    await sql.merge("world_tallies", (*_TALLY, "acts", "points"), _tallies(realm_id, acts), _ADD_TALLIES)
    await sql.merge("world_faction_ticks", (*_IN_TICK, "points"), _in_ticks(realm_id, acts), _ADD_IN_TICKS)


async def close(sql: Sql, realm_id: str) -> tuple[int, int]:
    """Close the open bucket where it holds anything; return the count that ticks have taken, and the count now."""
    counts = await locked(sql, realm_id)
    if counts.counted > counts.opened:
        await keep_counts(sql, realm_id, counts._replace(opened=counts.counted))
    return counts.consumed, counts.counted


async def totals(sql: Sql, realm_id: str, consumed: int, opened: int) -> Totals:
    """Return what the closed buckets hold."""
    kept = {"realm_id": realm_id, "consumed": consumed, "opened": opened}
    groups = await sql.rows(_grouped(sql, _TOTALS), **kept)
    return _totals(opened, groups, await sql.rows(_SHARED.format(links=_KEPT_LINKS), **kept))


async def traces(sql: Sql, realm_id: str, opened: int) -> dict[str, str]:
    """Return a correlation id per account whose acts the closed buckets hold: of its newest act that carries one."""
    statement = _TRACES.format(traces=sql.object_of("user_id", "correlation_id"))
    found: dict[str, str] = {}
    for (traced,) in await sql.rows(statement, realm_id=realm_id, opened=opened):
        found |= orjson.loads(traced)
    return found


async def recount(sql: Sql, realm_id: str, after: int | None, upto: int | None) -> Totals:
    """Return the same of a stretch of the count by grouping the ledger itself, without a lock: what was counted stays."""
    counts = await counted(sql, realm_id)
    last = counts.counted if upto is None else upto
    stretch = {"realm_id": realm_id, "after": counts.consumed if after is None else after, "upto": last}
    groups = await sql.rows(_grouped(sql, _SUMS), **stretch)
    return _totals(last, groups, await sql.rows(_SHARED.format(links=_LINKS), **stretch))


async def tidy(sql: Sql, realm_id: str, limit: int) -> int:
    """Delete tallies of a locked realm from before the day that caps look back on; return how many went."""
    await locked(sql, realm_id)
    newest = await sql.row(_NEWEST_TICK, realm_id=realm_id)
    before = newest[0] - DAY_TICKS if newest is not None else 0
    gone = [await sql.rows(each, realm_id=realm_id, before=before, limit=limit) for each in _TIDY]
    return sum(map(len, gone))


async def forget(sql: Sql, realm_id: str, consumed: int) -> None:
    """Delete the totals that a tick has taken; the ledger can tell them again."""
    for table in ("world_totals", "world_links"):
        await sql.run(
            f"DELETE FROM {table} WHERE realm_id = :realm_id AND bucket < :consumed",
            realm_id=realm_id,
            consumed=consumed,
        )


def _cells(realm_id: str, bucket: int, acts: Sequence[Counting]) -> list[tuple[object, ...]]:
    found: dict[tuple[bool, str, str, str], tuple[int, str | None]] = {}
    for act in acts:
        cell = (act.is_against, act.territory_id, act.faction_id, act.user_id)
        points, newest = found.get(cell, (0, None))
        found[cell] = points + act.points, act.correlation_id or newest
    return [(realm_id, bucket, *cell, *summed) for cell, summed in found.items()]


def _links(realm_id: str, bucket: int, acts: Sequence[Counting]) -> list[tuple[object, ...]]:
    found: dict[tuple[str, str, str], None] = {}
    for act in acts:
        if act.device_id is not None:
            found["device", act.device_id, act.user_id] = None
        if act.session_id is not None:
            found["session", act.session_id, act.user_id] = None
        if act.relic_id is not None:
            found["relic", act.relic_id, act.faction_id] = None
    return [(realm_id, bucket, *link) for link in found]


def _tallies(realm_id: str, acts: Sequence[Counting]) -> list[tuple[object, ...]]:
    found: dict[tuple[str, int, str, str, str], tuple[int, int]] = {}
    for act in acts:
        tally = (act.user_id, act.tick, act.action_type, act.faction_id, act.source)
        number, points = found.get(tally, (0, 0))
        found[tally] = number + 1, points + act.points
    return [(realm_id, *tally, *summed) for tally, summed in found.items()]


def _in_ticks(realm_id: str, acts: Sequence[Counting]) -> list[tuple[object, ...]]:
    found: dict[tuple[int, str], int] = {}
    for act in acts:
        found[act.tick, act.faction_id] = found.get((act.tick, act.faction_id), 0) + act.points
    return [(realm_id, *in_tick, points) for in_tick, points in found.items()]


def _grouped(sql: Sql, cells: str) -> str:
    return _GROUPS.format(users=sql.object_of("user_id", "points"), cells=cells)


def _totals(watermark: int, groups: Sequence[Row], links: Sequence[Row]) -> Totals:
    gained: dict[str, dict[str, dict[str, int]]] = {}
    opposed: dict[str, dict[str, dict[str, int]]] = {}
    for is_against, territory, faction, cells in groups:
        sums: dict[str, int] = orjson.loads(cells)
        side = (opposed if is_against else gained).setdefault(territory, {})
        # A faction comes twice where an earlier tick did not come to its end, and left its bucket.
        for user, points in side.get(faction, {}).items():
            sums[user] = sums.get(user, 0) + points
        side[faction] = sums
    relics: dict[str, set[str]] = {}
    shared: list[tuple[str, str]] = []
    for kind, name, holder in links:
        if kind == "relic":
            relics.setdefault(name, set()).add(holder)
        else:
            shared.append((f"{kind}:{name}", holder))
    return Totals(watermark, gained, opposed, joined(shared), {name: frozenset(each) for name, each in relics.items()})
