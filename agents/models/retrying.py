"""When a call is made again, and how long after. The one place that retries: clients and their libraries never do.

    endpoint faults that may pass    as often as the policy says, after an exponential wait with jitter, never before the
                                     endpoint's own Retry-After (reliability.md, L3, L6, L8)
    replies that are no vote         once more, at once: the endpoint is well, the model may write it better (L9 to L15)
    everything else                  never: the same call would fail the same way (L5, L7, L12)

A retry that does not fit into the member's time left is not made.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_exponential, wait_random
from tenacity.wait import wait_base

from agents.models.calls import CallError

FIRST_WAIT_S: Final = 0.2
"""Doubled with every further retry."""
LONGEST_BACKOFF_S: Final = 5.0
JITTER_S: Final = 0.2
"""So that five members who failed together do not come back together."""


class Backoff(wait_base):
    """The wait before the next call, seconds, by how the last one failed."""

    _jitter = wait_random(0, JITTER_S)
    _growing = wait_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_BACKOFF_S)

    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the wait."""
        error = _error(retry_state)
        if error is None or not error.is_endpoint_fault:
            return 0.0
        wait_s = self._growing(retry_state) if error.retry_after_s is None else error.retry_after_s
        return wait_s + self._jitter(retry_state)


async def with_retries(attempt: Callable[[], Awaitable[None]], retries: int, limit: asyncio.Timeout) -> None:
    """Make an attempt until it succeeds, or no other one is worth making.

    Args:
        attempt: makes one attempt.
        retries: most attempts after the first.
        limit: the member's own limit of time.

    Raises:
        CallError: of the last attempt.
    """
    try:
        return await attempt()
    except CallError as error:
        known: list[CallError] = [error]

    async def again() -> None:
        # The first attempt was made above: where it succeeds, as it mostly does, tenacity's machinery is not even built.
        if known:
            raise known.pop()
        await attempt()

    retrying = AsyncRetrying(
        sleep=asyncio.sleep,
        stop=_Stop(retries, limit),
        wait=Backoff(),
        retry=_Worth(),
        reraise=True,
    )
    return await retrying(again)


class _Worth:
    """Whether another attempt may succeed where the last one failed."""

    def __init__(self) -> None:
        self._repaired = False

    def __call__(self, retry_state: RetryCallState) -> bool:
        error = _error(retry_state)
        if error is None or not error.is_retryable:
            return False
        if error.is_endpoint_fault:
            return True
        is_first, self._repaired = not self._repaired, True
        return is_first


class _Stop:
    """After the policy's retries, or where the wait outlasts the member's time."""

    def __init__(self, retries: int, limit: asyncio.Timeout) -> None:
        self._enough = stop_after_attempt(1 + retries)
        self._limit = limit

    def __call__(self, retry_state: RetryCallState) -> bool:
        if self._enough(retry_state):
            return True
        until_s = self._limit.when()
        left_s = None if until_s is None else until_s - asyncio.get_running_loop().time()
        return left_s is not None and retry_state.upcoming_sleep >= left_s


def _error(retry_state: RetryCallState) -> CallError | None:
    """Return how the attempt failed; None where it did not, or by something else than a call's failure."""
    error = None if retry_state.outcome is None else retry_state.outcome.exception()
    return error if isinstance(error, CallError) else None
