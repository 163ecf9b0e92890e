"""Review a request with models behind all five members, and show the votes as they arrive.

    python examples/with_models.py [REQUEST.json]

Asks a fake model server that speaks the OpenAI protocol and always says the same (`make aimock` installs it). With
COUNCIL_MODELS set, in the environment or in .env (examples/models/env.example shows how), the real models there are asked.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.main import main as council

HERE = Path(__file__).resolve().parent
FAKE = HERE.parent / ".node" / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
REQUEST = HERE / "requests" / "13-the-veil-asks-for-too-much.json"


def is_configured() -> bool:
    """Tell whether models are configured already."""
    from gateway.settings import read_settings  # noqa: PLC0415 - only what is needed to look

    return bool(read_settings().models)


@contextmanager
def fake_models() -> Iterator[str]:
    """Run the fake server; yields what COUNCIL_MODELS must be to ask it.

    Raises:
        SystemExit: where node or the server is not installed; it says what to do.
    """
    node = shutil.which("node")
    if node is None or not FAKE.exists():
        what = "node" if node is None else "the fake model server"
        raise SystemExit(f"{what} is not installed: run `make aimock`, or name real models in COUNCIL_MODELS")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        command = [
            node,
            str(FAKE),
            "--port",
            "0",
            "--fixtures",
            str(HERE / "models" / "fixtures.json"),
            "--latency",
            "5",
        ]
        with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as server:
            try:
                yield f"lmstudio/fake@{_address(server, log)}/v1"
            finally:
                server.terminate()


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        _, found, url = log.read_text().partition("listening on ")
        if found and url.endswith("\n"):
            return url.split()[0]
        time.sleep(0.02)
    raise SystemExit(f"the fake model server did not start:\n{log.read_text()}")


def review(request: str) -> int:
    """Review one request in a database that is thrown away, with the votes shown as they arrive."""
    with tempfile.TemporaryDirectory() as folder:
        return council(["review", request, "--live", "--database", f"sqlite:///{folder}/example.db"])


def main(arguments: list[str]) -> int:
    """Run the example; returns the exit code of the review."""
    request = arguments[0] if arguments else str(REQUEST)
    if is_configured():
        return review(request)
    with fake_models() as models:
        print(f"no COUNCIL_MODELS is set: asking a fake server, as COUNCIL_MODELS={models} would", file=sys.stderr)
        os.environ["COUNCIL_MODELS"] = models
        return review(request)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
