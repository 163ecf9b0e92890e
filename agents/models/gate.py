"""The gate of one endpoint: how many calls may be in flight, and when none may be made. Shared by all reviews of the process.

Three things close it: its places are taken, the endpoint asked to be left alone (Retry-After), or its breaker is open. Members
wait in line, first come first served, on their own time. Whoever is sure not to get through within it is told at once and
can let their rules vote, instead of waiting in vain (reliability.md, L3, L4, L6, L20).

Nothing here is lost by a cancellation: a place, or being the probe, is given back by whoever held it.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

from agents.models.breaker import Breaker, State
from agents.models.calls import CallError

T = TypeVar("T")
_FOREVER: Final = math.inf


class NoPlaceError(CallError):
    """the gate stays closed for longer than the member may wait; no call was made"""


class GateStatus(NamedTuple):
    """An endpoint as the process sees it, for metrics and for people."""

    endpoint: str
    """Its name in the policy that first used it."""
    state: State
    """Of its breaker."""
    wait_s: float
    """How long no call is made, seconds; 0 where calls may be made now."""
    in_flight: int
    waiting: int
    """Members in line."""


class Gate:
    """The gate of one endpoint; belongs to one event loop.

    Args:
        endpoint: its name.
        concurrency: most calls in flight at once.
        on_change: told the endpoint's name and its breaker's new state; `half_open` is told when the probe starts.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        endpoint: str,
        concurrency: int,
        *,
        on_change: Callable[[str, State], None] = lambda endpoint, state: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._concurrency = concurrency
        self._on_change = on_change
        self._clock = clock
        self._breaker = Breaker()
        self._told: State = "closed"
        self._not_before_s = -_FOREVER
        self._in_flight = 0
        self._waiting: dict[asyncio.Future[int], asyncio.Timeout] = {}
        self._timer: asyncio.TimerHandle | None = None

    def status(self) -> GateStatus:
        """Return what the gate looks like now."""
        now_s = self._clock()
        return GateStatus(
            self._endpoint, self._breaker.state(now_s), self._wait_s(now_s), self._in_flight, len(self._waiting)
        )

    async def through(self, work: Callable[[], Awaitable[T]], limit: asyncio.Timeout) -> T:
        """Do a call as soon as the gate lets it through.

        Args:
            work: makes the call; begun at most once.
            limit: the member's own limit of time, which the waiting counts toward.

        Raises:
            NoPlaceError: at once, where the call cannot be made within the limit.
            CallError: as `work` raises it.
        """
        asked_s = self._clock()
        number = await self._admitted(limit)
        began_s = self._clock()
        try:
            result = await work()
        except CallError as error:
            self._failed(number, error)
            raise
        except asyncio.CancelledError:
            # Short of time because of the line, not of the endpoint: that is no fault of the endpoint.
            if limit.expired() and self._clock() - began_s >= began_s - asked_s:
                self._breaker = self._breaker.faulted(number, self._clock())
            raise
        else:
            self._breaker = self._breaker.succeeded(number)
            return result
        finally:
            self._leave(number)

    async def _admitted(self, limit: asyncio.Timeout) -> int:
        """Wait for a place; return the call's number at the breaker."""
        while True:
            now_s = self._clock()
            if (refusal := self._refusal(limit, now_s)) is not None:
                raise refusal
            if not self._waiting and self._is_open(now_s):
                return self._enter(now_s)
            number = await self._in_line(limit, now_s)
            if self._wait_s(self._clock()) == 0:
                return number
            # The gate closed between the grant and this moment: another call has just come back with bad news.
            self._leave(number)

    async def _in_line(self, limit: asyncio.Timeout, now_s: float) -> int:
        mine: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[mine] = limit
        self._admit(now_s)
        try:
            return await mine
        except asyncio.CancelledError:
            self._waiting.pop(mine, None)
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self._leave(mine.result())
            raise

    def _failed(self, number: int, error: CallError) -> None:
        now_s = self._clock()
        if error.retry_after_s is not None:
            self._not_before_s = max(self._not_before_s, now_s + error.retry_after_s)
        if error.is_endpoint_fault:
            self._breaker = self._breaker.faulted(number, now_s, error.retry_after_s)
        else:
            self._breaker = self._breaker.succeeded(number)

    def _enter(self, now_s: float) -> int:
        self._in_flight += 1
        self._breaker = self._breaker.began(now_s)
        self._tell(now_s)
        return self._breaker.begun

    def _leave(self, number: int) -> None:
        """Give a place back. Whoever saw no end of the call abandons it: a probe that ended is none any more."""
        self._in_flight -= 1
        self._breaker = self._breaker.abandoned(number)
        now_s = self._clock()
        self._tell(now_s)
        self._admit(now_s)

    def _admit(self, now_s: float) -> None:
        """Let in whoever may, in line, and tell whoever waits in vain."""
        while self._waiting and self._is_open(now_s):
            first = next(iter(self._waiting))
            del self._waiting[first]
            if not first.done():
                first.set_result(self._enter(now_s))
        if self._wait_s(now_s) > 0:
            for future, limit in list(self._waiting.items()):
                refusal = self._refusal(limit, now_s)
                if refusal is not None:
                    del self._waiting[future]
                    if not future.done():
                        future.set_exception(refusal)
        self._wake_later(now_s)

    def _wake_later(self, now_s: float) -> None:
        """See to it that the line moves on when the wait is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wait_s = self._wait_s(now_s)
        if self._waiting and wait_s > 0:
            # A timer may fire a little early; `_admit` then looks at the clock and sets the next one.
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._admit(self._clock())

    def _is_open(self, now_s: float) -> bool:
        return self._in_flight < self._concurrency and now_s >= self._not_before_s and self._breaker.allows(now_s)

    def _wait_s(self, now_s: float) -> float:
        """Return how long no call may be made at all, seconds."""
        return max(0.0, self._not_before_s - now_s, self._breaker.wait_s(now_s))

    def _refusal(self, limit: asyncio.Timeout, now_s: float) -> NoPlaceError | None:
        wait_s, until_s = self._wait_s(now_s), limit.when()
        left_s = _FOREVER if until_s is None else until_s - asyncio.get_running_loop().time()
        if wait_s == 0 or wait_s < left_s:
            return None
        if self._not_before_s - now_s >= wait_s:
            because = f"endpoint {self._endpoint!r} asked to be left alone for {wait_s:.1f} s more"
        else:
            because = f"endpoint {self._endpoint!r} keeps failing and is left alone for {wait_s:.1f} s more"
        return NoPlaceError("unreachable", because, retry_after_s=wait_s)

    def _tell(self, now_s: float) -> None:
        state = self._breaker.state(now_s)
        # Time alone makes it half open; that is news only when somebody goes through.
        if state == "half_open" and self._breaker.probe is None:
            return
        if state != self._told:
            self._told = state
            self._on_change(self._endpoint, state)
