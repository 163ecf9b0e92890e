"""What the ledger knows around a batch of acts, in five queries however many acts there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Final

from policies.contracts.request import ImpactCandidate
from world.influence.recent import Recent
from world.persistence.acts import Asked, Judge, Known, LedgerRow
from world.persistence.port import DAY_TICKS, RECENT
from world.persistence.sql_engine import Row, Sql
from world.persistence.sql_ledger import enter, of_events
from world.persistence.sql_realms import check_realm, locked
from world.persistence.sql_totals import Link

_KEYS: Final = ("user_id", "device_id", "session_id")
# Summed here: sorting them into groups takes the database longer than handing them over.
_TALLY = "SELECT user_id, action_type, faction_id, source, acts, points FROM"
_TALLIES: Final = f"{_TALLY} world_tallies WHERE realm_id = :realm_id AND {{among}} AND tick > :behind"
# With OFFSET 0 PostgreSQL looks into an index once for each account, and the sum keeps it from the index by ticks. Without
# statistics, as in a young realm, it would rather read every tally of the realm's last day, for each batch or each account.
_TALLIES_POSTGRES: Final = (
    f"{_TALLY} {{users}} CROSS JOIN LATERAL (SELECT * FROM world_tallies t WHERE t.realm_id = :realm_id"
    " AND t.user_id = users.value AND t.tick + 0 > :behind OFFSET 0) AS t"
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
_ACT = (
    "event_id, realm_id, user_id, device_id, session_id, action_type, faction_id, created_at, candidate, base IS NULL"
)
"""Columns of an act in the order of `Recent`: reading them takes a tenth of parsing the act's JSON."""
_RECENT: Final = f"SELECT sequence, counted_at, {_ACT} FROM world_influence WHERE rowid IN ({{near}})"
# PostgreSQL takes a realm for a two hundredth of the table where it has no statistics yet. What has a LIMIT is run for each
# row of what stands before it, by the index, whatever the planner believes.
_NEAR_POSTGRES: Final = (
    "SELECT k.sequence AS near FROM {names} CROSS JOIN LATERAL (SELECT l.sequence FROM world_influence l"
    " WHERE l.realm_id = :realm_id AND l.{key} = {name}.value AND l.received_at >= :since"
    f" ORDER BY l.received_at DESC, l.sequence DESC LIMIT {RECENT}) AS k"
)
_RECENT_POSTGRES: Final = (
    f"SELECT sequence, counted_at, {_ACT} FROM ({{near}}) AS k CROSS JOIN LATERAL (SELECT * FROM world_influence l"
    " WHERE l.realm_id = :realm_id AND l.sequence = k.near LIMIT 1) AS a"
)


@dataclass(slots=True)
class _Day:
    """What one account's accepted acts of the last 96 ticks come to."""

    points: int = 0
    by_source: dict[str, int] = field(default_factory=dict)
    repeats: dict[tuple[str, str], int] = field(default_factory=dict)


_QUIET: Final = _Day()
_SEVERAL: Final = ""
"""No account has this id."""


