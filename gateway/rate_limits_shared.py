"""Rate limits that processes share through Redis, with a stricter one of this process for when Redis does not answer (S6)."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.rate_limits import KEYS, Allowed, Buckets, Limits, Outcome, Sender, limited

PREFIX: Final = "council:rate"
TIMEOUT_S: Final = 0.25
"""How long Redis may take for one batch, seconds."""
REST_S: Final = 5.0
"""How long Redis is left alone after it did not answer, seconds: no act waits for it meanwhile."""
_NONE: Final = "-"
_log = logging.getLogger(__name__)
# The time is the server's: processes whose clocks differ still count together (S7). Numbers stay below 2^53, where Lua is exact.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local outcomes = {}
for first = 1, #KEYS, 3 do
  local wait, which, after = nil, 0, {}
  for i = 0, 2 do
    local key = KEYS[first + i]
    if key ~= '-' then
      local full_at = math.max(tonumber(redis.call('GET', key) or 0), now) + ARGV[2 * i + 1]
      local owed = full_at - now - ARGV[2 * i + 2]
      after[key] = full_at
      if wait == nil or owed > wait then wait, which = owed, i end
    end
  end
  if wait <= 0 then
    for key, full_at in pairs(after) do
      redis.call('SET', key, string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
    end
    wait = 0
  end
  outcomes[#outcomes + 1] = string.format('%.0f', wait)
  outcomes[#outcomes + 1] = which
end
return outcomes
"""


class RedisBuckets:
    """Buckets in one Redis or Valkey server. A script takes a whole batch: nothing comes between reading and writing.

    Raises:
        RedisError, TimeoutError: by `take`, where the server does not answer.
    """

    def __init__(self, url: str, limits: Limits, prefix: str = PREFIX) -> None:
        self._redis: Redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._script = self._redis.register_script(_TAKE)
        self._prefix = prefix
        self._costs = [cost for limit in limits for cost in (limit.interval_us, limit.capacity_us)]

    async def take(self, senders: Sequence[Sender]) -> list[Outcome]:
        """Take one act of each sender."""
        keys = [self._key(key, name) for sender in senders for key, name in zip(KEYS, sender, strict=True)]
        async with asyncio.timeout(TIMEOUT_S):
            found: list[Any] = await self._script(keys=keys, args=self._costs)
        pairs = zip(found[::2], found[1::2], strict=True)
        return [limited(int(wait), KEYS[which]) if int(wait) else Allowed() for wait, which in pairs]

    def _key(self, key: str, name: str | None) -> str:
        return _NONE if name is None else f"{self._prefix}:{key}:{name}"

    async def close(self) -> None:
        """Let connections go."""
        await self._redis.aclose()


class GuardedBuckets:
    """Shared buckets, and stricter ones of this process while the shared ones do not answer.

    Args:
        shared: raise RedisError, OSError or TimeoutError where they do not answer.
        local: hold meanwhile.
        clock: seconds that only grow.
        fallen: told whenever the shared ones do not answer.
    """

    def __init__(self, shared: Buckets, local: Buckets, clock: Callable[[], float], fallen: Callable[[], None]) -> None:
        self._shared = shared
        self._local = local
        self._clock = clock
        self._fallen = fallen
        self._ask_at = clock()
        self.is_local = False
        """Whether the stricter limit of this process holds."""

    async def take(self, senders: Sequence[Sender]) -> list[Outcome]:
        """Take one act of each sender from the shared buckets, or from the local ones."""
        now = self._clock()
        if now >= self._ask_at:
            if self.is_local:
                # One act finds out whether the server is back; the others do not wait for it.
                self._ask_at = now + REST_S
            try:
                outcomes = await self._shared.take(senders)
            except (RedisError, OSError, TimeoutError) as error:
                self._fall(error)
            else:
                self._rise()
                return outcomes
        return await self._local.take(senders)

    def _fall(self, error: Exception) -> None:
        self._ask_at = self._clock() + REST_S
        self._fallen()
        if not self.is_local:
            self.is_local = True
            _log.warning(
                "rate_limits_local", extra={"error": type(error).__qualname__, "hint": "Redis does not answer"}
            )

    def _rise(self) -> None:
        if self.is_local:
            self.is_local = False
            self._ask_at = self._clock()
            _log.info("rate_limits_shared")

    async def close(self) -> None:
        """Let connections go."""
        await self._shared.close()
