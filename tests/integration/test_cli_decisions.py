"""The command line over real decisions: reviewed, recorded in SQLite, shown, replayed, verified, tampered with.

Drawings are compared whole; hashes, ids and times are masked, because they change with every word of the policy.
"""

import asyncio
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from cli.main import main
from council.graph import build_graph
from council.ledger.opening import open_ledger
from council.service import Clock, CouncilService
from policies.loading import default_policy_path, load_policy
from tests.unit.cli.golden_files import assert_golden

ROOT = Path(__file__).parents[2]
Council = Callable[..., "Done"]
EXAMPLES = sorted((ROOT / "examples" / "requests").glob("*.json"))


def masked(text: str) -> str:
    """Hide what changes with every word of the policy: hashes and the places of files."""
    text = re.sub(r"(?<![0-9a-f-])[0-9a-f]{12,64}(?![0-9a-f])", lambda found: "0" * len(found[0]), text)
    return text.replace(str(ROOT), "(root)")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def council(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run the command line in this process; `stdin` is what is piped in."""

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        piped = SimpleNamespace(buffer=io.BytesIO(stdin), isatty=lambda: False)
        monkeypatch.setattr("sys.stdin", piped)
        return Done(main(arguments), *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SQLite ledger with every example decided at one fixed moment."""
    url = f"sqlite:///{tmp_path_factory.mktemp('cli') / 'council.db'}"
    policy = load_policy(default_policy_path())
    clock = Clock(now=lambda: datetime(2026, 11, 3, 10, 12, 5, tzinfo=UTC), monotonic=lambda: 0.0)

    async def decide() -> None:
        ledger = open_ledger(url)
        graph = build_graph(lambda: policy)
        service = CouncilService(ledger=ledger, current_policy=lambda: policy, graph=graph, clock=clock)
        for example in EXAMPLES:
            await service.review(example.read_bytes())
        await ledger.close()

    asyncio.run(decide())
    return url


@pytest.fixture
def broken(database: str, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the ledger without its triggers, to be tampered with as somebody with the file could."""
    copy = sqlite3.connect(tmp_path / "copy.db")
    with sqlite3.connect(database.removeprefix("sqlite:///")) as source:
        source.backup(copy)
    source.close()
    for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        copy.execute(f"DROP TRIGGER {name}")
    copy.commit()
    yield copy
    copy.close()


def ids(database: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the decision id of every example by the start of its file's name."""
    assert main(["export", "--database", database]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    bodies = [line["body"] for line in lines if line["kind"] == "decision"]
    keys = {json.loads(example.read_text())["request_id"]: example.name[:2] for example in EXAMPLES}
    return {keys[body["request_key"]]: body["decision_id"] for body in bodies}


@pytest.mark.parametrize("example", ["01", "06", "09"])
def test_show_draws_a_real_decision_on_one_screen(
    example: str, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    decision_id = ids(database, capsys)[example]
    assert main(["show", decision_id, "--database", database]) == 0
    out = capsys.readouterr().out
    assert_golden(f"example_{example}_show", masked(out))
    assert out.count("\n") <= 45


def test_no_example_needs_more_than_one_screen(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    for decision_id in ids(database, capsys).values():
        assert main(["show", decision_id, "--database", database]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) <= 45
        assert max(map(len, lines)) <= 100


def test_explain_draws_every_term_and_what_would_turn_it(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    decision_id = ids(database, capsys)["09"]
    assert main(["explain", decision_id, "--flip", "--database", database]) == 0
    assert_golden("example_09_explain", masked(capsys.readouterr().out))


def test_explain_in_json_says_what_every_rule_read(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    decision_id = ids(database, capsys)["09"]
    assert main(["explain", decision_id, "--flip", "--json", "--database", database]) == 0
    explained = json.loads(capsys.readouterr().out)
    fired = [rule for rule in explained["rules"] if rule["fired"]]
    assert [rule["rule"] for rule in fired] == ["whale_floor"]
    assert fired[0]["values"]["touches_factions"] == 1
    assert [line["verdict"] for line in explained["quotas"]] == ["quarantine", "reject", "modify", "approve"]
    assert explained["flips"]["votes"]


def test_a_fast_path_has_nothing_to_flip_and_says_so(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    decision_id = ids(database, capsys)["01"]
    assert main(["explain", decision_id, "--flip", "--database", database]) == 0
    assert "there is nothing to flip" in capsys.readouterr().out


def test_every_decision_replays_as_recorded(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--all", "--database", database]) == 0
    count = len(EXAMPLES)
    assert capsys.readouterr().out == f"✓ {count} decisions replayed: every one came out as recorded\n"


def test_an_untouched_ledger_verifies(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--database", database, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"records": len(EXAMPLES), "realms": 1, "good": True, "bad": []}


def test_an_edited_record_is_named_and_exits_with_1(
    broken: sqlite3.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S0-88: an edited record that verification does not find must never happen."""
    table = _records_table(broken)
    edited = "CAST(replace(CAST(body AS TEXT), '\"approve\"', '\"reject\"') AS BLOB)"
    broken.execute(f"UPDATE {table} SET body = {edited} WHERE position = 3")
    broken.commit()
    url = f"sqlite:///{tmp_path / 'copy.db'}"
    assert main(["verify", "--database", url]) == 1
    out = capsys.readouterr().out
    assert out.startswith("✗ first bad record: position 3 of realm realm-1 (decision d-")
    assert "its hash does not match its body, place and realm" in out
    assert main(["replay", "--all", "--database", url]) == 1
    assert "recorded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"), [(("list",), 0), (("show", "{id}"), 2), (("explain", "{id}"), 2), (("replay", "--all"), 1)]
)
def test_a_damaged_record_is_told_and_harms_no_other(
    broken: sqlite3.Connection,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
) -> None:
    (spoiled,) = broken.execute(f"SELECT decision_id FROM {_records_table(broken)} WHERE position = 6").fetchone()
    broken.execute(f"UPDATE {_records_table(broken)} SET body = CAST('not json' AS BLOB) WHERE position = 6")
    broken.commit()
    words = [argument.format(id=spoiled) for argument in arguments]
    assert main([*words, "--database", f"sqlite:///{tmp_path / 'copy.db'}"]) == code
    told = capsys.readouterr()
    assert "damaged" in told.out + told.err
    assert "Traceback" not in told.err


def test_a_realm_that_is_not_on_record_is_not_verified(database: str, council: Council) -> None:
    done = council("verify", "--realm", "realm-404", "--database", database)
    assert (done.code, "no realm 'realm-404' is on record" in done.err) == (2, True)


def test_a_cut_chain_is_found(broken: sqlite3.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken.execute(f"DELETE FROM {_records_table(broken)} WHERE position > 10")
    broken.commit()
    assert main(["verify", "--database", f"sqlite:///{tmp_path / 'copy.db'}", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["good"], found["bad"][0]["position"]) == (False, 11)


def _records_table(connection: sqlite3.Connection) -> str:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in tables:
        if {"body", "position"} <= {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}:
            return str(name)
    raise AssertionError("no table holds records")


def test_a_request_piped_in_is_decided_recorded_and_answered_again(tmp_path: Path, council: Council) -> None:
    url = f"sqlite:///{tmp_path / 'piped.db'}"
    body = EXAMPLES[5].read_bytes()
    environ = {**os.environ, "COUNCIL_DATABASE_URL": url}
    command = [sys.executable, "-m", "cli.main", "review", "-", "--json"]
    first = subprocess.run(command, input=body, capture_output=True, cwd=ROOT, env=environ, check=True)
    assert first.stderr == b""
    assert json.loads(first.stdout)["final_verdict"] == "reject"
    again = council("review", "-", "--json", "--database", url, stdin=body)
    assert again == Done(0, first.stdout.decode(), "")
    drawn = council("review", "-", "--database", url, stdin=body)
    assert drawn.out.startswith("╭")
    assert drawn.err == "-: this request was on record already; its stored answer stands\n"


def test_many_files_are_decided_and_bad_ones_are_told_apart(tmp_path: Path, council: Council) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"decision_type": "sovereign_actoin"}', encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'many.db'}"
    files = [str(EXAMPLES[0]), str(bad), str(tmp_path / "none.json"), str(EXAMPLES[5])]
    done = council("review", *files, "--json", "--database", url)
    assert done.code == 2
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line.get("final_verdict", "error") for line in lines] == ["approve", "error", "error", "reject"]
    assert "/decision_type: not one of the known values" in lines[1]["error"]["details"][0]
    table = council("review", "--brief", str(EXAMPLES[0]), str(EXAMPLES[5]), "--database", url)
    assert table.code == 0
    assert table.out.endswith("2 decisions: 1 ✓ approve, 1 ✗ reject\n")


def test_the_same_key_with_another_body_is_refused(tmp_path: Path, council: Council) -> None:
    url = f"sqlite:///{tmp_path / 'key.db'}"
    body = json.loads(EXAMPLES[0].read_text())
    assert council("review", "-", "--database", url, stdin=json.dumps(body).encode()).code == 0
    body["proposed_change"]["summary"] = "something else"
    other = council("review", "-", "--database", url, stdin=json.dumps(body).encode())
    assert (other.code, other.out) == (2, "")
    assert "another body" in other.err


def test_hostile_input_is_refused_in_words_and_nothing_is_recorded(tmp_path: Path, council: Council) -> None:
    url = f"sqlite:///{tmp_path / 'hostile.db'}"
    for body in (
        b"",
        b"{",
        b'{"a":1,"a":2}',
        b"[" * 100_000,
        b'{"a":NaN}',
        b'"\\ud800"',
        b"\xff\xfe",
        b"x" * 2_000_000,
    ):
        done = council("review", "-", "--json", "--database", url, stdin=body)
        assert done.code == 2
        assert "error" in json.loads(done.out)
        assert "Traceback" not in done.err
    assert council("list", "--json", "--database", url).out == ""


def test_demo_shows_every_example_and_keeps_nothing(
    tmp_path: Path, council: Council, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNCIL_DATABASE_URL", f"sqlite:///{tmp_path / 'untouched.db'}")
    done = council("demo")
    assert done.code == 0
    assert all(f"── {example.name} " in done.out for example in EXAMPLES)
    assert f"{len(EXAMPLES)} decisions: " in done.out
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_early_ends_an_export_quietly(database: str) -> None:
    command = f"{sys.executable} -m cli.main export --database {database} | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=True)
    assert (done.stdout, done.stderr) == ("{141\n", "")


def test_a_store_that_is_not_there_is_told_with_the_way_to_make_one(tmp_path: Path, council: Council) -> None:
    done = council("list", "--database", f"sqlite:///{tmp_path / 'none.db'}")
    assert (done.code, done.out) == (2, "")
    assert "'council review FILE' makes one" in done.err
    assert list(tmp_path.iterdir()) == []


def test_migrate_makes_a_store_and_changes_nothing_the_second_time(tmp_path: Path, council: Council) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    for _ in range(2):
        assert council("migrate", "--database", url) == Done(0, "✓ the sqlite database has the current schema\n", "")
    assert council("list", "--database", url).code == 0
