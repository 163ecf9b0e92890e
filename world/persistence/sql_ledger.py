"""The influence ledger in SQL: entering acts, what is known around an act, and what becomes of a row later."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from world.influence.judging import State
from world.persistence.port import LedgerRow, NewQuestion, NewRow, Transition
from world.persistence.sql_engine import Sql
from world.persistence.sql_messages import publish_acts, raise_questions
from world.persistence.sql_realms import Counts, check_realm, keep_counts, locked
from world.persistence.sql_rows import INFLUENCE, LEDGER, MOVED, entered_row, influence_values, ledger_row_from
from world.persistence.sql_totals import count

_ENTER: Final = (
    f"INSERT INTO world_influence ({', '.join(INFLUENCE)}) VALUES ({', '.join(f':{name}' for name in INFLUENCE)})"
)
_TRANSITION: Final = (
    "INSERT INTO world_transitions (realm_id, sequence, number, state, because, points, counted_at, moved_at)"
    " VALUES (:realm_id, :sequence, :number, :state, :because, :points, :counted_at, :moved_at)"
)
_STANDING: Final = (
    "SELECT COALESCE(m.state, l.state), COALESCE(m.points, l.points), COALESCE(m.number, 0)"
    f" FROM world_influence l{MOVED} WHERE l.realm_id = :realm_id AND l.sequence = :sequence"
)
_HELD: Final = (
    " AND l.sequence IN (SELECT sequence FROM world_influence WHERE realm_id = :realm_id"
    " AND state IN ('in_review', 'quarantined')"
    " UNION SELECT sequence FROM world_transitions WHERE realm_id = :realm_id)"
)
_CONTRIBUTION: Final = (
    "SELECT l.faction_id, COALESCE(l.territory_id, ''), CAST(SUM(COALESCE(m.points, l.points)) AS BIGINT)"
    f" FROM world_influence l{MOVED}"
    " WHERE l.realm_id = :realm_id AND l.user_id = :user_id AND l.faction_id IS NOT NULL"
    " AND COALESCE(m.state, l.state) = 'accepted' GROUP BY l.faction_id, COALESCE(l.territory_id, '')"
)


async def submit(sql: Sql, rows: Sequence[NewRow], questions: Mapping[str, NewQuestion]) -> tuple[LedgerRow, ...]:
    """Enter acts of one realm or several; realms are locked in the order of their ids."""
    entered: dict[tuple[str, str], LedgerRow] = {}
    for realm_id in sorted({new.realm_id for new in rows}):
        found = await _enter(sql, realm_id, [new for new in rows if new.realm_id == realm_id], questions)
        entered.update({(realm_id, event_id): row for event_id, row in found.items()})
    return tuple([entered[new.realm_id, new.event_id] for new in rows])


async def of_events(sql: Sql, realm_id: str, event_ids: Sequence[str]) -> dict[str, LedgerRow]:
    """Return the acts of the ledger among several event ids."""
    rows = await sql.rows(
        f"{LEDGER} WHERE l.realm_id = :realm_id AND {sql.among('l.event_id', 'event_ids')}",
        realm_id=realm_id,
        event_ids=sql.listed(event_ids),
    )
    return {row[2]: ledger_row_from(row) for row in rows}


async def row(sql: Sql, realm_id: str, event_id: str) -> LedgerRow | None:
    """Return one act of a realm that exists."""
    found = await of_events(sql, realm_id, [event_id])
    if not found:
        await check_realm(sql, realm_id)
    return found.get(event_id)


async def rows(
    sql: Sql, realm_id: str, *, state: State | None, user_id: str | None, after: int, since_tick: int, limit: int
) -> tuple[LedgerRow, ...]:
    """Return acts in order of arrival."""
    statement = f"{LEDGER} WHERE l.realm_id = :realm_id AND l.sequence > :after AND l.tick >= :since_tick"
    values: dict[str, Any] = {"realm_id": realm_id, "after": after, "since_tick": since_tick, "limit": limit}
    if state is not None:
        statement += " AND COALESCE(m.state, l.state) = :state"
        values["state"] = state
    if state in ("in_review", "quarantined"):
        statement += _HELD
    if user_id is not None:
        statement += " AND l.user_id = :user_id"
        values["user_id"] = user_id
    found = await sql.rows(f"{statement} ORDER BY l.sequence LIMIT :limit", **values)
    if not found:
        await check_realm(sql, realm_id)
    return tuple([ledger_row_from(row) for row in found])


async def move(sql: Sql, realm_id: str, counts: Counts, transitions: Sequence[Transition], now: int) -> Counts:
    """Write transitions of a locked realm and count what became accepted; return the counters, which the caller keeps.

    Raises:
        LookupError: for a sequence that is not in the ledger.
    """
    counted = counts.counted
    for each in transitions:
        counted += await _move(sql, realm_id, each, counted, now)
    await count(sql, realm_id, bucket=counts.opened, after=counts.counted, upto=counted)
    return counts._replace(counted=counted)


async def contribution(sql: Sql, realm_id: str, user_id: str) -> dict[str, dict[str, int]]:
    """Return the milli-points of one account's accepted acts by faction and territory."""
    found: dict[str, dict[str, int]] = {}
    for faction_id, territory_id, points in await sql.rows(_CONTRIBUTION, realm_id=realm_id, user_id=user_id):
        found.setdefault(faction_id, {})[territory_id] = points
    if not found:
        await check_realm(sql, realm_id)
    return found


async def _enter(
    sql: Sql, realm_id: str, rows: Sequence[NewRow], questions: Mapping[str, NewQuestion]
) -> dict[str, LedgerRow]:
    counts = await locked(sql, realm_id)
    entered = await of_events(sql, realm_id, [new.event_id for new in rows])
    values: list[tuple[object, ...]] = []
    arrived, counted = counts.arrived, counts.counted
    asked: list[tuple[NewQuestion, int]] = []
    for new in rows:
        if new.event_id in entered:
            continue
        arrived += 1
        counted += new.judged.state == "accepted"
        counted_at = counted if new.judged.state == "accepted" else None
        values.append(influence_values(new, arrived, counted_at))
        entered[new.event_id] = entered_row(new, arrived, counted_at)
        if (question := questions.get(new.event_id)) is not None:
            asked.append((question, new.tick))
    if values:
        await sql.many(_ENTER, values)
        await publish_acts(sql, realm_id, after=counts.arrived, upto=arrived)
        await count(sql, realm_id, bucket=counts.opened, after=counts.counted, upto=counted)
        await raise_questions(sql, realm_id, asked)
        await keep_counts(sql, realm_id, counts._replace(arrived=arrived, counted=counted))
    return entered


async def _move(sql: Sql, realm_id: str, transition: Transition, counted: int, now: int) -> bool:
    """Write one transition where its row may move; return whether it became accepted."""
    found = await sql.row(_STANDING, realm_id=realm_id, sequence=transition.sequence)
    if found is None:
        raise LookupError(f"the ledger has no act {transition.sequence}")
    state, points, number = found
    if state == "accepted" or transition.expected not in (None, state):
        return False
    is_accepted = transition.state == "accepted"
    await sql.run(
        _TRANSITION,
        realm_id=realm_id,
        sequence=transition.sequence,
        number=number + 1,
        state=transition.state,
        because=transition.because,
        points=points if transition.points is None else transition.points,
        counted_at=counted + 1 if is_accepted else None,
        moved_at=now,
    )
    return is_accepted
