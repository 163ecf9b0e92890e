"""When a territory would change hands: known answers worked by hand, and what no projection may do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from world.realm.contests import ROUND_TICKS, ROUNDS, contest
from world.realm.pot import Acts
from world.realm.state import Conflict, Territory
from world.views.projection import HORIZON, projected_ticks

BASE = Territory("t", "T", "a", 1, 1_000, (), {"a": 600_000, "b": 400_000})


def _at(a: int, **keys: object) -> Territory:
    return replace(BASE, shares={"a": a, "b": 1_000_000 - a}, **keys)  # type: ignore[arg-type]


def test_a_rival_that_closes_in_is_projected_to_meet_and_then_to_fight() -> None:
    """The gap fell from 200,000 to 160,000 in 4 ticks: 10,000 a tick, so 16 more, and four rounds of 12 ticks: 64."""
    assert projected_ticks(_at(580_000), _at(600_000), 4, 10) == 16 + ROUNDS * ROUND_TICKS == 64


def test_a_rest_of_a_tick_counts_whole() -> None:
    """The gap fell from 200,000 to 170,000 in 4 ticks: 170,000 * 4 / 30,000 = 22.67, so 23 ticks and 48."""
    assert projected_ticks(_at(585_000), _at(600_000), 4, 10) == 23 + 48


@pytest.mark.parametrize("before", [_at(580_000), _at(570_000), None, replace(_at(600_000), controller="b")])
def test_who_does_not_close_in_is_not_projected(before: Territory | None) -> None:
    assert projected_ticks(_at(580_000), before, 4, 10) is None


def test_a_protected_territory_is_not_fought_over_before_its_protection_ends() -> None:
    """As the first case, but protected for 30 more ticks: the fight begins in 31 at the earliest."""
    protected = _at(580_000, phase="protected", protected_until=40)
    assert projected_ticks(protected, _at(600_000), 4, 10) == 31 + 48


def test_nobodys_territory_goes_to_who_reaches_half() -> None:
    """29 % to 30 % in 4 ticks: 20 points are missing at a quarter of a point a tick, so 80 ticks, and no fight."""
    now = replace(BASE, controller=None, shares={"a": 300_000, "b": 200_000, "c": 500_000 - 250_000, "d": 250_000})
    before = replace(now, shares={**now.shares, "a": 290_000})
    assert projected_ticks(now, before, 4, 10) == 80


@pytest.mark.parametrize(
    ("fight", "ticks"),
    [
        # Began in tick 0, now is tick 5: the running round ends in 7, three more rounds take 36.
        (Conflict("b", 0, won=0, held=0, for_challenger=2_000, for_owner=1_000), 7 + 36),
        (Conflict("b", 0, won=3, held=1), 7),
        # Won, and the council is asked: no pace says when it answers.
        (Conflict("b", 0, won=4, held=1, asked_since=5), None),
        (Conflict("b", 0, won=1, held=2, for_challenger=9_000), None),
        # A lead below 5 % is the owner's round (domain.md C3).
        (Conflict("b", 0, won=1, held=1, for_challenger=1_050, for_owner=1_000), None),
        (Conflict("b", 0, won=1, held=1, for_challenger=1_051, for_owner=1_000), 7 + 24),
    ],
)
def test_a_fight_is_projected_while_its_challenger_leads(fight: Conflict, ticks: int | None) -> None:
    assert projected_ticks(replace(BASE, phase="conflict", conflict=fight), None, 0, 5) == ticks


@given(since=st.integers(0, 40), elapsed=st.integers(0, 11))
def test_a_challenger_that_wins_every_round_takes_it_in_the_ticks_projected(since: int, elapsed: int) -> None:
    """The projection against the rules themselves: play the fight on, and the territory moves in that very tick."""
    tick = since + elapsed
    fighting = replace(_at(500_000), phase="conflict", conflict=Conflict("b", since, for_challenger=10, for_owner=1))
    expected = projected_ticks(fighting, None, 0, tick)
    assert expected is not None
    territory, move, passed = fighting, None, 0
    while move is None:
        passed += 1
        found = contest(territory, {"b": Acts(5_000, 0), "a": Acts(100, 0)}, tick + passed)
        territory, move = found.territory, found.move
    assert passed == expected


@given(now=st.integers(0, 1_000_000), was=st.integers(0, 1_000_000), elapsed=st.integers(0, 96))
def test_a_projection_lies_ahead_and_in_sight_or_is_none(now: int, was: int, elapsed: int) -> None:
    found = projected_ticks(_at(now), _at(was), elapsed, 100)
    assert found is None or 1 <= found <= HORIZON
