"""`council eval run` with models: recorded live, replayed without any network, strict about what is not on the cassette."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from evals.results import CaseResult, Run
from evals.run_log import read_run
from policies.policy import Policy
from policies.verdicts import MEMBERS
from tests.models.councils import council_document, council_with
from tests.models.faulty_world import FaultyWorld

Capture = pytest.CaptureFixture[str]


def written(folder: Path, policy: Policy, cases: int = 2, **suite: Any) -> list[str]:
    """Write a suite of like cases and its policy; return the arguments that run it."""
    (folder / "policy.yaml").write_text(json.dumps(policy.document))
    document = {
        "schema": "council.suite/1",
        "id": "small",
        "version": 1,
        "policy": "policy.yaml",
        "bases": {"calm": {"request": council_document()}},
        "cases": [
            {
                "id": f"case-{number}",
                "about": "a calm change",
                "base": "calm",
                "set": {"/world_snapshot/tick_number": number},
                "label": "approve",
                "reason": "nothing speaks against it",
                "expect": {"verdict": "label"},
            }
            for number in range(1, cases + 1)
        ],
        **suite,
    }
    (folder / "small.suite.yaml").write_text(json.dumps(document))
    return ["eval", "run", str(folder / "small.suite.yaml")]


def results(path: Path) -> tuple[CaseResult, ...]:
    return read_run(path).results


def test_a_live_run_is_recorded_and_replayed_without_a_call(
    tmp_path: Path, faulty: FaultyWorld, capsys: Capture
) -> None:
    run = written(tmp_path, council_with(faulty.base_url), gates=["accuracy == 1", "cost_usd == 0"])
    live, again = tmp_path / "live.jsonl", tmp_path / "again.jsonl"
    tape = ["--cassette", str(tmp_path / "tape.jsonl"), "--repeat", "2"]
    assert main([*run, "--mode", "live", *tape, "--out", str(live)]) == 0, capsys.readouterr().out
    asked = len(faulty.calls)
    assert asked == 2 * 2 * 5  # two cases, two repeats, five members
    assert main([*run, "--mode", "cassette", *tape, "--out", str(again)]) == 0
    assert len(faulty.calls) == asked
    first, second = results(live), results(again)
    assert [(each.case, each.repeat, each.verdict) for each in first] == [
        (each.case, each.repeat, each.verdict) for each in second
    ]
    assert {vote.source for each in second for vote in each.votes} == {"model"}
    assert [each.model_calls for each in second] == [5, 5, 5, 5]
    record = second[0].record
    assert record is not None
    assert len(record["models"]["replies"]) == 5
    header = read_run(again).header
    assert (header.mode, header.repeats, header.models["lore"]) == ("cassette", 2, "faulty/ok@lore")
    assert set(header.prompts) == set(header.models)


def test_repeats_are_recorded_apart(tmp_path: Path, faulty: FaultyWorld) -> None:
    """A model that changes its mind says so again from the tape: lore approves at first, and rejects from then on."""
    policy = council_with(faulty.base_url, {"lore": "seq:ok,ok:reject", "risk": "seq:ok,ok:reject"})
    run = written(tmp_path, policy, cases=1)
    tape = ["--cassette", str(tmp_path / "tape.jsonl"), "--repeat", "2", "--parallel", "1"]
    assert main([*run, "--mode", "live", *tape, "--out", str(tmp_path / "live.jsonl")]) == 1
    assert main([*run, "--mode", "cassette", *tape, "--out", str(tmp_path / "again.jsonl")]) == 1
    verdicts = [each.verdict for each in results(tmp_path / "live.jsonl")]
    assert verdicts == ["approve", "reject"]
    assert [each.verdict for each in results(tmp_path / "again.jsonl")] == verdicts


def test_a_call_that_is_not_on_the_cassette_is_not_judged_and_nobody_is_asked(
    tmp_path: Path, faulty: FaultyWorld, capsys: Capture
) -> None:
    policy = council_with(faulty.base_url)
    tape = ["--cassette", str(tmp_path / "tape.jsonl")]
    assert main([*written(tmp_path, policy, cases=1), "--mode", "live", *tape]) == 0
    asked = len(faulty.calls)
    out = tmp_path / "run.jsonl"
    capsys.readouterr()
    assert main([*written(tmp_path, policy, cases=2), "--mode", "cassette", *tape, "--out", str(out)]) == 2
    assert len(faulty.calls) == asked
    run = read_run(out)
    assert [bool(each.error) for each in run.results] == [False, True]
    assert not run.is_complete
    assert "no recording of" in " ".join(capsys.readouterr().out.split())


def test_a_model_that_cannot_be_reached_leaves_a_live_case_unjudged_and_is_asked_again(
    tmp_path: Path, faulty: FaultyWorld, capsys: Capture
) -> None:
    """An outage says nothing about a policy; the log stays open, and the same command asks what is missing."""
    policy = council_with(faulty.base_url, {"risk": "seq:503,ok"}, retries=0)
    out = tmp_path / "run.jsonl"
    run = [*written(tmp_path, policy, cases=2), "--mode", "live", "--parallel", "1", "--out", str(out)]
    assert main(run) == 2
    assert "risk's model could not be asked" in " ".join(capsys.readouterr().out.split())
    cut: Run = read_run(out)
    assert ([bool(each.error) for each in cut.results], cut.is_complete) == ([True, False], False)
    asked = len(faulty.calls)
    assert main(run) == 0
    assert len(faulty.calls) - asked == 5  # the one case that was not judged
    assert read_run(out).is_complete


def test_budgets_of_the_policy_hold_over_a_run(tmp_path: Path, faulty: FaultyWorld, capsys: Capture) -> None:
    """What a call may cost is set aside before it is made (S0-101); a spent budget is no judgement of the case."""
    prices = {f"faulty/ok@{member}": {"input": "1", "output": "1"} for member in MEMBERS}
    policy = council_with(faulty.base_url, budgets={"day_usd": "0.02"}, prices=prices)
    assert main([*written(tmp_path, policy, cases=6), "--mode", "live", "--parallel", "1"]) == 2
    assert "the budget for today does not bear the call" in " ".join(capsys.readouterr().out.split())
    assert 5 <= len(faulty.calls) < 30


def test_live_and_cassette_refuse_a_policy_without_models(tmp_path: Path, capsys: Capture) -> None:
    run = written(tmp_path, council_with("http://127.0.0.1:1/v1", rules=MEMBERS))
    assert main([*run, "--mode", "live"]) == 2
    assert "no member of the policy 'aelvyndor' has a model" in capsys.readouterr().err
