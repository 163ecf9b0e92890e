"""The proxy's file, read by Caddy and run before an upstream (register row S0-31)."""

import http.client
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.unit.deploy.monitoring import DEPLOY, binary

CADDY = binary("caddy")
pytestmark = pytest.mark.skipif(CADDY is None, reason="caddy is not here: make promtool")
FILE = str(DEPLOY / "Caddyfile")


class Upstream(BaseHTTPRequestHandler):
    """Stands for the application: tells what it was sent, and streams one event before it waits."""

    go_on = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path.endswith("/stream"):
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b"data: first\n\n")
            self.wfile.flush()
            self.go_on.wait(10)
            self.wfile.write(b"data: last\n\n")
            return
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        return None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Caddy before an upstream; its port."""
    assert CADDY is not None
    tmp_path = tmp_path_factory.mktemp("caddy")
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    port = free_port()
    environment = {
        **os.environ,
        "SITE_ADDRESS": f"http://127.0.0.1:{port}",
        "HEALTH_PORT": str(free_port()),
        "COUNCIL_UPSTREAM": f"127.0.0.1:{upstream.server_port}",
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    with (tmp_path / "log").open("wb") as log:
        caddy = subprocess.Popen(
            [CADDY, "run", "--config", FILE, "--adapter", "caddyfile"], env=environment, stdout=log, stderr=log
        )
        try:
            until_it_listens(port)
            yield port
        finally:
            Upstream.go_on.set()
            caddy.kill()  # it would wait for its grace
            caddy.wait()
            upstream.shutdown()
            upstream.server_close()


def until_it_listens(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("caddy does not listen")


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    found = (response.status, response.read().decode())
    connection.close()
    return found


def test_the_file_is_valid(tmp_path: Path) -> None:
    assert CADDY is not None
    done = subprocess.run(
        [CADDY, "validate", "--config", FILE, "--adapter", "caddyfile"],
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_players_request_is_passed_on_with_headers_that_nobody_forged(site: int) -> None:
    status, sent = get(site, "/api/world/realm-1/summary", **{"X-Forwarded-For": "6.6.6.6", "X-Correlation-Id": "c-1"})
    assert status == 200
    lines = sent.splitlines()
    assert "X-Forwarded-For: 127.0.0.1" in lines
    assert "X-Forwarded-Proto: http" in lines
    assert "X-Correlation-Id: c-1" in lines
    assert "6.6.6.6" not in sent


@pytest.mark.parametrize("path", ["/internal/world/tick/run", "/metrics", "/readyz", "/openapi.json", "/"])
def test_what_is_not_for_players_is_not_there(site: int, path: str) -> None:
    assert get(site, path)[0] == 404


def test_an_event_reaches_its_reader_before_the_stream_goes_on(site: int) -> None:
    """A proxy that buffered would hand nothing over until the upstream had finished."""
    Upstream.go_on.clear()
    connection = http.client.HTTPConnection("127.0.0.1", site, timeout=5)
    connection.request("GET", "/api/world/realm-1/stream", headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    assert response.getheader("Content-Encoding") is None
    assert response.read1(64) == b"data: first\n\n"
    Upstream.go_on.set()
    assert response.read() == b"data: last\n\n"
    connection.close()
