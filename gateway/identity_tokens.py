"""Strict reading of one JWT (RFC 7519, 7515; best practice of RFC 8725; reliability.md, measured fact 5).

PyJWT brings the signatures; everything around them is read here, once, from the very bytes that were signed: a library's parser
takes duplicate claims, odd times and other keys' tokens. Nothing in a token chooses an algorithm, a file or an address.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from gateway.identity_keys import Audience, Keys
from gateway.roles import Role
from policies.faults import InvalidInputError
from policies.strict_json import parse_strict

MAX_TOKEN: Final = 4_096
"""Longest token that is looked at, bytes."""
LEEWAY_S: Final = 30
"""By how much clocks may differ, seconds (reliability.md, S7)."""
TYPE: Final = "at+jwt"
"""The only `typ` that is taken (RFC 9068): an ID token or a logout token is no access token."""
_COMPACT = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_ID = re.compile(r"[\w.:@/+\-]{1,128}")
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_ROLES: Final = frozenset(role.value for role in Role)
_MAX_DEPTH: Final = 8


class Reason(StrEnum):
    """Why a token is refused; each with what a caller is told and how to mend it. ASCII without quotes: it stands in a header."""

    told: str
    fix: str

    def __new__(cls, slug: str, told: str, fix: str) -> "Reason":
        """Make a member whose value is the slug."""
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.told = told
        member.fix = fix
        return member

    MISSING = "missing", "there is no token", "send the header Authorization: Bearer with a token"
    NO_KEYS = "no_keys", "this service takes no JWT", "the operator sets COUNCIL_JWT_KEYS to a key set"
    TOO_LONG = "too_long", "the token is too long", f"send at most {MAX_TOKEN} bytes"
    MALFORMED = "malformed", "the token is not a compact JWT", "send three base64url parts, signed and not encrypted"
    BAD_HEADER = (
        "bad_header",
        "the header of the token is not strict JSON of alg, typ and kid",
        "send these three, once each",
    )
    WRONG_TYPE = "wrong_type", f"the typ of the token is not {TYPE}", f"sign access tokens with typ {TYPE} (RFC 9068)"
    UNKNOWN_KEY = (
        "unknown_key",
        "the kid of the token names no key of the set",
        "get a new token: keys are changed now and then",
    )
    WRONG_ALGORITHM = (
        "wrong_algorithm",
        "the alg of the token is not the one of its key",
        "sign with the algorithm that the key set names",
    )
    BAD_SIGNATURE = (
        "bad_signature",
        "the signature does not fit the token and its key",
        "send the token as it was issued",
    )
    BAD_CLAIMS = (
        "bad_claims",
        "the claims of the token are not one strict JSON object",
        "give every claim once, as RFC 8259 JSON",
    )
    WRONG_ISSUER = (
        "wrong_issuer",
        "the iss of the token is not the issuer that is trusted",
        "COUNCIL_JWT_ISSUER names it",
    )
    WRONG_AUDIENCE = (
        "wrong_audience",
        "the aud of the token is another one",
        "use council:user for /api/*, council:internal for /internal/*",
    )
    KEY_NOT_FOR_THIS = (
        "key_not_for_this",
        "the key of the token may not sign for this audience",
        "the key set lists audiences with each key",
    )
    BAD_SUBJECT = (
        "bad_subject",
        "the sub of the token is missing or not an id",
        "send 1 to 128 letters, digits and . : @ / + - _",
    )
    BAD_ROLES = (
        "bad_roles",
        "the roles of the token are missing, unknown or repeated",
        "send a list of: " + ", ".join(Role),
    )
    BAD_REALM = (
        "bad_realm",
        "the realm of the token is not an id",
        "send one realm id, or leave the claim out for all realms",
    )
    BAD_TIMES = (
        "bad_times",
        "the iat, exp or nbf of the token are missing or not whole seconds in order",
        "send whole seconds since 1970, iat before exp",
    )
    EXPIRED = "expired", "the token has expired", "get a new one"
    NOT_YET_VALID = "not_yet_valid", "the token is not valid yet", "check the clock of whoever issued it"
    TOO_LASTING = (
        "too_lasting",
        "the token lasts longer than is accepted",
        "COUNCIL_JWT_MAX_LIFETIME_S is the most between iat and exp",
    )


class Refusal(NamedTuple):
    """A token that is missing or not good."""

    reason: Reason


class Expected(NamedTuple):
    """What a token must say."""

    audience: Audience
    issuer: str
    max_lifetime_s: int


class Claims(NamedTuple):
    """What a good token says."""

    subject: str
    roles: frozenset[Role]
    realm_id: str | None
    expires_at: int
    """Seconds since 1970."""


class Parts(NamedTuple):
    """The three parts of a compact JWT, decoded, and what was signed."""

    header: bytes
    claims: bytes
    signature: bytes
    signed: bytes


def read_token(token: bytes, keys: Keys, expected: Expected, now: float) -> Claims | Refusal:
    """Return what a good token says, or the first reason why it is not good.

    No claim is looked at before the signature is found right.

    Args:
        now: seconds since 1970.
    """
    parts = split(token)
    if isinstance(parts, Refusal):
        return parts
    audiences = _signed_for(parts, keys)
    if isinstance(audiences, Refusal):
        return audiences
    claims = strict_object(parts.claims)
    if claims is None:
        return Refusal(Reason.BAD_CLAIMS)
    wrong = _wrong_parties(claims, expected, audiences) or _wrong_times(claims, expected.max_lifetime_s, now)
    return _content(claims) if wrong is None else Refusal(wrong)


def split(token: bytes) -> Parts | Refusal:
    """Take a compact JWT apart: three parts of canonical base64url, so that one token has one spelling."""
    if len(token) > MAX_TOKEN:
        return Refusal(Reason.TOO_LONG)
    found = _COMPACT.fullmatch(token)
    if found is None:
        return Refusal(Reason.MALFORMED)
    decoded = [_decoded(part) for part in found.groups()]
    header, claims, signature = decoded
    if header is None or claims is None or signature is None:
        return Refusal(Reason.MALFORMED)
    return Parts(header, claims, signature, token[: found.end(2)])


def is_id(value: object) -> bool:
    """Return whether a value can be a subject or a realm."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def strict_object(raw: bytes) -> Mapping[str, Any] | None:
    """Parse JSON strictly; None where it is not one object, repeats a key or is otherwise not strict."""
    try:
        value = parse_strict(raw, max_bytes=MAX_TOKEN, max_depth=_MAX_DEPTH).value
    except InvalidInputError:
        return None
    return value if isinstance(value, dict) else None


