"""Juries from files: told apart by their first line, and refused where there are no votes in them."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from evals.errors import EvalsError, InvalidFileError
from evals.jury import COUNCIL, jury_of
from evals.jury_files import RecordedJury, write_jury
from evals.jury_sources import jury_of_run, read_jury_source
from evals.run_log import run_lines
from tests.unit.evals.exported import export_lines, write_export
from tests.unit.evals.recorded import label, recorded
from tests.unit.evals.report_runs import baseline
from tests.unit.evals.tuned_juries import drawn_jury


def test_an_export_is_read_as_its_decisions_votes(tmp_path: Path) -> None:
    decisions = recorded(labels={"09-goldmark-buys-the-borderlands": [label("approve")]})
    path = write_export(tmp_path / "export.jsonl", export_lines(decisions))
    jury = read_jury_source(path)
    assert jury == jury_of(decisions, "export.jsonl")
    assert jury.members == COUNCIL and len(jury.labelled) == 1


def test_a_jury_set_is_read_as_it_was_written(tmp_path: Path) -> None:
    jury = drawn_jury(1, 5, (1, 1, 1, 1, 1))
    write_jury(tmp_path / "set.jsonl", RecordedJury(jury, {}))
    assert read_jury_source(tmp_path / "set.jsonl") == jury


def test_a_run_is_read_with_every_case_once(tmp_path: Path) -> None:
    run = baseline()
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"".join(run_lines(run)))
    jury = read_jury_source(path)
    voted = [result for result in run.results if result.votes and result.repeat == 0]
    assert [item.item for item in jury.items] == [result.case for result in voted]
    assert [item.label for item in jury.items] == [result.label for result in voted]


def test_repeats_of_a_case_are_no_further_items() -> None:
    run = baseline()
    twice = run._replace(results=(*run.results, *[result._replace(repeat=1) for result in run.results]))
    assert jury_of_run(twice, "x") == jury_of_run(run, "x")


def test_a_run_that_was_cut_off_is_refused() -> None:
    with pytest.raises(EvalsError, match="cut off"):
        jury_of_run(baseline()._replace(is_complete=False), "run.jsonl")


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ([b'{"schema":"council.sweep/1"}'], 1, "a file of 'council.sweep/1' holds no votes"),
        ([b"item,member,vote,label"], 1, "is no export, run log or jury set"),
        ([b"[]"], 1, "is no export, run log or jury set"),
        ([], 1, "is no export, run log or jury set"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_says_what_writes_the_right_ones(
    tmp_path: Path, lines: Sequence[bytes], line: int, message: str
) -> None:
    path = write_export(tmp_path / "other.txt", lines)
    with pytest.raises(InvalidFileError) as caught:
        read_jury_source(path)
    assert (caught.value.faults[0].line, caught.value.faults[0].message) == (line, message)
    assert "council export" in caught.value.faults[0].fix


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match="no such file"):
        read_jury_source(tmp_path / "nowhere.jsonl")


def test_a_first_line_that_never_ends_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(orjson.dumps({"schema": "council.jury/1", "x": "y" * 2_000_000}))
    with pytest.raises(InvalidFileError, match="is no export"):
        read_jury_source(path)
