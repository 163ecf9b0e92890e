"""The world's tables, one metadata for SQLite and PostgreSQL.

What happened is append-only: the ledger, its transitions, snapshots, events (the triggers stand in `sql_schema`). What is summed
from it is working state that can be counted again: totals, links, tallies. An outbox row carries no text: it names the act or
the event that it publishes.
"""

from typing import Final

import sqlalchemy as sa

from world.persistence.verdicts_told import VERDICT_INDEX, public_verdict

metadata: Final = sa.MetaData()

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Bytewise order, so that both databases sort alike and compare fast.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
_BYTES = sa.LargeBinary


def _whole(name: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, _WHOLE, nullable=optional)


def _text(name: str, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=optional)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT, primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _WHOLE, primary_key=True, autoincrement=False)


def _serial(name: str) -> sa.Column[int]:
    return sa.Column(name, _WHOLE, sa.Identity(always=False), primary_key=True)


sa.Table("world_schema", metadata, _number("version"), sqlite_strict=True)

sa.Table(
    "world_realms",
    metadata,
    _key("realm_id"),
    _text("snapshot_id"),
    _whole("arrived"),  # sequence of the newest act
    _whole("counted"),  # acts that were accepted so far
    _whole("opened"),  # bucket of the totals that new acts go to: the count at which it was opened
    _whole("consumed"),  # count up to which ticks have taken acts
    _whole("happened"),  # sequence of the newest event
    sqlite_strict=True,
)

sa.Table(
    "world_leases",
    metadata,
    _key("realm_id"),
    _text("holder", optional=True),
    _whole("token"),
    _whole("until"),
    sqlite_strict=True,
)

sa.Table(
    "world_snapshots",
    metadata,
    _key("realm_id"),
    _number("tick_number"),
    _number("revision"),
    _text("snapshot_id"),
    _text("hash"),
    _text("previous"),
    _whole("made_at"),
    sa.Column("state", _BYTES, nullable=False),
    sa.Column("result", _BYTES, nullable=False),
    sa.Index("world_snapshots_id", "realm_id", "snapshot_id", unique=True),
    sqlite_strict=True,
)

influence: Final = sa.Table(
    "world_influence",
    metadata,
    _key("realm_id"),
    _number("sequence"),
    _text("event_id"),
    _text("user_id"),
    _text("device_id", optional=True),
    _text("session_id", optional=True),
    _text("faction_id", optional=True),
    _text("territory_id", optional=True),
    _text("action_type"),
    _text("source"),
    _text("relic_id", optional=True),
    sa.Column("is_against", _FLAG, nullable=False),
    _text("state"),
    _text("because"),
    _whole("base", optional=True),
    _whole("quality", optional=True),
    _whole("anti_spam", optional=True),
    _whole("fairness", optional=True),
    _whole("points"),
    _whole("anomaly"),
    sa.Column("terms", _BYTES, nullable=False),
    _whole("created_at"),
    _whole("received_at"),
    _whole("tick"),
    _whole("counted_at", optional=True),
    _text("correlation_id", optional=True),
    sa.Column("candidate", _BYTES, nullable=False),
    sa.Index("world_influence_event", "realm_id", "event_id", unique=True),
    sa.Index("world_influence_user", "realm_id", "user_id", "received_at", "sequence"),
    sa.Index(
        "world_influence_device",
        "realm_id",
        "device_id",
        "received_at",
        "sequence",
        sqlite_where=sa.text("device_id IS NOT NULL"),
        postgresql_where=sa.text("device_id IS NOT NULL"),
    ),
    sa.Index(
        "world_influence_session",
        "realm_id",
        "session_id",
        "received_at",
        "sequence",
        sqlite_where=sa.text("session_id IS NOT NULL"),
        postgresql_where=sa.text("session_id IS NOT NULL"),
    ),
    # It grows at its end only.
    sa.Index(
        "world_influence_counted",
        "realm_id",
        "counted_at",
        sqlite_where=sa.text("counted_at IS NOT NULL"),
        postgresql_where=sa.text("counted_at IS NOT NULL"),
    ),
    sa.Index(
        "world_influence_held",
        "realm_id",
        "sequence",
        sqlite_where=sa.text("state IN ('in_review', 'quarantined')"),
        postgresql_where=sa.text("state IN ('in_review', 'quarantined')"),
    ),
    sqlite_strict=True,
)

