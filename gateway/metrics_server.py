"""Shows the metrics of a process that serves nothing else: `council worker`."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from gateway.errors import SettingsError


@contextmanager
def metrics_shown(registry: CollectorRegistry, host: str, port: int | None) -> Iterator[None]:
    """Answer Prometheus on a port of its own, in a thread, for as long as the context lasts.

    Args:
        registry: what is shown.
        host: address that is listened on.
        port: None: nothing is shown.

    Raises:
        SettingsError: where the address cannot be listened on.
    """
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        told = (error.strerror or "no such address").lower()
        raise SettingsError(
            [f"COUNCIL_METRICS_PORT={port}: cannot listen on {host}:{port}: {told}; set another port, or unset it"]
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
