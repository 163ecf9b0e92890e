"""What the ledger knows around a batch of acts, in five queries however many acts there are."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from policies.contracts.request import ImpactCandidate
from world.influence.recent import Recent, recent_from
from world.persistence.port import DAY_TICKS, RECENT, Asked, Judge, Known, LedgerRow
from world.persistence.sql_engine import Sql
from world.persistence.sql_ledger import enter, of_events
from world.persistence.sql_realms import check_realm, locked

_KEYS: Final = ("user_id", "device_id", "session_id")
_TALLIES: Final = (
    "SELECT user_id, action_type, faction_id, source, CAST(SUM(acts) AS BIGINT), CAST(SUM(points) AS BIGINT)"
    " FROM world_tallies WHERE realm_id = :realm_id AND {among} AND tick > :behind"
    " GROUP BY user_id, action_type, faction_id, source"
)
_FACTION_TICK: Final = "SELECT faction_id, points FROM world_faction_ticks WHERE realm_id = :realm_id AND tick = :tick"
_FIRST_SEEN: Final = (
    "SELECT value, (SELECT l.received_at FROM world_influence l WHERE l.realm_id = :realm_id AND l.user_id = value"
    " ORDER BY l.received_at, l.sequence LIMIT 1) FROM {users}"
)
# SQLite keeps the order of a CROSS JOIN: for each key its acts, and not for each act its key.
_NEAR: Final = (
    "SELECT k.rowid FROM {names} CROSS JOIN world_influence k ON k.realm_id = :realm_id AND k.{key} = {name}.value"
    " AND k.received_at >= COALESCE((SELECT o.received_at FROM world_influence o"
    " WHERE o.realm_id = :realm_id AND o.{key} = {name}.value AND o.received_at >= :since"
    f" ORDER BY o.received_at DESC, o.sequence DESC LIMIT 1 OFFSET {RECENT - 1}), :since)"
)
"""From the two hundredth newest act on, so that a flood of acts costs no more than 200."""
_RECENT: Final = "SELECT l.sequence, l.candidate FROM world_influence l WHERE l.rowid IN ({near}) ORDER BY l.sequence"
# PostgreSQL takes a realm for a two hundredth of the table where it has no statistics yet. What has a LIMIT is run for each
# row of what stands before it, by the index, whatever the planner believes.
_NEAR_POSTGRES: Final = (
    "SELECT k.sequence FROM {names} CROSS JOIN LATERAL (SELECT l.sequence FROM world_influence l"
    " WHERE l.realm_id = :realm_id AND l.{key} = {name}.value AND l.received_at >= :since"
    f" ORDER BY l.received_at DESC, l.sequence DESC LIMIT {RECENT}) AS k"
)
_RECENT_POSTGRES: Final = (
    "SELECT k.sequence, a.candidate FROM ({near}) AS k CROSS JOIN LATERAL (SELECT l.candidate FROM world_influence l"
    " WHERE l.realm_id = :realm_id AND l.sequence = k.sequence LIMIT 1) AS a ORDER BY k.sequence"
)

Numbered = Mapping[int, Recent]
"""Acts by their sequence, rising."""


@dataclass(slots=True)
class _Day:
    """What one account's accepted acts of the last 96 ticks come to."""

    points: int = 0
    by_source: dict[str, int] = field(default_factory=dict)
    repeats: dict[tuple[str, str], int] = field(default_factory=dict)


_QUIET: Final = _Day()


async def known(sql: Sql, realm_id: str, asked: Sequence[Asked], *, since: int, tick: int) -> tuple[Known, ...]:
    """Return what the ledger knows around each act.

    Where clocks of several writers differ, the newest 200 acts of an account are those received last.
    """
    candidates = [each.candidate for each in asked]
    users = sorted({each.user_id for each in candidates})
    rows = await of_events(sql, realm_id, [each.event_id for each in candidates])
    first_seen = await _first_seen(sql, realm_id, users)
    days = await _days(sql, realm_id, users, tick - DAY_TICKS)
    factions = dict(await _pairs(sql, realm_id, tick))
    near = _Near(await _recent(sql, realm_id, candidates, since))
    if not any(seen is not None for seen in first_seen.values()):
        await check_realm(sql, realm_id)
    found = []
    for candidate, source in asked:
        day, faction = days.get(candidate.user_id, _QUIET), candidate.faction_id or ""
        found.append(
            Known(
                rows.get(candidate.event_id),
                near.to(candidate),
                day.repeats.get((candidate.action_type, faction), 0),
                day.points,
                day.by_source.get(source, 0),
                factions.get(faction, 0),
                first_seen[candidate.user_id],
            )
        )
    return tuple(found)


