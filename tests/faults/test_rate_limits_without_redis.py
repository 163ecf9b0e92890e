"""S6: Redis gone, slow or flushed. Limits never fail open: a stricter one of this process holds until Redis is back."""

import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.rate_limits import Allowed, Buckets, Limit, Limited, Limits, LocalBuckets, Outcome, Sender
from gateway.rate_limits_shared import REST_S, TIMEOUT_S, GuardedBuckets, RedisBuckets
from tests.valkey_server import valkey

LIMITS = Limits(Limit(1, 8), Limit(1, 1_000), Limit(1, 1_000))
ANA = Sender("ana")


class Guarded:
    """Guarded buckets with a clock that a test turns; limits count by it too while they are local."""

    def __init__(self, shared: Buckets) -> None:
        self.now = 0.0
        self.fallen = 0
        self.buckets = GuardedBuckets(
            shared, LocalBuckets(LIMITS.halved(), lambda: self.now), lambda: self.now, self._count
        )

    def _count(self) -> None:
        self.fallen += 1

    async def allowed(self, count: int) -> int:
        return [outcome for _ in range(count) for outcome in await self.buckets.take([ANA])].count(Allowed())


@pytest.fixture
def server() -> Any:
    with valkey() as found:
        yield found


@pytest.fixture
async def guarded(server: Any) -> AsyncIterator[Guarded]:
    found = Guarded(RedisBuckets(f"redis://127.0.0.1:{server.port}/0", LIMITS))
    yield found
    await found.buckets.close()


async def test_without_redis_half_the_limit_holds_and_it_is_logged_once(
    server: Any, guarded: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    assert await guarded.allowed(1) == 1
    server.stop()
    with caplog.at_level(logging.INFO):
        assert await guarded.allowed(20) == 4
        guarded.now += REST_S
        await guarded.allowed(1)

    assert guarded.buckets.is_local
    assert guarded.fallen == 2
    assert [record.message for record in caplog.records if record.name.startswith("gateway")] == ["rate_limits_local"]


async def test_redis_is_left_alone_for_a_while_and_then_asked_again(server: Any, guarded: Guarded) -> None:
    port = server.port
    server.stop()
    await guarded.allowed(3)
    assert guarded.fallen == 1

    with valkey(port=port):
        assert await guarded.allowed(20) == 1
        assert guarded.buckets.is_local
        guarded.now += REST_S
        assert await guarded.allowed(20) == 8
        assert not guarded.buckets.is_local


async def test_a_redis_that_hangs_is_waited_for_once_and_briefly(server: Any, guarded: Guarded) -> None:
    client = server.client()
    await guarded.allowed(1)
    client.execute_command("CLIENT", "PAUSE", "60000", "ALL")
    started = time.monotonic()
    assert await guarded.allowed(50) == 4

    assert guarded.fallen == 1
    assert time.monotonic() - started < 4 * TIMEOUT_S
    client.close()


async def test_a_flushed_redis_starts_counting_anew_and_still_limits(server: Any, guarded: Guarded) -> None:
    assert await guarded.allowed(20) == 8
    client = server.client()
    client.flushall()
    client.close()

    assert await guarded.allowed(20) == 8
    assert not guarded.buckets.is_local


async def test_while_it_is_away_one_act_finds_out_and_the_others_do_not_wait() -> None:
    import asyncio

    asked = 0

    class Away:
        async def take(self, senders: object) -> list[Outcome]:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0)
            raise TimeoutError

        async def close(self) -> None:
            return

    guarded = Guarded(Away())
    await guarded.allowed(1)
    guarded.now += REST_S
    found = await asyncio.gather(*[guarded.buckets.take([ANA]) for _ in range(10)])

    assert asked == 2
    assert [isinstance(outcome, Limited) for (outcome,) in found].count(False) == 3
