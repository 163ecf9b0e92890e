"""Rate limits of this process: exact token buckets, three at once, all or none (S0-66)."""

from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given

from gateway.metrics import Metrics
from gateway.rate_limits import (
    SECOND_US,
    Allowed,
    Key,
    Limit,
    Limited,
    Limits,
    LocalBuckets,
    Outcome,
    RateLimits,
    Sender,
    too_many_chapters,
    too_often,
)
from gateway.rate_limits_opening import open_chapter_limits, open_rate_limits
from gateway.settings import read_settings

WIDE = Limit(1_000, 1_000)


class Turned:
    """Limits over buckets whose clock a test turns."""

    def __init__(self, limits: Limits) -> None:
        self.now = 0.0
        self.refused: list[Key] = []
        self.buckets = LocalBuckets(limits, lambda: self.now)
        self.limits = RateLimits(self.buckets, self.refused.append)

    async def times(self, count: int, sender: Sender) -> list[Outcome]:
        return await self.limits.check_all([sender] * count)


async def test_a_rested_user_may_send_a_burst_and_then_thirty_a_minute() -> None:
    """30 a minute is one in 2 s; after 60 at once the 61st waits 2 s."""
    turned = Turned(Limits(device=WIDE, session=WIDE))

    assert await turned.times(60, Sender("ana")) == [Allowed()] * 60
    assert await turned.limits.check("ana") == Limited(2, "user")
    turned.now = 1.999
    assert await turned.limits.check("ana") == Limited(1, "user")
    turned.now = 2.0
    assert await turned.limits.check("ana") == Allowed()
    assert await turned.limits.check("ana") == Limited(2, "user")
    # Two minutes fill it again: 60 of 2 s each.
    turned.now = 122.0
    assert await turned.times(61, Sender("ana")) == [*[Allowed()] * 60, Limited(2, "user")]


async def test_a_bucket_never_holds_more_than_its_burst() -> None:
    turned = Turned(Limits(Limit(60, 2), WIDE, WIDE))
    await turned.limits.check("ana")
    turned.now = 86_400.0

    assert await turned.times(4, Sender("ana")) == [Allowed(), Allowed(), Limited(1, "user"), Limited(1, "user")]


async def test_each_of_the_three_keys_holds() -> None:
    """The defaults: a session 20 at once and one in 3 s, a device 60 and one in 1 s."""
    turned = Turned(Limits())

    assert await turned.times(21, Sender("ana", "phone", "s-1")) == [*[Allowed()] * 20, Limited(3, "session")]
    for user, session in (("ben", "s-2"), ("cid", "s-3")):
        assert await turned.times(20, Sender(user, "phone", session)) == [Allowed()] * 20
    assert await turned.limits.check("dan", "phone", "s-4") == Limited(1, "device")
    assert turned.refused == ["session", "device"]


async def test_a_refused_act_is_counted_nowhere() -> None:
    """A session that is full must not empty its user's bucket: 20 of the user's 60 are spent, however often it is tried."""
    turned = Turned(Limits(device=WIDE))
    await turned.times(1_000, Sender("ana", None, "s-1"))

    assert await turned.times(41, Sender("ana", None, None)) == [*[Allowed()] * 40, Limited(2, "user")]


async def test_the_key_that_waits_longest_is_told() -> None:
    turned = Turned(Limits(Limit(6, 1), Limit(2, 1), Limit(60, 1)))
    await turned.limits.check("ana", "phone", "s-1")

    assert await turned.limits.check("ana", "phone", "s-1") == Limited(30, "device")


async def test_keys_of_one_name_and_another_kind_are_apart() -> None:
    turned = Turned(Limits(Limit(1, 1), Limit(1, 1), Limit(1, 1)))

    assert await turned.times(1, Sender("x")) + await turned.times(1, Sender("y", "x", "x")) == [Allowed(), Allowed()]


async def test_a_clock_that_jumps_back_lets_nobody_send_more() -> None:
    turned = Turned(Limits(Limit(1, 1), WIDE, WIDE))
    turned.now = 1_000.0
    await turned.limits.check("ana")
    turned.now = 0.0

    assert isinstance(await turned.limits.check("ana"), Limited)


async def test_full_buckets_are_forgotten() -> None:
    turned = Turned(Limits())
    for n in range(20_000):
        turned.now = float(n)
        await turned.limits.check(f"u-{n}")

    assert len(turned.buckets) < 3_000


async def test_an_empty_batch_is_nothing() -> None:
    assert await Turned(Limits()).limits.check_all([]) == []


def test_a_limit_is_rounded_to_the_strict_side() -> None:
    """7 a minute: 60,000,000 / 7 = 8,571,428.57 µs, so 8,571,429."""
    assert Limit(7, 1).interval_us == 8_571_429


