"""Measures of agreement, against the tables of their authors."""

from collections.abc import Sequence
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.statistics.agreement import (
    Rating,
    alpha_of_counts,
    cohen_kappa,
    counts_of,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    ordinal_alpha_of_counts,
    with_interval,
)

# Krippendorff 2011, section E: four observers, twelve units, five values, missing ones marked by a dot.
_KRIPPENDORFF: Final = ("12332141 2...", "123322412 5.3", ".33323422 51.", "123324412 51.")
# Fleiss 1971, table 1: 30 patients, six psychiatrists each, five diagnoses.
_FLEISS: Final = (
    "444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333 144444 224445 333335 "
    "111455 111112 224444 133555 555555 244444 224555 114444 144445 222224 111155 224444 133333 555555"
)
ratings = st.lists(st.lists(st.none() | st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=25)


def krippendorff_example() -> list[tuple[Rating, ...]]:
    rows = [row.replace(" ", "") for row in _KRIPPENDORFF]
    return [tuple([None if mark == "." else int(mark) - 1 for mark in unit]) for unit in zip(*rows, strict=True)]


def fleiss_example() -> list[list[Rating]]:
    return [[int(mark) - 1 for mark in patient] for patient in _FLEISS.split()]


def table(*rows: Sequence[int]) -> tuple[list[Rating], list[Rating]]:
    """Two raters' ratings from a table of counts."""
    pairs = [(i, j) for i, row in enumerate(rows) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in pairs], [j for _, j in pairs]


def test_alpha_is_that_of_krippendorffs_example() -> None:
    units = krippendorff_example()
    assert len(units) == 12
    assert krippendorff_alpha(units, 5) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(units, 5, "ordinal") == pytest.approx(0.815, abs=5e-4)


def test_ac1_and_fleiss_kappa_are_those_of_gwets_tables() -> None:
    # Gwet's Handbook of Inter-Rater Reliability uses Krippendorff's units too: AC1 0.77544, Fleiss 0.76117 over units rated
    # by anybody; over units rated twice, as here, the shares of the categories lack the lone rating of unit 12.
    assert gwet_ac1(krippendorff_example(), 5) == pytest.approx(0.77544, abs=5e-6)
    # Gwet 2008, section 2: 125 subjects, table 118, 5, 2, 0: kappa -0.023 and AC1 0.941 where agreement is 0.944.
    first, second = table((118, 5), (2, 0))
    assert gwet_ac1(list(zip(first, second, strict=True)), 2) == pytest.approx(0.9408, abs=5e-5)
    assert cohen_kappa(first, second, 2) == pytest.approx(-0.0234, abs=5e-5)


def test_cohens_kappa_is_that_of_his_table() -> None:
    # Cohen 1960, table 1, 200 patients: agreement 0.70, by chance 0.41, kappa 0.29 / 0.59 = 0.492.
    first, second = table((88, 14, 18), (10, 40, 10), (2, 6, 12))
    assert cohen_kappa(first, second, 3) == pytest.approx(0.492, abs=5e-4)
    # Cohen 1968, table 1, the same patients with disagreements weighted 1, 3 and 6: 0.348.
    assert cohen_kappa(first, second, 3, [[0, 1, 3], [1, 0, 6], [3, 6, 0]]) == pytest.approx(0.348, abs=5e-4)


def test_weighted_kappa_is_that_of_other_programs() -> None:
    # The table of the FREQ procedure's documentation of SAS: simple kappa 0.4842, linear weights 0.4701.
    first, second = table((0, 4, 1), (0, 8, 0), (0, 1, 5))
    assert cohen_kappa(first, second, 3) == pytest.approx(0.4842, abs=5e-5)
    assert cohen_kappa(first, second, 3, "linear") == pytest.approx(0.4701, abs=5e-5)


def test_fleiss_kappa_is_that_of_his_table() -> None:
    # Fleiss 1971: P = 0.5556, Pe = 0.2201, kappa = 0.430.
    assert fleiss_kappa(fleiss_example(), 5) == pytest.approx(0.4302445, abs=5e-8)


def test_quadratic_weights_forgive_neighbours() -> None:
    # Every disagreement is by one step of four: e.g. 0 against 1.
    first, second = [0, 1, 2, 3, 0, 3], [0, 1, 2, 3, 1, 2]
    nominal, squared = cohen_kappa(first, second, 4), cohen_kappa(first, second, 4, "quadratic")
    assert nominal is not None and squared is not None
    assert squared > nominal


def test_without_anything_to_agree_on_there_is_no_value() -> None:
    nothing: list[list[Rating]] = [[0, None], [None, 1]]
    one_category: list[list[Rating]] = [[1, 1], [1, 1]]
    for measure in (krippendorff_alpha, fleiss_kappa):
        assert measure(nothing, 2) is None
        assert measure(one_category, 2) is None
        assert measure([], 2) is None
    assert gwet_ac1(nothing, 2) is None
    assert gwet_ac1([[0, 0]], 1) is None
    assert cohen_kappa([0, None], [None, 1], 2) is None
    assert cohen_kappa([1, 1], [1, 1], 2) is None


def test_a_rating_that_is_no_category_is_refused() -> None:
    with pytest.raises(ValueError, match="4 is none of 4 categories"):
        counts_of([[4, 0]], 4)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=20).filter(lambda values: len(set(values)) > 1))