def _decoded(part: bytes) -> bytes | None:
    try:
        decoded = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        return None
    return decoded if urlsafe_b64encode(decoded).rstrip(b"=") == part else None


def _signed_for(parts: Parts, keys: Keys) -> frozenset[Audience] | Refusal:
    """Check header and signature; return the audiences that the key may sign for."""
    header = strict_object(parts.header)
    if header is None or header.keys() != _HEADER or not all(isinstance(value, str) for value in header.values()):
        return Refusal(Reason.BAD_HEADER)
    if header["typ"] != TYPE:
        return Refusal(Reason.WRONG_TYPE)
    key = keys.get(header["kid"])
    if key is None:
        return Refusal(Reason.UNKNOWN_KEY)
    if header["alg"] != key.algorithm:
        return Refusal(Reason.WRONG_ALGORITHM)
    return key.audiences if key.verifies(parts.signed, parts.signature) else Refusal(Reason.BAD_SIGNATURE)


def _wrong_parties(claims: Mapping[str, Any], expected: Expected, audiences: frozenset[Audience]) -> Reason | None:
    if claims.get("iss") != expected.issuer:
        return Reason.WRONG_ISSUER
    # One audience, and no more: a token that is good in two places is stolen in the one and used in the other.
    if claims.get("aud") not in (expected.audience.value, [expected.audience.value]):
        return Reason.WRONG_AUDIENCE
    return None if expected.audience in audiences else Reason.KEY_NOT_FOR_THIS


def _wrong_times(claims: Mapping[str, Any], max_lifetime_s: int, now: float) -> Reason | None:
    issued, expires, since = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    # type() and not isinstance(): True is an int.
    if type(issued) is not int or type(expires) is not int or type(since) is not int or not 0 < issued < expires:
        return Reason.BAD_TIMES
    if now >= expires + LEEWAY_S:
        return Reason.EXPIRED
    if max(issued, since) > now + LEEWAY_S:
        return Reason.NOT_YET_VALID
    return Reason.TOO_LASTING if expires - issued > max_lifetime_s else None


def _content(claims: Mapping[str, Any]) -> Claims | Refusal:
    subject, roles, realm = claims.get("sub"), claims.get("roles"), claims.get("realm")
    if not is_id(subject):
        return Refusal(Reason.BAD_SUBJECT)
    known = _roles(roles)
    if known is None:
        return Refusal(Reason.BAD_ROLES)
    if "realm" in claims and not is_id(realm):
        return Refusal(Reason.BAD_REALM)
    return Claims(str(subject), known, realm, claims["exp"])


def _roles(claimed: object) -> frozenset[Role] | None:
    if not isinstance(claimed, list) or not 0 < len(claimed) <= len(Role):
        return None
    if not all(isinstance(role, str) and role in _ROLES for role in claimed):
        return None
    roles = frozenset(map(Role, claimed))
    return roles if len(roles) == len(claimed) else None
