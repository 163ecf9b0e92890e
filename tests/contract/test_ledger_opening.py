"""Opening: URLs, files, and a schema that is the migrations' and nobody else's."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from council.ledger.memory import MemoryLedger
from council.ledger.migrating import MIGRATIONS, upgrade
from council.ledger.opening import migrate, open_ledger, read_url
from council.ledger.port import LedgerConfigError, LedgerUnavailableError
from council.ledger.schema_version import REVISION
from council.ledger.tables import metadata
from tests.contract.journal_samples import open_sample, spend_sample
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample
from tests.contract.postgres_server import fresh_database
from tests.contract.raw_sql import run_sql


@pytest.mark.parametrize(
    ("url", "kind", "target"),
    [
        ("sqlite:///council.db", "sqlite", "council.db"),
        ("sqlite:////var/lib/council.db", "sqlite", "/var/lib/council.db"),
        ("sqlite+aiosqlite:///my%20council.db", "sqlite", "my council.db"),
        ("postgresql://u:p@h:5432/council", "postgresql", "postgresql://u:p@h:5432/council"),
        ("postgres://h/council?ssl=require", "postgresql", "postgresql://h/council?ssl=require"),
        ("postgresql+asyncpg://h/council", "postgresql", "postgresql://h/council"),
        ("memory://", "memory", ""),
    ],
)
def test_a_url_names_a_ledger(url: str, kind: str, target: str) -> None:
    assert read_url(url) == (kind, target)


@pytest.mark.parametrize(
    "url",
    [
        *("", "council.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/x.db", "sqlite:council.db"),
        *("mysql://s3cret@h/x", "postgresql://s3cret@h", "postgresql://[s3cret/x", "memory://x", "/var/s3cret.db"),
    ],
)
def test_a_bad_url_names_the_variable_and_what_is_accepted_but_not_itself(url: str) -> None:
    """A URL may hold a password: it is never repeated."""
    with pytest.raises(LedgerConfigError) as caught:
        open_ledger(url)
    message = str(caught.value)
    assert "COUNCIL_DATABASE_URL" in message
    assert "sqlite:///" in message
    assert "postgresql://" in message
    assert "s3cret" not in message


async def test_a_fresh_file_is_made_with_its_directory_and_schema(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/new/dir/council.db")
    await ledger.ready()
    await ledger.close()
    rows = await run_sql(f"sqlite:///{tmp_path}/new/dir/council.db", "SELECT version_num FROM alembic_version")
    assert rows == [(REVISION,)]


def test_a_missing_file_is_refused_where_none_shall_be_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerConfigError, match=r"no record store at .*absent\.db"):
        open_ledger(f"sqlite:///{tmp_path}/absent.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("these are notes, not a database" * 50)
    with pytest.raises(LedgerConfigError, match="not a SQLite database"):
        open_ledger(f"sqlite:///{tmp_path}/notes.db")


def test_a_path_that_is_a_directory_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailableError):
        open_ledger(f"sqlite:///{tmp_path}")


async def test_a_schema_newer_than_this_program_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    migrate(url)
    await run_sql(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerConfigError, match="update the program"):
        open_ledger(url)


async def test_a_ledger_whose_schema_changed_under_it_is_not_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    ledger = open_ledger(url)
    await run_sql(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerUnavailableError, match="schema"):
        await ledger.ready()
    await ledger.close()


@pytest.mark.postgres
async def test_a_postgres_database_that_was_never_migrated_is_not_ready(postgres_url: str) -> None:
    await run_sql(postgres_url, "DROP TABLE alembic_version")
    ledger = open_ledger(postgres_url)
    with pytest.raises(LedgerUnavailableError, match="migrate it"):
        await ledger.ready()
    await ledger.close()


def _differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_the_migrations_make_the_metadata(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        migrate(database_url)
        engine = sa.create_engine(database_url, poolclass=NullPool)
        with engine.connect() as connection:
            assert _differences(connection) == []
        return
    async_engine = create_async_engine(database_url.replace("://", "+asyncpg://"), poolclass=NullPool)
    async with async_engine.connect() as opened:
        assert await opened.run_sync(_differences) == []
    await async_engine.dispose()


async def test_the_comparison_of_schema_and_metadata_can_fail(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    migrate(url)
    await run_sql(url, "ALTER TABLE records ADD COLUMN extra TEXT", "DROP INDEX records_listing")
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        assert len(_differences(connection)) == 2


def _at_first_revision(url: str) -> None:
    """Make a ledger as the first release left it, with a policy."""

    def make(connection: sa.Connection) -> None:
        upgrade(connection, "0001")
        connection.execute(
            sa.text("INSERT INTO policies (hash, document) VALUES (:hash, :document)"),
            {"hash": POLICY_HASH, "document": POLICY},
        )

    if url.startswith("sqlite"):
        with sa.create_engine(url, poolclass=NullPool).begin() as connection:
            make(connection)
        return

    async def run() -> None:
        engine = create_async_engine(url.replace("://", "+asyncpg://"), poolclass=NullPool)
        async with engine.begin() as opened:
            await opened.run_sync(make)
        await engine.dispose()

    asyncio.run(run())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'council.db'}"
    return await fresh_database(request.getfixturevalue("postgres_socket"))


async def test_a_ledger_of_the_first_release_is_brought_up_to_date_and_keeps_what_it_holds(bare_url: str) -> None:
    await asyncio.to_thread(_at_first_revision, bare_url)
    await asyncio.to_thread(migrate, bare_url)
    ledger = open_ledger(bare_url)
    await ledger.ready()
    assert await ledger.policy(POLICY_HASH) == POLICY
    await ledger.open_review(open_sample(1))
    await ledger.append(sample(1, was_opened=True, spend=(spend_sample(),)))
    assert await ledger.spent("2026", "2027") == {"aelvyndor": spend_sample().picodollars}
    await ledger.close()


@pytest.mark.postgres
async def test_a_postgres_database_of_the_first_release_is_not_ready_until_it_is_migrated(
    postgres_socket: Path,
) -> None:
    url = await fresh_database(postgres_socket)
    await asyncio.to_thread(_at_first_revision, url)
    ledger = open_ledger(url)
    with pytest.raises(LedgerUnavailableError, match="migrate it"):
        await ledger.ready()
    await ledger.close()


@pytest.mark.parametrize("revision", ["0001", "base"])
def test_going_back_to_an_older_schema_is_refused_and_deletes_nothing(tmp_path: Path, revision: str) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    migrate(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        config.attributes["connection"] = connection
        with pytest.raises(RuntimeError, match="records are never deleted; restore a backup instead"):
            command.downgrade(config, revision)
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        assert _differences(connection) == []


def test_the_newest_migration_is_the_revision_that_the_code_writes() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_processes_that_open_one_fresh_file_at_once_all_succeed(tmp_path: Path) -> None:
    program = f"from council.ledger.opening import open_ledger; open_ledger('sqlite:///{tmp_path}/council.db')"
    started = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(4)]
    outcomes = [process.communicate()[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 4, outcomes


def test_records_survive_and_are_durable_by_default(tmp_path: Path) -> None:
    """Durability as promised: the write-ahead log, flushed at every commit (synchronous FULL is 2)."""
    from council.ledger.sqlite_files import connect

    connection = connect(tmp_path / "council.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()
    assert sqlite3.threadsafety == 3


def test_opening_a_file_with_the_present_schema_imports_no_sqlalchemy(tmp_path: Path) -> None:
    """The command line opens a ledger at every start: SQLAlchemy and Alembic cost a second."""
    url = f"sqlite:///{tmp_path}/council.db"
    migrate(url)
    program = (
        f"import sys; from council.ledger.opening import open_ledger; open_ledger('{url}');"
        " sys.exit('sqlalchemy' in sys.modules or 'alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_memory_is_chosen_by_its_url() -> None:
    assert isinstance(open_ledger("memory://"), MemoryLedger)
