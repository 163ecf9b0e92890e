"""The gullible model's server: one process for all tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.adversarial.gullible_councils import GullibleServer, running_gullible_server


@pytest.fixture(scope="session")
def gullible() -> Iterator[GullibleServer]:
    """A server whose model obeys whoever writes to it."""
    with running_gullible_server() as server:
        yield server
