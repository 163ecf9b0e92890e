"""One-time tickets that processes share through Redis: one gives a ticket, another one takes it."""

import asyncio
from typing import Final

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from world.errors import StoreUnavailableError
from world.feed.frames import Audience
from world.feed.tickets import TTL_S, Ticket, key_of

PREFIX: Final = "council:ticket"
TIMEOUT_S: Final = 1.0


class RedisTickets:
    """Tickets in one Redis or Valkey server, which forgets them by itself; GETDEL takes one in one step.

    Raises:
        StoreUnavailableError: by `give` and `take` where the server does not answer: what cannot be checked opens nothing.
    """

    def __init__(self, url: str, prefix: str = PREFIX) -> None:
        self._redis: Redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._prefix = prefix

    async def give(self, secret: str, ticket: Ticket) -> bool:
        document = {"realm_id": ticket.realm_id, **ticket.audience._asdict()}
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._redis.set(self._key(secret), orjson.dumps(document), ex=TTL_S)
        except (RedisError, TimeoutError) as error:
            raise StoreUnavailableError("tickets cannot be kept") from error
        return True

    async def take(self, secret: str) -> Ticket | None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await self._redis.getdel(self._key(secret))
        except (RedisError, TimeoutError) as error:
            raise StoreUnavailableError("tickets cannot be looked up") from error
        if found is None:
            return None
        document = orjson.loads(found)
        return Ticket(document.pop("realm_id"), Audience(**document))

    async def close(self) -> None:
        await self._redis.aclose()

    def _key(self, secret: str) -> str:
        return f"{self._prefix}:{key_of(secret)}"
