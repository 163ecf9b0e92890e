"""Keys and tokens for tests, good ones and forged ones. Private keys are fixed, so that runs are alike."""

import base64
import hashlib
import hmac
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gateway.identity_keys import Audience, Keys, read_keys
from gateway.identity_tokens import Claims, Expected, Refusal, read_token

NOW: Final = 1_800_000_000
"""2027-01-15 08:00 UTC, seconds since 1970."""
SECRET: Final = bytes(range(32))
GOOD_HEADER: Final = {"alg": "EdDSA", "kid": "users", "typ": "at+jwt"}
GOOD_CLAIMS: Final[dict[str, Any]] = {
    "iss": "council",
    "aud": "council:user",
    "sub": "u-1",
    "roles": ["player"],
    "iat": NOW - 60,
    "exp": NOW + 600,
}
EXPECTED: Final = Expected(Audience.USER, "council", 3_600)
_ED: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_OTHER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
_EC: Final = ec.derive_private_key(7**80, ec.SECP256R1())


def b64(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, bits)


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def ed_jwk(key: Ed25519PrivateKey = _ED, **more: Any) -> dict[str, Any]:
    x = b64(key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA", "kid": "users", **more}


def ec_jwk(**more: Any) -> dict[str, Any]:
    at = _EC.public_key().public_numbers()
    x, y = b64(at.x.to_bytes(32, "big")), b64(at.y.to_bytes(32, "big"))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256", "kid": "ec", **more}


def rsa_jwk(bits: int = 2_048, **more: Any) -> dict[str, Any]:
    at = rsa_key(bits).public_key().public_numbers()
    return {"kty": "RSA", "n": number(at.n), "e": number(at.e), "alg": "RS256", "kid": "rsa", **more}


def oct_jwk(secret: bytes = SECRET, **more: Any) -> dict[str, Any]:
    return {"kty": "oct", "k": b64(secret), "alg": "HS256", "kid": "oct", **more}


def keys_bytes(*keys: dict[str, Any]) -> bytes:
    return orjson.dumps({"keys": list(keys)})


@cache
def all_keys() -> Keys:
    """Return a key of every kind; `internal` alone signs for services."""
    internal = ed_jwk(_OTHER, kid="internal", audiences=["council:internal"])
    return read_keys(keys_bytes(ed_jwk(), internal, ec_jwk(), rsa_jwk(), oct_jwk()), "keys.json")


def signature(signed: bytes, by: str) -> bytes:
    """Return the signature of a key, as RFC 7518 writes it, made without the library that checks it."""
    match by:
        case "ed":
            return _ED.sign(signed)
        case "internal":
            return _OTHER.sign(signed)
        case "ec":
            r, s = decode_dss_signature(_EC.sign(signed, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        case "rsa":
            return rsa_key(2_048).sign(signed, padding.PKCS1v15(), hashes.SHA256())
        case "oct":
            return hmac.digest(SECRET, signed, hashlib.sha256)
    return b""


def raw_token(header: bytes, claims: bytes, by: str = "ed") -> bytes:
    """Sign the very bytes of a header and of claims."""
    signed = f"{b64(header)}.{b64(claims)}".encode("ascii")
    return signed + b"." + b64(signature(signed, by)).encode("ascii")


def token(header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None, by: str = "ed") -> bytes:
    """Sign the good header and claims with changes; a change to `...` leaves a member out."""
    return raw_token(_changed(GOOD_HEADER, header or {}), _changed(GOOD_CLAIMS, claims or {}), by)


def read(sent: bytes, expected: Expected = EXPECTED, now: float = NOW) -> Claims | Refusal:
    """Read a token with every key there is."""
    return read_token(sent, all_keys(), expected, now)


def write_key_set(folder: Path) -> Path:
    """Write the public halves of the Ed25519 keys, as COUNCIL_JWT_KEYS would name them."""
    path = folder / "keys.json"
    path.write_bytes(keys_bytes(ed_jwk(), ed_jwk(_OTHER, kid="internal", audiences=["council:internal"])))
    return path


def _changed(good: dict[str, Any], changes: dict[str, Any]) -> bytes:
    merged = {**good, **changes}
    return orjson.dumps({name: value for name, value in merged.items() if value is not ...})
