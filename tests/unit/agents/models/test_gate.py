"""The gate of an endpoint: places, waiting windows, the breaker, and that nothing is lost by a cancellation (L3, L4, L6, L20)."""

import asyncio
import contextlib
from typing import Literal

import pytest

from agents.models.calls import CallError
from agents.models.gate import Gate, GateStatus, NoPlaceError
from tests.unit.agents.models.gate_scenes import Scene, down, scene, virtual
from tests.unit.agents.models.virtual_time import in_virtual_time, now_s


@virtual
async def test_no_more_calls_are_in_flight_than_places_and_the_line_is_served_in_order() -> None:
    it = scene(concurrency=2)
    ended = await asyncio.gather(*[it.told(str(number), takes_s=1.0) for number in range(5)])
    assert ended == [("0", 1.0), ("1", 1.0), ("2", 2.0), ("3", 2.0), ("4", 3.0)]
    assert it.began == [("0", 0.0), ("1", 0.0), ("2", 1.0), ("3", 1.0), ("4", 2.0)]
    assert it.most == 2
    assert it.status() == ("closed", 0, 0)


@virtual
async def test_nobody_calls_earlier_than_the_endpoint_asked_for() -> None:
    """L3: fifty reviews share one window, those under way, those in line and those that come later."""
    it = scene(concurrency=8)
    first = asyncio.create_task(it.told("first", fails=down(2.0)))
    await asyncio.sleep(0)
    others = [asyncio.create_task(it.told(str(number), takes_s=0.1)) for number in range(50)]
    assert await first == ("down", 0.0)
    early = [began for began in it.began if began[0] != "first"]
    await asyncio.gather(*others)
    late = [at for name, at in it.began if name not in {"first", *[name for name, _ in early]}]
    assert len(early) <= 8, "calls that began before the answer came could not know"
    assert len(late) >= 42
    assert min(late) == 2.0
    assert it.most == 8


@virtual
async def test_whoever_cannot_be_served_in_time_is_told_at_once() -> None:
    """L3: also those already in line, the moment that the endpoint asks for a pause."""
    it = scene(concurrency=1)
    asked = [
        asyncio.create_task(it.told("told to wait", takes_s=1.0, fails=down(5.0))),
        asyncio.create_task(it.told("in line, patient", within_s=7.0)),
        asyncio.create_task(it.told("in line, short of time", within_s=5.5)),
    ]
    await asyncio.sleep(1.5)
    assert await it.told("late, short of time", within_s=4.5) == (
        "no place: endpoint 'lab' asked to be left alone for 4.5 s more",
        1.5,
    )
    assert await it.told("late, patient", within_s=4.6) == ("late, patient", 6.0)
    assert await asyncio.gather(*asked) == [
        ("down", 1.0),
        ("in line, patient", 6.0),
        ("no place: endpoint 'lab' asked to be left alone for 5.0 s more", 1.0),
    ]


@virtual
async def test_a_refusal_says_when_to_come_back() -> None:
    """L4."""
    it = scene()
    await it.told(fails=down(3600.0))
    await asyncio.sleep(100.0)
    with pytest.raises(NoPlaceError) as refused:
        await it.call()
    error = refused.value
    assert (error.kind, error.retry_after_s, error.is_retryable, error.is_endpoint_fault) == (
        "unreachable",
        3500.0,
        False,
        False,
    )
    assert it.changes == [("lab", "open")]
    assert it.gate.status() == GateStatus("lab", "open", 3500.0, 0, 0)


@virtual
async def test_a_member_whose_time_runs_out_in_line_leaves_nothing_behind() -> None:
    it = scene(concurrency=1)
    slow = asyncio.create_task(it.told("slow", takes_s=5.0))
    await asyncio.sleep(0)
    assert await it.told("short of time", within_s=1.0) == ("timeout", 1.0)
    assert it.status() == ("closed", 1, 0)
    assert await slow == ("slow", 5.0)


@virtual
async def test_five_straight_faults_close_the_gate_and_one_probe_opens_it_again() -> None:
    """L6, L20."""
    it = scene()
    for _ in range(5):
        await it.told(fails=down())
    assert await it.told("short of time", within_s=1.0) == (
        "no place: endpoint 'lab' keeps failing and is left alone for 1.0 s more",
        0.0,
    )
    members = [asyncio.create_task(it.told(str(number), takes_s=0.5)) for number in range(3)]
    await asyncio.sleep(1.2)
    assert it.status() == ("half_open", 1, 2), "one goes ahead, the others see what becomes of it"
    assert await asyncio.gather(*members) == [("0", 1.5), ("1", 2.0), ("2", 2.0)]
    assert it.changes == [("lab", "open"), ("lab", "half_open"), ("lab", "closed")]


