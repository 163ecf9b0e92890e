"""What counts in the next tick, kept as acts are accepted (domain.md C1; S9): totals, links between accounts, tallies of a day.

Every accepted act has its place in the realm's count. The totals are kept in buckets; a bucket is named by the count at which it
was opened and holds the acts counted behind it, until `close` opens the next. So what a tick takes is a closed set: acts that are
accepted while it computes are in a later bucket, and none is lost or counted twice.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import orjson

from world.clusters import joined
from world.errors import UnknownRealmError
from world.persistence.acts import Totals
from world.persistence.port import DAY_TICKS
from world.persistence.sql_engine import Merge, Row, Sql
from world.persistence.sql_realms import counted, latest, locked

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
_TIDY: Final = tuple(
    f"DELETE FROM {table} WHERE ({', '.join(key)}) IN (SELECT {', '.join(key)} FROM {table}"
    f" WHERE realm_id = :realm_id AND {since} < :{since} LIMIT :limit) RETURNING 1"
    for table, key, since in (
        ("world_tallies", _TALLY, "tick"),
        ("world_faction_ticks", _IN_TICK, "tick"),
        ("world_totals", _TOTAL, "bucket"),
        ("world_links", _LINK, "bucket"),
    )
)
_BEFORE: Final = (
    "SELECT state FROM world_snapshots WHERE realm_id = :realm_id AND tick_number < :tick_number"
    " ORDER BY tick_number DESC, revision DESC LIMIT 1"
)
_CLOSE: Final = "UPDATE world_realms SET opened = counted WHERE realm_id = :realm_id RETURNING consumed, counted"
_KEPT = "WHERE realm_id = :realm_id AND bucket >= :after AND bucket < :upto"
_TOTALS = f"SELECT bucket, {_CELL}, points FROM world_totals {_KEPT}"
_TRACES = f"SELECT {{traces}} FROM world_totals {_KEPT} AND correlation_id IS NOT NULL GROUP BY bucket ORDER BY bucket"
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


Link = tuple[str, str, str]
"""A device or session that an account used, or a relic that a faction claimed: kind, name, holder."""


_NO_TOTAL: Final[tuple[int, str | None]] = (0, None)
_NO_TALLY: Final = (0, 0)


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


class Sums:
    """What acts that become accepted add to everything that is summed: a row per cell, not per act.

    Args:
        bucket: the open one.
    """

    def __init__(self, realm_id: str, bucket: int) -> None:
        self._realm_id = realm_id
        self._bucket = bucket
        self._totals: dict[tuple[bool, str, str, str], tuple[int, str | None]] = {}
        self._links: dict[Link, None] = {}
        self._tallies: dict[tuple[str, int, str, str, str], tuple[int, int]] = {}
        self._in_ticks: dict[tuple[int, str], int] = {}

    def add(self, act: Counting) -> None:
        """Add an act; acts come in order of the count."""
        user, device, session, faction, territory, kind, source, relic, is_against, tick, correlation_id, points = act
        cell = (is_against, territory, faction, user)
        so_far, newest = self._totals.get(cell, _NO_TOTAL)
        self._totals[cell] = so_far + points, correlation_id or newest
        if device is not None:
            self._links["device", device, user] = None
        if session is not None:
            self._links["session", session, user] = None
        if relic is not None:
            self._links["relic", relic, faction] = None
        tally = (user, tick, kind, faction, source)
        acts, worth = self._tallies.get(tally, _NO_TALLY)
        self._tallies[tally] = acts + 1, worth + points
        self._in_ticks[tick, faction] = self._in_ticks.get((tick, faction), 0) + points

    def merges(self, linked: Collection[Link] = ()) -> tuple[Merge, ...]:
        """Return what adds it.

        Args:
            linked: links that the bucket is known to have; they are not written again.
        """
        realm_id, bucket = self._realm_id, self._bucket
        totals = [(realm_id, bucket, *cell, *total) for cell, total in self._totals.items()]
        links = [(realm_id, bucket, *link) for link in self._links if link not in linked]
        tallies = [(realm_id, *tally, *sums) for tally, sums in self._tallies.items()]
        in_ticks = [(realm_id, *in_tick, points) for in_tick, points in self._in_ticks.items()]
        return (
            Merge("world_totals", (*_TOTAL, "points", "correlation_id"), totals, _ADD_TOTALS),
            Merge("world_links", _LINK, links, "ON CONFLICT DO NOTHING"),
            Merge("world_tallies", (*_TALLY, "acts", "points"), tallies, _ADD_TALLIES),
            Merge("world_faction_ticks", (*_IN_TICK, "points"), in_ticks, _ADD_IN_TICKS),
        )


async def close(sql: Sql, realm_id: str) -> tuple[int, int]:
    """Close the open bucket; return the count that ticks have taken, and the count now.

    Raises:
        UnknownRealmError: where there is no such realm.
    """
    row = await sql.row(_CLOSE, realm_id=realm_id)
    if row is None:
        raise UnknownRealmError(realm_id)
    return row[0], row[1]


async def totals(sql: Sql, realm_id: str, after: int, upto: int) -> Totals:
    """Return what closed buckets hold: those that were opened from one count on, before another."""
    kept = {"realm_id": realm_id, "after": after, "upto": upto}
    groups = await sql.rows(_grouped(sql, _TOTALS), **kept)
    return _totals(upto, groups, await sql.rows(_SHARED.format(links=_KEPT_LINKS), **kept))


async def traces(sql: Sql, realm_id: str, after: int, upto: int) -> dict[str, str]:
    """Return a correlation id per account whose acts such buckets hold: of its newest act that carries one."""
    statement = _TRACES.format(traces=sql.object_of("user_id", "correlation_id"))
    found: dict[str, str] = {}
    for (traced,) in await sql.rows(statement, realm_id=realm_id, after=after, upto=upto):
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
    """Delete tallies of a locked realm from before the day that caps look back on, and totals that earlier ticks than the
    latest have taken; return how many rows went.
    """
    await locked(sql, realm_id)
    newest = await latest(sql, realm_id)
    before = await sql.row(_BEFORE, realm_id=realm_id, tick_number=newest.tick_number)
    taken = orjson.loads(before[0]).get("watermark", 0) if before is not None else 0
    first = {"tick": newest.tick_number - DAY_TICKS, "bucket": taken}
    gone = [await sql.rows(each, realm_id=realm_id, limit=limit, **first) for each in _TIDY]
    return sum(map(len, gone))


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
