"""Buckets of this process and buckets in Redis: one contract (S0-66).

Redis counts by its own clock. Instead of waiting, a test moves what is stored into the past: the same as time passing.
"""

import random
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import pytest
from redis.asyncio import Redis

from gateway.metrics import Metrics
from gateway.rate_limits import (
    SECOND_US,
    Allowed,
    Buckets,
    Limit,
    Limited,
    Limits,
    LocalBuckets,
    Sender,
)
from gateway.rate_limits_opening import open_chapter_limits, open_rate_limits
from gateway.rate_limits_shared import PREFIX, RedisBuckets
from gateway.settings import read_settings
from tests.valkey_server import valkey

# Whole seconds of 60, 30 and 15: the milliseconds that a test takes change no answer, which is rounded up to seconds.
LIMITS = Limits(Limit(1, 2), Limit(2, 3), Limit(4, 5))


class Held(Protocol):
    """Buckets, and time that a test lets pass."""

    buckets: Buckets

    async def wait(self, seconds: int) -> None: ...


class HeldHere:
    def __init__(self, limits: Limits) -> None:
        self.now = 0.0
        self.buckets: Buckets = LocalBuckets(limits, lambda: self.now)

    async def wait(self, seconds: int) -> None:
        self.now += seconds


class HeldInRedis:
    def __init__(self, url: str, limits: Limits) -> None:
        self.redis: Any = Redis.from_url(url)
        self.buckets: Buckets = RedisBuckets(url, limits)

    async def wait(self, seconds: int) -> None:
        async for key in self.redis.scan_iter(f"{PREFIX}:*"):
            await self.redis.decrby(key, seconds * SECOND_US)

    async def close(self) -> None:
        await self.redis.flushall()
        await self.redis.aclose()
        await self.buckets.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with valkey() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(params=["local", "redis"])
async def held(request: pytest.FixtureRequest) -> AsyncIterator[Held]:
    if request.param == "local":
        yield HeldHere(LIMITS)
        return
    found = HeldInRedis(request.getfixturevalue("url"), LIMITS)
    yield found
    await found.close()


async def test_a_burst_is_taken_and_then_one_an_interval(held: Held) -> None:
    """The user's bucket: one a minute, two at once."""
    ana = Sender("ana")

    assert await held.buckets.take([ana, ana, ana]) == [Allowed(), Allowed(), Limited(60, "user")]
    await held.wait(30)
    assert await held.buckets.take([ana]) == [Limited(30, "user")]
    await held.wait(30)
    assert await held.buckets.take([ana, ana]) == [Allowed(), Limited(60, "user")]


async def test_a_refused_act_takes_from_no_bucket(held: Held) -> None:
    """The user is full after two; the device has one left, however often the user tries."""
    await held.buckets.take([Sender("ana", "phone")] * 9)

    assert await held.buckets.take([Sender("ben", "phone"), Sender("cid", "phone")]) == [
        Allowed(),
        Limited(30, "device"),
    ]


async def test_senders_of_one_batch_count_for_one_another_in_order(held: Held) -> None:
    batch = [Sender("ana"), Sender("ben"), Sender("ana"), Sender("ana"), Sender("ben")]

    assert await held.buckets.take(batch) == [Allowed(), Allowed(), Allowed(), Limited(60, "user"), Allowed()]


async def test_names_may_hold_whatever_an_id_may(held: Held) -> None:
    odd = Sender("người:chơi/+@", "-", "user:ana")
    await held.buckets.take([odd, odd])

    assert await held.buckets.take([odd]) == [Limited(60, "user")]
    assert await held.buckets.take([Sender("ana", "người:chơi/+@")]) == [Allowed()]


@pytest.mark.parametrize("seed", range(8))
async def test_both_say_the_same_of_any_history(url: str, seed: int) -> None:
    drawn = random.Random(seed)
    here, there = HeldHere(LIMITS), HeldInRedis(url, LIMITS)
    try:
        for _ in range(40):
            gap = drawn.choice([0, 0, 0, 7, 30, 70])
            sender = Sender(drawn.choice("ab"), drawn.choice([None, "d"]), drawn.choice([None, "s", "t"]))
            await here.wait(gap)
            await there.wait(gap)
            assert await here.buckets.take([sender]) == await there.buckets.take([sender])
    finally:
        await there.close()


async def test_what_redis_keeps_goes_when_it_says_nothing_any_more(url: str) -> None:
    """A bucket that is full is no bucket: the key of a user who owes 60 s lives 60 s."""
    held = HeldInRedis(url, LIMITS)
    await held.buckets.take([Sender("ana")])

    lives_ms = await held.redis.pttl(f"{PREFIX}:user:ana")
    assert 55_000 < lives_ms <= 60_000
    await held.close()


async def test_two_processes_share_what_redis_counts(url: str) -> None:
    import asyncio

    held, other = HeldInRedis(url, LIMITS), RedisBuckets(url, LIMITS)
    outcomes = await asyncio.gather(*[one.take([Sender("ana")]) for one in (held.buckets, other) for _ in range(20)])

    assert [outcome for (outcome,) in outcomes].count(Allowed()) == 2
    await other.close()
    await held.close()


async def test_chapters_and_acts_of_one_user_are_counted_apart_by_all_processes(url: str) -> None:
    environ = {"COUNCIL_REDIS_URL": url, "COUNCIL_RATE_PLAN_BURST": "2", "COUNCIL_RATE_PLAN_PER_MINUTE": "1"}
    settings = read_settings(environ)
    one, other = open_chapter_limits(settings, Metrics()), open_chapter_limits(settings, Metrics())
    acts = open_rate_limits(settings, Metrics())

    assert [await each.check("ana") for each in (one, other, one)] == [Allowed(), Allowed(), Limited(60, "user")]
    assert await acts.check("ana") == Allowed()
    for each in (one, other, acts):
        await each.close()