def test_perfect_agreement_is_one(values: list[int]) -> None:
    rows: list[list[Rating]] = [[value] * 3 for value in values]
    assert krippendorff_alpha(rows, 4) == pytest.approx(1)
    assert krippendorff_alpha(rows, 4, "ordinal") == pytest.approx(1)
    assert fleiss_kappa(rows, 4) == pytest.approx(1)
    assert gwet_ac1(rows, 4) == pytest.approx(1)
    for weights in ("nominal", "linear", "quadratic"):
        assert cohen_kappa(values, values, 4, weights) == pytest.approx(1)


@given(ratings, st.randoms(use_true_random=False))
def test_the_order_of_items_and_raters_is_irrelevant(rows: list[list[Rating]], random: Random) -> None:
    items = random.sample(rows, len(rows))
    order = random.sample(range(3), 3)
    moved = [[row[place] for place in order] for row in items]
    for metric in ("nominal", "ordinal"):
        assert krippendorff_alpha(rows, 4, metric) == pytest.approx(krippendorff_alpha(moved, 4, metric))
    assert fleiss_kappa(rows, 4) == pytest.approx(fleiss_kappa(moved, 4))
    assert gwet_ac1(rows, 4) == pytest.approx(gwet_ac1(moved, 4))


@given(ratings, st.permutations(range(4)))
def test_renaming_categories_leaves_nominal_measures_alone(rows: list[list[Rating]], names: list[int]) -> None:
    renamed = [[None if rating is None else names[rating] for rating in row] for row in rows]
    assert krippendorff_alpha(rows, 4) == pytest.approx(krippendorff_alpha(renamed, 4))
    assert fleiss_kappa(rows, 4) == pytest.approx(fleiss_kappa(renamed, 4))
    assert gwet_ac1(rows, 4) == pytest.approx(gwet_ac1(renamed, 4))
    first, second = [row[0] for row in rows], [row[1] for row in rows]
    ours, theirs = [row[0] for row in renamed], [row[1] for row in renamed]
    assert cohen_kappa(first, second, 4) == pytest.approx(cohen_kappa(ours, theirs, 4))


@given(ratings)
def test_turning_the_scale_round_leaves_ordinal_alpha_alone(rows: list[list[Rating]]) -> None:
    turned = [[None if rating is None else 3 - rating for rating in row] for row in rows]
    assert krippendorff_alpha(rows, 4, "ordinal") == pytest.approx(krippendorff_alpha(turned, 4, "ordinal"))


@given(ratings)
def test_no_measure_exceeds_one(rows: list[list[Rating]]) -> None:
    for value in (krippendorff_alpha(rows, 4), fleiss_kappa(rows, 4), gwet_ac1(rows, 4)):
        assert value is None or value <= 1 + 1e-9


def test_an_interval_holds_its_estimate_and_repeats_with_its_seed() -> None:
    counts = counts_of(fleiss_example(), 5)
    interval = with_interval(alpha_of_counts, counts)
    assert interval is not None
    assert interval == with_interval(alpha_of_counts, counts)
    assert interval.low < interval.estimate < interval.high
    assert interval.n == 30
    # The jackknife over patients gives alpha a standard error of 0.054, so an interval about 0.21 wide.
    assert 0.1 < interval.high - interval.low < 0.35


def test_an_interval_of_nothing_is_none() -> None:
    assert with_interval(ordinal_alpha_of_counts, counts_of([[1, 1], [1, 1]], 2)) is None
