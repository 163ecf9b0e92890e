"""The command line over decisions that models made: explained, costed, replayed. Drawings are compared whole."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from agents.asking import Question
from cli.main import main
from council.graph import build_graph
from council.journal import JournallingJudge
from council.ledger.opening import open_ledger
from council.service import Clock, CouncilService
from tests.integration.test_cli_decisions import EXAMPLES, masked
from tests.unit.cli.golden_files import assert_golden
from tests.unit.council.scripted import Scripted, model_policy, raw_vote

POLICY = model_policy(rebuttal_margin="1/2", on_failure="rules")


def says(question: Question) -> str:
    """A council of every kind: a stricter model, a milder one, a claim, a failure, a broken reply."""
    match question.slot.member:
        case "governor":
            return raw_vote("approve", reasoning="nothing moves much")
        case "fairness":
            return "timeout"
        case "lore":
            return raw_vote(
                "reject", reasoning="canon would not hold", claims=[{"rule": "canon_lock", "evidence": ["canon_locks"]}]
            )
        case "narrative":
            return raw_vote("modify") if question.slot.variant == "twin" else raw_vote("approve")
        case _:
            return '```json\n{"verdict": "approve"}\n```'


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger of three days: everyday changes, and three cases that models judged."""
    url = f"sqlite:///{tmp_path_factory.mktemp('cli') / 'council.db'}"
    at = {"now": datetime(2026, 11, 3, 10, 12, 5, tzinfo=UTC)}
    clock = Clock(now=lambda: at["now"], monotonic=lambda: 0.0)

    async def decide() -> None:
        ledger = open_ledger(url)
        judge = JournallingJudge(Scripted(says), ledger)
        graph = build_graph(lambda: POLICY, judge)
        service = CouncilService(ledger=ledger, current_policy=lambda: POLICY, graph=graph, clock=clock)
        everyday = json.loads(EXAMPLES[0].read_bytes())
        for number in range(27):
            await service.review(json.dumps({**everyday, "request_id": f"everyday-{number}"}).encode())
        for example in (EXAMPLES[2], EXAMPLES[13], EXAMPLES[15]):
            at["now"] += timedelta(days=1)
            await service.review(example.read_bytes())
        await ledger.close()

    asyncio.run(decide())
    return url


def decision_of(example: str, database: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["list", "--database", database, "--json"]) == 0
    rows: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    summary = json.loads(next(path for path in EXAMPLES if path.name.startswith(example)).read_bytes())
    found = next(row for row in rows if row["summary"] == summary["proposed_change"]["summary"])
    return str(found["decision_id"])


def test_explain_shows_what_every_model_said_and_which_vote_counted(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue point 10: prompt version, model, raw reply, parsed vote, rule vote, and which counted and why."""
    assert main(["explain", decision_of("14", database, capsys), "--database", database]) == 0
    out = masked(capsys.readouterr().out)
    assert_golden("explain_models", out)
    for word in ("lore/1", "lmstudio/scripted", "unverified", "second round", "```json", "for its model failed"):
        assert word in out


def test_cost_shows_spending_against_the_band_and_the_envelope(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """S0-98, S0-101."""
    period = ["--since", "2026-11-01", "--until", "2026-11-07"]
    assert main(["cost", *period, "--database", database]) == 0
    assert_golden("cost", capsys.readouterr().out)


def test_cost_as_json_is_exact(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--since", "2026-11-01", "--until", "2026-11-07", "-d", database, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["decisions"], found["convened"], found["invocation_rate"]) == (30, 3, "1/10")
    assert found["invocation_band"] == "within"
    assert sum(member["calls"] for member in found["by_member"]) == sum(each["calls"] for each in found["by_model"])
    assert set(found["by_day"]) == {"2026-11-04", "2026-11-05", "2026-11-06"}


def test_cost_of_a_period_without_models_says_that_rules_decided(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cost", "--since", "2026-12-01", "--until", "2026-12-02", "-d", database]) == 0
    assert "no model was asked" in capsys.readouterr().out


def test_cost_refuses_a_period_without_length(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--since", "2026-12-02", "--until", "2026-12-01", "-d", database]) == 2
    assert "--until" in capsys.readouterr().err
    assert main(["cost", "--since", "yesterday", "-d", database]) == 2
    assert "--since is not a time" in capsys.readouterr().err


def test_decisions_by_models_replay_and_verify_from_the_command_line(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--all", "--database", database]) == 0
    assert main(["verify", "--database", database]) == 0


def test_a_record_of_models_fits_its_published_schema(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "record"]) == 0
    validator = jsonschema.Draft202012Validator(json.loads(capsys.readouterr().out))
    assert main(["export", "--database", database]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    bodies = [line["body"] for line in lines if line["kind"] == "decision"]
    assert sum("models" in body for body in bodies) == 3
    assert [error.message for body in bodies for error in validator.iter_errors(body)] == []
