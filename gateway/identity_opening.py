"""Who calls, put together from the settings."""

import time

from gateway.auth import ServiceToken
from gateway.identity import Identities
from gateway.identity_keys import Audience, KeyRing
from gateway.identity_tokens import Reason
from gateway.metrics import Metrics
from gateway.settings import Settings


def open_identities(settings: Settings, metrics: Metrics) -> Identities:
    """Read the key set, where one is set, and count every refusal.

    Raises:
        SettingsError: where no service token is set.
        InvalidFileError: where the key set cannot be used.
    """
    token = ServiceToken(settings.required_token())
    ring = None if settings.jwt_keys is None else KeyRing(settings.jwt_keys, time.monotonic)
    if ring is not None:
        metrics.keys_refused.set_function(lambda: ring.is_refused)

    def count(audience: Audience, reason: Reason) -> None:
        metrics.child(metrics.tokens_refused, audience.value, reason.value).inc()

    return Identities(
        token,
        ring,
        issuer=settings.jwt_issuer,
        max_lifetime_s=settings.jwt_max_lifetime_s,
        clock=time.time,
        refused=count,
    )
