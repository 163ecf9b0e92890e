"""Looking into a token: what it says, and whether a service would take it, or why not."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.identity_keys import Audience, Keys
from gateway.identity_tokens import Claims, Expected, Refusal, read_token, split, strict_object
from gateway.roles import Permission, permissions_of


class Inspected(NamedTuple):
    """What was found."""

    header: Mapping[str, Any] | None
    """None where it is not one strict JSON object."""
    claims: Mapping[str, Any] | None
    """What the token says, which is not yet true; None where it is not one strict JSON object."""
    audience: Audience
    """Whom it was checked for: the audience that it names, else users."""
    outcome: Claims | Refusal
    permissions: frozenset[Permission]
    """What a good token allows; empty where it is refused."""


def inspect(token: bytes, keys: Keys, issuer: str, max_lifetime_s: int, now: float) -> Inspected:
    """Look into a token.

    Args:
        now: seconds since 1970.
    """
    parts = split(token)
    header = claims = None
    if not isinstance(parts, Refusal):
        header, claims = strict_object(parts.header), strict_object(parts.claims)
    audience = _named(claims)
    outcome = read_token(token, keys, Expected(audience, issuer, max_lifetime_s), now)
    allowed = permissions_of(outcome.roles) if isinstance(outcome, Claims) else frozenset[Permission]()
    return Inspected(header, claims, audience, outcome, allowed)


def _named(claims: Mapping[str, Any] | None) -> Audience:
    named = (claims or {}).get("aud")
    is_internal = named in (Audience.INTERNAL.value, [Audience.INTERNAL.value])
    return Audience.INTERNAL if is_internal else Audience.USER
