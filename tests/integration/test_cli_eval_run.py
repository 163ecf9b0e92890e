"""`council eval run` from end to end: what it prints, its exit codes, its logs, and runs that are killed."""

import json
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli.main import main
from cli.suite_schema import run_schema, suite_schema
from evals.metrics import METRICS
from evals.modes import Clock
from evals.run_log import read_run
from evals.suite_entries import CASE_KEYS, WHERE_KEYS
from evals.suite_expectations import EXPECT_KEYS
from tests.unit.cli.golden_files import assert_golden
from tests.unit.evals.recorded import EXAMPLES, shipped
from tests.unit.evals.suites_written import CARAVAN, HARBOR, case, document, written

ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]
CASES = [
    case("calm", label="approve", axis="balance", expect={"path": "fast", "vetoes": {"none": True}}),
    case(
        "inland", about="a harbor for a city far from any sea", file=HARBOR, label="reject", reason="canon says so",
        axis="coherence", tags=["canon"], expect={"verdict": "label", "vetoes": ["canon_lock"], "path": "veto"},
    ),
]  # fmt: skip
WRONG = [
    *CASES,
    case("calm-again", label="modify", axis="balance", reason="a caravan should pay"),
    case(
        "inland-again",
        file=HARBOR,
        axis="exploit",
        expect={"verdict": ["approve", "modify"], "confidence": {"max": "0.5"}},
    ),
]


def run(folder: Path, cases: list[dict[str, Any]], *arguments: object, **fields: Any) -> int:
    path = written(folder, document(cases, **fields))
    return main(["eval", "run", str(path), *map(str, arguments)])


def milder(folder: Path) -> Path:
    """Write the shipped policy without its rules."""
    path = folder / "milder.yaml"
    path.write_text(json.dumps({**shipped().document, "rules": []}))
    return path


def masked(text: str, folder: Path) -> str:
    """Return output without places of this test and the policy's hash."""
    return re.sub(r"(?<=v\d )[0-9a-f]{12}", "POLICY", text.replace(str(folder), "…"))


@pytest.fixture
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases take no time: how long they really take is the machine's affair."""
    monkeypatch.setattr("cli.suite_runs.CLOCK", Clock(lambda: datetime(2026, 3, 1, tzinfo=UTC), lambda: 0.0))


@pytest.mark.usefixtures("no_time_passes")
def test_a_good_suite_is_shown_by_axis_with_its_gates(tmp_path: Path, capsys: Capture) -> None:
    assert run(tmp_path, CASES, gates=["unsafe_approvals == 0", "accuracy[coherence] >= 0.9"]) == 0
    assert_golden("eval_run_good", masked(capsys.readouterr().out, tmp_path))


@pytest.mark.usefixtures("no_time_passes")
def test_failures_are_told_with_what_was_expected_and_found_and_why(tmp_path: Path, capsys: Capture) -> None:
    assert run(tmp_path, WRONG, "--verbose", gates=["accuracy >= 0.9", "stability == 1"]) == 2
    out = masked(capsys.readouterr().out, tmp_path)
    assert_golden("eval_run_failing", out)


@pytest.mark.parametrize(
    ("cases", "gates", "code"),
    [
        (CASES, ["accuracy == 1"], 0),
        (CASES, ["needless_holds > 0"], 1),
        (WRONG, [], 1),
        (CASES, ["stability == 1"], 2),
    ],
    ids=["good", "gate", "expectation", "nothing-to-measure"],
)
def test_exit_codes_say_good_failed_or_not_judged(
    tmp_path: Path, capsys: Capture, cases: list[dict[str, Any]], gates: list[str], code: int
) -> None:
    assert run(tmp_path, cases, "--json", gates=gates) == code
    assert json.loads(capsys.readouterr().out)["exit"] == code


def test_json_holds_metrics_of_the_whole_and_of_every_axis(tmp_path: Path, capsys: Capture) -> None:
    run(tmp_path, WRONG, "--json")
    (line,) = capsys.readouterr().out.splitlines()
    shown = json.loads(line)
    assert shown["metrics"]["accuracy"] == pytest.approx(2 / 3)
    assert list(shown["axes"]) == ["balance", "exploit", "coherence"]
    assert shown["axes"]["exploit"]["accuracy"] is None
    assert [each["case"] for each in shown["results"]] == ["calm", "inland", "calm-again", "inland-again"]
    assert shown["confusion"]["modify"]["approve"] == 1
    assert "record" not in shown["results"][0]


