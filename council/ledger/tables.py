"""The tables of the record store, one metadata for SQLite and PostgreSQL.

Only migrations read it (and the test that holds the two together): the adapters write their few statements by hand, so that the
command line never waits for an import of SQLAlchemy. The triggers that make rows write-once stand in the migrations; reviews
under way and their replies are working state and have none.
"""

from typing import Final

import sqlalchemy as sa

from story.ledger.sql_tables import metadata as story_metadata
from world.bus.sql_tables import metadata as bus_metadata
from world.persistence.sql_tables import metadata as world_metadata

metadata: Final = sa.MetaData()
for _tables in (world_metadata.tables, bus_metadata.tables, story_metadata.tables):
    for _table in _tables.values():
        _table.to_metadata(metadata)  # one database, one history of migrations

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Bytewise order, so that both databases sort alike and compare fast.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
_AMOUNTS = ("replies", "calls", "input_tokens", "cached_tokens", "output_tokens", "picodollars", "unpriced_calls")

records: Final = sa.Table(
    "records",
    metadata,
    sa.Column("seq", _SERIAL, sa.Identity(always=False), primary_key=True),
    sa.Column("realm_id", _TEXT, nullable=False),
    sa.Column("position", _SERIAL, nullable=False),
    sa.Column("previous", _TEXT, nullable=False),
    sa.Column("hash", _TEXT, nullable=False),
    sa.Column("decision_id", _TEXT, nullable=False),
    sa.Column("request_key", _TEXT, nullable=False),
    sa.Column("fingerprint", _TEXT, nullable=False),
    sa.Column("recorded_at", _TEXT, nullable=False),
    sa.Column("decision_type", _TEXT, nullable=False),
    sa.Column("verdict", _TEXT, nullable=False),
    sa.Column("path", _TEXT, nullable=False),
    sa.Column("held", _FLAG, nullable=False),
    sa.Column("policy_hash", _TEXT, nullable=False),
    sa.Column("correlation_id", _TEXT),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Index("records_chain", "realm_id", "position", unique=True),
    # An id is a function of its request key (`decision_id_of`), so this one index keeps both unique and finds both.
    sa.Index("records_decision_id", "decision_id", unique=True),
    # Newest first with the filters of a listing inside, so that rows they drop are never fetched. It grows at its end only.
    sa.Index("records_listing", "recorded_at", "seq", "realm_id", "decision_type", "verdict", "path", "held"),
    sqlite_strict=True,
)

heads: Final = sa.Table(
    "heads",
    metadata,
    sa.Column("realm_id", _TEXT, primary_key=True),
    sa.Column("position", _SERIAL, nullable=False),
    sa.Column("hash", _TEXT, nullable=False),
    sqlite_strict=True,
)

outbox: Final = sa.Table(
    "outbox",
    metadata,
    sa.Column("event_id", _SERIAL, sa.Identity(always=False), primary_key=True),
    sa.Column("realm_id", _TEXT, nullable=False),
    sa.Column("decision_id", _TEXT, nullable=False),
    sa.Column("topic", _TEXT, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("published_at", _TEXT),
    sa.Index(
        "outbox_pending",
        "event_id",
        sqlite_where=sa.text("published_at IS NULL"),
        postgresql_where=sa.text("published_at IS NULL"),
    ),
    sqlite_strict=True,
)

policies: Final = sa.Table(
    "policies",
    metadata,
    sa.Column("hash", _TEXT, primary_key=True),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sqlite_strict=True,
)

spend: Final = sa.Table(
    "spend",
    metadata,
    # The key begins with the time, so that a period is one stretch of it; in SQLite the key is the table.
    sa.Column("recorded_at", _TEXT, primary_key=True),
    sa.Column("decision_id", _TEXT, primary_key=True),
    sa.Column("member", _TEXT, primary_key=True),
    sa.Column("model", _TEXT, primary_key=True),
    sa.Column("realm_id", _TEXT, nullable=False),
    sa.Column("decision_type", _TEXT, nullable=False),
    *(sa.Column(name, _SERIAL, nullable=False) for name in _AMOUNTS),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

remarks: Final = sa.Table(
    "remarks",
    metadata,
    sa.Column("seq", _SERIAL, sa.Identity(always=False), primary_key=True),
    sa.Column("realm_id", _TEXT, nullable=False),
    sa.Column("decision_id", _TEXT, nullable=False),
    sa.Column("kind", _TEXT, nullable=False),
    sa.Column("author", _TEXT, nullable=False),
    sa.Column("said", _TEXT, nullable=False),
    sa.Column("said_at", _TEXT, nullable=False),
    sa.Column("axis", _TEXT),
    sa.Column("note", _TEXT, nullable=False),
    sa.Index("remarks_decision_id", "decision_id", "seq"),
    sqlite_strict=True,
)

open_reviews: Final = sa.Table(
    "open_reviews",
    metadata,
    sa.Column("decision_id", _TEXT, primary_key=True),
    sa.Column("request_key", _TEXT, nullable=False),
    sa.Column("fingerprint", _TEXT, nullable=False),
    sa.Column("realm_id", _TEXT, nullable=False),
    sa.Column("policy_hash", _TEXT, nullable=False),
    sa.Column("correlation_id", _TEXT),
    sa.Column("opened_at", _TEXT, nullable=False),
    sa.Column("leased_until", _TEXT, nullable=False),
    # Last, so that a look for ended leases reads no requests. It needs no index: the table holds what is under way, no more.
    sa.Column("request", sa.LargeBinary, nullable=False),
    sqlite_strict=True,
)

open_replies: Final = sa.Table(
    "open_replies",
    metadata,
    sa.Column("decision_id", _TEXT, sa.ForeignKey("open_reviews.decision_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("slot", _TEXT, primary_key=True),
    sa.Column("reply", sa.LargeBinary, nullable=False),
    sqlite_strict=True,
)
