"""Calibration tables in policies: read as steps, refused where they mislead, and unseen where there are none."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.calibration import worth_of
from policies.comparison import compare
from policies.lint import lint
from policies.loading import load_policy, policy_from_document
from policies.policy_faults import InvalidPolicyError
from tests.unit.policies.policy_files import policy_document, small_policy, write_policy

HASH_BEFORE = "9e416d20a3046b6cccdc14bcaca2b26b5b5fd5dab86be8b501ffc82bde3e0a72"
STEPS = [[0, 400], [850, 620], [950, 900]]


def with_lore(**keys: Any) -> dict[str, Any]:
    members: dict[str, Any] = {**policy_document()["members"], "lore": keys}
    return members


@pytest.mark.parametrize(
    ("confidence", "worth"), [(0, 400), (849, 400), (850, 620), (949, 620), (950, 900), (1000, 900)]
)
def test_a_confidence_is_worth_the_last_step_at_or_below_it(confidence: int, worth: int) -> None:
    assert worth_of(((0, 400), (850, 620), (950, 900)), confidence) == worth


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 1000)), max_size=63, unique_by=lambda step: step[0]),
    st.integers(0, 1000),
    st.integers(0, 1000),
)
def test_more_confidence_is_never_worth_less(drawn: list[tuple[int, int]], one: int, other: int) -> None:
    confidences = [0, *sorted(confidence for confidence, _ in drawn)]
    worths = sorted([0, *(worth for _, worth in drawn)])
    steps = tuple(zip(confidences, worths, strict=True))
    assert worth_of(steps, min(one, other)) <= worth_of(steps, max(one, other))


def test_a_table_is_read_from_the_file_and_back_from_the_record(tmp_path: Path) -> None:
    policy = small_policy(tmp_path, members=with_lore(confidence="use", calibration=STEPS))
    again = policy_from_document(policy.document)
    assert policy.members["lore"].calibration == again.members["lore"].calibration == ((0, 400), (850, 620), (950, 900))
    assert again.content_hash == policy.content_hash


def test_policies_without_a_table_keep_the_hash_that_they_had_before_there_were_any(tmp_path: Path) -> None:
    """The hash was taken from the version of this product before the key existed."""
    plain = small_policy(tmp_path)
    spelled_out = small_policy(tmp_path, members=with_lore(calibration=None))
    assert plain.content_hash == spelled_out.content_hash == HASH_BEFORE
    assert "calibration" not in str(plain.document)


@pytest.mark.parametrize(
    ("written", "key", "message"),
    [
        (STEPS[1:], "members.lore.calibration[0][0]", "the first step must hold from 0"),
        ([[0, 500], [0, 600]], "members.lore.calibration[1][0]", "above the confidence of the step before, 0"),
        ([[0, 500], [900, 400]], "members.lore.calibration[1][1]", "below the worth of the step before, 500"),
        ([[0, 1001]], "members.lore.calibration[0][1]", "must lie between 0 and 1000"),
        ([[0, 500, 1]], "members.lore.calibration[0]", "must be two whole numbers"),
        ([500], "members.lore.calibration[0]", "must be two whole numbers"),
        ([], "members.lore.calibration", "must have 1 to 64 steps"),
        ([[step, step] for step in range(65)], "members.lore.calibration", "must have 1 to 64 steps"),
        ("steep", "members.lore.calibration", "must be a list"),
        ([[0, "500"]], "members.lore.calibration[0][1]", "must be a whole number"),
    ],
)
def test_a_table_that_misleads_is_refused_at_its_place(tmp_path: Path, written: Any, key: str, message: str) -> None:
    path = write_policy(tmp_path / "bad.yaml", members=with_lore(confidence="use", calibration=written))
    with pytest.raises(InvalidPolicyError) as caught:
        load_policy(path)
    assert [fault.key for fault in caught.value.faults] == [key]
    assert message in caught.value.faults[0].message


def test_lints_name_a_table_that_is_never_read_and_one_that_silences_its_member(tmp_path: Path) -> None:
    def codes(**keys: Any) -> set[tuple[str, str]]:
        found = lint(small_policy(tmp_path, members=with_lore(**keys)))
        return {(finding.code, finding.severity) for finding in found if "lore" in finding.place}

    assert codes(calibration=STEPS) == {("idle_calibration", "warning")}
    assert codes(confidence="use", calibration=[[0, 0], [900, 0]]) == {("worthless_calibration", "error")}
    assert codes(confidence="use") == {("confidence_weighs", "hint")}
    assert codes(confidence="use", calibration=STEPS) == set()


def test_a_diff_shows_a_table_that_came(tmp_path: Path) -> None:
    old = small_policy(tmp_path, members=with_lore(confidence="use"))
    new = small_policy(tmp_path, members=with_lore(confidence="use", calibration=STEPS))
    assert [tuple(change) for change in compare(old, new).changes] == [("members.lore.calibration", None, STEPS)]
