"""The laws of the gate in any turmoil (reliability.md, L3, L6): what holds in every order of calls, ends and departures."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal

from hypothesis import event, given, settings
from hypothesis import strategies as st

from agents.models.calls import CallError
from agents.models.gate import NoPlaceError
from tests.unit.agents.models.gate_scenes import down, scene
from tests.unit.agents.models.virtual_time import in_virtual_time, now_s


@dataclass(frozen=True)
class Caller:
    """One member's call in a random scene, times in tenths of a second."""

    comes: int
    takes: int
    ends: Literal["answer", "refusal", "fault", "told", "hour"]
    within: int
    gone_after: int | None

    @property
    def error(self) -> CallError | None:
        """What the endpoint answers; None: a reply."""
        told = {"fault": None, "told": 1.5, "hour": 3600.0}
        if self.ends in told:
            return down(told[self.ends])
        return CallError("refused", "no") if self.ends == "refusal" else None


CALLERS = st.builds(
    Caller,
    comes=st.integers(0, 60),
    takes=st.integers(0, 30),
    ends=st.sampled_from(["answer", "answer", "refusal", "fault", "fault", "fault", "fault", "told", "hour"]),
    within=st.integers(1, 60),
    gone_after=st.none() | st.integers(0, 30),
)


@settings(max_examples=300)
@given(callers=st.lists(CALLERS, max_size=40), concurrency=st.integers(1, 4))
def test_in_any_turmoil_the_laws_of_the_gate_hold(callers: list[Caller], concurrency: int) -> None:
    """L3, L6: never more than its places, never a call while closed, one probe at most, nobody kept waiting in vain."""

    async def test() -> None:
        it = scene(concurrency)
        closed_until, probes, under_way = 0.0, 0, 0

        async def work(caller: Caller) -> None:
            nonlocal closed_until, probes, under_way
            state = it.gate.status().state
            assert state != "open"
            assert now_s() >= closed_until - 1e-9, "never earlier than told"
            under_way += 1
            probes += state == "half_open"
            assert under_way <= concurrency
            assert probes <= 1
            event(state)
            try:
                await asyncio.sleep(caller.takes / 10)
            finally:
                under_way -= 1
                probes -= state == "half_open"
            error = caller.error
            if error is not None:
                closed_until = max(closed_until, now_s() + (error.retry_after_s or 0))
                raise error

        async def called(caller: Caller) -> None:
            await asyncio.sleep(caller.comes / 10)
            came_s = now_s()
            try:
                async with asyncio.timeout(caller.within / 10) as limit:
                    await it.gate.through(lambda: work(caller), limit)
            except NoPlaceError as refused:
                left_s = came_s + caller.within / 10 - now_s()
                assert left_s > 0
                assert refused.retry_after_s is not None
                assert refused.retry_after_s >= left_s - 1e-9
            except (CallError, TimeoutError):
                pass
            assert now_s() <= came_s + caller.within / 10 + 1e-6

        async def gone(caller: Caller, task: asyncio.Task[None]) -> None:
            if caller.gone_after is not None:
                await asyncio.sleep((caller.comes + caller.gone_after) / 10)
                task.cancel()

        tasks = [asyncio.create_task(called(caller)) for caller in callers]
        leaving: list[Awaitable[None]] = [gone(caller, task) for caller, task in zip(callers, tasks, strict=True)]
        await asyncio.gather(*leaving)
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert ended is None or isinstance(ended, asyncio.CancelledError), repr(ended)
        assert it.status()[1:] == (0, 0), "no place is lost"
        await asyncio.sleep(4000.0)
        assert (await it.told("after it all"))[0] == "after it all"
        assert it.status() == ("closed", 0, 0)

    in_virtual_time(test())
