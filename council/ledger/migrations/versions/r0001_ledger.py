"""Records, heads, outbox and policies, with the triggers that make them write-once.

SQLite's INSERT OR REPLACE deletes the row in its way without firing DELETE triggers, so every table also refuses an INSERT that
meets an existing row (stack.md, others). PostgreSQL needs TRUNCATE refused beside UPDATE and DELETE.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Bytewise order, so that both databases sort alike and compare fast.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables and their triggers."""
    _create_records()
    _create_others()
    statements = _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for statement in statements:
        op.execute(sa.text(statement.replace(":", r"\:")))


def downgrade() -> None:
    """Refuse: going back would delete records."""
    raise RuntimeError("records are never deleted; restore a backup instead")


def _create_records() -> None:
    op.create_table(
        "records",
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
        sqlite_strict=True,
    )
    op.create_index("records_chain", "records", ["realm_id", "position"], unique=True)
    op.create_index("records_decision_id", "records", ["decision_id"], unique=True)
    listing = ["recorded_at", "seq", "realm_id", "decision_type", "verdict", "path", "held"]
    op.create_index("records_listing", "records", listing)


def _create_others() -> None:
    op.create_table(
        "heads",
        sa.Column("realm_id", _TEXT, primary_key=True),
        sa.Column("position", _SERIAL, nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox",
        sa.Column("event_id", _SERIAL, sa.Identity(always=False), primary_key=True),
        sa.Column("realm_id", _TEXT, nullable=False),
        sa.Column("decision_id", _TEXT, nullable=False),
        sa.Column("topic", _TEXT, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("published_at", _TEXT),
        sqlite_strict=True,
    )
    pending = sa.text("published_at IS NULL")
    op.create_index("outbox_pending", "outbox", ["event_id"], sqlite_where=pending, postgresql_where=pending)
    op.create_table(
        "policies",
        sa.Column("hash", _TEXT, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )


def _refuse(table: str, event: str, when: str, message: str) -> str:
    name = f"{table}_no_{event.lower()}"
    return f"CREATE TRIGGER {name} BEFORE {event} ON {table} {when} BEGIN SELECT RAISE(ABORT, '{message}'); END"


_SQLITE = (
    _refuse("records", "UPDATE", "", "records are write-once"),
    _refuse("records", "DELETE", "", "records are write-once"),
    _refuse(
        "records",
        "INSERT",
        "WHEN EXISTS (SELECT 1 FROM records WHERE decision_id = NEW.decision_id)"
        " OR EXISTS (SELECT 1 FROM records WHERE realm_id = NEW.realm_id AND position = NEW.position)"
        " OR EXISTS (SELECT 1 FROM records WHERE seq = NEW.seq)",
        "records are write-once: this one exists",
    ),
    _refuse(
        "heads",
        "UPDATE",
        "WHEN NEW.realm_id <> OLD.realm_id OR NEW.position <= OLD.position",
        "a chain head only moves on",
    ),
    _refuse("heads", "DELETE", "", "a chain head only moves on"),
    _refuse(
        "heads",
        "INSERT",
        "WHEN EXISTS (SELECT 1 FROM heads WHERE realm_id = NEW.realm_id)",
        "a chain head only moves on",
    ),
    _refuse(
        "outbox",
        "UPDATE",
        "WHEN OLD.published_at IS NOT NULL OR NEW.published_at IS NULL OR NEW.event_id <> OLD.event_id"
        " OR NEW.realm_id <> OLD.realm_id OR NEW.decision_id <> OLD.decision_id OR NEW.topic <> OLD.topic"
        " OR NEW.payload <> OLD.payload",
        "an event changes once, when it is published",
    ),
    _refuse("outbox", "DELETE", "", "events are kept"),
    _refuse(
        "outbox",
        "INSERT",
        "WHEN EXISTS (SELECT 1 FROM outbox WHERE event_id = NEW.event_id)",
        "events are kept: this one exists",
    ),
    _refuse("policies", "UPDATE", "", "policies are write-once"),
    _refuse("policies", "DELETE", "", "policies are write-once"),
    _refuse(
        "policies",
        "INSERT",
        "WHEN EXISTS (SELECT 1 FROM policies WHERE hash = NEW.hash)",
        "policies are write-once: this one exists",
    ),
)

_POSTGRES = (
    "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
    " BEGIN RAISE EXCEPTION '% on % is refused: it is write-once', TG_OP, TG_TABLE_NAME"
    " USING ERRCODE = 'integrity_constraint_violation'; END $$",
    *(
        f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} FOR EACH {each} {when}"
        " EXECUTE FUNCTION ledger_refuse()"
        for table, event, each, when in (
            ("records", "UPDATE", "ROW", ""),
            ("records", "DELETE", "ROW", ""),
            ("records", "TRUNCATE", "STATEMENT", ""),
            ("heads", "UPDATE", "ROW", "WHEN (NEW.realm_id <> OLD.realm_id OR NEW.position <= OLD.position)"),
            ("heads", "DELETE", "ROW", ""),
            ("heads", "TRUNCATE", "STATEMENT", ""),
            (
                "outbox",
                "UPDATE",
                "ROW",
                "WHEN (OLD.published_at IS NOT NULL OR NEW.published_at IS NULL"
                " OR (NEW.event_id, NEW.realm_id, NEW.decision_id, NEW.topic, NEW.payload)"
                " IS DISTINCT FROM (OLD.event_id, OLD.realm_id, OLD.decision_id, OLD.topic, OLD.payload))",
            ),
            ("outbox", "DELETE", "ROW", ""),
            ("outbox", "TRUNCATE", "STATEMENT", ""),
            ("policies", "UPDATE", "ROW", ""),
            ("policies", "DELETE", "ROW", ""),
            ("policies", "TRUNCATE", "STATEMENT", ""),
        )
    ),
)
