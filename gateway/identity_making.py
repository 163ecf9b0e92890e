"""Making keys and tokens for development and tests; in production whoever signs players in keeps the private halves.

A signing file is a JWK set with private keys, one for each audience: what mints players' tokens cannot mint services' tokens.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from jwt.utils import base64url_encode

from evals.errors import EvalsError
from gateway.identity_keys import Audience
from gateway.identity_tokens import TYPE
from gateway.roles import Role
from policies.canonical import canonical_json, sha256_hex

ALGORITHM: Final = "EdDSA"
_PUBLIC: Final = ("kty", "crv", "x", "alg", "use", "kid", "audiences")
_SHORT: Final = {Audience.USER: "user", Audience.INTERNAL: "internal"}
Jwk = dict[str, Any]


class Wanted(NamedTuple):
    """What a token shall say."""

    subject: str
    roles: tuple[Role, ...]
    audience: Audience
    realm_id: str | None
    issuer: str
    lifetime_s: int


def make_key(audience: Audience) -> Jwk:
    """Return a new private Ed25519 key that signs for one audience."""
    made: Jwk = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    # Named by its public half, like an RFC 7638 thumbprint: two keys never share a name.
    name = sha256_hex(canonical_json({"kty": made["kty"], "crv": made["crv"], "x": made["x"]}))[:10]
    about = {"alg": ALGORITHM, "use": "sig", "kid": f"{_SHORT[audience]}-{name}", "audiences": [audience.value]}
    return {"kty": made["kty"], "crv": made["crv"], "x": made["x"], "d": made["d"], **about}


def public_half(jwk: Jwk) -> Jwk:
    """Return the half of a key that a service may know."""
    return {name: jwk[name] for name in _PUBLIC if name in jwk}


def key_set(keys: Iterable[Jwk]) -> bytes:
    """Return keys as a JWK set, one member a line."""
    return orjson.dumps({"keys": list(keys)}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def mint(signing: Iterable[Jwk], wanted: Wanted, now: int) -> str:
    """Return a token, signed by the first key that signs for its audience.

    Args:
        now: seconds since 1970; becomes `iat`.

    Raises:
        EvalsError: where no key signs for the audience.
    """
    for jwk in signing:
        if wanted.audience.value in jwk.get("audiences", []) and jwk.get("alg") == ALGORITHM:
            return sign({"alg": ALGORITHM, "kid": jwk["kid"], "typ": TYPE}, _claims(wanted, now), jwk)
    raise EvalsError(f"no key of the signing file signs for {wanted.audience}", "make one: council token keys")


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], jwk: Jwk) -> str:
    """Return header and claims as a compact JWT, signed by a private Ed25519 key."""
    way = OKPAlgorithm()
    signed = b".".join(base64url_encode(orjson.dumps(part)) for part in (header, claims))
    signature = way.sign(signed, OKPAlgorithm.from_jwk(jwk))  # type: ignore[arg-type]  # a private key, because of d
    return (signed + b"." + base64url_encode(signature)).decode("ascii")


def _claims(wanted: Wanted, now: int) -> dict[str, Any]:
    claims = {
        "iss": wanted.issuer,
        "aud": wanted.audience.value,
        "sub": wanted.subject,
        "roles": [role.value for role in wanted.roles],
        "iat": now,
        "exp": now + wanted.lifetime_s,
    }
    return claims if wanted.realm_id is None else {**claims, "realm": wanted.realm_id}
