"""The anomaly score: velocity, entropy, replay (register row S0-55; domain.md C6)."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.contracts.request import ImpactCandidate
from tests.unit.agents.member_cases import Json, case_of, event
from world.anomaly import Anomaly, anomaly_of, anscombe, deficits, noisy_or, quarter_octave, strays_of


def read(events: list[Json]) -> tuple[ImpactCandidate, ...]:
    return case_of(supporting_events=events).request.supporting_events


def anomaly(events: list[Json]) -> Anomaly:
    found = anomaly_of(read(events))
    assert found is not None
    return found


def test_no_events_have_no_score() -> None:
    assert anomaly_of(()) is None


def test_the_transform_gives_the_worked_number() -> None:
    """z = 2 * (sqrt(30.375) - sqrt(4.375)) = 2 * (5.5114 - 2.0917) = 6.839; nothing odd about what is expected."""
    assert abs(anscombe(30, 4) - 6839) <= 2
    assert anscombe(4, 4) == 0


def test_thirty_acts_within_a_minute_are_fast_and_eight_in_an_hour_are_not() -> None:
    """Thirty in a minute where one is expected: z = 2 * (5.511 - 1.173) = 8.68, of 12 that is 723 permille."""
    assert abs(anomaly([event(i, user_id="u", at_s=2 * i) for i in range(30)]).velocity - 723) <= 1
    assert anomaly([event(i, user_id="u") for i in range(8)]).velocity == 0


def test_one_device_behind_many_accounts_is_as_fast_as_one_account() -> None:
    farm = [event(i, device_id="d", at_s=2 * i) for i in range(30)]
    assert anomaly(farm).velocity == anomaly([{**each, "user_id": "u"} for each in farm]).velocity > 0


def test_entropy_is_silent_below_twenty_events_of_one_account() -> None:
    found = anomaly([event(i, user_id="u", at_s=600 * i) for i in range(19)])
    assert (found.entropy, found.timing, found.actions) == (None, None, None)


def test_a_fixed_interval_is_a_machine_and_a_human_rhythm_is_not() -> None:
    """C6 measured: fixed-interval bots are all at or above 700, human traces almost none above 400."""
    bot = anomaly([event(i, user_id="u", at_s=600 * i) for i in range(30)])
    assert bot.timing == 1000
    assert bot.score == 1000
    dice = random.Random(7)  # a fixed seed: the same trace on every machine
    moment, events = 0.0, []
    for i in range(30):
        moment += dice.lognormvariate(7, 1.2)
        events.append(event(i, user_id="u", at_s=round(moment, 3), action_type=dice.choice("aaabbcd")))
    assert anomaly(events).score < 400


def test_events_of_one_kind_only_say_nothing_about_the_mix_of_actions() -> None:
    found = anomaly([event(i, user_id="u", at_s=600 * i) for i in range(20)])
    assert found.actions is None and found.sequence is None


def test_a_loop_of_four_steps_shows_in_the_order_of_actions() -> None:
    """Ha of four equal kinds is full (no deficit); the next action is certain, so Hc = 0 and Ec = 1000."""
    found = deficits(["a", "b", "c", "d"] * 8, [i * i * 1000 for i in range(32)], 4)
    assert (found.actions, found.sequence) == (0, 1000)


def test_replays_are_equal_ids_or_equal_typed_fields_whatever_the_words() -> None:
    first = event(0, user_id="u", note="a")
    again = {**first, "event_id": "e-9", "note": "b", "evidence": {"told": "otherwise"}}
    assert anomaly([first, again, event(2), {**event(3), "event_id": "e-2"}]).replays == (1, 3)


def test_one_replay_of_eight_is_reviewed_and_one_of_forty_is_not() -> None:
    """D = 4 * 1/8 = 500; 4 * 1/40 = 100."""
    assert anomaly([*[event(i) for i in range(7)], event(0, user_id="v")]).score == 500
    assert anomaly([*[event(i) for i in range(39)], event(0, user_id="v")]).score == 100


def test_an_event_a_month_away_strays_and_a_long_campaign_does_not() -> None:
    day = 86_400_000
    assert strays_of([0, 60_000, 120_000, 30 * day]) == (3,)
    assert strays_of([-30 * day, 0, 60_000, 120_000]) == (0,)
    assert strays_of([i * 7 * day for i in range(10)]) == ()
    assert strays_of([0, 30 * day]) == ()


@given(st.integers(min_value=1, max_value=10**12))
@settings(max_examples=200)
def test_buckets_are_exact_quarters_of_an_octave(gap: int) -> None:
    bucket = quarter_octave(gap)
    assert 2**bucket <= gap**4 < 2 ** (bucket + 1)


scores = st.integers(min_value=0, max_value=1000)


@given(scores, scores, scores)
@settings(max_examples=100)
def test_any_warning_suffices_and_more_never_help(first: int, second: int, third: int) -> None:
    both = noisy_or(first, second)
    assert max(first, second) <= both <= min(1000, first + second + 1)
    assert both <= noisy_or(first, second, third) <= 1000


@given(st.permutations(range(25)))
@settings(max_examples=25)
def test_the_order_in_which_events_are_sent_does_not_matter(order: list[int]) -> None:
    events = [event(i, user_id="u", at_s=i * i * 7, action_type="ab"[i % 3 == 0]) for i in range(25)]
    sent, base = anomaly([events[i] for i in order]), anomaly(events)
    assert sent == base


def test_the_largest_request_is_scored_whole() -> None:
    found = anomaly([event(i, user_id=f"u-{i % 4}", at_s=30 * i) for i in range(512)])
    assert found.entropy is not None and found.timing == 1000