class _Near:
    """Finds the acts of the same account, device or session among those that were read for a batch.

    Args:
        rows: sequence, count and act.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        ordered = sorted(rows, key=itemgetter(0))
        self._counts: list[int | None] = [row[1] for row in ordered]
        self._acts = [Recent._make(row[2:]) for row in ordered]
        self._of_user: dict[str, list[Recent]] = {}
        self._devices: dict[str | None, str] = {}
        """Whose each device is; nearly every one has been used by one account."""
        self._sessions: dict[str | None, str] = {}
        for act in self._acts:
            user, device, session = act.user_id, act.device_id, act.session_id
            self._of_user.setdefault(user, []).append(act)
            if self._devices.setdefault(device, user) != user:
                self._devices[device] = _SEVERAL
            if self._sessions.setdefault(session, user) != user:
                self._sessions[session] = _SEVERAL

    def to(self, candidate: ImpactCandidate) -> tuple[Recent, ...]:
        """Return the newest of them, in order of arrival."""
        user, device, session = candidate.user_id, candidate.device_id, candidate.session_id
        is_alone = device is None or self._devices.get(device, user) == user
        if is_alone and (session is None or self._sessions.get(session, user) == user):
            return tuple(self._of_user.get(user, ())[-RECENT:])
        keys = (("user", user), ("device", device), ("session", session))
        places = {place for key in keys for place in self._places.get(key, ())}
        return tuple([self._acts[place] for place in sorted(places)[-RECENT:]])

    def linked(self, opened: int) -> set[Link]:
        """Return links between accounts that the open bucket has surely: those of acts that were accepted into it at once."""
        found: set[Link] = set()
        for act, counted_at in zip(self._acts, self._counts, strict=True):
            if counted_at is not None and counted_at > opened:
                if act.device_id is not None:
                    found.add(("device", act.device_id, act.user_id))
                if act.session_id is not None:
                    found.add(("session", act.session_id, act.user_id))
        return found

    @cached_property
    def _places(self) -> dict[tuple[str, str | None], list[int]]:
        found: dict[tuple[str, str | None], list[int]] = {}
        for place, act in enumerate(self._acts):
            for kind, value in (("user", act.user_id), ("device", act.device_id), ("session", act.session_id)):
                if value is not None:
                    found.setdefault((kind, value), []).append(place)
        return found


async def known(sql: Sql, realm_id: str, asked: Sequence[Asked], *, since: int, tick: int) -> tuple[Known, ...]:
    """Return what the ledger knows around each act.

    Where clocks of several writers differ, the newest 200 acts of an account are those received last.
    """
    near = _Near(await _recent(sql, realm_id, asked, since))
    return await _known(sql, realm_id, asked, near, tick)


async def take_in(
    sql: Sql, realm_id: str, asked: Sequence[Asked], judge: Judge, *, since: int, tick: int
) -> tuple[LedgerRow, ...]:
    """Judge and enter acts under the realm's lock; raise `UnknownRealmError` where there is no such realm."""
    counts = await locked(sql, realm_id)
    near = _Near(await _recent(sql, realm_id, asked, since))
    around = await _known(sql, realm_id, asked, near, tick)
    judgement = judge(around)
    repeated = {each.row.event_id: each.row for each in around if each.row is not None}
    entered = await enter(
        sql, realm_id, counts, judgement.rows, judgement.questions, repeated, near.linked(counts.opened)
    )
    return tuple([entered[each.candidate.event_id] for each in asked])


async def _known(sql: Sql, realm_id: str, asked: Sequence[Asked], near: _Near, tick: int) -> tuple[Known, ...]:
    rows = await of_events(sql, realm_id, [each.event_id for each, _ in asked])
    users = sorted({each.user_id for each, _ in asked})
    first_seen = await _first_seen(sql, realm_id, users)
    days = await _days(sql, realm_id, users, tick - DAY_TICKS)
    factions = dict(await _pairs(sql, realm_id, tick))
    if not any(seen is not None for seen in first_seen.values()):
        await check_realm(sql, realm_id)
    found = []
    for candidate, source in asked:
        user, faction = candidate.user_id, candidate.faction_id or ""
        day = days.get(user, _QUIET)
        found.append(
            Known(
                rows.get(candidate.event_id),
                near.to(candidate),
                day.repeats.get((candidate.action_type, faction), 0),
                day.points,
                day.by_source.get(source, 0),
                factions.get(faction, 0),
                first_seen[user],
            )
        )
    return tuple(found)


async def _first_seen(sql: Sql, realm_id: str, users: Sequence[str]) -> dict[str, int | None]:
    statement = _FIRST_SEEN.format(users=sql.table_of("users"))
    return {row[0]: row[1] for row in await sql.rows(statement, realm_id=realm_id, users=sql.listed(users))}


async def _days(sql: Sql, realm_id: str, users: Sequence[str], behind: int) -> dict[str, _Day]:
    statement = (_TALLIES_POSTGRES if sql.is_postgres else _TALLIES).format(
        users=sql.table_of("users"), among=sql.among("user_id", "users")
    )
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


async def _recent(sql: Sql, realm_id: str, asked: Sequence[Asked], since: int) -> Sequence[Row]:
    """Return sequence, count and act of what is near to any act asked about."""
    values = {key: sorted({value for each, _ in asked if (value := getattr(each, key))}) for key in _KEYS}
    given = {f"{key}s": sql.listed(found) for key, found in values.items() if found}
    statement = _recent_statement(sql, tuple([key for key in _KEYS if values[key]]))
    return await sql.rows(statement, realm_id=realm_id, since=since, **given)


def _recent_statement(sql: Sql, keys: Sequence[str]) -> str:
    near, recent = (_NEAR_POSTGRES, _RECENT_POSTGRES) if sql.is_postgres else (_NEAR, _RECENT)
    parts = [near.format(key=key, name=f"{key}s", names=sql.table_of(f"{key}s")) for key in keys]
    return recent.format(near=" UNION ".join(parts))
