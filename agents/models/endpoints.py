"""The endpoints of a process: each is opened once, at first use, and stays open across reviews and policy reloads.

The client's room takes seconds to import (langchain-openai), and its first client a tenth of one to build. Both happen in a
thread, so that the event loop goes on; `warm` gets it done before the first review pays for it out of its members' time.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agents.models.breaker import State
from agents.models.calls import Call, CallError, Completion
from agents.models.forms import Forms
from agents.models.gate import Gate, GateStatus
from policies.models import Endpoint, ModelUse

if TYPE_CHECKING:
    from agents.models.client import Around

logger = logging.getLogger(__name__)


class ChatClient(Protocol):
    """Makes calls to one endpoint."""

    async def complete(self, call: Call) -> Completion:
        """Make one call.

        Raises:
            CallError: for every way in which it can fail.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


Opener = Callable[[Endpoint, str | None], ChatClient]
"""Builds the client of an endpoint from its key's value."""


class OpenEndpoint(NamedTuple):
    """An endpoint that is ready for calls."""

    client: ChatClient
    gate: Gate
    forms: Forms


class Endpoints:
    """All endpoints of a process, for one event loop.

    Endpoints of one address, key variable and concurrency are one, whatever the policy calls them: one client, one gate.

    Args:
        environ: values of the variables that endpoints name as their keys.
        opener: builds clients; None: `agents.models.client.open_client`, imported at first use.
        around: wraps each client's transport, such as a recorder of cassettes.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        opener: Opener | None = None,
        around: "Around | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ = environ
        self._opener = opener
        self._around = around
        self._clock = clock
        self._open: dict[tuple[str, str | None, int], OpenEndpoint] = {}
        self._opening = asyncio.Lock()
        self._watching: list[Callable[[str, State], None]] = []

    def watch(self, on_change: Callable[[str, State], None]) -> None:
        """Tell somebody the name of every endpoint whose breaker changes, and the breaker's new state."""
        self._watching.append(on_change)

    async def opened(self, endpoint: Endpoint) -> OpenEndpoint:
        """Return an endpoint ready for calls.

        Raises:
            CallError: `unreachable`, where the variable that holds its key is not set.
        """
        found = self._open.get(_identity(endpoint))
        return found if found is not None else await self._opened_now(endpoint)

    async def warm(self, uses: Iterable[ModelUse]) -> None:
        """Open the endpoints of these models. What is wrong with one is said when it is asked, and by `council doctor`."""
        for use in uses:
            try:
                await self.opened(use.endpoint)
            except CallError:
                logger.warning("endpoint_without_key", extra={"endpoint": use.endpoint.name})

    def statuses(self) -> tuple[GateStatus, ...]:
        """Return what each endpoint in use looks like now, sorted by name."""
        return tuple(sorted([each.gate.status() for each in self._open.values()]))

    async def close(self) -> None:
        """Close all connections."""
        closing = [each.client for each in self._open.values()]
        self._open.clear()
        for client in closing:
            await client.close()

    async def _opened_now(self, endpoint: Endpoint) -> OpenEndpoint:
        async with self._opening:
            found = self._open.get(_identity(endpoint))
            if found is None:
                client = await self._client(endpoint, _key(endpoint, self._environ))
                gate = Gate(endpoint.name, endpoint.concurrency, on_change=self._changed, clock=self._clock)
                found = self._open[_identity(endpoint)] = OpenEndpoint(client, gate, Forms())
        return found

    async def _client(self, endpoint: Endpoint, key: str | None) -> ChatClient:
        if self._opener is not None:
            return self._opener(endpoint, key)
        return await asyncio.to_thread(_open_client, endpoint, key, self._around)

    def _changed(self, endpoint: str, state: State) -> None:
        for on_change in self._watching:
            on_change(endpoint, state)


def _identity(endpoint: Endpoint) -> tuple[str, str | None, int]:
    return (endpoint.base_url, endpoint.key, endpoint.concurrency)


def _key(endpoint: Endpoint, environ: Mapping[str, str]) -> str | None:
    """Return the value of an endpoint's key; None where it wants none."""
    if endpoint.key is None:
        return None
    key = environ.get(endpoint.key, "").strip()
    if not key:
        because = f"environment variable {endpoint.key!r} is not set: put the key of endpoint {endpoint.name!r} into it"
        raise CallError("unreachable", because)
    return key


def _open_client(endpoint: Endpoint, key: str | None, around: "Around | None") -> ChatClient:
    from agents.models.client import open_client  # noqa: PLC0415 - takes seconds; in this thread nobody waits for it

    return open_client(endpoint, key=key, around=around)
