"""`council eval compare`: what it prints, and how it exits."""

import json
from pathlib import Path

import pytest

from cli.main import main
from evals.results import Run
from evals.run_log import run_lines
from tests.unit.cli.golden_files import assert_golden
from tests.unit.evals.run_doubles import check, marked, result, run_of, vote

BASE = "+" * 50


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def logged(name: str, run: Run) -> str:
    Path(name).write_bytes(b"".join(run_lines(run)))
    return name


def baseline() -> str:
    return logged("a.jsonl", marked(BASE, run_id="baseline"))


def changed() -> Run:
    """Eight cases let through that should be rejected, one in error no longer, other votes, policy, cost and time."""
    run = marked("-" * 8 + "+" * 42, run_id="candidate", policy_hash="b" * 64, policy_version=2)
    first = run.results[0]._replace(
        votes=(vote("lore", "approve"), vote("risk", None, "timeout")), picodollars=2 * 10**9, latency_ms=900,
        checks=(check("verdict", False),), axis="exploit",
    )  # fmt: skip
    return run._replace(results=(first, *run.results[1:]))


def test_a_regression_is_drawn_with_its_flips_first_and_exits_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    run = marked(BASE, run_id="baseline")
    first = run.results[0]._replace(
        votes=(vote("lore", "reject"), vote("risk", "reject")), vetoes=("canon_lock",), axis="exploit",
        checks=(check("verdict", True),), latency_ms=500,
    )  # fmt: skip
    old = logged("a.jsonl", run._replace(results=(first, *run.results[1:], result("only-in-a"))))
    assert main(["eval", "compare", old, logged("b.jsonl", changed())]) == 1
    assert_golden("eval_compare_regression", capsys.readouterr().out)


def test_no_evidence_is_said_with_what_could_have_been_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "compare", baseline(), logged("b.jsonl", marked("-~" + "+" * 48, run_id="candidate"))]) == 0
    out = capsys.readouterr().out
    assert_golden("eval_compare_no_evidence", out)
    assert "no evidence of a difference" in out


def test_a_minimum_effect_above_the_loss_lets_it_pass(capsys: pytest.CaptureFixture[str]) -> None:
    new = logged("b.jsonl", changed())
    assert main(["eval", "compare", baseline(), new, "--min-effect", "0.5"]) == 0
    assert "worse, by less than the minimum effect of 0.5" in capsys.readouterr().out


def test_json_says_everything_and_repeats_byte_for_byte(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["eval", "compare", baseline(), logged("b.jsonl", changed()), "--json"]
    assert main(arguments) == 1
    first = capsys.readouterr().out
    assert main(arguments) == 1
    assert capsys.readouterr().out == first
    document = json.loads(first)
    assert document["judgement"] == "regression"
    assert document["pairing"]["pairs"] == 50
    assert document["change"]["p_value"] == 2 / 2**8
    assert document["flips"][0]["effect"] == "broken"
    assert document["flips"][0]["is_unsafe"] is True
    assert document["old"]["run_id"] == "baseline"
    assert document["is_partial"] is False


def test_an_unfinished_run_is_refused_and_compared_aloud_where_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    cut = logged("b.jsonl", marked(BASE[:20], run_id="cut")._replace(is_complete=False))
    assert main(["eval", "compare", baseline(), cut]) == 2
    assert "was cut off" in capsys.readouterr().err
    assert main(["eval", "compare", baseline(), cut, "--partial"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("NOT FINISHED")
    assert "30 only in A" in out


def test_cases_that_only_the_baseline_could_judge_leave_the_comparison_unjudged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = marked(BASE, run_id="candidate")
    failed = result("case-000", None)
    new = logged("b.jsonl", run._replace(results=(failed, *run.results[1:]), is_complete=False))
    assert main(["eval", "compare", baseline(), new, "--partial"]) == 2
    assert "1 judged in A and not in B: case-000" in capsys.readouterr().out


def test_other_suites_are_refused_unless_forced(capsys: pytest.CaptureFixture[str]) -> None:
    new = logged("b.jsonl", marked(BASE, suite_hash="6" * 64))
    assert main(["eval", "compare", baseline(), new]) == 2
    assert "different suites" in capsys.readouterr().err
    assert main(["eval", "compare", baseline(), new, "--force-suite"]) == 0


def test_runs_without_labels_cannot_be_judged(capsys: pytest.CaptureFixture[str]) -> None:
    old = logged("a.jsonl", run_of([result("a", label=None)]))
    assert main(["eval", "compare", old, logged("b.jsonl", run_of([result("a", "approve", None)]))]) == 2
    assert "nobody can say which run is better" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (["--metric", "luck"], "unknown metric 'luck'"),
        (["--level", "1"], "the level 1 does not lie between 0.5 and 1"),
        (["--min-effect", "2"], "min-effect"),
    ],
)
def test_bad_options_are_refused_with_a_way_out(
    extra: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "compare", baseline(), "a.jsonl", *extra]) == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_no_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.jsonl").write_text('{"kind":"header"}\n', encoding="utf-8")
    assert main(["eval", "compare", baseline(), "b.jsonl"]) == 2
    assert "b.jsonl:1" in capsys.readouterr().err