sa.Table(
    "world_transitions",
    metadata,
    _key("realm_id"),
    _number("sequence"),
    _number("number"),
    _text("state"),
    _text("because"),
    _whole("points"),
    _whole("counted_at", optional=True),
    _whole("moved_at"),
    sa.Index(
        "world_transitions_counted",
        "realm_id",
        "counted_at",
        sqlite_where=sa.text("counted_at IS NOT NULL"),
        postgresql_where=sa.text("counted_at IS NOT NULL"),
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

sa.Table(
    "world_totals",
    metadata,
    _key("realm_id"),
    _number("bucket"),
    sa.Column("is_against", _FLAG, primary_key=True, autoincrement=False),
    _key("territory_id"),
    _key("faction_id"),
    _key("user_id"),
    _whole("points"),
    _text("correlation_id", optional=True),  # of the account's newest act in them
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

sa.Table(
    "world_links",
    metadata,
    _key("realm_id"),
    _number("bucket"),
    _key("kind"),  # device, session or relic
    _key("name"),
    _key("holder"),  # the account, or the faction that claims the relic
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

sa.Table(
    "world_tallies",
    metadata,
    _key("realm_id"),
    _key("user_id"),
    _number("tick"),
    _key("action_type"),
    _key("faction_id"),
    _key("source"),
    _whole("acts"),
    _whole("points"),
    sa.Index("world_tallies_tick", "realm_id", "tick"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

sa.Table(
    "world_faction_ticks",
    metadata,
    _key("realm_id"),
    _number("tick"),
    _key("faction_id"),
    _whole("points"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

_events = sa.Table(
    "world_events",
    metadata,
    _key("realm_id"),
    _number("sequence"),
    _whole("tick_number"),
    _text("kind"),
    _text("user_id", optional=True),
    _whole("made_at"),
    _text("correlation_id", optional=True),
    sa.Column("payload", _BYTES, nullable=False),
    sa.Index(
        "world_events_public",
        "realm_id",
        "sequence",
        sqlite_where=sa.text("user_id IS NULL"),
        postgresql_where=sa.text("user_id IS NULL"),
    ),
    sa.Index(
        "world_events_of_user",
        "realm_id",
        "user_id",
        "sequence",
        sqlite_where=sa.text("user_id IS NOT NULL"),
        postgresql_where=sa.text("user_id IS NOT NULL"),
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

verdict_index: Final = sa.Index(
    VERDICT_INDEX,
    _events.c.realm_id,
    _events.c.sequence,
    sqlite_where=sa.text(public_verdict(is_postgres=False)),
    postgresql_where=sa.text(public_verdict(is_postgres=True)),
)

# Events of many accounts in pages (`contributions`): one row stands for the places `first` to `sequence` of the realm's sequence.
sa.Table(
    "world_told",
    metadata,
    _key("realm_id"),
    _number("sequence"),
    _whole("first"),
    _whole("tick_number"),
    _text("first_user"),
    _text("last_user"),
    _whole("made_at"),
    sa.Column("payload", _BYTES, nullable=False),
    sqlite_strict=True,
)

sa.Table(
    "world_applied",
    metadata,
    _key("decision_id"),
    _text("realm_id"),
    _text("snapshot_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

sa.Table(
    "world_questions",
    metadata,
    _serial("number"),
    _text("question_id"),
    _text("realm_id"),
    _text("subject"),
    _text("state"),
    _whole("tick_number"),
    _text("decision_id", optional=True),
    _text("correlation_id", optional=True),
    sa.Column("request", _BYTES, nullable=False),
    sa.Column("answer", _BYTES, nullable=True),
    sa.Index("world_questions_id", "question_id", unique=True),
    sa.Index("world_questions_state", "state", "number"),
    sqlite_strict=True,
)

sa.Table(
    "world_outbox",
    metadata,
    _serial("number"),
    _text("realm_id"),
    _text("topic"),
    _whole("sequence"),  # of the act where the topic is influence, else of the event
    _whole("published_at", optional=True),
    sa.Index(
        "world_outbox_pending",
        "number",
        sqlite_where=sa.text("published_at IS NULL"),
        postgresql_where=sa.text("published_at IS NULL"),
    ),
    sqlite_strict=True,
)
