"""The tables of the story, one metadata for SQLite and PostgreSQL, beside the world's in the same database.

Chapters and closings are append-only; a tale is working state that the closings make again, and a deed changes once, when the
world has taken it or was given up. How often a chapter's deeds were tried, and what writing has cost, are working state too.
"""

from typing import Final

import sqlalchemy as sa

VERSION: Final = 2
metadata: Final = sa.MetaData()

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Bytewise order, so that both databases sort alike.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, _WHOLE, nullable=False)


def _text(name: str, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=optional)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT, primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _WHOLE, primary_key=True, autoincrement=False)


sa.Table("story_schema", metadata, _number("version"), sqlite_strict=True)

sa.Table(
    "story_tales",
    metadata,
    _key("story_id"),
    _text("realm_id"),
    _text("user_id"),
    _whole("chapter"),
    _bytes("tale"),
    _whole("updated_at"),
    sqlite_strict=True,
)

sa.Table(
    "story_chapters",
    metadata,
    _key("story_id"),
    _number("number"),
    _text("language"),
    _text("title"),
    _bytes("prose"),
    _text("author"),
    _bytes("plan"),
    _bytes("context"),
    _bytes("why"),
    _whole("tick"),
    _text("snapshot_id"),
    _text("correlation_id", optional=True),
    _whole("planned_at"),
    sqlite_strict=True,
)

sa.Table(
    "story_closings",
    metadata,
    _key("story_id"),
    _number("number"),
    _bytes("outcome"),
    _bytes("recap"),
    _bytes("after"),
    _whole("closed_at"),
    sqlite_strict=True,
)

sa.Table(
    "story_deeds",
    metadata,
    _key("event_id"),
    _text("story_id"),
    _whole("chapter"),
    _bytes("candidate"),
    _text("state"),
    _text("told"),
    sa.Index("story_deeds_chapter", "story_id", "chapter", "event_id"),
    sa.Index(
        "story_deeds_pending",
        "story_id",
        "chapter",
        "event_id",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sqlite_strict=True,
)

# Of chapters whose deeds the world could not take; a row goes when they are settled, and stays where they were given up.
sa.Table(
    "story_sendings",
    metadata,
    _key("story_id"),
    _number("chapter"),
    _whole("tries"),
    sa.Column("due_at", _WHOLE, nullable=True),
    _text("told"),
    sqlite_strict=True,
)

sa.Table("story_spending", metadata, _key("day"), _whole("picodollars"), sqlite_strict=True)

_APPEND_ONLY: Final = ("story_chapters", "story_closings")


def create_story(connection: sa.Connection) -> None:
    """Make the tables that are missing, and what keeps chapters as they are, inside the connection's transaction."""
    is_new = not sa.inspect(connection).has_table("story_schema")
    metadata.create_all(connection)
    schema = metadata.tables["story_schema"]
    if not is_new:
        connection.execute(schema.update().values(version=VERSION))
        return
    for statement in _postgres() if connection.dialect.name == "postgresql" else _sqlite():
        connection.exec_driver_sql(statement)
    connection.execute(schema.insert().values(version=VERSION))


def _sqlite() -> list[str]:
    """SQLite's INSERT OR REPLACE deletes without firing DELETE triggers, so an INSERT that meets a row is refused too."""
    found = []
    for table in _APPEND_ONLY:
        met = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE story_id = NEW.story_id AND number = NEW.number)"
        for event, when in (("UPDATE", ""), ("DELETE", ""), ("INSERT", met)):
            found.append(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} {when}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    return found


def _postgres() -> list[str]:
    function = (
        "CREATE FUNCTION story_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    rows = [
        f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION story_refuse()"
        for table in _APPEND_ONLY
        for event, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT"))
    ]
    return [function, *rows]
