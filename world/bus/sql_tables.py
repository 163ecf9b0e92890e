"""The bus's tables in a database: messages, how far each group is, what is under way, dead letters.

They stand apart from the outbox: its rows become visible in the order of their commits, not of their numbers, so that a cursor
over it would pass over rows that commit late, and two outboxes (the world's and the council's) feed one bus. Here numbers are
given in the order of commits, because every publishing holds the row of `world_bus_head`.
"""

from typing import Any, Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Bytewise order, so that both databases sort alike and compare fast.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _message() -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = [
        sa.Column("message_id", _TEXT, nullable=False),
        sa.Column("topic", _TEXT, nullable=False),
        sa.Column("order_key", _TEXT, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("correlation_id", _TEXT, nullable=True),
        sa.Column("subject", _TEXT, nullable=False),
    ]
    return columns


sa.Table(
    "world_bus_head",
    metadata,
    sa.Column("only_row", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("number", _WHOLE, nullable=False),  # of the newest message
    sa.Column("letter", _WHOLE, nullable=False),  # of the newest dead letter
    sa.Column("published_at", _WHOLE, nullable=True),
    sqlite_strict=True,
)

sa.Table(
    "world_bus_messages",
    metadata,
    sa.Column("number", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("lane", _WHOLE, nullable=False),
    *_message(),
    sa.Column("only_group", _TEXT, nullable=True),  # the one group that it is for, where it was sent again
    sa.Column("published_at", _WHOLE, nullable=False),
    sa.Index("world_bus_messages_lane", "lane", "number"),
    sa.Index(
        "world_bus_messages_id",
        "message_id",
        unique=True,
        sqlite_where=sa.text("only_group IS NULL"),
        postgresql_where=sa.text("only_group IS NULL"),
    ),
    sqlite_strict=True,
)

sa.Table(
    "world_bus_cursors",
    metadata,
    sa.Column("group_name", _TEXT, primary_key=True),
    sa.Column("lane", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("position", _WHOLE, nullable=False),  # number of the last message handed out
    sa.Column("holder", _TEXT, nullable=True),
    sa.Column("until", _WHOLE, nullable=False),
    sqlite_strict=True,
)

sa.Table(
    "world_bus_waiting",
    metadata,
    sa.Column("group_name", _TEXT, primary_key=True),
    sa.Column("lane", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("number", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("tries", _WHOLE, nullable=False),
    sa.Column("tried_at", _WHOLE, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

sa.Table(
    "world_bus_letters",
    metadata,
    sa.Column("number", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("group_name", _TEXT, nullable=False),
    *_message(),
    sa.Column("tries", _WHOLE, nullable=False),
    sa.Column("reason", _TEXT, nullable=False),
    sa.Column("died_at", _WHOLE, nullable=False),
    sqlite_strict=True,
)


def create_bus(connection: sa.Connection) -> None:
    """Make the tables inside the connection's transaction."""
    metadata.create_all(connection)
    connection.execute(metadata.tables["world_bus_head"].insert().values(only_row=1, number=0, letter=0))
