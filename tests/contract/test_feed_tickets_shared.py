"""One-time tickets of a process and in Redis: one contract. What only Redis adds: another process takes what one gave."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.feed_tickets_shared import PREFIX, RedisTickets
from tests.valkey_server import valkey
from world.errors import StoreUnavailableError
from world.feed.frames import Audience
from world.feed.tickets import TTL_S, LocalTickets, Ticket, Tickets

TICKET = Ticket("realm-1", Audience("ana", sees_hidden=True))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with valkey() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(params=["local", "redis"])
async def tickets(request: pytest.FixtureRequest) -> AsyncIterator[Tickets]:
    kept: Tickets = (
        LocalTickets(lambda: 0.0) if request.param == "local" else RedisTickets(request.getfixturevalue("url"))
    )
    yield kept
    await kept.close()


async def test_a_ticket_opens_once(tickets: Tickets) -> None:
    assert await tickets.give("secret-1", TICKET)

    assert [await tickets.take("secret-1"), await tickets.take("secret-1")] == [TICKET, None]
    assert await tickets.take("another") is None


async def test_of_many_who_come_at_once_with_one_ticket_one_gets_in(tickets: Tickets) -> None:
    await tickets.give("secret-2", TICKET)

    found = await asyncio.gather(*[tickets.take("secret-2") for _ in range(20)])

    assert sorted(each is None for each in found) == [False] + [True] * 19


async def test_another_process_takes_what_one_gave_and_the_server_holds_no_secret(url: str) -> None:
    one, other = RedisTickets(url), RedisTickets(url)
    server: Any = Redis.from_url(url)
    await one.give("secret-3", TICKET)

    [key] = await server.keys(f"{PREFIX}:*")
    assert b"secret" not in key
    assert 0 < await server.ttl(key) <= TTL_S
    assert await other.take("secret-3") == TICKET
    await one.close()
    await other.close()
    await server.aclose()


async def test_without_a_server_no_ticket_opens_anything() -> None:
    tickets = RedisTickets("redis://127.0.0.1:1/0")

    with pytest.raises(StoreUnavailableError):
        await tickets.give("secret", TICKET)
    with pytest.raises(StoreUnavailableError):
        await tickets.take("secret")
    await tickets.close()
