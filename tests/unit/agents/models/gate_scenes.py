"""One gate in virtual time, and members who go through it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from agents.models.breaker import State
from agents.models.calls import CallError
from agents.models.gate import Gate, NoPlaceError
from tests.unit.agents.models.virtual_time import in_virtual_time, now_s


def down(retry_after_s: float | None = None) -> CallError:
    """Return an endpoint's fault."""
    return CallError("unreachable", "down", is_endpoint_fault=True, is_retryable=True, retry_after_s=retry_after_s)


@dataclass
class Scene:
    """One gate and what went through it."""

    gate: Gate
    changes: list[tuple[str, State]] = field(default_factory=list)
    began: list[tuple[str, float]] = field(default_factory=list)
    in_flight: int = 0
    most: int = 0

    async def call(
        self, name: str = "", *, takes_s: float = 0.0, fails: Exception | None = None, within_s: float | None = 6.0
    ) -> str:
        """Go through the gate as a member does; return the name, or how it ended."""

        async def work() -> str:
            self.began.append((name, now_s()))
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
            try:
                await asyncio.sleep(takes_s)
            finally:
                self.in_flight -= 1
            if fails is not None:
                raise fails
            return name

        async with asyncio.timeout(within_s) as limit:
            return await self.gate.through(work, limit)

    async def told(self, *arguments: Any, **more: Any) -> tuple[str, float]:
        """Make a call; return how it ended, and when."""
        try:
            return await self.call(*arguments, **more), now_s()
        except NoPlaceError as error:
            return f"no place: {error.because}", now_s()
        except CallError as error:
            return error.because, now_s()
        except TimeoutError:
            return "timeout", now_s()

    def status(self) -> tuple[State, int, int]:
        """Return the breaker's state, and how many are in flight and in line."""
        status = self.gate.status()
        return status.state, status.in_flight, status.waiting


def scene(concurrency: int = 4) -> Scene:
    """Return a gate that nobody used yet, on the running loop's time."""
    changes: list[tuple[str, State]] = []
    gate = Gate("lab", concurrency, on_change=lambda name, state: changes.append((name, state)), clock=now_s)
    return Scene(gate, changes)


Test = Callable[[], Coroutine[Any, Any, None]]


def virtual(test: Test) -> Callable[[], None]:
    """Run a test in virtual time: every moment in it is exact."""

    def run() -> None:
        in_virtual_time(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run
