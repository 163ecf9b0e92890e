"""The rate limits, put together from the settings."""

import time

from gateway.metrics import Metrics
from gateway.rate_limits import Buckets, Key, Limit, Limits, LocalBuckets, RateLimits
from gateway.settings import Settings


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

    def count(which: Key) -> None:
        metrics.child(metrics.rate_limited, which).inc()

    return RateLimits(_buckets(settings, limits, metrics), count)


def _buckets(settings: Settings, limits: Limits, metrics: Metrics) -> Buckets:
    if settings.redis_url is None:
        return LocalBuckets(limits, time.monotonic)
    # Late: a council without Redis does without its driver.
    from gateway.rate_limits_shared import GuardedBuckets, RedisBuckets  # noqa: PLC0415

    shared = RedisBuckets(settings.redis_url.get_secret_value(), limits)
    local = LocalBuckets(limits.halved(), time.monotonic)
    guarded = GuardedBuckets(shared, local, time.monotonic, metrics.rate_fallbacks.inc)
    metrics.rate_fallback.set_function(lambda: guarded.is_local)
    return guarded
