"""Exports at the command line: redacted ones, published schema, and the one road by which commands read decisions."""

import asyncio
import io
import json
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import orjson
import pytest

from cli.errors import CliError
from cli.eval_sources import decisions_from
from cli.main import main
from cli.schema import schemas
from council.ledger.memory import MemoryLedger
from evals.decisions import Decision, Label, Outcome
from evals.errors import InvalidFileError
from evals.export_lines import Redaction
from evals.exports import open_export
from evals.jury_files import read_recorded_jury
from evals.remarks import label_remark, outcome_remark
from tests.unit.cli.ledger_doubles import new_record, use
from tests.unit.evals.recorded import AT, recorded, shipped

DECISIONS = recorded()
LLMBAR = Path(__file__).parents[3] / "examples" / "jury" / "llmbar_natural_votes.csv"
KEY = "REDACTION_KEY_OF_THIS_TEST"


def _filled(decisions: list[Decision]) -> MemoryLedger:
    ledger = MemoryLedger()

    async def fill() -> None:
        await ledger.put_policy(shipped().content_hash, orjson.dumps(shipped().document))
        for decision in decisions:
            await ledger.append(new_record(dict(decision.record)))
        first = decisions[0].decision_id
        await ledger.add_remarks([label_remark(first, Label("ana", "reject", AT, "exploit", "why"))])
        await ledger.add_remarks([outcome_remark(first, Outcome("ben", "reverted", AT))])

    asyncio.run(fill())
    return ledger


@pytest.fixture(autouse=True)
def _ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, _filled(DECISIONS))


def exported(tmp_path: Path, *options: str) -> Path:
    path = tmp_path / "out.jsonl"
    assert main(["export", str(path), *options]) == 0
    return path


@pytest.mark.parametrize("options", [(), ("--redact", "--redact-summaries"), ("--redact", "--keep-replies")])
def test_every_line_of_an_export_fits_the_published_schema(tmp_path: Path, options: tuple[str, ...]) -> None:
    validator = jsonschema.Draft202012Validator(schemas()["export"])
    lines = exported(tmp_path, *options).read_bytes().splitlines()
    assert len(lines) == len(DECISIONS) + 3
    assert [error.message for line in lines for error in validator.iter_errors(json.loads(line))] == []


def test_the_published_schema_refuses_what_is_no_line(tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(schemas()["export"])
    header, policy, decision, *_ = [json.loads(line) for line in exported(tmp_path).read_bytes().splitlines()]
    assert not validator.is_valid({**header, "schema": "council.export/2"})
    assert not validator.is_valid({**header, "redacted": True})
    assert not validator.is_valid({**policy, "hash": "short"})
    assert not validator.is_valid({**decision, "extra": 1})
    assert not validator.is_valid({**decision, "body": {}})
    assert not validator.is_valid({**decision, "labels": []})
    assert not validator.is_valid({**decision, "labels": [{**decision["labels"][0], "verdict": "ban"}]})
    assert not validator.is_valid({"kind": "end"})


def test_a_redacted_export_says_so_and_names_nobody(tmp_path: Path) -> None:
    path = exported(tmp_path, "--redact")
    opened = open_export(path)
    assert opened.header.redaction == Redaction("hmac-sha256", "dropped", "kept")
    assert [decision.verdict for decision in opened] == [decision.verdict for decision in DECISIONS]
    data = path.read_bytes()
    users = {
        event["user_id"] for decision in DECISIONS for event in decision.record["request"].get("supporting_events", ())
    }
    assert len(users) > 20
    assert [user for user in users if f'"{user}"'.encode() in data] == []
    assert b'"ana"' not in data


def test_a_key_makes_the_pseudonyms_of_two_exports_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "0123456789abcdef0123456789abcdef")
    first = exported(tmp_path, "--redact", "--redact-key-env", KEY).read_bytes()
    assert exported(tmp_path, "--redact", "--redact-key-env", KEY).read_bytes() == first
    assert exported(tmp_path, "--redact").read_bytes() != first


@pytest.mark.parametrize(
    ("key", "options", "told"),
    [
        ("short", ("--redact", "--redact-key-env", KEY), "the key in 'REDACTION_KEY_OF_THIS_TEST' is too short"),
        ("", ("--redact", "--redact-key-env", KEY), "the variable 'REDACTION_KEY_OF_THIS_TEST' holds no key"),
        ("", ("--keep-replies",), "add --redact"),
        ("", ("--redact-summaries",), "add --redact"),
    ],
)
def test_a_redaction_that_would_not_hold_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    options: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.setenv(KEY, key)
    assert main(["export", str(tmp_path / "out.jsonl"), *options]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_decisions_come_the_same_from_the_ledger_a_file_and_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exported(tmp_path)
    with decisions_from(None) as ledger:
        found = list(ledger)
        assert ledger.policy(shipped().content_hash) is not None
        assert list(ledger) == found
    assert [decision.record for decision in found] == [decision.record for decision in DECISIONS]
    assert [label.labeller for label in found[0].labels] == ["ana"]
    with decisions_from(str(path)) as file:
        assert list(file) == found
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(path.read_bytes())))
    with decisions_from("-") as copied:
        assert list(copied) == found
    assert not copied.path.exists()


def test_a_fault_in_standard_input_does_not_name_a_file_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"rubbish\n")))
    with pytest.raises(InvalidFileError, match=r"^standard input:1: is not JSON"), decisions_from("-"):
        pass


def test_a_realm_or_a_database_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="no realm 'nowhere' is on record"), decisions_from(None, None, "nowhere"):
        pass
    path = exported(tmp_path)
    with (
        pytest.raises(CliError, match="an export and a database were both given"),
        decisions_from(str(path), "memory://"),
    ):
        pass


def test_a_ledger_with_a_broken_chain_is_told_as_a_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = _filled(DECISIONS)
    chain = ledger._chains[DECISIONS[0].realm_id]
    chain[4] = chain[4]._replace(body=chain[4].body.replace(b'"elapsed_ms":0', b'"elapsed_ms":1'))
    use(monkeypatch, ledger)
    told = pytest.raises(CliError, match="the ledger cannot be relied on: does not match body")
    with told as caught, decisions_from(None) as found:
        list(found)
    assert "council verify" in caught.value.fix


def test_import_writes_a_set_and_tells_what_is_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "set.jsonl"
    arguments = ["eval", "import", str(LLMBAR), "-o", str(target), "--map", "1=approve,2=reject", "--source", "LLMBar"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "GPT-4             95           5      93   0.98 (0.93 to 0.99), n = 95" in out
    assert "✓ 100 items, 100 of them labelled, 6 members: " in out
    recorded_set = read_recorded_jury(target)
    assert (recorded_set.jury.source, recorded_set.mapping) == ("LLMBar", {"1": "approve", "2": "reject"})
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["labelled"], len(found["members"])) == (100, 100, 6)
    assert found["members"][3]["right"] == 93


def test_import_of_a_bad_file_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "set.jsonl"
    assert main(["eval", "import", str(LLMBAR), "-o", str(target), "--map", "1=approve"]) == 2
    assert "vote: '2' stands for no verdict (and on 272 more lines)" in capsys.readouterr().err
    assert main(["eval", "import", str(tmp_path / "none.csv"), "-o", str(target)]) == 2
    assert list(tmp_path.iterdir()) == []
