"""Money of model calls: exact, and never 0 for want of a count (S0-101; reliability.md, L18)."""

import doctest

import pytest

from agents.asking import Usage
from agents.models import pricing
from agents.models.pricing import characters, cost, cut_off, estimated, most_cost, total
from policies.models import Price, dollars

PRICE = Price(input=400_000, cached=100_000, output=1_600_000)
"""0.4, 0.1 and 1.6 dollars per million tokens."""


def test_its_examples_hold() -> None:
    assert doctest.testmod(pricing) == doctest.TestResults(failed=0, attempted=6)


def test_cached_input_has_a_price_of_its_own() -> None:
    """500 x 0.4 + 1,500 x 0.1 + 250 x 1.6 dollars, each per million."""
    assert dollars(cost(PRICE, Usage(2_000, 1_500, 250))) == "0.00075"
    assert cost(PRICE, Usage(2_000, 0, 250)) - cost(PRICE, Usage(2_000, 1_500, 250)) == 1_500 * 300_000


def test_what_has_no_price_costs_nothing_that_is_known() -> None:
    assert (cost(None, Usage(2_000, 0, 250)), most_cost(None, 8_000, 800)) == (0, 0)


@pytest.mark.parametrize(("length", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2), (8_000, 2_000)])
def test_an_estimate_is_a_quarter_of_the_characters_rounded_up(length: int, tokens: int) -> None:
    """L18."""
    assert estimated(length, length) == Usage(tokens, 0, tokens, is_estimated=True)


def test_a_call_that_was_given_up_counts_as_if_the_model_had_said_all_it_might() -> None:
    assert cut_off(4_001, 800) == Usage(1_001, 0, 800, is_estimated=True)


@pytest.mark.parametrize("length", [0, 1, 3, 4, 4_000, 65_537])
def test_no_estimate_exceeds_what_was_set_aside(length: int) -> None:
    """What a budget lets through can be paid, as long as an endpoint counts as we do."""
    aside = most_cost(PRICE, length, 800)
    assert cost(PRICE, estimated(length, 3_200)) <= aside
    assert cost(PRICE, cut_off(length, 800)) <= aside


def test_a_sum_is_estimated_where_any_part_is() -> None:
    counted, guessed = Usage(100, 60, 20), Usage(7, 0, 1, is_estimated=True)
    assert total(counted, counted) == Usage(200, 120, 40)
    assert total(counted, guessed) == total(guessed, counted) == Usage(107, 60, 21, is_estimated=True)


def test_a_prompt_is_as_long_as_its_messages_together() -> None:
    assert characters([{"role": "system", "content": "ab"}, {"role": "user", "content": "đồng"}]) == 6
    assert characters([]) == 0
