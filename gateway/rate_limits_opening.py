"""The rate limits, put together from the settings."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.metrics import Metrics
from gateway.rate_limits import Key, Limit, Limits, LocalBuckets, RateLimits
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.rate_limits_shared import GuardedBuckets


def open_rate_limits(settings: Settings, metrics: Metrics) -> RateLimits:
    """Return the limits on reported acts: in Redis where one is set, else of this process.

    Raises:
        SettingsError: for a Redis URL that cannot be used.
    """
    limits = Limits(
        Limit(settings.rate_user_per_minute, settings.rate_user_burst),
        Limit(settings.rate_device_per_minute, settings.rate_device_per_minute),
        Limit(settings.rate_session_per_minute, settings.rate_session_per_minute),
    )

    if settings.redis_url is None:
        return RateLimits(LocalBuckets(limits, time.monotonic), _counting(metrics))
    guarded = _guarded(settings.redis_url.get_secret_value(), limits, metrics)
    metrics.rate_fallback.set_function(lambda: guarded.is_local)
    return RateLimits(guarded, _counting(metrics))


def open_chapter_limits(settings: Settings, metrics: Metrics) -> RateLimits:
    """Return the limit on chapters that are planned for a user, kept where the limits on acts are.

    Raises:
        SettingsError: for a Redis URL that cannot be used.
    """
    limits = Limits(user=Limit(settings.rate_plan_per_minute, settings.rate_plan_burst))
    count = metrics.child(metrics.rate_limited, "plan").inc
    if settings.redis_url is None:
        return RateLimits(LocalBuckets(limits, time.monotonic), lambda _: count())
    # Whether Redis answers, the limits on acts show already.
    return RateLimits(_guarded(settings.redis_url.get_secret_value(), limits, metrics, ":plan"), lambda _: count())


def _counting(metrics: Metrics) -> Callable[[Key], None]:
    return lambda which: metrics.child(metrics.rate_limited, which).inc()


def _guarded(url: str, limits: Limits, metrics: Metrics, kind: str = "") -> "GuardedBuckets":
    # Late: a council without Redis does without its driver.
    from gateway.rate_limits_shared import PREFIX, GuardedBuckets, RedisBuckets  # noqa: PLC0415

    local = LocalBuckets(limits.halved(), time.monotonic)
    return GuardedBuckets(RedisBuckets(url, limits, PREFIX + kind), local, time.monotonic, metrics.rate_fallbacks.inc)
