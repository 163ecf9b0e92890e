"""Brings a database to this code's schema. SQLAlchemy and Alembic are imported here and nowhere else at run time."""

import asyncio
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

MIGRATIONS: Final = Path(__file__).with_name("migrations")
_LOCK = 0x636F756E  # any constant will do: "coun"


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Run the missing migrations inside the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def migrate_sqlite(path: Path) -> None:
    """Bring a SQLite file to the newest schema; several processes may do so at once, one after another.

    Raises:
        sqlalchemy.exc.DBAPIError: where the file cannot be written.
    """
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 10})
    # The driver would commit before DDL; with its own transactions off, the whole migration is one transaction.
    sa.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        upgrade(connection)


def migrate_postgres(url: str) -> None:
    """Bring a PostgreSQL database to the newest schema, in one transaction under an advisory lock.

    Call it where no event loop runs (`asyncio.to_thread` from a coroutine).

    Args:
        url: postgresql://…

    Raises:
        OSError, asyncpg.PostgresError, sqlalchemy.exc.DBAPIError: where the database cannot be reached or changed.
    """
    asyncio.run(_migrate_postgres(url.replace("postgresql://", "postgresql+asyncpg://", 1)))


async def _migrate_postgres(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(upgrade)
    await engine.dispose()
