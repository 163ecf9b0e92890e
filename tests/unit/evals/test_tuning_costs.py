"""What wrong verdicts cost, the quotas that cost least, and the folds that they are proved on."""

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.ballot_board import board_of, sums, verdicts
from evals.costs import GRID, Costs, QuotaChoice
from evals.folds import folds
from policies.verdicts import MEMBERS, VERDICTS, Verdict
from tests.unit.evals.tuned_juries import drawn_jury, equal_seats

THIRD = Fraction(1, 3)


def test_every_wrong_verdict_costs_what_it_is() -> None:
    """Rows are labels, columns verdicts, approve to quarantine: 5 unsafe, 1 needless, 1/2 otherwise; in halves."""
    costs = Costs()
    assert costs.scale == 2
    assert costs.table().tolist() == [[0, 1, 2, 2], [1, 0, 2, 2], [10, 1, 0, 1], [10, 1, 1, 0]]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_the_chosen_quotas_cost_no_more_than_any_others_of_the_grid(seed: int) -> None:
    jury = drawn_jury(seed, 30, (0.9, 0.7, 0.5, 0.3, 0.1))
    board = board_of(jury.items, MEMBERS, leaves_out_silent=False)
    found, seats = sums(board, equal_seats()), equal_seats()["impact_dispute"]
    units = Costs().table()[board.labels]
    rows = np.arange(0, 30, 2)

    def loss(quotas: dict[Verdict, Fraction]) -> int:
        return int(units[rows, verdicts(found, quotas)[rows]].sum())

    best = QuotaChoice(found, units, seats.quotas).best(rows)
    assert best["modify"] <= best["reject"] <= best["quarantine"]
    tried = [
        loss(dict(zip(VERDICTS[1:], triple, strict=True)))
        for triple in product(GRID, repeat=3)
        if triple[0] <= triple[1] <= triple[2]
    ]
    assert loss(best) == min(tried)


def test_quotas_that_no_label_speaks_against_stay() -> None:
    jury = drawn_jury(1, 40, (1, 1, 1, 1, 1))
    board = board_of(jury.items, MEMBERS, leaves_out_silent=False)
    chosen = QuotaChoice(sums(board, equal_seats()), Costs().table()[board.labels], dict.fromkeys(VERDICTS[1:], THIRD))
    assert chosen.best(np.arange(40)) == dict.fromkeys(VERDICTS[1:], THIRD)


@given(st.lists(st.sampled_from("abc"), min_size=6, max_size=60), st.integers(2, 5), st.integers(0, 9))
def test_every_item_is_held_out_once_a_repeat_and_every_kind_is_spread_evenly(
    strata: list[str], count: int, seed: int
) -> None:
    dealt = list(folds(strata, count, 2, seed))
    assert len(dealt) == 2 * count
    for repeat in (0, 1):
        mine = [fold for fold in dealt if fold.repeat == repeat]
        assert sorted(np.concatenate([fold.test for fold in mine]).tolist()) == list(range(len(strata)))
        for kind in set(strata):
            sizes = [Counter(strata[row] for row in fold.test.tolist())[kind] for fold in mine]
            assert max(sizes) - min(sizes) <= 1
    for fold in dealt:
        assert not set(fold.test.tolist()) & set(fold.train.tolist())
        assert len(fold.test) + len(fold.train) == len(strata)


def test_one_seed_deals_alike_and_another_otherwise() -> None:
    def dealt(seed: int) -> list[list[int]]:
        return [fold.test.tolist() for fold in folds("ab" * 20, 4, 1, seed)]

    assert dealt(1) == dealt(1)
    assert dealt(1) != dealt(2)
