"""The influence ledger in SQL: entering acts, what is known around an act, and what becomes of a row later."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from world.influence.judging import State
from world.persistence.acts import LedgerRow, NewRow, Transition
from world.persistence.messages import NewQuestion
from world.persistence.sql_engine import Sql
from world.persistence.sql_messages import messages_of_acts, raise_questions
from world.persistence.sql_realms import Counts, check_realm, keep_counts, locked
from world.persistence.sql_rows import (
    INFLUENCE,
    LEDGER,
    MOVED,
    entered_row,
    influence_values,
    ledger_of_events,
    ledger_row_from,
    worth,
)
from world.persistence.sql_totals import Counting, Link, Sums

_TRANSITION: Final = (
    "INSERT INTO world_transitions (realm_id, sequence, number, state, because, points, counted_at, moved_at)"
    " VALUES (:realm_id, :sequence, :number, :state, :because, :points, :counted_at, :moved_at)"
)
_STANDING: Final = (
    "SELECT COALESCE(m.state, l.state), COALESCE(m.points, l.points), COALESCE(m.number, 0), l.user_id, l.device_id,"
    " l.session_id, COALESCE(l.faction_id, ''), COALESCE(l.territory_id, ''), l.action_type, l.source, l.relic_id,"
    " l.is_against, l.tick, l.correlation_id"
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
        counts, acts = await locked(sql, realm_id), [new for new in rows if new.realm_id == realm_id]
        known = await of_events(sql, realm_id, [new.event_id for new in acts])
        found = await enter(sql, realm_id, counts, acts, questions, known)
        entered.update({(realm_id, event_id): row for event_id, row in found.items()})
    return tuple([entered[new.realm_id, new.event_id] for new in rows])


async def of_events(sql: Sql, realm_id: str, event_ids: Sequence[str]) -> dict[str, LedgerRow]:
    """Return the acts of the ledger among several event ids."""
    rows = await sql.rows(ledger_of_events(sql), realm_id=realm_id, event_ids=sql.listed(sorted(set(event_ids))))
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
    counted, sums = counts.counted, Sums(realm_id, counts.opened)
    for each in transitions:
        if (counting := await _move(sql, realm_id, each, counted, now)) is not None:
            counted += 1
            sums.add(counting)
    await sql.merge(*sums.merges())
    return counts._replace(counted=counted)


async def contribution(sql: Sql, realm_id: str, user_id: str) -> dict[str, dict[str, int]]:
    """Return the milli-points of one account's accepted acts by faction and territory."""
    found: dict[str, dict[str, int]] = {}
    for faction_id, territory_id, points in await sql.rows(_CONTRIBUTION, realm_id=realm_id, user_id=user_id):
        found.setdefault(faction_id, {})[territory_id] = points
    if not found:
        await check_realm(sql, realm_id)
    return found


async def enter(
    sql: Sql,
    realm_id: str,
    counts: Counts,
    rows: Sequence[NewRow],
    questions: Mapping[str, NewQuestion],
    known: Mapping[str, LedgerRow],
    linked: Collection[Link] = (),
) -> dict[str, LedgerRow]:
    """Enter acts of a locked realm behind those that are in it; return every act's row by its event id.

    Args:
        known: rows of those event ids that are in the ledger.
        linked: links that stand in the open bucket already.
    """
    entered = dict(known)
    values: list[tuple[object, ...]] = []
    sums = Sums(realm_id, counts.opened)
    asked: list[tuple[NewQuestion, int]] = []
    arrived, counted = counts.arrived, counts.counted
    for new in rows:
        if new.event_id in entered:
            continue
        arrived += 1
        at = None
        if new.judged.state == "accepted":
            at = counted = counted + 1
            sums.add(_counting(new))
        values.append(influence_values(new, arrived, at))
        entered[new.event_id] = entered_row(new, arrived, at)
        if (question := questions.get(new.event_id)) is not None:
            asked.append((question, new.tick))
    if values:
        await sql.append("world_influence", INFLUENCE, values)
        await sql.merge(messages_of_acts(realm_id, counts.arrived, arrived), *sums.merges(linked))
        await raise_questions(sql, realm_id, asked)
        await keep_counts(sql, realm_id, counts._replace(arrived=arrived, counted=counted))
    return entered


def _counting(new: NewRow) -> Counting:
    judged = new.judged
    return Counting(
        new.user_id, new.device_id, new.session_id, new.faction_id or "", judged.territory_id or "", new.action_type,
        new.source, new.relic_id, judged.is_against, new.tick, new.correlation_id, worth(new),
    )  # fmt: skip


async def _move(sql: Sql, realm_id: str, transition: Transition, counted: int, now: int) -> Counting | None:
    """Write one transition where its row may move; return what counts where it became accepted."""
    found = await sql.row(_STANDING, realm_id=realm_id, sequence=transition.sequence)
    if found is None:
        raise LookupError(f"the ledger has no act {transition.sequence}")
    state, points, number, *act = found
    if state == "accepted" or transition.expected not in (None, state):
        return None
    is_accepted = transition.state == "accepted"
    points = points if transition.points is None else transition.points
    await sql.run(
        _TRANSITION,
        realm_id=realm_id,
        sequence=transition.sequence,
        number=number + 1,
        state=transition.state,
        because=transition.because,
        points=points,
        counted_at=counted + 1 if is_accepted else None,
        moved_at=now,
    )
    return Counting._make([*act, points]) if is_accepted else None
