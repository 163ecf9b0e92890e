"""Servers that models answer from: the fault server and aimock, one process each for all tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.models.aimock_server import Aimock, running_aimock
from tests.models.faulty_world import FaultyWorld, new_world, running_fault_server


@pytest.fixture(scope="session")
def fault_server() -> Iterator[int]:
    """The port of a server that breaks on request."""
    with running_fault_server() as port:
        yield port


@pytest.fixture
def faulty(fault_server: int) -> FaultyWorld:
    """A world of the fault server that is this test's own."""
    return new_world(fault_server)


@pytest.fixture(scope="session")
def aimock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    """A running aimock; skips where it cannot run."""
    with running_aimock(tmp_path_factory.mktemp("aimock")) as server:
        yield server


@pytest.fixture
def aimock(aimock_server: Aimock) -> Aimock:
    """The same, with nothing left of the test before."""
    aimock_server.start_over()
    return aimock_server
