"""A change as arithmetic: integers, conserved shares, clamped meters (domain.md C0; register row S0-58)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from policies.numbers import PPM, scaled
from tests.unit.world.world_cases import case, delta, meter, transfer
from world.case import Case, with_effects
from world.change import largest_move


def test_a_one_sided_rise_is_paid_for_by_everyone() -> None:
    # 41/33/26 with +12 is 53/33/26 of 112: 47.3214, 29.4643 and 23.2143 percent.
    after = case(delta("empire", 12.0)).after
    assert after.shares == {"empire": 473_214, "veil": 294_643, "free_cities": 232_143}


def test_a_balanced_move_needs_no_renormalising() -> None:
    after = case(delta("empire", -4.0), delta("free_cities", 4.0)).after
    assert after.shares == {"empire": 370_000, "veil": 330_000, "free_cities": 300_000}


def test_meters_stop_at_their_ends() -> None:
    after = case(meter("stability", -80), meter("chaos", 90)).after
    assert after.meters == {"stability": 0, "tension": 35_000, "chaos": 100_000}


def test_a_territory_changes_hands() -> None:
    after = case(transfer("t-3", "veil", "empire")).after
    assert after.controllers["t-3"] == "empire"


def test_a_change_without_effects_changes_nothing() -> None:
    unchanged = case()
    assert unchanged.after == unchanged.before


def test_the_modified_change_is_judged_from_the_same_start() -> None:
    whole = case(delta("empire", 12.0), meter("stability", -8))
    part = with_effects(whole, whole.effects[1:], (1,))
    assert (part.before, part.after.shares, part.origins) == (whole.before, whole.before.shares, (1,))
    assert part.after.meters["stability"] == 54_000


def test_states_given_to_a_case_are_kept() -> None:
    """The states are computed when they are first asked for, and only where nobody gave them."""
    whole = case(meter("stability", -8))
    given_states = Case(whole.request, whole.effects, whole.origins, whole.after, whole.before)
    assert (given_states.before, given_states.after) == (whole.after, whole.before)


@given(
    st.lists(st.tuples(st.sampled_from(["empire", "veil", "free_cities"]), st.integers(-10_000, 10_000)), max_size=6)
)
def test_shares_always_sum_to_the_whole_and_none_is_negative(steps: list[tuple[str, int]]) -> None:
    after = case(*[delta(faction, cents / 100) for faction, cents in steps]).after
    assert sum(after.shares.values()) == PPM
    assert min(after.shares.values()) >= 0


@given(st.lists(st.tuples(st.sampled_from(["empire", "veil", "free_cities"]), st.integers(-2_000, 2_000)), max_size=6))
def test_the_quick_measure_of_a_move_is_within_a_ppm_of_the_exact_one(steps: list[tuple[str, int]]) -> None:
    one = case(*[delta(faction, cents / 100) for faction, cents in steps])
    exact = max(abs(share - one.before.shares[name]) for name, share in one.after.shares.items())
    assert abs(largest_move(one.before.shares, one.effects) - exact) <= 1


@given(st.floats(-1_000_000, 1_000_000, allow_nan=False), st.sampled_from([1, 1000, 10_000]))
def test_wire_numbers_become_the_integers_that_their_decimals_mean(value: float, scale: int) -> None:
    """The quick way through floats and the exact way through decimals never differ."""
    assert scaled(value, scale) == int((Decimal(repr(value)) * scale).to_integral_value())


@given(st.integers(-(10**7), 10**7), st.sampled_from([1000, 10_000]))
def test_halves_of_a_step_go_to_the_even_one(half_steps: int, scale: int) -> None:
    value = half_steps / (2 * scale)
    assert scaled(value, scale) == int((Decimal(repr(value)) * scale).to_integral_value())
