"""Voting power against numbers of the literature, and the laws that every index obeys."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.loading import default_policy_path, load_policy
from policies.power import MOST_PLAYERS, Power, effective_quota, policy_power, power
from policies.verdicts import DECISION_TYPES, MEMBERS

POLICY = load_policy(default_policy_path())


def whole(weights: dict[str, int]) -> dict[str, Fraction]:
    return {player: Fraction(weight) for player, weight in weights.items()}


def game(quota: int, **weights: int) -> tuple[Power, ...]:
    """The game [quota; weights] as the literature writes it."""
    return power(whole(weights), Fraction(quota, sum(weights.values())))


def test_three_players_of_whom_the_weakest_matters_as_much_as_the_second() -> None:
    """[51; 50, 49, 1], a textbook case: b and c have one swing each, {a}, although b weighs 49 times as much.

    a swings {b}, {c}, {b, c}: 3 of 4. Orders: a is the pivot unless it comes first, 4 of 6; b where a came first and b
    second, 1 of 6.
    """
    assert game(51, a=50, b=49, c=1) == (
        Power("a", 3, Fraction(3, 4), Fraction(3, 5), Fraction(2, 3)),
        Power("b", 1, Fraction(1, 4), Fraction(1, 5), Fraction(1, 6)),
        Power("c", 1, Fraction(1, 4), Fraction(1, 5), Fraction(1, 6)),
    )


def test_weights_that_give_the_same_coalitions_give_the_same_power() -> None:
    """[3; 2, 1, 1] has the winning coalitions of [51; 50, 49, 1]."""
    assert game(3, a=2, b=1, c=1) == game(51, a=50, b=49, c=1)


def test_the_security_council_gives_five_members_nearly_all_power() -> None:
    """The United Nations Security Council as [39; 7 x 5, 1 x 10].

    Shapley-Shubik: 421/2145 (0.196) to each permanent member, 4/2145 (0.00186) to each other. Banzhaf: a permanent
    member swings every coalition of the other four with at least 4 of 10: 2^10 - (1 + 10 + 45 + 120) = 848; another one
    swings the five with exactly 3 of the 9 others, C(9, 3) = 84. Normalised 848 / (5 * 848 + 10 * 84) = 106/635.
    """
    found = game(39, **{f"p{n}": 7 for n in range(5)}, **{f"e{n}": 1 for n in range(10)})
    assert {(p.swings, p.banzhaf_share, p.shapley) for p in found[:5]} == {
        (848, Fraction(106, 635), Fraction(421, 2145))
    }
    assert {(p.swings, p.banzhaf_share, p.shapley) for p in found[5:]} == {(84, Fraction(21, 1270), Fraction(4, 2145))}


def test_luxembourg_had_no_power_in_the_first_council_of_the_six() -> None:
    """European Economic Community 1958, [12; 4, 4, 4, 2, 2, 1]: all other weights are even, so 1 never tips 12."""
    found = {p.player: p for p in game(12, de=4, fr=4, it=4, be=2, nl=2, lu=1)}
    assert found["lu"] == Power("lu", 0, Fraction(0), Fraction(0), Fraction(0))
    assert (found["de"].banzhaf_share, found["be"].banzhaf_share) == (Fraction(5, 21), Fraction(1, 7))
    assert (found["de"].shapley, found["be"].shapley) == (Fraction(7, 30), Fraction(3, 20))


def test_a_dictator_has_all_power() -> None:
    assert game(3, a=3, b=1, c=1) == (
        Power("a", 4, Fraction(1), Fraction(1), Fraction(1)),
        Power("b", 0, Fraction(0), Fraction(0), Fraction(0)),
        Power("c", 0, Fraction(0), Fraction(0), Fraction(0)),
    )


def test_where_nothing_wins_nobody_has_power() -> None:
    found = power(whole({"a": 1, "b": 1}), Fraction(3, 2))
    assert {(p.swings, p.banzhaf_share, p.shapley) for p in found} == {(0, Fraction(0), Fraction(0))}


def test_too_many_players_are_refused_rather_than_counted_for_hours() -> None:
    with pytest.raises(ValueError, match="more than 18 players"):
        power({f"p{n}": Fraction(1) for n in range(MOST_PLAYERS + 1)}, Fraction(1, 2))


WEIGHTS = st.lists(st.integers(1, 9), min_size=1, max_size=6)


@settings(max_examples=100)
@given(WEIGHTS, st.fractions(min_value="1/20", max_value=1), st.integers(0, 3))
def test_a_lone_winner_is_a_player_whose_weight_is_the_quota(weights: list[int], quota: Fraction, alone: int) -> None:
    """Two ways to write one game: rules as lone winners, or as players that weigh as much as is needed."""
    members = {f"m{n}": Fraction(weight) for n, weight in enumerate(weights)}
    needed = quota * sum(weights)
    rules = {f"r{n}": needed for n in range(alone)}
    everyone = {**members, **rules}
    assert power(members, quota, list(rules)) == power(everyone, needed / sum(everyone.values()))


@settings(max_examples=100)
@given(
    WEIGHTS, st.fractions(min_value="1/20", max_value=1), st.integers(0, 3), st.fractions(min_value="1/7", max_value=9)
)
def test_shapley_values_sum_to_one_and_scaling_weights_changes_nothing(
    weights: list[int], quota: Fraction, alone: int, scale: Fraction
) -> None:
    members = {f"m{n}": Fraction(weight) for n, weight in enumerate(weights)}
    rules = [f"r{n}" for n in range(alone)]
    found = power(members, quota, rules)
    assert sum(p.shapley for p in found) == 1
    assert sum(p.banzhaf_share for p in found) == 1
    assert found == power({name: weight * scale for name, weight in members.items()}, quota, rules)


@settings(max_examples=100)
@given(WEIGHTS, st.fractions(min_value="1/20", max_value=1))
def test_more_weight_never_means_less_power(weights: list[int], quota: Fraction) -> None:
    found = power({f"m{n}": Fraction(weight) for n, weight in enumerate(sorted(weights))}, quota)
    for lighter, heavier in pairwise(found):
        assert (lighter.swings, lighter.shapley) <= (heavier.swings, heavier.shapley)


def test_five_equal_members_at_a_third_share_power_equally() -> None:
    """Quota 1/3 of 5 is 5/3, so any two tighten: each swings the 4 coalitions of one other member, 4/16, and a fifth."""
    level = policy_power(POLICY)[0]
    assert (level.decision_type, level.verdict, level.quota) == ("sovereign_action", "modify", Fraction(1, 3))
    assert level.members == tuple(Power(m, 4, Fraction(1, 4), Fraction(1, 5), Fraction(1, 5)) for m in MEMBERS)


def test_rules_are_players_of_the_levels_that_they_reach() -> None:
    levels = {(p.decision_type, p.verdict): p for p in policy_power(POLICY)}
    assert len(levels) == 3 * len(DECISION_TYPES)
    rules = {
        v: {p.player for p in levels["impact_dispute", v].with_rules} - set(MEMBERS) for v in ("modify", "quarantine")
    }
    enforced = {rule.rule_id for rule in POLICY.rules.rules if rule.mode == "enforce"}
    assert rules["modify"] == enforced
    assert rules["quarantine"] == {
        rule.rule_id for rule in POLICY.rules.rules if rule.mode == "enforce" and rule.outcome == "quarantine"
    }
    assert set() < rules["quarantine"] < enforced
    assert all(sum(p.shapley for p in level.with_rules) == 1 for level in levels.values())


@pytest.mark.parametrize(
    ("rule", "quota"),
    [
        ("quota", Fraction(1, 3)),
        ("median", Fraction(1, 2)),
        ("plurality", Fraction(1, 2)),
        ("strictest", Fraction(1, 5)),
    ],
)
def test_every_merge_rule_has_the_quota_that_it_amounts_to(rule: str, quota: Fraction) -> None:
    assert effective_quota(replace(POLICY, merge_rule=rule), "major_trigger", "reject") == quota  # type: ignore[arg-type]