def test_a_bad_suite_names_every_fault_and_exits_with_2(tmp_path: Path, capsys: Capture) -> None:
    assert run(tmp_path, [case("a", lable="approve"), case("b", axis="none")], gates=["acuracy > 0"]) == 2
    err = capsys.readouterr().err
    for told in ("cases[0].lable: unknown key", "cases[1].axis: not one of", "gates[0]: there is no metric 'acuracy'"):
        assert told in err
    assert err.count(f"{tmp_path / 'small.suite.yaml'}:") == 3


def test_the_log_keeps_everything_and_fits_its_schema(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "logs" / "run.jsonl"
    assert run(tmp_path, CASES, "--out", out, "--repeat", 2, gates=["stability == 1"]) == 0
    validator = jsonschema.Draft202012Validator(run_schema())
    for line in out.read_bytes().splitlines():
        assert [error.message for error in validator.iter_errors(json.loads(line))] == []
    found = read_run(out)
    assert found.is_complete
    assert [(each.case, each.repeat) for each in found.results] == [
        ("calm", 0),
        ("inland", 0),
        ("calm", 1),
        ("inland", 1),
    ]
    assert all(each.record is not None and each.record["schema"] == "council.record/1" for each in found.results)
    assert found.gates[0].passed


def test_a_suite_fits_its_schema_and_a_misspelt_one_does_not() -> None:
    validator = jsonschema.Draft202012Validator(suite_schema())
    assert [error.message for error in validator.iter_errors(document(WRONG, gates=["passed == 1"]))] == []
    assert not validator.is_valid(document([case("a", lable="approve")]))
    assert not validator.is_valid(document([{**case("a"), "label": "approve"}]))  # without a reason
    assert not validator.is_valid(document([case("a", base="x")]))


def test_the_suite_of_the_documentation_can_be_run_as_it_stands(tmp_path: Path, capsys: Capture) -> None:
    guide = (ROOT / "docs" / "evals" / "suites.md").read_text(encoding="utf-8")
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "harbor.json").write_bytes(Path(HARBOR).read_bytes())
    assert main(["eval", "run", str(written(tmp_path, example))]) == 0, capsys.readouterr().out


def test_the_documentation_lists_every_metric_expectation_and_key() -> None:
    guide = (ROOT / "docs" / "evals" / "suites.md").read_text(encoding="utf-8")
    quantiles = {"p95_latency_ms": "p95_", "p99_latency_ms": "p99_", "p50_latency_ms": "p50_"}
    for word in (*METRICS, *CASE_KEYS, *WHERE_KEYS, *EXPECT_KEYS):
        assert f"`{quantiles.get(word, word)}" in guide, word


