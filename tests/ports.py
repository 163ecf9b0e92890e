"""Ports for servers that tests start, stop and start again at the same address.

The kernel's own choice (port 0) is from the range of outgoing connections: while a killed server is down, any client of another
test may be given its port. A library's choice (the first free one from a number) is the same in every process of a run. So each
process of a run has a block of its own below that range.
"""

import os
import socket
from itertools import cycle

FIRST = 18_000
BLOCK = 500
BLOCKS = 28  # up to 32,000: outgoing connections begin at 32,768


def _block() -> int:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return (int(worker) + os.getppid()) % BLOCKS


_ports = cycle(range(FIRST + _block() * BLOCK, FIRST + (_block() + 1) * BLOCK))


def free_port() -> int:
    """A port of 127.0.0.1 at which nobody listens, and which no other process of this run is given.

    Raises:
        OSError: If every port of this process's block is taken.
    """
    for _ in range(BLOCK):
        port = next(_ports)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {FIRST + _block() * BLOCK} on")
