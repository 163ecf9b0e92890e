"""The run log: what is written comes back, a cut log goes on, and no other run can go on with it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from evals.errors import EvalsError, InvalidFileError
from evals.results import Gate, Run, RunHeader, VoteCast
from evals.run_log import RunLog, open_log, read_run, run_lines
from tests.unit.evals.case_results_made import result

HEADER = RunHeader(
    "r1",
    "small",
    "a" * 64,
    "rules",
    1,
    "aelvyndor",
    1,
    "b" * 64,
    {},
    {},
    "2026-03-01T10:00:00.000Z",
    "0.1.0",
    ("a", "b"),
)
A = result("a", label="approve", tags=("t",), votes=("approve", None), record={"answer": {"confidence": 0.5}})
B = result("b", "reject", passed=False)
GATES = (Gate("accuracy == 1", True, 1.0), Gate("stability == 1", False, None))


def opened(path: Path, header: RunHeader = HEADER) -> RunLog:
    log = open_log(path, header)
    assert isinstance(log, RunLog)
    return log


def finished(path: Path) -> Path:
    with opened(path) as log:
        log.append(B)
        log.append(A)
        log.close(2, GATES)
    return path


def test_a_finished_log_reads_back_whole_and_in_the_order_of_the_suite(tmp_path: Path) -> None:
    run = read_run(finished(tmp_path / "run.jsonl"))
    assert run == Run(HEADER, (A, B), GATES, is_complete=True)
    assert isinstance(run.results[0].votes[0], VoteCast)


def test_a_run_written_out_again_is_the_same_run(tmp_path: Path) -> None:
    run = read_run(finished(tmp_path / "run.jsonl"))
    again = tmp_path / "again.jsonl"
    again.write_bytes(b"".join(run_lines(run)))
    assert read_run(again) == run


def test_a_finished_run_is_handed_back_and_not_opened(tmp_path: Path) -> None:
    path = finished(tmp_path / "run.jsonl")
    kept = path.read_bytes()
    assert open_log(path, HEADER._replace(run_id="r2", started_at="later")) == read_run(path)
    assert path.read_bytes() == kept


@pytest.mark.parametrize("torn", [b"", b'{"kind":"resu', b'{"kind":"result","case":"b"}'])
def test_a_cut_log_goes_on_with_what_it_holds(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "run.jsonl"
    with opened(path) as log:
        log.append(A)
    path.write_bytes(path.read_bytes() + torn)
    assert read_run(path) == Run(HEADER, (A,), (), is_complete=False)
    with opened(path) as log:
        assert log.done == (A,)
        log.append(B)
        log.close(2, ())
    assert read_run(path) == Run(HEADER, (A, B), (), is_complete=True)


def test_cases_that_could_not_be_judged_are_tried_again_and_the_later_result_counts(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with opened(path) as log:
        log.append(A)
        log.append(result("b", None, error="nobody answered"))
    with opened(path) as log:
        assert log.done == (A,)
        log.append(B)
    assert read_run(path).results == (A, B)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"suite_hash": "c" * 64}, "suite aaaaaaaaaaaa there, cccccccccccc here"),
        ({"policy_hash": "c" * 64}, "policy bbbbbbbbbbbb there, cccccccccccc here"),
        ({"mode": "live"}, "mode rules there, live here"),
        ({"repeats": 3}, "repeats 1 there, 3 here"),
        ({"selection": "tag=x"}, "selection all there, tag=x here"),
        ({"models": {"lore": "x/y"}}, "other models"),
        ({"cases": ("a",)}, "other cases"),
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.parametrize("make", [finished, lambda path: opened(path).__exit__(None, None, None)], ids=["whole", "cut"])
def test_the_log_of_another_run_is_refused_and_left_alone(
    tmp_path: Path, change: dict[str, Any], told: str, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "run.jsonl"
    make(path)
    kept = path.read_bytes()
    with pytest.raises(EvalsError) as raised:
        open_log(path, HEADER._replace(**change))
    assert raised.value.what == f"{str(path)!r} is the log of another run: {told}"
    assert path.read_bytes() == kept


def test_two_runs_do_not_write_one_log(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with opened(path), pytest.raises(EvalsError, match="is being written by another run"):
        open_log(path, HEADER)


def test_a_log_begins_with_its_header_or_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.jsonl"
    opened(path).__exit__(None, None, None)
    assert [each.name for each in path.parent.iterdir()] == ["run.jsonl"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(EvalsError, match="cannot write"):
        open_log(tmp_path / "file" / "run.jsonl", HEADER)


@pytest.mark.parametrize(
    ("spoil", "line", "key", "told"),
    [
        (lambda lines: lines[1:], 1, "kind", "is not the header of a run log"),
        (
            lambda lines: [lines[0].replace(b"council.run/1", b"council.run/9"), *lines[1:]],
            1,
            "schema",
            "is not council.run/1",
        ),
        (lambda lines: [lines[0], b"{", *lines[1:]], 2, "", "is not JSON"),
        (lambda lines: [lines[0], b"[]", *lines[1:]], 2, "", "is not a JSON object"),
        (
            lambda lines: [lines[0], lines[1].replace(b'"reject"', b'"rejekt"'), *lines[2:]],
            2,
            "verdict",
            "input should be",
        ),
        (lambda lines: [lines[0], lines[1].replace(b'"case"', b'"csae"'), *lines[2:]], 2, "case", "field required"),
        (lambda lines: [*lines, lines[1]], 5, "", "stands after the end of the log"),
        (lambda lines: [lines[0], lines[1], lines[3]], 3, "results", "says 2, the log holds 1"),
        (lambda lines: [lines[0], b'{"kind":"note"}', *lines[1:]], 2, "kind", "is neither result nor end"),
        (lambda _: [], 1, "", "holds no whole line"),
    ],
    ids=["header", "schema", "json", "object", "verdict", "key", "after", "count", "kind", "empty"],
)
def test_a_damaged_log_is_refused_by_line_and_key(
    tmp_path: Path, spoil: Callable[[list[bytes]], list[bytes]], line: int, key: str, told: str
) -> None:
    path = finished(tmp_path / "run.jsonl")
    path.write_bytes(b"".join(each + b"\n" for each in spoil(path.read_bytes().splitlines())))
    with pytest.raises(InvalidFileError) as raised:
        read_run(path)
    fault = raised.value.faults[0]
    assert (fault.file, fault.line, fault.key) == (str(path), line, key)
    assert fault.message.startswith(told)


def test_half_a_line_after_the_end_is_damage_and_no_torn_log(tmp_path: Path) -> None:
    path = finished(tmp_path / "run.jsonl")
    path.write_bytes(path.read_bytes() + b'{"kind"')
    with pytest.raises(InvalidFileError, match="stands after the end of the log"):
        read_run(path)


def test_every_line_is_one_json_document_with_its_kind(tmp_path: Path) -> None:
    lines = [orjson.loads(line) for line in finished(tmp_path / "run.jsonl").read_bytes().splitlines()]
    assert [line["kind"] for line in lines] == ["run", "result", "result", "end"]
    assert lines[2]["votes"][0] == {
        "member": "m0", "verdict": "approve", "confidence": 1000, "source": "model", "abstained": None,
    }  # fmt: skip


def test_a_log_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(EvalsError, match="no such file"):
        read_run(tmp_path / "gone.jsonl")
