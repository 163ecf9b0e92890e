"""The risk of collapse, now and eight ticks ahead (domain.md C7; register row S0-64)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.world.world_cases import case, delta, meter, place, tick
from world.balance import hhi_star, ramp
from world.case import Case
from world.change import RealmState
from world.collapse import Background, CollapseRisk, Inputs, background_of, collapse_risk
from world.warning import early_warning, kendall_tau

QUIET = {"t-1": {"controller": "empire"}}


def risk_of(one: Case) -> CollapseRisk | None:
    return collapse_risk(one.after, background_of(one.request.world_snapshot, one.before))


def test_a_sound_realm_has_no_risk() -> None:
    # HHI* 0.017 is below 0.20, and 100 - 62 = 38 below 40. Shares 300 + stability 200 of 1,000 are known.
    assert risk_of(case(places=QUIET)) == CollapseRisk(0, 0, 500)


def test_the_risk_is_the_weighted_sum_over_what_is_known() -> None:
    # 70/20/10: HHI 0.54, HHI* 0.31, g = (0.31 - 0.20) / 0.40 = 0.275; stability 30: g = (70 - 40) / 50 = 0.6.
    # (300 * 275 + 200 * 600) / 500 = 405.
    one = case(shares={"a": 70.0, "b": 20.0, "c": 10.0}, meters={"stability": 30}, places=QUIET)
    assert risk_of(one) == CollapseRisk(405, 405, 500)


def test_inflation_and_open_conflicts_count_where_they_are_stated() -> None:
    # Inflation 15: g = (15 - 5) / 20 = 0.5. One of two territories at instability 60: g = (0.5 - 0.25) / 0.5 = 0.5.
    places = {"t-1": place("a", instability=60), "t-2": place("b", instability=10)}
    one = case(shares={"a": 50.0, "b": 50.0}, meters={"stability": 80, "inflation": 15}, places=places)
    assert risk_of(one) == CollapseRisk(142, 142, 700)  # (100 * 500 + 100 * 500) / 700


def test_nothing_known_is_no_risk_figure_at_all() -> None:
    assert risk_of(case(shares={}, meters={}, places=QUIET)) is None


def test_a_realm_that_drifts_to_ruin_is_at_risk_before_it_is_there() -> None:
    # Stability fell from 78 to 62 in eight ticks, so eight ticks ahead it is 46: g = (54 - 40) / 50 = 0.28, and
    # 200 * 280 / 500 = 112.
    history = [tick(1034, {"empire": 41.0, "veil": 33.0, "free_cities": 26.0}, stability=78)]
    assert risk_of(case(places=QUIET, history=history)) == CollapseRisk(0, 112, 500)


def test_the_strongest_factions_inputs_are_tried_doubled() -> None:
    # The first of two rose from 75 to 78 in eight ticks.
    history = [tick(1034, {"a": 75.0, "b": 25.0})]
    one = case(shares={"a": 78.0, "b": 22.0}, meters={}, places=QUIET, history=history)
    # Now: HHI* = 0.56^2 = 0.3136, g = 0.284. As it was: 81/19, HHI* 0.3844, g 0.461. Doubled: 84/19 of 103,
    # HHI* = (65/103)^2 = 0.39825, g = 0.495.
    assert risk_of(one) == CollapseRisk(284, 495, 300)


def test_ticks_older_than_eight_are_not_recent() -> None:
    history = [tick(1000, {"empire": 90.0, "veil": 5.0, "free_cities": 5.0}, stability=100)]
    assert risk_of(case(places=QUIET, history=history)) == CollapseRisk(0, 0, 500)


def test_a_change_that_shakes_the_realm_raises_the_risk() -> None:
    # Stability 62 - 32 = 30: g 0.6; 200 * 600 / 500 = 240.
    assert risk_of(case(meter("stability", -32), places=QUIET)) == CollapseRisk(240, 240, 500)


@given(
    st.lists(st.integers(1, 1000), min_size=2, max_size=4),
    st.lists(st.integers(-400, 400), min_size=4, max_size=4),
    st.integers(0, 100_000),
    st.integers(-100_000, 100_000),
)
def test_the_projection_is_the_worst_of_all_ticks_walked_one_by_one(
    weights: list[int], steps: list[int], stability: int, fall: int
) -> None:
    """The shortcut by convexity agrees with the plain walk, up to one permille of rounding."""
    total = sum(weights)
    shares = {str(i): weight * 1_000_000 // total for i, weight in enumerate(weights)}
    drift = {name: step * 1000 for name, step in zip(shares, steps, strict=False)}
    background = Background(0, 0, Inputs(8, drift, fall))
    found = collapse_risk(RealmState(shares, {"stability": stability}, {}), background)
    assert found is not None
    assert abs(found.projected - walked(shares, drift, stability, fall)) <= 1


def walked(shares: dict[str, int], drift: dict[str, int], stability: int, fall: int) -> int:
    top = max(shares, key=lambda name: shares[name])
    worst = 0
    for factor in (1, 2) if drift[top] > 0 else (1,):
        for ahead in range(9):
            moved = [
                max(0, share + drift[name] * (factor if name == top else 1) * ahead // 8)
                for name, share in shares.items()
            ]
            level = min(100_000, max(0, stability + fall * ahead // 8))
            risk = 300 * ramp(hhi_star(moved) or 0, 200_000, 600_000) + 200 * ramp(100_000 - level, 40_000, 90_000)
            worst = max(worst, risk // 500)
    return worst


@pytest.mark.parametrize(("values", "tau"), [([1, 2, 3, 4], 1000), ([4, 3, 2, 1], -1000), ([1, 3, 2], 333), ([5], 0)])
def test_kendalls_tau_counts_pairs_in_order(values: list[int], tau: int) -> None:
    assert kendall_tau(values) == tau


def test_a_realm_that_recovers_ever_more_slowly_gives_early_warning() -> None:
    """Dakos et al. 2012: variance and lag-1 autocorrelation rise before a tipping point."""
    swings = [60.0 + (1 if n % 2 else -1) for n in range(24)] + [
        60.0 + (n - 24) // 4 * (1 if n // 6 % 2 else -1) for n in range(24, 72)
    ]
    assert early_warning(swings) == 1000


def test_steady_swings_and_short_records_give_none() -> None:
    steady = [60.0 + (1 if n % 2 else -1) for n in range(72)]
    assert (early_warning(steady), early_warning([60.0] * 72), early_warning([60.0] * 23)) == (0, 0, None)


def test_early_warning_is_part_of_the_coverage_only_with_a_long_record() -> None:
    shares = {"empire": 41.0, "veil": 33.0, "free_cities": 26.0}
    history: list[dict[str, Any]] = [tick(1042 - n, shares, stability=62) for n in range(30, 0, -1)]
    assert risk_of(case(places=QUIET, history=history)) == CollapseRisk(0, 0, 550)


def test_a_rise_on_top_of_a_drift_is_measured_against_the_drift() -> None:
    history = [tick(1034, {"empire": 41.0, "veil": 33.0, "free_cities": 26.0}, stability=78)]
    calm, shaken = case(places=QUIET, history=history), case(delta("empire", 2.0), places=QUIET, history=history)
    before, after = risk_of(calm), risk_of(shaken)
    assert before is not None and after is not None
    assert after.risk == before.risk