@virtual
async def test_a_probe_that_fails_sends_those_away_who_cannot_wait_for_the_next() -> None:
    it = scene()
    for _ in range(5):
        await it.told(fails=down())
    probe = asyncio.create_task(it.told("probe", takes_s=0.5, fails=down()))
    await asyncio.sleep(0)
    others = [asyncio.create_task(it.told(str(within_s), within_s=within_s)) for within_s in (3.0, 4.0)]
    assert await probe == ("down", 1.5)
    assert await asyncio.gather(*others) == [
        ("no place: endpoint 'lab' keeps failing and is left alone for 2.0 s more", 1.5),
        ("4.0", 3.5),
    ]


@virtual
async def test_an_answer_that_refuses_the_request_shows_that_the_endpoint_is_there() -> None:
    it = scene()
    for _ in range(4):
        await it.told(fails=down())
    await it.told(fails=CallError("unreachable", "HTTP 400"))
    for _ in range(4):
        await it.told(fails=down())
    assert it.status() == ("closed", 0, 0)
    await it.told(fails=down())
    assert it.status() == ("open", 0, 0)


@virtual
async def test_calls_that_run_out_of_time_are_the_endpoints_fault() -> None:
    """L1: five straight calls without an answer."""
    it = scene()
    for _ in range(5):
        assert it.status() == ("closed", 0, 0)
        await it.told(takes_s=100.0, within_s=1.0)
    assert it.status() == ("open", 0, 0)


@virtual
async def test_calls_that_lost_their_time_in_line_are_not() -> None:
    it = scene(concurrency=1)
    for _ in range(10):
        first = asyncio.create_task(it.told(takes_s=0.8))
        await asyncio.sleep(0)
        assert (await it.told(takes_s=0.8, within_s=1.0))[0] == "timeout"
        await first
    assert it.status() == ("closed", 0, 0)
    assert it.gate._breaker.faults == 0


@virtual
async def test_a_caller_who_goes_away_says_nothing_about_the_endpoint() -> None:
    it = scene()
    for _ in range(20):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):  # the review's end, not the member's own limit
                await it.told(takes_s=1.0)
    assert it.status() == ("closed", 0, 0)
    assert it.gate._breaker.faults == 0


@pytest.mark.parametrize("moment", ["in line", "just let in", "under way"])
def test_a_cancelled_probe_makes_room_for_the_next(moment: Literal["in line", "just let in", "under way"]) -> None:
    async def test() -> None:
        it = scene()
        for _ in range(5):
            await it.told(fails=down())
        probe = asyncio.create_task(it.call("probe", takes_s=1.0))
        if moment == "in line":
            await asyncio.sleep(0.5)
        elif moment == "under way":
            await asyncio.sleep(1.5)
        else:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(0)
            let_in = asyncio.Event()
            loop.call_at(1.0, lambda: loop.call_soon(let_in.set))
            loop.call_at(1.0, lambda: probe.cancel() if it.status()[1] else None)
            await let_in.wait()
        probe.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await probe
        assert it.status()[1:] == (0, 0)
        assert (await it.told("next"))[0] == "next"
        assert it.status() == ("closed", 0, 0)

    in_virtual_time(test())


@virtual
async def test_a_newcomer_neither_jumps_the_line_nor_stops_it_when_the_loop_is_late() -> None:
    """The window is over, but the timer that lets the line in has not run yet."""
    late_s = 0.0
    gate = Gate("lab", 1, clock=lambda: now_s() + late_s)
    it = Scene(gate)
    await it.told(fails=down(2.0))
    first = asyncio.create_task(it.told("first"))
    await asyncio.sleep(1.9)
    late_s = 0.1
    assert (await it.told("newcomer"))[0] == "newcomer"
    assert (await first)[0] == "first"
    assert [name for name, _ in it.began] == ["", "first", "newcomer"]


@virtual
async def test_bad_news_of_the_same_moment_stops_whoever_was_just_let_in() -> None:
    """L3: a place becomes free, and before its next holder begins, another call is told to come back later."""
    it = scene(concurrency=2)
    calls = [it.told("well", takes_s=1.0), it.told("told", takes_s=1.0, fails=down(2.0)), it.told("next")]
    assert await asyncio.gather(*calls) == [("well", 1.0), ("down", 1.0), ("next", 3.0)]
    assert it.began == [("well", 0.0), ("told", 0.0), ("next", 3.0)]
    assert it.status() == ("closed", 0, 0)


@virtual
async def test_someone_who_left_the_line_just_now_is_passed_over() -> None:
    it = scene(concurrency=1)
    holder = asyncio.create_task(it.told("holder", takes_s=1.0))
    await asyncio.sleep(0)
    leaver, next_one = [asyncio.create_task(it.told(name)) for name in ("leaver", "next")]
    await asyncio.sleep(0.5)
    leaver.cancel()
    holder.cancel()  # both leave before the loop has told either
    assert await next_one == ("next", 0.5)
    assert it.status() == ("closed", 0, 0)
    await asyncio.gather(holder, leaver, return_exceptions=True)


@virtual
async def test_a_defect_of_the_caller_costs_no_place() -> None:
    it = scene(concurrency=1)
    with pytest.raises(ZeroDivisionError):
        await it.call(fails=ZeroDivisionError())
    assert await it.told("next") == ("next", 0.0)