async def take_in(
    sql: Sql, realm_id: str, asked: Sequence[Asked], judge: Judge, *, since: int, tick: int
) -> tuple[LedgerRow, ...]:
    """Judge and enter acts under the realm's lock; raise `UnknownRealmError` where there is no such realm."""
    counts = await locked(sql, realm_id)
    around = await known(sql, realm_id, asked, since=since, tick=tick)
    judgement = judge(around)
    repeated = {each.row.event_id: each.row for each in around if each.row is not None}
    entered = await enter(sql, realm_id, counts, judgement.rows, judgement.questions, repeated)
    return tuple([entered[each.candidate.event_id] for each in asked])


class _Near:
    """Finds the acts of the same account, device or session among those that were read for a batch."""

    def __init__(self, acts: Numbered) -> None:
        self._users = _by(acts, lambda each: each.user_id)
        self._devices = _by(acts, lambda each: each.device_id)
        self._sessions = _by(acts, lambda each: each.session_id)

    def to(self, candidate: ImpactCandidate) -> tuple[Recent, ...]:
        mine = self._users.get(candidate.user_id, {})
        device = self._devices.get(candidate.device_id, {})
        session = self._sessions.get(candidate.session_id, {})
        others = [each for each in (device, session) if not each.keys() <= mine.keys()]
        if others:
            everything = {number: act for each in (mine, *others) for number, act in each.items()}
            mine = dict(sorted(everything.items()))
        return tuple(mine.values())[-RECENT:]


def _by(acts: Numbered, key: Callable[[Recent], str | None]) -> dict[str | None, dict[int, Recent]]:
    found: dict[str | None, dict[int, Recent]] = {}
    for number, act in acts.items():
        if (value := key(act)) is not None:
            found.setdefault(value, {})[number] = act
    return found


async def _first_seen(sql: Sql, realm_id: str, users: Sequence[str]) -> dict[str, int | None]:
    statement = _FIRST_SEEN.format(users=sql.table_of("users"))
    return {row[0]: row[1] for row in await sql.rows(statement, realm_id=realm_id, users=sql.listed(users))}


async def _days(sql: Sql, realm_id: str, users: Sequence[str], behind: int) -> dict[str, _Day]:
    statement = _TALLIES.format(among=sql.among("user_id", "users"))
    found: dict[str, _Day] = {}
    for user, action, faction, source, acts, points in await sql.rows(
        statement, realm_id=realm_id, users=sql.listed(users), behind=behind
    ):
        day = found.setdefault(user, _Day())
        day.points += points
        day.by_source[source] = day.by_source.get(source, 0) + points
        day.repeats[action, faction] = day.repeats.get((action, faction), 0) + acts
    return found


async def _pairs(sql: Sql, realm_id: str, tick: int) -> Iterable[tuple[str, int]]:
    return [(row[0], row[1]) for row in await sql.rows(_FACTION_TICK, realm_id=realm_id, tick=tick)]


async def _recent(sql: Sql, realm_id: str, candidates: Sequence[ImpactCandidate], since: int) -> Numbered:
    values = {key: sorted({value for each in candidates if (value := getattr(each, key))}) for key in _KEYS}
    given = {f"{key}s": sql.listed(found) for key, found in values.items() if found}
    statement = _recent_statement(sql, tuple([key for key in _KEYS if values[key]]))
    rows = await sql.rows(statement, realm_id=realm_id, since=since, **given)
    return {row[0]: recent_from(row[1]) for row in rows}


def _recent_statement(sql: Sql, keys: Sequence[str]) -> str:
    near, recent = (_NEAR_POSTGRES, _RECENT_POSTGRES) if sql.is_postgres else (_NEAR, _RECENT)
    parts = [near.format(key=key, name=f"{key}s", names=sql.table_of(f"{key}s")) for key in keys]
    return recent.format(near=" UNION ".join(parts))