def test_a_finished_log_is_shown_and_not_run_again(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "run.jsonl"
    assert run(tmp_path, WRONG, "--out", out) == 1
    kept, first = out.read_bytes(), capsys.readouterr().out
    assert run(tmp_path, WRONG, "--out", out) == 1
    again = capsys.readouterr()
    assert (out.read_bytes(), again.out) == (kept, first)
    assert "nothing was run again" in again.err


def test_a_log_of_another_suite_policy_or_selection_is_refused(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "run.jsonl"
    run(tmp_path, CASES, "--out", out)
    kept = out.read_bytes()
    capsys.readouterr()
    for arguments, cases, told in (
        ((), WRONG, "suite "),
        (("--policy", milder(tmp_path)), CASES, "policy "),
        (("--tag", "canon"), CASES, "selection all there, tag=canon here"),
        (("--repeat", 2), CASES, "repeats 1 there, 2 here"),
    ):
        assert run(tmp_path, cases, "--out", out, *arguments) == 2
        assert told in capsys.readouterr().err
        assert out.read_bytes() == kept


def test_a_case_that_got_worse_than_the_baseline_fails_the_run(tmp_path: Path, capsys: Capture) -> None:
    base = tmp_path / "base.jsonl"
    cases = [{**each, "expect": {}} for each in CASES]
    assert run(tmp_path, cases, "--out", base) == 0
    assert run(tmp_path, cases, "--baseline", base) == 0
    capsys.readouterr()
    assert run(tmp_path, cases, "--baseline", base, "--policy", milder(tmp_path)) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "✗ inland: reject before, approve now; its label is reject" in out
    assert "2 cases compared, 1 got worse, 0 repaired" in out


def test_a_partial_run_is_refused_as_a_baseline(tmp_path: Path, capsys: Capture) -> None:
    narrowed, cut = tmp_path / "narrowed.jsonl", tmp_path / "cut.jsonl"
    run(tmp_path, CASES, "--out", narrowed, "--case", "calm")
    run(tmp_path, CASES, "--out", cut)
    cut.write_bytes(b"".join(cut.read_bytes().splitlines(keepends=True)[:-1]))
    capsys.readouterr()
    for baseline in (narrowed, cut):
        assert run(tmp_path, CASES, "--baseline", baseline) == 2
        assert "is a partial run" in capsys.readouterr().err


def test_tags_and_cases_narrow_a_run_and_its_gates(tmp_path: Path, capsys: Capture) -> None:
    assert run(tmp_path, CASES, "--tag", "canon", "--json", gates=["accuracy[balance] == 1", "accuracy == 1"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [each["case"] for each in shown["results"]] == ["inland"]
    assert [each["gate"] for each in shown["gates"]] == ["accuracy == 1"]
    assert run(tmp_path, CASES, "--case", "inlnad") == 2
    assert "did you mean 'inland'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--mode", "rulez"), "did you mean 'rules'?"),
        (("--mode", "cassette"), "--cassette FILE; --mode live records one"),
        (("--cassette", "x"), "mode rules asks no model"),
        (("--mode", "recorded"), "give the suite a query"),
        (("--baseline", "gone.jsonl"), "no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_run_says_what_to_do(
    tmp_path: Path, capsys: Capture, arguments: tuple[str, ...], told: str
) -> None:
    assert run(tmp_path, CASES, *arguments) == 2
    assert told in capsys.readouterr().err


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A ledger of all examples, and its export."""
    folder = tmp_path_factory.mktemp("ledger")
    database, path = f"sqlite:///{folder / 'council.db'}", folder / "all.jsonl"
    assert main(["review", "--brief", "--database", database, *map(str, sorted(EXAMPLES.glob("*.json")))]) == 0
    assert main(["export", str(path), "--database", database]) == 0
    return database, str(path)


def test_queries_judge_recorded_decisions_from_a_ledger_or_an_export(
    tmp_path: Path, capsys: Capture, export: tuple[str, str]
) -> None:
    database, path = export
    queries = [
        {
            "id": "vetoed",
            "axis": "coherence",
            "where": {"path": "veto"},
            "expect": {"verdict": ["reject", "quarantine"]},
        },
        {"id": "first", "where": {"path": "fast"}, "limit": 1, "expect": {"verdict": "approve"}},
    ]
    for source in (("--database", database), ("--from", path)):
        for mode in ("recorded", "rules"):
            capsys.readouterr()
            assert run(tmp_path, [], "--mode", mode, *source, "--json", queries=queries) == 0
            shown = json.loads(capsys.readouterr().out)
            names = [each["case"].split("/")[0] for each in shown["results"]]
            assert names.count("first") == 1
            assert names.count("vetoed") == len(names) - 1 > 3
    assert run(tmp_path, [], "--mode", "recorded", "--from", path, "--policy", milder(tmp_path), queries=queries) == 1


def test_queries_are_left_out_where_nobody_says_whose_decisions(tmp_path: Path, capsys: Capture) -> None:
    assert run(tmp_path, CASES, queries=[{"id": "all", "where": {}}]) == 0
    assert "its queries are left out" in capsys.readouterr().err


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(tmp_path: Path, capsys: Capture) -> None:
    """`kill -9` at many moments: no result is lost, none is judged twice, and the log ends whole."""
    cases = [
        case(f"case-{at}", label="approve", file=None, base="calm", set={"/world_snapshot/tick_number": at})
        for at in range(1500)
    ]
    path = written(tmp_path, document(cases, bases={"calm": {"file": CARAVAN}}))
    out = tmp_path / "run.jsonl"
    command = [sys.executable, "-c", "import sys; from cli.main import main; sys.exit(main(sys.argv[1:]))"]
    kills, held = 0, [0]
    while kills < 4:
        process = subprocess.Popen(
            [*command, "eval", "run", str(path), "--out", str(out), "--json"], cwd=ROOT, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        while process.poll() is None and _lines(out) < held[-1] + 40:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "the run was over before it was killed"
        cut = read_run(out)
        assert not cut.is_complete
        assert held[-1] < len(cut.results) < len(cases)
        held.append(len(cut.results))
        kills += 1
    assert main(["eval", "run", str(path), "--out", str(out)]) == 0
    assert f"{held[-1]} of 1500 results are in" in capsys.readouterr().err
    done = read_run(out)
    assert done.is_complete
    assert [each.case for each in done.results] == [f"case-{at}" for at in range(1500)]
    lines = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert len(lines) == 1 + 1500 + 1  # header, one result each, end: nothing was judged twice


def _lines(path: Path) -> int:
    """Return how many results a log holds."""
    return max(0, path.read_bytes().count(b"\n") - 1) if path.exists() else 0
