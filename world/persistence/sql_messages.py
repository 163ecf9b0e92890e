"""What the world tells others, in SQL: events of a realm's sequence, questions to the council, the outbox of the bus."""

from collections.abc import Sequence
from typing import Final

from world.persistence.messages import Event, NewEvent, NewQuestion, OutboxRow, Question, QuestionState
from world.persistence.port import Snapshot
from world.persistence.sql_engine import Merge, Sql
from world.persistence.sql_realms import check_realm
from world.persistence.sql_rows import EVENT, QUESTION, event_from, question_from
from world.persistence.sql_told import messages_of, told, told_to
from world.persistence.verdicts_told import VERDICT_INDEX, public_verdict

_EVENT_COLUMNS: Final = tuple(EVENT.split(", "))
_BEHIND = "WHERE realm_id = :realm_id AND sequence > :after AND sequence <= :upto"
_PUBLIC = f"SELECT {EVENT} FROM world_events {_BEHIND} AND user_id IS NULL"
_EVERY = f"SELECT {EVENT} FROM world_events {_BEHIND}"
_OF_USER = f"SELECT {EVENT} FROM world_events {_BEHIND} AND user_id = :user_id"
_IN_ORDER = " ORDER BY sequence LIMIT :limit"
_NEWEST = (
    f"SELECT {EVENT} FROM world_events WHERE realm_id = :realm_id AND user_id IS NULL AND kind = :kind"
    " ORDER BY sequence DESC LIMIT :limit"
)
_PUBLIC_VERDICTS: Final = {
    is_postgres: f"SELECT {EVENT} FROM world_events{hint} WHERE realm_id = :realm_id"
    f" AND {public_verdict(is_postgres=is_postgres)} ORDER BY sequence DESC LIMIT :limit"
    # SQLite would rather walk the primary key through every event of the realm.
    for is_postgres, hint in ((True, ""), (False, f" INDEXED BY {VERDICT_INDEX}"))
}
_EVENTS: Final = (
    "INSERT INTO world_outbox (realm_id, topic, sequence) SELECT realm_id, kind, sequence FROM world_events"
    " WHERE realm_id = :realm_id AND sequence > :after AND sequence <= :upto ORDER BY sequence"
)
_OF_ITS_PAGE = (
    " LEFT JOIN world_told t ON o.topic <> 'influence' AND t.realm_id = o.realm_id AND t.sequence = o.sequence"
)
_MESSAGES: Final = (
    "SELECT o.number, o.realm_id, o.topic, COALESCE(l.event_id, o.realm_id || '/' || CAST(o.sequence AS TEXT)),"
    " COALESCE(l.candidate, e.payload, t.payload), COALESCE(l.correlation_id, e.correlation_id), t.first"
    " FROM world_outbox o LEFT JOIN world_influence l"
    " ON o.topic = 'influence' AND l.realm_id = o.realm_id AND l.sequence = o.sequence"
    " LEFT JOIN world_events e ON o.topic <> 'influence' AND e.realm_id = o.realm_id AND e.sequence = o.sequence"
    f"{_OF_ITS_PAGE}"
)
_COUNTED: Final = f"SELECT o.number, COALESCE(o.sequence - t.first + 1, 1) FROM world_outbox o{_OF_ITS_PAGE}"
"""Outbox rows with how many messages each is."""
_PENDING: Final = "WHERE o.published_at IS NULL"
_OF_LATE: Final = "WHERE o.published_at >= :since AND o.number > :after"
_PUBLISHED: Final = "UPDATE world_outbox SET published_at = :now WHERE number = :number AND published_at IS NULL"
_ASK: Final = (
    f"INSERT INTO world_questions ({QUESTION}) VALUES (:realm_id, :question_id, :subject, :request, 'open',"
    " :tick_number, NULL, NULL, :correlation_id) ON CONFLICT (question_id) DO NOTHING"
)
_QUESTION: Final = f"SELECT {QUESTION} FROM world_questions"
_ANSWER: Final = (
    "UPDATE world_questions SET state = :state, answer = :answer, decision_id = :decision_id"
    " WHERE question_id = :question_id AND state NOT IN ('applied', 'expired')"
)


async def happen(sql: Sql, snapshot: Snapshot, events: Sequence[NewEvent], after: int, now: int) -> int:
    """Write events behind a sequence, and their messages; return the newest sequence."""
    rows: list[tuple[object, ...]] = [
        (
            snapshot.realm_id, sequence, snapshot.tick_number, event.kind, event.payload, event.user_id, now,
            event.correlation_id,
        )
        for sequence, event in enumerate(events, after + 1)
    ]  # fmt: skip
    await sql.append("world_events", _EVENT_COLUMNS, rows)
    newest = after + len(rows)
    if rows:
        await sql.run(_EVENTS, realm_id=snapshot.realm_id, after=after, upto=newest)
    return newest


def messages_of_acts(realm_id: str, after: int, upto: int) -> Merge:
    """Return what puts the acts of a stretch of the ledger into the outbox."""
    rows = [(realm_id, "influence", sequence) for sequence in range(after + 1, upto + 1)]
    return Merge("world_outbox", ("realm_id", "topic", "sequence"), rows)


async def events(sql: Sql, realm_id: str, after: int, limit: int, user_id: str | None) -> tuple[Event, ...]:
    """Return events behind a sequence that are for everybody, and one user's."""
    # What is committed between two of these statements is left to the next call, so that none skips what another finds.
    newest = await last_sequence(sql, realm_id)
    stretch = {"realm_id": realm_id, "after": after, "upto": newest}
    rows = list(await sql.rows(_PUBLIC + _IN_ORDER, **stretch, limit=limit))
    if user_id is None:
        return tuple([event_from(row) for row in rows])
    rows += await sql.rows(_OF_USER + _IN_ORDER, user_id=user_id, **stretch, limit=limit)
    found = [event_from(row) for row in rows]
    found.sort(key=_by_sequence)
    upto = found[limit - 1].sequence if 0 < limit <= len(found) else newest
    found += await told_to(sql, realm_id, user_id, after, upto, limit)
    return tuple(sorted(found, key=_by_sequence)[:limit])


