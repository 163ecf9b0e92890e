"""The ledgers that the contract suite runs over: memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from council.ledger.opening import migrate, open_ledger
from council.ledger.port import Ledger
from tests.contract.ledger_samples import POLICY, POLICY_HASH
from tests.contract.postgres_server import fresh_database, running_server

Reopen = Callable[[], Ledger]


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """One server for all tests of a session."""
    with running_server() as socket:
        yield socket


@pytest.fixture(scope="session")
def migrated_template(postgres_socket: Path) -> str:
    """The name of a migrated database that tests are given copies of: migrating each of them took most of their time."""
    url = asyncio.run(fresh_database(postgres_socket))
    migrate(url)
    return urlsplit(url).path.strip("/")


@pytest.fixture
async def postgres_url(postgres_socket: Path, migrated_template: str) -> str:
    """A migrated database of the test's own."""
    return await fresh_database(postgres_socket, migrated_template)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty ledger of each kind."""
    if request.param == "memory":
        return "memory://"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'council.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty ledger of each kind that outlives its process."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'council.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    """An open ledger of each kind, with the samples' policy."""
    opened = open_ledger(ledger_url)
    await opened.put_policy(POLICY_HASH, POLICY)
    yield opened
    await opened.close()
