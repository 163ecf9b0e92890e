"""`council eval report`: the page, the terminal, the JSON, the log for inspect, and files that are no such thing."""

import json
import sys
from pathlib import Path

import pytest

from cli.main import main
from evals.results import Run
from evals.run_log import run_lines
from tests.unit.cli.golden_files import assert_golden
from tests.unit.evals.report_runs import BACKTEST, baseline, milder, sweep


def _log(path: Path, run: Run) -> str:
    path.write_bytes(b"".join(run_lines(run)))
    return str(path)


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    """Arguments that name the milder run and its baseline."""
    return [_log(tmp_path / "run.jsonl", milder()), "--baseline", _log(tmp_path / "before.jsonl", baseline())]


def _sources(directory: Path) -> list[str]:
    points = [
        {"name": spot.name, "unsafe_approvals": spot.unsafe_approvals, "needless_holds": spot.needless_holds,
         "accuracy": spot.accuracy} for spot in sweep().found.spots
    ]  # fmt: skip
    written = {"schema": "council.sweep/1", "current": 6, "labelled": 105, "points": points}
    (directory / "sweep.json").write_text(json.dumps(written))
    (directory / "backtest.json").write_text(json.dumps(BACKTEST))
    return ["--sweep", str(directory / "sweep.json"), "--backtest", str(directory / "backtest.json")]


def test_the_terminal_tells_the_run(runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "report", *runs, *_sources(tmp_path)]) == 0
    drawn, version, _ = capsys.readouterr().out.partition("scored by version")
    assert version
    assert_golden("eval_report", drawn.rstrip() + "\n")


def test_the_page_is_written_whole_and_told(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.html"
    assert main(["eval", "report", *runs, "-o", str(target)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"Do not ship this yet. Written: {target}\n"
    text = target.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before.jsonl", "report.html", "run.jsonl"]


def test_machines_get_one_document(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "report", *runs, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "council.report/1"
    assert document["judgement"]["answer"] == "hold"


def test_a_run_alone_is_enough(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "report", runs[0]]) == 0
    assert "There is no baseline" in capsys.readouterr().out


def test_a_baseline_that_was_cut_off_is_refused(
    tmp_path: Path, runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    partial = _log(tmp_path / "partial.jsonl", baseline()._replace(is_complete=False))
    assert main(["eval", "report", runs[0], "--baseline", partial]) == 2
    assert "was cut off" in capsys.readouterr().err


def test_a_run_that_was_cut_off_is_told_as_one(
    tmp_path: Path, runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    partial = _log(tmp_path / "partial.jsonl", baseline()._replace(is_complete=False))
    assert main(["eval", "report", partial, "--json"]) == 0
    evidence = json.loads(capsys.readouterr().out)["judgement"]["evidence"]
    assert any("The run is not complete" in each["told"] for each in evidence)


def test_a_baseline_of_another_suite_is_refused(
    tmp_path: Path, runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    header = baseline().header._replace(suite_hash="6" * 64)
    assert (
        main(["eval", "report", runs[0], "-b", _log(tmp_path / "other.jsonl", baseline()._replace(header=header))]) == 2
    )
    assert "different suites" in capsys.readouterr().err


def test_files_of_another_kind_are_refused_by_name(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "report", runs[0], "--sweep", runs[2], "-o", str(tmp_path / "page.html")]) == 2
    assert "before.jsonl" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_a_place_that_cannot_be_written_leaves_nothing_behind(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.html").mkdir()
    assert main(["eval", "report", runs[0], "-o", str(tmp_path / "page.html")]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert not list(tmp_path.glob("*partial*"))
    assert not list(tmp_path.glob(".*"))


def test_without_inspect_the_missing_extra_is_named(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [
        name for name in sys.modules if name.partition(".")[0] == "inspect_ai" or name.startswith("evals.inspect")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Hidden(), *sys.meta_path])
    assert main(["eval", "report", runs[0], "--inspect", str(tmp_path / "logs")]) == 2
    assert "world-council[evals]" in capsys.readouterr().err


class _Hidden:
    """Finds inspect-ai missing, as an import system without it does."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "inspect_ai":
            raise ModuleNotFoundError(f"No module named {name!r}", name="inspect_ai")
