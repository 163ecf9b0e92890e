"""Dawid and Skene's model, against their own data and figures."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.statistics.dawid_skene import dawid_skene

# Dawid and Skene 1979, table 1: 45 patients, three assessments by the first anaesthetist and one by each of four others.
_ASSESSMENTS = (
    "1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 "
    "1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 "
    "1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 "
    "2322222 1211111 2222222"
)
Counts = list[list[list[int]]]
votes = st.lists(st.lists(st.none() | st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=25)


def anaesthetists() -> Counts:
    patients = []
    for marks in _ASSESSMENTS.split():
        by_observer = [marks[:3], *marks[3:]]
        patients.append([[seen.count(str(category)) for category in range(1, 5)] for seen in by_observer])
    return patients


def counted(rows: list[list[int | None]]) -> Counts:
    return [[[int(vote == category) for category in range(3)] for vote in row] for row in rows]


def test_the_anaesthetists_come_out_as_published() -> None:
    found = dawid_skene(anaesthetists())
    assert found is not None and found.converged
    # Their table 2: shares of the classes 0.40, 0.42, 0.11, 0.07, and the first observer's error rates.
    assert found.shares == pytest.approx((0.40, 0.42, 0.11, 0.07), abs=6e-3)
    assert found.confusion[0][0][:2] == pytest.approx((0.89, 0.11), abs=6e-3)
    assert found.confusion[0][1][:3] == pytest.approx((0.07, 0.88, 0.05), abs=6e-3)
    # Patient 3, on whom they differ, is put into the second class (their table 4).
    assert found.classes[2] == 1


def test_the_same_votes_give_the_same_answer() -> None:
    assert dawid_skene(anaesthetists()) == dawid_skene(anaesthetists())


@given(votes)
def test_the_likelihood_never_falls(rows: list[list[int | None]]) -> None:
    found = dawid_skene(counted(rows), rounds=60)
    if found is None:
        assert all(vote is None for row in rows for vote in row)
        return
    assert all(after >= before - 1e-9 for before, after in pairwise(found.log_likelihoods))
    assert sum(found.shares) == pytest.approx(1)
    assert all(sum(row) == pytest.approx(1) for row in found.posterior)
    assert all(value is None or -1e-9 <= value <= 1 + 1e-9 for value in found.accuracy)


def test_unanimous_members_are_believed_whole() -> None:
    found = dawid_skene(counted([[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2]]))
    assert found is not None
    assert found.classes == (0, 1, 2)
    assert found.accuracy == (1, 1, 1, 1)
    assert found.log_likelihoods[-1] == pytest.approx(3 * -1.0986, abs=1e-3)  # three classes alike: 3 ln(1/3)


def test_a_member_without_votes_has_no_accuracy() -> None:
    found = dawid_skene(counted([[0, 0, None, 0], [1, 1, None, 1]]))
    assert found is not None
    assert found.accuracy[2] is None
    assert dawid_skene(counted([[None] * 4])) is None
    assert dawid_skene([]) is None


def test_members_that_err_together_are_taken_for_the_truth() -> None:
    # The reason why this is no truth. Three members share every error of a poor judge, right 6 times in 10; one is right 9
    # times in 10. The model calls the three nearly perfect, and the good one poor.
    random = Random(5)
    truth = [random.randrange(2) for _ in range(200)]
    shared = [label if random.random() < 0.6 else 1 - label for label in truth]
    good = [label if random.random() < 0.9 else 1 - label for label in truth]
    found = dawid_skene(counted([[s, s, s, g] for s, g in zip(shared, good, strict=True)]))
    assert found is not None
    three, one = found.accuracy[0], found.accuracy[3]
    assert three is not None and one is not None
    assert three > 0.99
    assert one < 0.65
