"""Rows of the world's tables as the port's values, and back."""

from typing import Any, Final

import orjson

from world.influence.scoring import Score
from world.persistence.acts import LedgerRow, NewRow
from world.persistence.messages import Event, Question
from world.persistence.port import Snapshot
from world.persistence.sql_engine import Row, Sql

SNAPSHOT: Final = "realm_id, tick_number, revision, snapshot_id, hash, previous, state, result, made_at"
EVENT: Final = "realm_id, sequence, tick_number, kind, payload, user_id, made_at, correlation_id"
QUESTION: Final = "realm_id, question_id, subject, request, state, tick_number, answer, decision_id, correlation_id"
INFLUENCE: Final = (
    "realm_id", "sequence", "event_id", "user_id", "device_id", "session_id", "faction_id", "territory_id",
    "action_type", "source", "relic_id", "is_against", "state", "because", "base", "quality", "anti_spam", "fairness",
    "points", "anomaly", "terms", "created_at", "received_at", "tick", "counted_at", "correlation_id", "candidate",
)  # fmt: skip
"""Columns of the ledger, in the order of `influence_values`."""
_LEDGER: Final = (
    "l.realm_id, l.sequence, l.event_id, l.candidate, l.user_id, l.faction_id, l.territory_id, l.action_type,"
    " l.is_against, COALESCE(m.state, l.state), l.anomaly, l.terms, COALESCE(m.because, l.because), l.received_at,"
    " l.tick, COALESCE(m.counted_at, l.counted_at), l.correlation_id,"
    " l.base, l.quality, l.anti_spam, l.fairness, l.points"
)
MOVED: Final = (
    " LEFT JOIN world_transitions m ON m.realm_id = l.realm_id AND m.sequence = l.sequence AND NOT EXISTS"
    " (SELECT 1 FROM world_transitions n"
    " WHERE n.realm_id = m.realm_id AND n.sequence = m.sequence AND n.number > m.number)"
)
"""Joins each row of the ledger, `l`, with its latest transition, `m`."""
LEDGER: Final = f"SELECT {_LEDGER} FROM world_influence l{MOVED}"
_OF_EVENT: Final = "l.realm_id = :realm_id AND l.event_id = event_ids.value"


def ledger_of_events(sql: Sql) -> str:
    """Return the query of `LEDGER` for the realm's acts among `event_ids`: for each id one look into the index."""
    if not sql.is_postgres:
        acts = f"world_influence l ON {_OF_EVENT}"
    else:  # what has a LIMIT is run for each id, also where the planner has no statistics and believes in a scan
        acts = f"LATERAL (SELECT * FROM world_influence l WHERE {_OF_EVENT} LIMIT 1) AS l"
    return f"SELECT {_LEDGER} FROM {sql.table_of('event_ids')} CROSS JOIN {acts}{MOVED}"


def snapshot_from(row: Row) -> Snapshot:
    """Return a snapshot of a row in the order of `SNAPSHOT`."""
    return Snapshot(*row)


def event_from(row: Row) -> Event:
    """Return an event of a row in the order of `EVENT`."""
    return Event(*row)


def question_from(row: Row) -> Question:
    """Return a question of a row in the order of `QUESTION`."""
    return Question(*row)


def ledger_row_from(row: Row) -> LedgerRow:
    """Return an act of a row of `LEDGER`."""
    base, quality, anti_spam, fairness, points = row[17:]
    score = Score(base, quality, anti_spam, fairness, points) if base is not None else None
    found: list[Any] = list(row[:17])
    found[8] = bool(found[8])
    found[10:12] = [score, found[10], orjson.loads(found[11])]
    return LedgerRow(*found)


def influence_values(new: NewRow, sequence: int, counted_at: int | None) -> tuple[object, ...]:
    """Return a new act's values in the order of `INFLUENCE`."""
    judged = new.judged
    factors: tuple[int | None, ...] = judged.score[:4] if judged.score is not None else (None, None, None, None)
    return (
        new.realm_id, sequence, new.event_id, new.user_id, new.device_id, new.session_id, new.faction_id,
        judged.territory_id, new.action_type, new.source, new.relic_id, judged.is_against, judged.state, because(new),
        *factors, worth(new), judged.anomaly, orjson.dumps(judged.terms), new.created_at, new.received_at, new.tick,
        counted_at, new.correlation_id, new.candidate,
    )  # fmt: skip


def entered_row(new: NewRow, sequence: int, counted_at: int | None) -> LedgerRow:
    """Return a new act as the ledger tells it."""
    judged = new.judged
    return LedgerRow(
        new.realm_id, sequence, new.event_id, new.candidate, new.user_id, new.faction_id, judged.territory_id,
        new.action_type, judged.is_against, judged.state, judged.score, judged.anomaly, judged.terms, because(new),
        new.received_at, new.tick, counted_at, new.correlation_id,
    )  # fmt: skip


def worth(new: NewRow) -> int:
    """Return the milli-points that a new act counts for; 0 where it was refused before it was scored."""
    return new.judged.score.normalized if new.judged.score is not None else 0


def because(new: NewRow) -> str:
    """Return why a new act was rejected; empty where it was not."""
    return new.judged.rejected.told if new.judged.rejected is not None else ""
