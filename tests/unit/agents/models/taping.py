"""Calls to models for tests of cassettes: recorded over real sockets, replayed where a socket would raise."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2

from agents.models.calls import Call, CallError, Completion
from agents.models.cassettes import Cassette
from agents.models.client import Client, open_client
from policies.models import Endpoint
from tests.unit.agents.models.wire_server import Say, answer, completion, serving


class NoNetwork(httpx2.AsyncBaseTransport):
    """Stands where the sockets would be; must never be called."""

    def __init__(self) -> None:
        self.is_closed = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise AssertionError("the network was called")

    async def aclose(self) -> None:
        self.is_closed = True


def no_network(_: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncBaseTransport:
    return NoNetwork()


@asynccontextmanager
async def plain(transport: httpx2.AsyncBaseTransport) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that knows nothing of ours."""
    async with httpx2.AsyncClient(transport=transport) as client:
        yield client


@asynccontextmanager
async def opened(endpoint: Endpoint, cassette: Cassette, *, key: str | None = None) -> AsyncIterator[Client]:
    """The real client around a cassette."""
    client = open_client(endpoint, key=key, around=cassette.around)
    try:
        yield client
    finally:
        await client.close()


@contextmanager
def recording(path: Path) -> Iterator[Cassette]:
    cassette = Cassette.recording(path)
    try:
        yield cassette
    finally:
        cassette.close()


async def record(path: Path, *calls: Call, replies: tuple[Say, ...] = (answer(completion()),)) -> None:
    """Record calls of the real client."""
    with recording(path) as cassette:
        async with serving(*replies) as server, opened(server.endpoint(), cassette) as client:
            for call in calls:
                await outcome_of(client, call)


async def outcome_of(client: Client, call: Call) -> Completion | CallError:
    try:
        async with asyncio.timeout(5):
            return await client.complete(call)
    except CallError as error:
        return error


async def replayed(cassette: Cassette, call: Call) -> Completion | CallError:
    """Make one call of the real client, without any network."""
    endpoint = Endpoint("local", "http://127.0.0.1:9/v1", None, "auto", 4)
    client = open_client(endpoint, key=None, around=lambda _: cassette.around(no_network()))
    try:
        return await outcome_of(client, call)
    finally:
        await client.close()
