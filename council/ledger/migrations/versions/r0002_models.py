"""What models cost, write-once like the records, and the reviews under way with their replies, which are working state.

SQLite's INSERT OR REPLACE deletes the row in its way without firing DELETE triggers, so an INSERT of spending that meets an
existing row is refused too. Its table has no row numbers: there is no second way to meet a row.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_AMOUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Bytewise order, so that both databases sort alike and compare fast.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_AMOUNTS = ("replies", "calls", "input_tokens", "cached_tokens", "output_tokens", "picodollars", "unpriced_calls")


def upgrade() -> None:
    """Create the tables, and the triggers of spending."""
    _create_spend()
    _create_open_reviews()
    statements = _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for statement in statements:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Refuse: going back would delete spending that is on record."""
    raise RuntimeError("records are never deleted; restore a backup instead")


def _create_spend() -> None:
    op.create_table(
        "spend",
        sa.Column("recorded_at", _TEXT, primary_key=True),
        sa.Column("decision_id", _TEXT, primary_key=True),
        sa.Column("member", _TEXT, primary_key=True),
        sa.Column("model", _TEXT, primary_key=True),
        sa.Column("realm_id", _TEXT, nullable=False),
        sa.Column("decision_type", _TEXT, nullable=False),
        *(sa.Column(name, _AMOUNT, nullable=False) for name in _AMOUNTS),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _create_open_reviews() -> None:
    op.create_table(
        "open_reviews",
        sa.Column("decision_id", _TEXT, primary_key=True),
        sa.Column("request_key", _TEXT, nullable=False),
        sa.Column("fingerprint", _TEXT, nullable=False),
        sa.Column("realm_id", _TEXT, nullable=False),
        sa.Column("policy_hash", _TEXT, nullable=False),
        sa.Column("correlation_id", _TEXT),
        sa.Column("opened_at", _TEXT, nullable=False),
        sa.Column("leased_until", _TEXT, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    review = sa.ForeignKey("open_reviews.decision_id", ondelete="CASCADE")
    op.create_table(
        "open_replies",
        sa.Column("decision_id", _TEXT, review, primary_key=True),
        sa.Column("slot", _TEXT, primary_key=True),
        sa.Column("reply", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )


def _refuse(event: str, when: str = "") -> str:
    name = f"spend_no_{event.lower()}"
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON spend {when} BEGIN SELECT RAISE(ABORT, 'spending is write-once'); END"
    )


_SQLITE = (
    _refuse("UPDATE"),
    _refuse("DELETE"),
    _refuse(
        "INSERT",
        "WHEN EXISTS (SELECT 1 FROM spend WHERE recorded_at = NEW.recorded_at AND decision_id = NEW.decision_id"
        " AND member = NEW.member AND model = NEW.model)",
    ),
)

_POSTGRES = tuple(
    f"CREATE TRIGGER spend_no_{event.lower()} BEFORE {event} ON spend FOR EACH {each} EXECUTE FUNCTION ledger_refuse()"
    for event, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT"))
)
