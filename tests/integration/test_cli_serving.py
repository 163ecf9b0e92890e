"""The command line beside a running council: asked over HTTP, and followed as it decides."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "requests").glob("*.json"))
TOKEN = "a-token-for-tests-only"


def environment(database: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("COUNCIL_")}
    return clean | {"COUNCIL_DATABASE_URL": database, "COUNCIL_SERVICE_TOKEN": TOKEN, "COUNCIL_POLICY_WATCH": "false"}


def started(*arguments: str, database: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "cli.main", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, cwd=ROOT, env=environment(database))


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'served.db'}"


@pytest.fixture
def server(database: str) -> Iterator[str]:
    """A council that serves on a free port; its URL."""
    with started("serve", "--port", "0", "--json", database=database) as running:
        assert running.stderr is not None
        for line in running.stderr:
            said = json.loads(line)
            if said["event"] == "serving":
                break
        yield f"http://127.0.0.1:{said['port']}"
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
        assert running.returncode == 0


def test_a_server_decides_what_the_command_line_asks_it(
    server: str, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_SERVICE_TOKEN", TOKEN)
    assert main(["review", str(EXAMPLES[5]), "--url", server, "--json"]) == 0
    asked = capsys.readouterr()
    answer = json.loads(asked.out)
    assert (answer["final_verdict"], answer["path"], asked.err) == ("reject", "veto", "")
    assert main(["review", str(EXAMPLES[5]), "--url", server]) == 0
    drawn = capsys.readouterr().out
    assert answer["decision_id"] in drawn
    assert "canon_lock → reject" in drawn
    assert main(["show", answer["decision_id"], "--json", "--database", database]) == 0
    assert json.loads(capsys.readouterr().out)["hash"] == answer["record"]["hash"]


def test_a_server_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_SERVICE_TOKEN", TOKEN)
    assert main(["review", str(EXAMPLES[0]), "--url", "http://127.0.0.1:9"]) == 2
    assert "check the URL and that 'council serve' runs there" in capsys.readouterr().err


def test_a_server_has_its_own_policy_and_database(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", str(EXAMPLES[0]), "--url", "http://x", "--database", "memory://"]) == 2
    assert "a server, which has its own policy and database" in capsys.readouterr().err


def test_tail_follows_decisions_as_they_are_recorded(database: str) -> None:
    assert main(["review", str(EXAMPLES[0]), "--json", "--database", database]) == 0
    with started("tail", "--json", "--every", "0.05", database=database) as tail:
        assert tail.stdout is not None
        first = json.loads(tail.stdout.readline())
        assert first["position"] == 1
        assert main(["review", str(EXAMPLES[5]), "--json", "--database", database]) == 0
        second = json.loads(tail.stdout.readline())
        assert (second["position"], second["previous"]) == (2, first["hash"])
        tail.send_signal(signal.SIGINT)
        out, err = tail.communicate(timeout=30)
        assert (tail.returncode, out, err) == (130, b"", b"")
