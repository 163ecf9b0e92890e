"""Makes the world's tables and the triggers that keep them append-only, in the database that also holds the council's records.

`council migrate` runs it as revision 0004; a store opened on a SQLite file that has no world yet runs it too, so that neither
needs the other first. What it makes is version 1: a later version alters it in a migration of its own.

SQLite's INSERT OR REPLACE deletes the row in its way without firing DELETE triggers, so append-only tables also refuse an INSERT
that meets an existing row; PostgreSQL needs TRUNCATE refused beside UPDATE and DELETE. That refusal breaks off the whole
transaction, not the statement alone: to undo one statement SQLite would copy, for every row that it inserts, each page that the
row touches, which took longer than writing the rows (`sql_engine` inserts in the same way).
"""

from typing import Final

import sqlalchemy as sa

from world.persistence.sql_tables import metadata, verdict_index

VERSION: Final = 1

_KEYS: Final = {
    "world_influence": (("realm_id", "sequence"), ("realm_id", "event_id"), ("rowid",)),
    "world_transitions": (("realm_id", "sequence", "number"),),
    "world_snapshots": (("realm_id", "tick_number", "revision"), ("realm_id", "snapshot_id"), ("rowid",)),
    "world_events": (("realm_id", "sequence"),),
    "world_told": (("realm_id", "sequence"), ("rowid",)),
    "world_applied": (("decision_id",),),
}
"""Append-only tables, with every key by which a new row could meet an old one; `rowid` where SQLite numbers the rows besides."""
_OUTBOX = ("number", "realm_id", "topic", "sequence")


def create_world(connection: sa.Connection) -> None:
    """Make the tables, their triggers and the version's row inside the connection's transaction.

    Where they are there, only an index that they lack is made.
    """
    if sa.inspect(connection).has_table("world_schema"):
        verdict_index.create(connection, checkfirst=True)
        return
    metadata.create_all(connection)
    for statement in _postgres() if connection.dialect.name == "postgresql" else _sqlite():
        connection.exec_driver_sql(statement)
    connection.execute(metadata.tables["world_schema"].insert().values(version=VERSION))


def _sqlite() -> list[str]:
    found = []
    for table, keys in _KEYS.items():
        met = [" AND ".join(f"{name} = NEW.{name}" for name in key) for key in keys]
        exists = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {each})" for each in met)
        found += [
            _refusal(table, "UPDATE", "", f"{table} is append-only"),
            _refusal(table, "DELETE", "", f"{table} is append-only"),
            _refusal(table, "INSERT", f"WHEN {exists}", f"{table} is append-only: this row exists"),
        ]
    changed = " OR ".join(f"NEW.{name} <> OLD.{name}" for name in _OUTBOX)
    once = f"WHEN OLD.published_at IS NOT NULL OR NEW.published_at IS NULL OR {changed}"
    return [
        *found,
        _refusal("world_outbox", "UPDATE", once, "a message changes once, when it is published"),
        _refusal("world_outbox", "DELETE", "", "messages are kept"),
        _refusal(
            "world_outbox",
            "INSERT",
            "WHEN EXISTS (SELECT 1 FROM world_outbox WHERE number = NEW.number)",
            "messages are kept: this one exists",
        ),
    ]


def _refusal(table: str, event: str, when: str, message: str) -> str:
    name = f"{table}_no_{event.lower()}"
    broken_off = "ROLLBACK" if event == "INSERT" else "ABORT"
    return f"CREATE TRIGGER {name} BEFORE {event} ON {table} {when} BEGIN SELECT RAISE({broken_off}, '{message}'); END"


def _postgres() -> list[str]:
    function = (
        "CREATE FUNCTION world_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    columns = ", ".join(f"NEW.{name}" for name in _OUTBOX), ", ".join(f"OLD.{name}" for name in _OUTBOX)
    once = (
        "WHEN (OLD.published_at IS NOT NULL OR NEW.published_at IS NULL"
        f" OR ({columns[0]}) IS DISTINCT FROM ({columns[1]}))"
    )
    guarded = [(table, event, "") for table in _KEYS for event in ("UPDATE", "DELETE")]
    rows = [*guarded, ("world_outbox", "UPDATE", once), ("world_outbox", "DELETE", "")]
    return [
        function,
        # Pages are small and many: packing them takes longer than writing them.
        "ALTER TABLE world_told ALTER COLUMN payload SET STORAGE EXTERNAL",
        *[
            f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} FOR EACH ROW {when}"
            " EXECUTE FUNCTION world_refuse()"
            for table, event, when in rows
        ],
        *[
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
            " EXECUTE FUNCTION world_refuse()"
            for table in (*_KEYS, "world_outbox")
        ],
    ]
