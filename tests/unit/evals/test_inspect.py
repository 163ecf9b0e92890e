"""Runs for inspect-ai: the log reads back with every verdict, and a suite run as its task says what our own runner says."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log

from evals.errors import EvalsError
from evals.inspect_export import export_run, log_of
from evals.inspect_tasks import council_suite
from tests.unit.evals.report_runs import baseline, milder, plain

SUITE = """\
schema: council.suite/1
id: two-examples
version: 1
about: a quiet act and one that breaks canon
cases:
  - id: caravan
    about: a caravan arrives
    reason: nothing speaks against it
    label: approve
    axis: balance
    file: {caravan}
    expect: {{verdict: label, path: fast}}
  - id: harbor
    about: a harbor for an inland city
    reason: a canon lock forbids it
    label: modify
    axis: coherence
    file: {harbor}
    expect: {{verdict: reject}}
"""
EXAMPLES = Path(__file__).parents[3] / "examples" / "requests"


def _written(log: EvalLog) -> dict[str, tuple[object, ...]]:
    return {
        str(sample.id): (
            sample.target,
            sample.output.completion[:12] if sample.output else "",
            *sorted(sample.scores or {}),
        )
        for sample in log.samples or []
    }


def test_a_run_reads_back_as_a_log_with_every_case(tmp_path: Path) -> None:
    log = read_eval_log(str(export_run(milder(), tmp_path / "logs")))
    assert log.status == "success"
    assert log.samples is not None
    assert [sample.id for sample in log.samples] == [each.case for each in milder().results]
    for sample, result in zip(log.samples, milder().results, strict=True):
        assert sample.target == (result.label or "")
        label = (sample.scores or {}).get("label")
        assert (label is not None) == (result.label is not None and result.verdict is not None)
        if label is not None:
            assert (label.value, label.answer) == ("C" if result.verdict == result.label else "I", result.verdict)
    assert log.results is not None
    accuracy = {score.name: score.metrics["accuracy"].value for score in log.results.scores}
    assert accuracy["label"] == pytest.approx(15 / 18)


def test_a_case_that_could_not_be_judged_is_an_error_and_no_score() -> None:
    sample = (log_of(milder()).samples or [])[-1]
    assert sample.error is not None
    assert "no cassette entry" in sample.error.message
    assert sample.scores == {}


def test_a_run_that_was_cut_off_is_no_success(tmp_path: Path) -> None:
    assert log_of(baseline()._replace(is_complete=False)).status == "cancelled"
    assert log_of(plain(baseline())).samples


def test_the_same_run_gives_the_same_file(tmp_path: Path) -> None:
    first = export_run(milder(), tmp_path)
    before = first.read_bytes()
    assert export_run(milder(), tmp_path) == first
    assert first.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvalsError, match="cannot write to"):
        export_run(milder(), tmp_path / "file" / "logs")


@pytest.mark.filterwarnings("ignore")  # of inspect-ai and what it stands on
def test_a_suite_runs_as_a_task_of_inspect(tmp_path: Path) -> None:
    suite = tmp_path / "two.suite.yaml"
    caravan, harbor = (
        EXAMPLES / "01-caravan-through-the-borderlands.json",
        EXAMPLES / "06-a-harbor-for-an-inland-city.json",
    )
    suite.write_text(SUITE.format(caravan=caravan, harbor=harbor))
    [log] = inspect_eval(
        council_suite(str(suite)), model="none", display="none", log_dir=str(tmp_path / "logs"), epochs=2
    )
    assert log.status == "success"
    assert _written(log) == {
        "caravan": ("approve", "**approve**,", "expectations", "label"),
        "harbor": ("modify", "**reject**, ", "expectations", "label"),
    }
    assert log.results is not None
    accuracy = {score.name: score.metrics["accuracy"].value for score in log.results.scores}
    assert accuracy == {"label": 0.5, "expectations": 1.0}
    assert len(log.samples or []) == 4


@pytest.mark.parametrize(
    ("mode", "told"), [("guess", "unknown mode"), ("cassette", "-T cassette"), ("recorded", "-T export")]
)
def test_a_mode_without_what_it_needs_is_refused(mode: str, told: str) -> None:
    suite = Path(__file__).parents[3] / "evals" / "data" / "aelvyndor" / "aelvyndor.suite.yaml"
    with pytest.raises(EvalsError, match=told):
        council_suite(str(suite), mode=mode)


def test_other_commands_do_not_load_inspect() -> None:
    import subprocess

    code = "import sys, cli.eval_report; sys.exit('inspect_ai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[3]).returncode == 0