async def all_events(sql: Sql, realm_id: str, after: int, limit: int) -> tuple[Event, ...]:
    """Return every event behind a sequence."""
    # The sequence has no gaps: these are the next ones, wherever they are kept.
    upto = min(after + limit, await last_sequence(sql, realm_id))
    rows = await sql.rows(_EVERY + _IN_ORDER, realm_id=realm_id, after=after, upto=upto, limit=limit)
    found = [event_from(row) for row in rows]
    if len(found) < upto - after:
        found += await told(sql, realm_id, after, upto)
    return tuple(sorted(found, key=_by_sequence))


async def latest_events(sql: Sql, realm_id: str, kind: str, limit: int) -> tuple[Event, ...]:
    """Return the newest events of a kind that are for everybody, newest first."""
    rows = await sql.rows(_NEWEST, realm_id=realm_id, kind=kind, limit=limit)
    if not rows:
        await check_realm(sql, realm_id)
    return tuple([event_from(row) for row in rows])


async def public_verdicts(sql: Sql, realm_id: str, limit: int) -> tuple[Event, ...]:
    """Return the newest verdicts that everybody may read, newest first: the index holds no others."""
    rows = await sql.rows(_PUBLIC_VERDICTS[sql.is_postgres], realm_id=realm_id, limit=limit)
    if not rows:
        await check_realm(sql, realm_id)
    return tuple([event_from(row) for row in rows])


async def last_sequence(sql: Sql, realm_id: str) -> int:
    """Return the newest event's sequence."""
    row = await sql.row("SELECT happened FROM world_realms WHERE realm_id = :realm_id", realm_id=realm_id)
    if row is None:
        await check_realm(sql, realm_id)
    return int(row[0]) if row is not None else 0


async def raise_questions(sql: Sql, realm_id: str, asked: Sequence[tuple[NewQuestion, int]]) -> None:
    """Write questions with the ticks that raised them; one that is known stays as it is."""
    for question, tick_number in asked:
        await sql.run(_ASK, realm_id=realm_id, tick_number=tick_number, **question._asdict())


async def question(sql: Sql, question_id: str) -> Question | None:
    """Return one question."""
    row = await sql.row(f"{_QUESTION} WHERE question_id = :question_id", question_id=question_id)
    return question_from(row) if row is not None else None


async def questions(sql: Sql, realm_id: str | None, state: QuestionState | None, limit: int) -> tuple[Question, ...]:
    """Return questions, oldest first."""
    asked = {"realm_id": realm_id, "state": state}
    given = {name: value for name, value in asked.items() if value is not None}
    where = " AND ".join([f"{name} = :{name}" for name in given])
    rows = await sql.rows(
        f"{_QUESTION}{' WHERE ' if where else ''}{where} ORDER BY number LIMIT :limit", limit=limit, **given
    )
    return tuple([question_from(row) for row in rows])


async def answer(sql: Sql, question_id: str, state: QuestionState, said: bytes | None, decision_id: str | None) -> None:
    """Write what became of a question.

    Raises:
        KeyError: where there is no such question.
    """
    values = {"question_id": question_id, "state": state, "answer": said, "decision_id": decision_id}
    await sql.run(_ANSWER, **values)
    if await question(sql, question_id) is None:
        raise KeyError(question_id)


async def settle(sql: Sql, applied: str | None, expired: Sequence[str]) -> None:
    """Mark the question that a step applied, and those that nobody answered in time."""
    for question_id in expired:
        await sql.run(
            "UPDATE world_questions SET state = 'expired' WHERE question_id = :question_id AND state <> 'applied'",
            question_id=question_id,
        )
    if applied is not None:
        await sql.run(
            "UPDATE world_questions SET state = 'applied' WHERE question_id = :question_id", question_id=applied
        )


async def pending(sql: Sql, limit: int) -> tuple[OutboxRow, ...]:
    """Return the oldest messages not yet published."""
    return await _messages(sql, _PENDING, limit)


async def published(sql: Sql, since: int, after: int, limit: int) -> tuple[OutboxRow, ...]:
    """Return messages that were marked as published at or after a time."""
    return await _messages(sql, _OF_LATE, limit, since=since, after=after)


async def mark_published(sql: Sql, numbers: Sequence[int], now: int) -> None:
    """Mark messages as published; one that is published already stays so."""
    await sql.many(_PUBLISHED, [(now, number) for number in numbers])


async def _messages(sql: Sql, where: str, limit: int, **values: object) -> tuple[OutboxRow, ...]:
    """Return messages in order of their numbers, so many as come up to a limit with the last number's whole."""
    last, most = None, 0
    for number, messages in await sql.rows(f"{_COUNTED} {where} ORDER BY o.number LIMIT :limit", limit=limit, **values):
        last, most = number, most + messages
        if most >= limit:
            break
    if last is None:
        return ()
    rows = await sql.rows(f"{_MESSAGES} {where} AND o.number <= :last ORDER BY o.number", last=last, **values)
    found: list[OutboxRow] = []
    for *message, first in rows:
        row = OutboxRow(*message)
        found += [row] if first is None else messages_of(row, first)
    return tuple(found)


def _by_sequence(event: Event) -> int:
    return event.sequence
