"""Columns: what a merge needs of a decision, from one file or many parts, the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evals import column_reading
from evals.batch_merge import ABSENT, UNSEATED
from evals.column_reading import read_columns
from evals.columns import DISPUTED, FAST, NONE, Columns, columns_of, joined
from evals.errors import InvalidFileError
from evals.exports import open_export
from policies.verdicts import MEMBERS, STRICTNESS
from tests.unit.evals.exported import export_lines, write_export
from tests.unit.evals.histories import history, history_columns, old_policies, policies_by_hash
from tests.unit.evals.recorded import label, recorded


def same(first: Columns, second: Columns, *, but: tuple[str, ...] = ()) -> bool:
    arrays = all(
        np.array_equal(getattr(first.arrays, name), getattr(second.arrays, name))
        for name in first.arrays._fields
        if name not in but
    )
    texts = (first.realms, first.policies, first.casts) == (second.realms, second.policies, second.casts)
    shadows = first.shadows.keys() == second.shadows.keys()
    return arrays and texts and shadows


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = {
        "05-a-fracture-nobody-worked-for": [label("reject")],
        "07-thol-rides-again": [label("approve"), label("reject", "bo")],
    }
    lines = export_lines(recorded(labels=labels))
    return write_export(tmp_path_factory.mktemp("columns") / "export.jsonl", lines)


def test_columns_say_of_every_decision_what_its_record_says() -> None:
    arrays = history_columns().arrays
    for row, decision in enumerate(history()):
        record = decision.record
        assert history_columns().decision_id(row) == decision.decision_id
        assert arrays.council_verdicts[row] == STRICTNESS[decision.verdict]
        assert arrays.merged[row] == (STRICTNESS[record["merge"]["verdict"]] if record["merge"] else NONE)
        seated = [member for at, member in enumerate(MEMBERS) if arrays.verdicts[row, at] != UNSEATED]
        assert seated == record["seated"]
        votes = {vote["member"]: vote["verdict"] for vote in record["answer"]["votes"]}
        for at, member in enumerate(MEMBERS):
            if votes.get(member) is not None:
                assert arrays.verdicts[row, at] == STRICTNESS[votes[member]]
            elif member in seated:
                assert arrays.verdicts[row, at] == ABSENT
        assert (arrays.paths[row] == FAST) == (decision.path == "fast")


def test_labels_are_settled_or_disputed(export: Path) -> None:
    columns = read_columns(open_export(export))
    found = dict(
        zip([columns.decision_id(row) for row in range(len(columns))], columns.arrays.labels.tolist(), strict=True)
    )
    by_key = {decision.record["request_key"]: decision.decision_id for decision in recorded()}
    assert found[by_key["05-a-fracture-nobody-worked-for"]] == STRICTNESS["reject"]
    assert found[by_key["07-thol-rides-again"]] == DISPUTED
    assert sorted(found.values())[1:] == [NONE] * 16 + [STRICTNESS["reject"]]


def test_a_line_stands_where_its_columns_say(export: Path) -> None:
    columns, raw = read_columns(open_export(export)), export.read_bytes()
    for row in range(len(columns)):
        at, length = int(columns.arrays.offsets[row]), int(columns.arrays.lengths[row])
        assert raw[at : at + length].startswith(b'{"kind":"decision"')
        assert raw[at + length : at + length + 1] == b"\n"
        assert columns.decision_id(row).encode() in raw[at : at + length]


@pytest.mark.parametrize("part_bytes", [1_000, 20_000, 100_000])
def test_a_file_read_in_parts_gives_the_same_columns(
    export: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: int
) -> None:
    whole = read_columns(open_export(export))
    monkeypatch.setattr(column_reading, "PART_BYTES", part_bytes)
    assert same(read_columns(open_export(export), processes=1), whole)


def test_several_processes_give_the_same_columns(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_columns(open_export(export))
    monkeypatch.setattr(column_reading, "PART_BYTES", 150_000)
    assert same(read_columns(open_export(export), processes=2), whole)


def test_lines_that_another_program_spaced_otherwise_are_read_all_the_same(export: Path, tmp_path: Path) -> None:
    spaced = [
        line.replace(b'{"kind":"decision",', b'{ "kind" : "decision",') for line in export.read_bytes().splitlines()
    ]
    other = write_export(tmp_path / "spaced.jsonl", spaced)
    found, whole = read_columns(open_export(other)), read_columns(open_export(export))
    assert same(found, whole, but=("offsets", "lengths"))


def test_parts_of_different_histories_are_joined_by_name() -> None:
    halves = [history()[:70], history()[70:]]
    documents = {name: policy.document for name, policy in policies_by_hash().items()}
    whole = joined([columns_of(half, documents) for half in halves])
    assert same(whole, history_columns())
    assert set(whole.policies) == {policy.content_hash for policy in old_policies()}


BROKEN: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "cut off": lambda lines: lines[:-1],
    "edited": lambda lines: [
        line.replace(b'"council_verdict":"reject"', b'"council_verdict":"modify"', 1) for line in lines
    ],
    "a record missing": lambda lines: [*lines[:8], *lines[9:]],
    "two swapped": lambda lines: [*lines[:8], lines[9], lines[8], *lines[10:]],
    "the policy behind": lambda lines: [lines[0], *lines[2:-1], lines[1], lines[-1]],
    "no json": lambda lines: [*lines[:5], b'{"kind":"decision",', *lines[5:]],
    "more behind the end": lambda lines: [*lines, lines[4]],
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("part_bytes", [32_000_000, 50_000])
def test_a_broken_export_is_refused_with_the_words_of_the_one_that_reads_line_by_line(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, part_bytes: int
) -> None:
    path = write_export(tmp_path / "broken.jsonl", BROKEN[how](export.read_bytes().splitlines()))
    monkeypatch.setattr(column_reading, "PART_BYTES", part_bytes)
    with pytest.raises(InvalidFileError) as reference:
        list(open_export(path))
    with pytest.raises(InvalidFileError) as found:
        read_columns(open_export(path), processes=1)
    assert found.value.faults == reference.value.faults
