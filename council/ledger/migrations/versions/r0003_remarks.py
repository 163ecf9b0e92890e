"""Labels and outcomes, append-only like the records that they speak of.

SQLite's INSERT OR REPLACE deletes the row in its way without firing DELETE triggers, so an INSERT that meets an existing row
number is refused too. There is no foreign key: records are never deleted, and PostgreSQL would answer TRUNCATE with another
error than that of a write-once table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Bytewise order, so that both databases sort alike and compare fast.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table and its triggers."""
    op.create_table(
        "remarks",
        sa.Column("seq", _SERIAL, sa.Identity(always=False), primary_key=True),
        sa.Column("realm_id", _TEXT, nullable=False),
        sa.Column("decision_id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("said", _TEXT, nullable=False),
        sa.Column("said_at", _TEXT, nullable=False),
        sa.Column("axis", _TEXT),
        sa.Column("note", _TEXT, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("remarks_decision_id", "remarks", ["decision_id", "seq"])
    statements = _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for statement in statements:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Refuse: going back would delete what people said."""
    raise RuntimeError("records are never deleted; restore a backup instead")


def _refuse(event: str, when: str = "") -> str:
    name = f"remarks_no_{event.lower()}"
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON remarks {when}"
        " BEGIN SELECT RAISE(ABORT, 'remarks are write-once: say it again instead'); END"
    )


_SQLITE = (
    _refuse("UPDATE"),
    _refuse("DELETE"),
    _refuse("INSERT", "WHEN EXISTS (SELECT 1 FROM remarks WHERE seq = NEW.seq)"),
)

_POSTGRES = tuple(
    f"CREATE TRIGGER remarks_no_{event.lower()} BEFORE {event} ON remarks FOR EACH {each}"
    " EXECUTE FUNCTION ledger_refuse()"
    for event, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT"))
)
