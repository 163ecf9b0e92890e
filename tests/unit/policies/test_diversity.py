"""Effective votes: what votes are worth whose errors are correlated (Kish's design effect)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.diversity import (
    SharedModel,
    diversity_told,
    diversity_warning,
    effective_votes,
    shared_models,
    votes_worth,
    worth_told,
)
from policies.loading import default_policy_path, load_policy

RHO = st.fractions(0, 1, max_denominator=100)
GROUPS = st.lists(st.integers(1, 5), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("groups", "rho", "expected"),
    [
        ([5], "0", "5"),
        ([5], "1/2", "5/3"),  # 5 / (1 + 4/2)
        ([5], "1", "1"),
        ([1, 1, 1, 1, 1], "1", "5"),
        ([3, 2], "1", "25/13"),  # 25 / (3*3 + 2*2)
        ([4, 1], "1/2", "50/22"),  # 25 / (4 * 5/2 + 1)
        ([], "1/2", "0"),
    ],
)
def test_votes_are_worth_what_the_design_effect_says(groups: list[int], rho: str, expected: str) -> None:
    assert effective_votes(groups, Fraction(rho)) == Fraction(expected)


@given(GROUPS, RHO)
def test_they_are_worth_one_at_least_and_their_number_at_most(groups: list[int], rho: Fraction) -> None:
    assert 1 <= effective_votes(groups, rho) <= sum(groups)


@given(GROUPS, RHO, RHO)
def test_more_correlation_never_makes_them_worth_more(groups: list[int], one: Fraction, other: Fraction) -> None:
    low, high = sorted((one, other))
    assert effective_votes(groups, low) >= effective_votes(groups, high)


@given(st.integers(1, 5), RHO)
def test_for_one_model_it_is_the_formula_that_is_printed(count: int, rho: Fraction) -> None:
    assert effective_votes([count], rho) == Fraction(count) / (1 + (count - 1) * rho)


@given(GROUPS, RHO)
def test_splitting_a_group_between_two_models_never_makes_them_worth_less(groups: list[int], rho: Fraction) -> None:
    first, *rest = groups
    parted = [first // 2, first - first // 2] if first > 1 else [first]
    assert effective_votes([*parted, *rest], rho) >= effective_votes(groups, rho)


@pytest.mark.parametrize(("groups", "rho"), [([0], "1/2"), ([5], "-1/2"), ([5], "3/2")])
def test_nonsense_is_refused(groups: list[int], rho: str) -> None:
    with pytest.raises(ValueError, match=r"at least one member|between 0 and 1"):
        effective_votes(groups, Fraction(rho))


@pytest.mark.parametrize(
    ("models", "shared"),
    [
        ("rules", ()),
        ("ollama/x", (SharedModel("x", ("governor", "fairness", "lore", "narrative", "risk")),)),
        (
            "lore=openai/GPT-5,narrative=vllm/openai/gpt-5,risk=ollama/x",
            (SharedModel("gpt-5", ("lore", "narrative")), SharedModel("x", ("risk",))),
        ),
    ],
)
def test_the_same_model_behind_two_servers_is_one_model(models: str, shared: tuple[SharedModel, ...]) -> None:
    assert shared_models(load_policy(default_policy_path(), models)) == shared


def test_one_model_behind_all_members_is_told_with_the_whole_range() -> None:
    policy = load_policy(default_policy_path(), "ollama/llama3.1:8b")
    assert diversity_warning(policy) == diversity_told(policy)
    assert diversity_warning(policy) == (
        "all five members ask one model, 'llama3.1:8b': where its errors are correlated by rho, 5 votes are worth "
        "5 / (1 + 4 rho): 5 at rho 0, 1.67 at rho 0.5, 1 at rho 1"
    )


def test_two_members_on_one_model_beside_rules_are_told_too() -> None:
    policy = load_policy(default_policy_path(), "lore=ollama/x,risk=ollama/x")
    assert diversity_warning(policy) == (
        "the 2 members with a model all ask one model, 'x': where its errors are correlated by rho, 2 votes are worth "
        "2 / (1 + 1 rho): 2 at rho 0, 1.33 at rho 0.5, 1 at rho 1"
    )


def test_two_models_are_no_warning_and_told_all_the_same() -> None:
    policy = load_policy(default_policy_path(), "ollama/x,lore=openai/y")
    assert diversity_warning(policy) is None
    assert diversity_told(policy) == (
        "models shared as governor, fairness, narrative, risk: 'x'; lore: 'y'; where errors of one model are correlated "
        "by rho, 5 votes are worth 5 at rho 0, 2.27 at rho 0.5, 1.47 at rho 1"
    )


@pytest.mark.parametrize("models", ["rules", "lore=ollama/x"])
def test_where_fewer_than_two_ask_there_is_nothing_to_tell(models: str) -> None:
    policy = load_policy(default_policy_path(), models)
    assert (diversity_told(policy), diversity_warning(policy)) == (None, None)


def test_votes_of_nobody_are_worth_nothing() -> None:
    worth = votes_worth(load_policy(default_policy_path()))
    assert worth == (Fraction(0), Fraction(0), Fraction(0))
    assert worth_told(worth) == "none"
