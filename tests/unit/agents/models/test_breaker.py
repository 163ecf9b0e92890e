"""The circuit breaker: when it opens, whom it lets through, when it closes (reliability.md, L4, L6, L20)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models.breaker import LONGEST_WAIT_S, Breaker


def failed(breaker: Breaker, now_s: float, retry_after_s: float | None = None) -> Breaker:
    """Make one call that fails at once."""
    began = breaker.began(now_s)
    return began.faulted(began.begun, now_s, retry_after_s)


def opened(now_s: float = 0.0) -> Breaker:
    """Return a breaker that five straight faults opened."""
    breaker = Breaker()
    for _ in range(5):
        breaker = failed(breaker, now_s)
    return breaker


def test_five_straight_faults_open_it() -> None:
    """L6."""
    breaker, states = Breaker(), []
    for _ in range(5):
        breaker = failed(breaker, 10.0)
        states.append((breaker.state(10.0), breaker.allows(10.0)))
    assert states == [("closed", True)] * 4 + [("open", False)]


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker()
    for _ in range(3):
        for _ in range(4):
            breaker = failed(breaker, 0.0)
        breaker = breaker.began(0.0)
        breaker = breaker.succeeded(breaker.begun)
    assert breaker.state(0.0) == "closed"


def test_faults_of_calls_that_were_under_way_together_count_once() -> None:
    """One hiccup hits all five members of a council at once: their retries must not find the door shut."""
    breaker = Breaker()
    for _ in range(5):
        breaker = breaker.began(0.0)
    for number in range(1, 6):
        breaker = breaker.faulted(number, 1.0)
    assert (breaker.faults, breaker.state(1.0)) == (1, "closed")
    assert failed(breaker, 1.0).faults == 2


def test_an_hour_is_granted_at_once_and_a_second_is_not_worth_opening() -> None:
    """L4: longer than any member may wait."""
    assert failed(Breaker(), 100.0, 1.0).state(100.0) == "closed"
    assert failed(Breaker(), 100.0, LONGEST_WAIT_S).state(100.0) == "closed"
    hour = failed(Breaker(), 100.0, 3600.0)
    assert (hour.state(3699.9), hour.state(3700.0)) == ("open", "half_open")
    assert hour.wait_s(700.0) == 3000.0


def test_half_open_lets_exactly_one_probe_through_and_its_success_closes() -> None:
    breaker = opened()
    assert (breaker.allows(0.9), breaker.state(1.0), breaker.allows(1.0)) == (False, "half_open", True)
    probing = breaker.began(1.0)
    assert not probing.allows(1.0)
    assert not probing.allows(1_000.0)
    closed = probing.succeeded(probing.begun)
    assert (closed.state(1.0), closed.allows(1.0), closed.faults) == ("closed", True, 0)


def test_each_probe_that_fails_leaves_the_endpoint_alone_for_twice_as_long_up_to_a_minute() -> None:
    breaker, now_s, waits = opened(), 0.0, []
    for _ in range(8):
        now_s += breaker.wait_s(now_s)
        breaker = failed(breaker, now_s)
        waits.append(breaker.wait_s(now_s))
    assert waits == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    now_s += 60.0
    breaker = breaker.began(now_s)
    assert opened().openings == 1
    assert breaker.succeeded(breaker.begun).openings == 0


def test_a_probe_may_be_told_to_come_back_in_an_hour() -> None:
    breaker = failed(opened(), 1.0, 3600.0)
    assert breaker.wait_s(1.0) == 3600.0


def test_a_probe_that_its_caller_gave_up_makes_room_for_another() -> None:
    probing = opened().began(1.0)
    assert probing.abandoned(probing.begun - 1) == probing, "another call's end is not the probe's"
    freed = probing.abandoned(probing.begun)
    assert (freed.state(1.0), freed.allows(1.0)) == ("half_open", True)


def test_calls_that_began_before_it_opened_neither_close_it_nor_keep_it_open() -> None:
    late = Breaker().began(0.0)
    breaker = late
    for _ in range(5):
        breaker = failed(breaker, 0.0)
    assert breaker.succeeded(late.begun) == breaker
    assert breaker.faulted(late.begun, 0.5) == breaker
    assert breaker.faulted(late.begun, 0.5, 3600.0).wait_s(0.5) == 3600.0, "but an endpoint's own word holds"


Event = tuple[str, float, int]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["begin", "succeed", "fault", "told", "abandon"]),
            st.floats(0, 40, allow_nan=False),
            st.integers(0, 7),
        ),
        max_size=120,
    )
)
def test_whatever_happens_one_probe_at_most_and_no_call_while_open(events: list[Event]) -> None:
    """L6: any order of calls, ends and pauses."""
    breaker, now_s = Breaker(), 0.0
    under_way: dict[int, str] = {}
    straight = 0
    for name, pause_s, which in events:
        now_s += pause_s
        state = breaker.state(now_s)
        if name == "begin":
            if breaker.allows(now_s):
                assert state != "open"
                breaker = breaker.began(now_s)
                under_way[breaker.begun] = state
            else:
                assert state == "open" or "half_open" in under_way.values()
        elif under_way:
            number = sorted(under_way)[which % len(under_way)]
            began_in = under_way.pop(number)
            if name == "succeed":
                breaker = breaker.succeeded(number)
                straight = 0 if breaker.state(now_s) == "closed" else straight
                assert began_in != "half_open" or breaker.state(now_s) == "closed"
            elif name == "abandon":
                breaker = breaker.abandoned(number)
            else:
                breaker = breaker.faulted(number, now_s, 3600.0 if name == "told" else None)
                straight += 1
                assert began_in != "half_open" or breaker.state(now_s) == "open"
                assert name != "told" or breaker.state(now_s) == "open"
            if state == "closed" and breaker.state(now_s) == "open":
                assert name == "told" or straight >= 5
        assert list(under_way.values()).count("half_open") <= 1


@pytest.mark.parametrize("faults", range(12))
def test_it_opens_exactly_at_the_fifth_straight_fault(faults: int) -> None:
    """Calls one after another, however many of them: the sixth finds it open, and is not made."""
    breaker, made = Breaker(), 0
    for _ in range(faults):
        if breaker.allows(0.0):
            made += 1
            breaker = failed(breaker, 0.0)
    assert made == min(faults, 5)