def test_the_limit_that_stands_in_is_half() -> None:
    assert Limits().halved() == Limits(Limit(15, 30), Limit(30, 30), Limit(10, 10))
    assert Limit(1, 1).halved() == Limit(1, 1)


# Mostly bursts, with rests between them: buckets must run empty, and be full for a long time, to be told apart from wrong ones.
gaps = st.sampled_from([0, 0, 0, 0, 1, 7, 90])
acts = st.lists(
    st.tuples(gaps, st.sampled_from("aab"), st.sampled_from([None, "d", "d", "e"])), min_size=12, max_size=40
)


@given(st.integers(1, 90), st.integers(1, 3), st.integers(1, 90), st.integers(1, 3), acts)
async def test_it_is_a_token_bucket(
    rate: int, burst: int, device_rate: int, device_burst: int, sent: list[tuple[int, str, str | None]]
) -> None:
    """Against the definition in fractions: a bucket of `burst` tokens that gains one every interval, and never overflows."""
    limits = Limits(Limit(rate, burst), Limit(device_rate, device_burst), WIDE)
    turned = Turned(limits)
    tokens: dict[tuple[str, str], Fraction] = {}
    seen: dict[tuple[str, str], int] = {}
    for gap, user, device in sent:
        turned.now += gap
        now = int(turned.now) * SECOND_US
        named = [(("user", user), limits.user)] + ([(("device", device), limits.device)] if device else [])
        for key, limit in named:
            gained = Fraction(now - seen.get(key, now), limit.interval_us)
            tokens[key] = min(Fraction(limit.burst), tokens.get(key, Fraction(limit.burst)) + gained)
            seen[key] = now
        is_free = all(tokens[key] >= 1 for key, _ in named)

        outcome = await turned.limits.check(user, device)

        assert isinstance(outcome, Allowed) == is_free
        if is_free:
            for key, _ in named:
                tokens[key] -= 1
        elif isinstance(outcome, Limited):
            lacking = max((1 - tokens[key]) * limit.interval_us for key, limit in named)
            assert outcome.retry_after_s == -(-lacking // SECOND_US)


@given(st.integers(1, 90), st.integers(1, 3), acts)
async def test_whoever_waits_as_told_is_allowed(rate: int, burst: int, sent: list[tuple[int, str, str | None]]) -> None:
    turned = Turned(Limits(Limit(rate, burst), Limit(rate, burst), WIDE))
    for gap, user, device in sent:
        turned.now += gap
        outcome = await turned.limits.check(user, device)
        if isinstance(outcome, Limited):
            turned.now += outcome.retry_after_s
            assert await turned.limits.check(user, device) == Allowed()


def test_the_problem_says_when_to_come_back_and_not_who() -> None:
    problem = too_often(Limited(7, "device"))

    assert (problem.status, problem.headers["Retry-After"]) == (429, "7")
    assert problem.more == {"limit": "device", "retry_after_s": 7}


async def test_the_settings_are_the_limits() -> None:
    environ = {
        "COUNCIL_RATE_USER_PER_MINUTE": "1",
        "COUNCIL_RATE_USER_BURST": "2",
        "COUNCIL_RATE_SESSION_PER_MINUTE": "1",
    }
    metrics = Metrics()
    limits = open_rate_limits(read_settings(environ), metrics)

    assert [await limits.check("ana", "d", "s") for _ in range(2)] == [Allowed(), Limited(60, "session")]
    assert [await limits.check("ana", "d") for _ in range(2)] == [Allowed(), Limited(60, "user")]
    assert 'council_rate_limited_total{key="session"} 1.0' in metrics.exposition().decode()
    await limits.close()


async def test_chapters_have_a_bucket_of_their_own() -> None:
    environ = {
        "COUNCIL_RATE_USER_PER_MINUTE": "1",
        "COUNCIL_RATE_USER_BURST": "1",
        "COUNCIL_RATE_PLAN_PER_MINUTE": "2",
        "COUNCIL_RATE_PLAN_BURST": "3",
    }
    metrics = Metrics()
    acts, chapters = (opening(read_settings(environ), metrics) for opening in (open_rate_limits, open_chapter_limits))

    assert [await acts.check("ana") for _ in range(2)] == [Allowed(), Limited(60, "user")]
    assert [await chapters.check("ana") for _ in range(4)] == [*[Allowed()] * 3, Limited(30, "user")]
    assert 'council_rate_limited_total{key="plan"} 1.0' in metrics.exposition().decode()
    assert too_many_chapters(Limited(30, "user")).headers["Retry-After"] == "30"


@pytest.mark.parametrize("url", ["http://h", "redis://", "localhost:6379", "redis://h:port"])
def test_a_redis_url_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    from gateway.errors import SettingsError

    with pytest.raises(SettingsError) as caught:
        read_settings({"COUNCIL_REDIS_URL": url})
    assert "COUNCIL_REDIS_URL is no URL of Redis" in str(caught.value)
