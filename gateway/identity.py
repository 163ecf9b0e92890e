"""Who calls: users by JWT, services by JWT or by the static token, each refused with its reason (S0-84, S0-85, K20)."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from gateway.auth import ServiceToken
from gateway.identity_keys import Audience, KeyRing
from gateway.identity_tokens import Claims, Expected, Reason, Refusal, read_token
from gateway.roles import Permission, Role, permissions_of

STATIC: Final = "static"
"""Name of the service that sent COUNCIL_SERVICE_TOKEN itself: it may do everything, in every realm."""
_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([^ ]+) *")


class User(NamedTuple):
    """A person whose token was found good."""

    user_id: str
    roles: frozenset[Role]
    realm_id: str | None = None
    """The one realm that the token is for; None: all."""

    def may(self, permission: Permission) -> bool:
        """Return whether one of the roles allows it."""
        return permission in permissions_of(self.roles)


class Service(NamedTuple):
    """A program whose token was found good."""

    name: str
    roles: frozenset[Role]
    realm_id: str | None = None
    """The one realm that the token is for; None: all."""

    def may(self, permission: Permission) -> bool:
        """Return whether one of the roles allows it."""
        return permission in permissions_of(self.roles)


Caller = TypeVar("Caller", User, Service)
_EVERYTHING: Final = Service(STATIC, frozenset({Role.ADMIN}))


class Identities:
    """Tells who sent an `Authorization` header.

    Args:
        token: COUNCIL_SERVICE_TOKEN.
        keys: the keys that sign JWTs; None: none are taken.
        issuer: whom tokens must name as `iss`.
        max_lifetime_s: longest time from `iat` to `exp`, seconds.
        clock: seconds since 1970.
        refused: told of every refusal; it counts them.
    """

    def __init__(
        self,
        token: ServiceToken,
        keys: KeyRing | None,
        *,
        issuer: str,
        max_lifetime_s: int,
        clock: Callable[[], float],
        refused: Callable[[Audience, Reason], None],
    ) -> None:
        self._token = token
        self._keys = keys
        self._issuer = issuer
        self._max_lifetime_s = max_lifetime_s
        self._clock = clock
        self._refused = refused

    def user(self, authorization: bytes | None) -> User | Refusal:
        """Return the user whom a header names, or why it names none."""
        claims = self._claims(authorization, Audience.USER)
        if isinstance(claims, Refusal):
            return claims
        return User(claims.subject, claims.roles, claims.realm_id)

    def service(self, authorization: bytes | None) -> Service | Refusal:
        """Return the service that a header names, or why it names none; the static token is looked at first."""
        if self._token.admits(authorization):
            return _EVERYTHING
        claims = self._claims(authorization, Audience.INTERNAL)
        if isinstance(claims, Refusal):
            return claims
        return Service(claims.subject, claims.roles, claims.realm_id)

    def _claims(self, authorization: bytes | None, audience: Audience) -> Claims | Refusal:
        found = self._read(authorization, audience)
        if isinstance(found, Refusal):
            self._refused(audience, found.reason)
        return found

    def _read(self, authorization: bytes | None, audience: Audience) -> Claims | Refusal:
        if authorization is None:
            return Refusal(Reason.MISSING)
        sent = _BEARER.fullmatch(authorization)
        if sent is None:
            # Of another scheme, such as Basic, it is the scheme that is wrong and not the token.
            return Refusal(Reason.MALFORMED if authorization.lower().startswith(b"bearer") else Reason.MISSING)
        if self._keys is None:
            return Refusal(Reason.NO_KEYS)
        expected = Expected(audience, self._issuer, self._max_lifetime_s)
        return read_token(sent[1], self._keys.current(), expected, self._clock())
