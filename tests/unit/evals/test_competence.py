"""Weights from votes: log-odds by hand, shrinkage by hand, and the laws that keep weights honest."""

from fractions import Fraction
from math import log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evals.ballot_board import board_of
from evals.competence import LEAST, learn, log_odds, weights_of
from evals.jury import Ballot, JuryItem
from policies.verdicts import VERDICTS, Verdict

ONE = Fraction(1)
PRIOR_ODDS = st.floats(-3, 6)


def items_of(votes: dict[str, list[Verdict]], labels: list[Verdict]) -> list[JuryItem]:
    return [
        JuryItem(str(row), "", {member: Ballot(said[row]) for member, said in votes.items()}, None, label)
        for row, label in enumerate(labels)
    ]


def learned_weights(votes: dict[str, list[Verdict]], labels: list[Verdict]) -> dict[str, Fraction]:
    board = board_of(items_of(votes, labels), tuple(votes), leaves_out_silent=False)
    return learn(board, np.arange(len(labels))).weights


def test_log_odds_of_a_table_are_those_by_hand() -> None:
    """Right on 40 of 50 true and 40 of 50 false items: 50 say so, a half of each of 2 prior items a cell, so 1/2.

    log(40.5 * 40.5 / (10.5 * 10.5)) / 2 = log(40.5 / 10.5) = 1.3499, near log(0.8 / 0.2) = 1.3863 of Nitzan and Paroush;
    the variance is (1/40.5 + 1/40.5 + 1/10.5 + 1/10.5) / 4 = 0.05996.
    """
    voted = np.array([True] * 40 + [False] * 10 + [False] * 40 + [True] * 10)
    true = np.array([True] * 50 + [False] * 50)
    value, variance = log_odds(voted, true)
    assert value == pytest.approx(log(40.5 / 10.5)) == pytest.approx(1.3499, abs=1e-4)
    assert variance == pytest.approx((2 / 40.5 + 2 / 10.5) / 4) == pytest.approx(0.05996, abs=1e-5)


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("share", [1, 3, 9])
def test_a_member_that_says_the_same_of_everything_tells_nothing(says: bool, share: int) -> None:
    """Its accuracy is up to 9 in 10 here, by the shares of the labels alone."""
    true = np.array([True] * share + [False] * (10 - share))
    assert log_odds(np.full(10, says), true)[0] == pytest.approx(0, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=4, max_size=60))
def test_a_perfect_member_never_tells_less_than_another(drawn: list[tuple[bool, bool]]) -> None:
    voted, true = (np.array(column) for column in zip(*drawn, strict=True))
    assume(0 < true.sum() < len(true))
    assert log_odds(true, true)[0] >= log_odds(voted, true)[0]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=4, max_size=60))
def test_turning_every_vote_turns_the_sign(drawn: list[tuple[bool, bool]]) -> None:
    voted, true = (np.array(column) for column in zip(*drawn, strict=True))
    assume(0 < true.sum() < len(true))
    assert log_odds(~voted, true)[0] == pytest.approx(-log_odds(voted, true)[0], abs=1e-9)


def test_shrinkage_is_that_by_hand() -> None:
    """Mean 1.5, variance among members (1.5^2 + 3 * 0.5^2) / 3 = 1, noise 0.25, so a quarter of the way to the mean.

    3 becomes 1.5 + 0.75 * 1.5 = 2.625, over the mean 7/4; 1 becomes 1.125, over the mean 3/4.
    """
    weights, shrinkage = weights_of([(3.0, 0.25), (1.0, 0.25), (1.0, 0.25), (1.0, 0.25)])
    assert shrinkage == pytest.approx(0.25)
    assert weights == [Fraction(7, 4), Fraction(3, 4), Fraction(3, 4), Fraction(3, 4)]


def test_members_that_differ_by_no_more_than_noise_weigh_alike() -> None:
    """Their variance is 0.01, and the noise alone is 0.25."""
    assert weights_of([(1.0, 0.25), (1.1, 0.25), (1.2, 0.25)]) == ([ONE, ONE, ONE], 1.0)


def test_a_coin_keeps_the_least_weight_and_one_below_a_coin_no_other() -> None:
    """Floored at 0 and hardly shrunk: means of (4, 4, 0, 0) are 2, so 2, 2 and 0, which the merge cannot take."""
    weights, _ = weights_of([(4.0, 0.0), (4.0, 0.0), (0.0, 0.0), (-4.0, 0.0)])
    assert weights == [Fraction(2), Fraction(2), LEAST, LEAST]


def test_without_a_member_better_than_a_coin_all_weigh_alike() -> None:
    assert weights_of([(-1.0, 0.1), (0.0, 0.1)]) == ([ONE, ONE], 1.0)


def test_a_member_that_never_voted_gets_the_mean() -> None:
    assert weights_of([(3.0, 0.0), (1.0, 0.0), (None, 0.0)])[0] == [Fraction(3, 2), Fraction(1, 2), ONE]


@given(st.lists(st.tuples(PRIOR_ODDS, st.floats(0.01, 2)), min_size=2, max_size=7))
def test_weights_keep_the_order_of_log_odds_and_stay_readable(judged: list[tuple[float, float]]) -> None:
    weights, shrinkage = weights_of(judged)
    assert 0 <= shrinkage <= 1
    assert all(weight >= LEAST and 12 % weight.denominator == 0 for weight in weights)
    ranked = [weight for _, weight in sorted(zip(judged, weights, strict=True), key=lambda pair: pair[0][0])]
    assert ranked == sorted(ranked)


@given(st.lists(st.sampled_from(VERDICTS), min_size=6, max_size=40), st.integers(0, 2**32), st.floats(0, 1))
def test_a_perfect_member_never_weighs_less_than_a_worse_one(labels: list[Verdict], seed: int, skill: float) -> None:
    assume(len(set(labels)) > 1)
    random = np.random.default_rng(seed)
    others = {
        name: [label if random.random() < skill else VERDICTS[random.integers(4)] for label in labels] for name in "bc"
    }
    weights = learned_weights({"a": labels, **others}, labels)
    assert weights["a"] == max(weights.values())


def test_more_labels_move_weights_further_from_equal() -> None:
    """The same skills, 9 and 6 right of 10, over ever more items: the noise falls and the spread stays."""

    def shrinkage(times: int) -> float:
        pair: list[Verdict] = ["approve", "reject"]
        labels = pair * 5 * times
        turned: dict[Verdict, Verdict] = {"approve": "reject", "reject": "approve"}
        good = [turned[label] if row % 10 == 0 else label for row, label in enumerate(labels)]
        poor = [turned[label] if row % 10 in (0, 3, 4, 7) else label for row, label in enumerate(labels)]
        board = board_of(items_of({"good": good, "poor": poor}, labels), ("good", "poor"), leaves_out_silent=False)
        return learn(board, np.arange(len(labels))).shrinkage

    assert shrinkage(1) > shrinkage(5) > shrinkage(50)
    assert shrinkage(50) < 0.1
