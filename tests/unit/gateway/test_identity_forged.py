"""Forged tokens: every one is refused, and for its own reason (reliability.md, measured fact 5; RFC 8725)."""

import hashlib
import hmac
from typing import Any, Final, NamedTuple

import orjson
import pytest
from cryptography.hazmat.primitives import serialization

from gateway.identity_keys import Audience
from gateway.identity_tokens import MAX_TOKEN, Claims, Expected, Reason, Refusal
from gateway.roles import Role
from tests.unit.gateway.identity_samples import (
    EXPECTED,
    GOOD_CLAIMS,
    GOOD_HEADER,
    NOW,
    b64,
    raw_token,
    read,
    rsa_key,
    signature,
    token,
)

INTERNAL: Final = Expected(Audience.INTERNAL, "council", 3_600)


class Forged(NamedTuple):
    """One token that is not good."""

    id: str
    sent: bytes
    reason: Reason


def _text(good: dict[str, Any], old: str, new: str) -> bytes:
    text = orjson.dumps(good).decode()
    assert old in text
    return text.replace(old, new).encode()


def _hs256_with_the_rsa_public_key() -> bytes:
    pem = rsa_key(2_048).public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    signed = token({"alg": "HS256", "kid": "rsa"}).rsplit(b".", 1)[0]
    return signed + b"." + b64(hmac.digest(pem, signed, hashlib.sha256)).encode()


def _claims(**changes: Any) -> bytes:
    return token(claims=changes)


def _header(**changes: Any) -> bytes:
    return token(header=changes)


def _header_text(old: str, new: str) -> bytes:
    return raw_token(_text(GOOD_HEADER, old, new), orjson.dumps(GOOD_CLAIMS))


def _claims_text(old: str, new: str) -> bytes:
    return raw_token(orjson.dumps(GOOD_HEADER), _text(GOOD_CLAIMS, old, new))


GOOD: Final = token()
HEAD, BODY, SIGN = GOOD.split(b".")
SIGNED: Final = HEAD + b"." + BODY

FORGED: Final = [
    # The shape.
    Forged("empty", b"", Reason.MALFORMED),
    Forged("two parts", HEAD + b"." + BODY, Reason.MALFORMED),
    Forged("four parts", GOOD + b"." + SIGN, Reason.MALFORMED),
    Forged("five parts, as an encrypted one", b".".join([HEAD, b"a", b"b", BODY, SIGN]), Reason.MALFORMED),
    Forged("empty signature", HEAD + b"." + BODY + b".", Reason.MALFORMED),
    Forged("padding", HEAD + b"." + BODY + b"." + SIGN + b"==", Reason.MALFORMED),
    Forged("the other base64 alphabet", HEAD + b"." + BODY + b".a+/b", Reason.MALFORMED),
    Forged("an impossible length of base64", HEAD + b"." + BODY + b".abcde", Reason.MALFORMED),
    # 64 bytes are 512 bits and 86 letters have 516: the last letter ends in four bits that must be 0 (A, Q, g or w).
    Forged("spare bits of the signature", HEAD + b"." + BODY + b"." + SIGN[:-1] + bytes([SIGN[-1] + 1]), Reason.MALFORMED),
    Forged("a newline behind it", GOOD + b"\n", Reason.MALFORMED),
    Forged("letters beyond ASCII", GOOD[:-1] + "é".encode(), Reason.MALFORMED),
    Forged("digits of another script", GOOD[:-1] + "٣".encode(), Reason.MALFORMED),
    Forged("a null byte", GOOD[:-1] + b"\0", Reason.MALFORMED),
    Forged("huge", b"a" * (MAX_TOKEN + 1), Reason.TOO_LONG),
    Forged("huge and well signed", _claims(pad="x" * MAX_TOKEN), Reason.TOO_LONG),
    # The header.
    Forged("alg none without a signature", b64(b'{"alg":"none"}').encode() + b"." + BODY + b".", Reason.MALFORMED),
    Forged("alg none", _header(alg="none"), Reason.WRONG_ALGORITHM),
    Forged("alg NONE", _header(alg="NONE"), Reason.WRONG_ALGORITHM),
    Forged("alg of another case", _header(alg="eddsa"), Reason.WRONG_ALGORITHM),
    Forged("alg of another key", _header(alg="HS256"), Reason.WRONG_ALGORITHM),
    Forged("HS256 with the public RSA key as its secret", _hs256_with_the_rsa_public_key(), Reason.WRONG_ALGORITHM),
    Forged("RS512 with a key for RS256", _header(alg="RS512", kid="rsa"), Reason.WRONG_ALGORITHM),
    Forged("alg missing", _header(alg=...), Reason.BAD_HEADER),
    Forged("alg null", _header(alg=None), Reason.BAD_HEADER),
    Forged("alg a list", _header(alg=["EdDSA"]), Reason.BAD_HEADER),
    Forged("alg twice", _header_text('"alg":"EdDSA"', '"alg":"none","alg":"EdDSA"'), Reason.BAD_HEADER),
    Forged("alg twice, once escaped", _header_text('"alg":"EdDSA"', '"\\u0061lg":"none","alg":"EdDSA"'), Reason.BAD_HEADER),
    Forged("kid missing", _header(kid=...), Reason.BAD_HEADER),
    Forged("kid a number", _header(kid=1), Reason.BAD_HEADER),
    Forged("kid unknown", _header(kid="nobody"), Reason.UNKNOWN_KEY),
    Forged("kid a path", _header(kid="../../../../dev/null"), Reason.UNKNOWN_KEY),
    Forged("kid a query", _header(kid="users' OR '1'='1"), Reason.UNKNOWN_KEY),
    Forged("kid of another key", _header(kid="internal"), Reason.BAD_SIGNATURE),
    Forged("kid with a space behind it", _header(kid="users "), Reason.UNKNOWN_KEY),
    Forged("kid of a look-alike letter", _header(kid="uѕers"), Reason.UNKNOWN_KEY),
    Forged("its own key", _header(jwk={"kty": "oct", "k": "AAAA"}), Reason.BAD_HEADER),
    Forged("an address of keys", _header(jku="https://evil.example/keys.json"), Reason.BAD_HEADER),
    Forged("a certificate", _header(x5c=["MIIB"]), Reason.BAD_HEADER),
    Forged("crit", _header(crit=["b64"], b64=False), Reason.BAD_HEADER),
    Forged("compressed", _header(zip="DEF"), Reason.BAD_HEADER),
    Forged("typ missing", _header(typ=...), Reason.BAD_HEADER),
    Forged("typ of an ID token", _header(typ="JWT"), Reason.WRONG_TYPE),
    Forged("typ of a logout token", _header(typ="logout+jwt"), Reason.WRONG_TYPE),
    Forged("header a list", raw_token(b"[]", b"{}"), Reason.BAD_HEADER),
    Forged("header no JSON", raw_token(b"alg", b"{}"), Reason.BAD_HEADER),
    Forged("header with a byte order mark", raw_token(b"\xef\xbb\xbf{}", b"{}"), Reason.BAD_HEADER),
    Forged("header nested deep", raw_token(b'{"a":' * 500 + b"1" + b"}" * 500, b"{}"), Reason.BAD_HEADER),
    # The signature.
    Forged("claims changed", HEAD + b"." + b64(b'{"sub":"admin"}').encode() + b"." + SIGN, Reason.BAD_SIGNATURE),
    Forged("signature of zeros", HEAD + b"." + BODY + b"." + b64(bytes(64)).encode(), Reason.BAD_SIGNATURE),
    Forged("signature cut", SIGNED + b"." + b64(signature(SIGNED, "ed")[:63]).encode(), Reason.BAD_SIGNATURE),
    # CVE-2022-21449: r = s = 0 fitted everything.
    Forged("ES256 of zeros", _header(alg="ES256", kid="ec")[:-86] + b64(bytes(64)).encode(), Reason.BAD_SIGNATURE),
    Forged("signed by nobody", token(by="nobody") + b64(b"x").encode(), Reason.BAD_SIGNATURE),
    # The claims.
    Forged("claims a list", raw_token(b'{"alg":"EdDSA","kid":"users","typ":"at+jwt"}', b"[]"), Reason.BAD_CLAIMS),
    Forged("sub twice", _claims_text('"sub":"u-1"', '"sub":"u-1","sub":"admin"'), Reason.BAD_CLAIMS),
    Forged("exp twice", _claims_text(f'"exp":{NOW + 600}', f'"exp":{NOW - 600},"exp":{NOW + 600}'), Reason.BAD_CLAIMS),
    Forged("aud twice, once escaped", _claims_text('"aud"', '"\\u0061ud":"x","aud"'), Reason.BAD_CLAIMS),
    Forged("exp NaN", _claims_text(f'"exp":{NOW + 600}', '"exp":NaN'), Reason.BAD_CLAIMS),
    Forged("exp Infinity", _claims_text(f'"exp":{NOW + 600}', '"exp":Infinity'), Reason.BAD_CLAIMS),
    Forged("exp 1e400", _claims_text(f'"exp":{NOW + 600}', '"exp":1e400'), Reason.BAD_CLAIMS),
    Forged("exp beyond 2^53", _claims(exp=2**63), Reason.BAD_CLAIMS),
    Forged("half a character in sub", _claims_text('"u-1"', '"\\ud800"'), Reason.BAD_CLAIMS),
    Forged("exp missing", _claims(exp=...), Reason.BAD_TIMES),
    Forged("exp null", _claims(exp=None), Reason.BAD_TIMES),
    Forged("exp a text", _claims(exp=str(NOW + 600)), Reason.BAD_TIMES),
    Forged("exp true", _claims(exp=True), Reason.BAD_TIMES),
    Forged("exp a list", _claims(exp=[NOW + 600]), Reason.BAD_TIMES),
    Forged("exp a fraction", _claims(exp=NOW + 600.5), Reason.BAD_TIMES),
    Forged("exp negative", _claims(exp=-1), Reason.BAD_TIMES),
    Forged("iat missing", _claims(iat=...), Reason.BAD_TIMES),
    Forged("iat a text", _claims(iat="now"), Reason.BAD_TIMES),
    Forged("iat 0", _claims(iat=0), Reason.BAD_TIMES),
    Forged("iat true", _claims(iat=True), Reason.BAD_TIMES),
    Forged("iat behind exp", _claims(iat=NOW + 601), Reason.BAD_TIMES),
    Forged("nbf a text", _claims(nbf="soon"), Reason.BAD_TIMES),
    Forged("nbf null", _claims(nbf=None), Reason.BAD_TIMES),
    Forged("expired by the leeway", _claims(exp=NOW - 30), Reason.EXPIRED),
    Forged("expired long ago", _claims(iat=NOW - 7_200, exp=NOW - 3_600), Reason.EXPIRED),
    Forged("nbf beyond the leeway", _claims(nbf=NOW + 31), Reason.NOT_YET_VALID),
    Forged("issued in the future", _claims(iat=NOW + 31), Reason.NOT_YET_VALID),
    Forged("lasting a second too long", _claims(iat=NOW, exp=NOW + 3_601), Reason.TOO_LASTING),
    Forged("lasting for ever", _claims(exp=2**52), Reason.TOO_LASTING),
    Forged("iss missing", _claims(iss=...), Reason.WRONG_ISSUER),
    Forged("iss another", _claims(iss="https://evil.example"), Reason.WRONG_ISSUER),
    Forged("iss a list", _claims(iss=["council"]), Reason.WRONG_ISSUER),
    Forged("iss of another case", _claims(iss="Council"), Reason.WRONG_ISSUER),
    Forged("aud missing", _claims(aud=...), Reason.WRONG_AUDIENCE),
    Forged("aud another", _claims(aud="council:internal"), Reason.WRONG_AUDIENCE),
    Forged("aud of another case", _claims(aud="council:User"), Reason.WRONG_AUDIENCE),
    Forged("aud both", _claims(aud=["council:user", "council:internal"]), Reason.WRONG_AUDIENCE),
    Forged("aud empty", _claims(aud=[]), Reason.WRONG_AUDIENCE),
    Forged("aud an object", _claims(aud={"council:user": 1}), Reason.WRONG_AUDIENCE),
    Forged("the services' key for a user", token({"kid": "internal"}, by="internal"), Reason.KEY_NOT_FOR_THIS),
    Forged("sub missing", _claims(sub=...), Reason.BAD_SUBJECT),
    Forged("sub empty", _claims(sub=""), Reason.BAD_SUBJECT),
    Forged("sub a number", _claims(sub=7), Reason.BAD_SUBJECT),
    Forged("sub with a newline behind it", _claims(sub="u-1\n"), Reason.BAD_SUBJECT),
    Forged("sub with an invisible letter", _claims(sub="u-1\u200b"), Reason.BAD_SUBJECT),
    Forged("sub written from right to left", _claims(sub="\u202eu-1"), Reason.BAD_SUBJECT),
    Forged("sub too long", _claims(sub="u" * 129), Reason.BAD_SUBJECT),
    Forged("roles missing", _claims(roles=...), Reason.BAD_ROLES),
    Forged("roles empty", _claims(roles=[]), Reason.BAD_ROLES),
    Forged("roles a text", _claims(roles="admin"), Reason.BAD_ROLES),
    Forged("roles unknown", _claims(roles=["player", "root"]), Reason.BAD_ROLES),
    Forged("roles of another case", _claims(roles=["Admin"]), Reason.BAD_ROLES),
    Forged("roles twice", _claims(roles=["player", "player"]), Reason.BAD_ROLES),
    Forged("roles with a number", _claims(roles=["player", 1]), Reason.BAD_ROLES),
    Forged("roles with a list", _claims(roles=[["player"]]), Reason.BAD_ROLES),
    Forged("realm null", _claims(realm=None), Reason.BAD_REALM),
    Forged("realm empty", _claims(realm=""), Reason.BAD_REALM),
    Forged("realm a list", _claims(realm=["aelvyndor"]), Reason.BAD_REALM),
]  # fmt: skip


@pytest.mark.parametrize("forged", FORGED, ids=lambda each: each.id)
def test_a_forged_token_is_refused_for_its_own_reason(forged: Forged) -> None:
    assert read(forged.sent) == Refusal(forged.reason)


def test_every_reason_that_a_token_can_have_is_forged_here() -> None:
    assert {each.reason for each in FORGED} == set(Reason) - {Reason.MISSING, Reason.NO_KEYS}


@pytest.mark.parametrize(
    ("header", "by"),
    [
        ({}, "ed"),
        ({"alg": "ES256", "kid": "ec"}, "ec"),
        ({"alg": "RS256", "kid": "rsa"}, "rsa"),
        ({"alg": "HS256", "kid": "oct"}, "oct"),
    ],
    ids=["EdDSA", "ES256", "RS256", "HS256"],
)  # fmt: skip
def test_a_good_token_is_taken_with_every_algorithm(header: dict[str, Any], by: str) -> None:
    assert read(token(header, by=by)) == Claims("u-1", frozenset({Role.PLAYER}), None, NOW + 600)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["council:user"]},
        {"exp": NOW - 29},
        {"iat": NOW + 30},
        {"nbf": NOW + 30},
        {"iat": NOW - 60, "exp": NOW + 3_540},
        {"sub": "người-chơi"},
        {"jti": "unknown claims are nobody's business", "x": {"deep": [1]}},
    ],
    ids=str,
)
def test_what_is_just_good_is_taken(changes: dict[str, Any]) -> None:
    assert isinstance(read(token(claims=changes)), Claims)


def test_a_whole_time_may_be_written_with_a_point() -> None:
    """JSON has one kind of number: 1800000600.0 is 1800000600 (RFC 8259 6, RFC 8785)."""
    assert isinstance(read(_claims_text(f'"exp":{NOW + 600}', f'"exp":{NOW + 600}.0')), Claims)


def test_a_services_token_is_one_and_a_users_is_none() -> None:
    good = token({"kid": "internal"}, {"aud": "council:internal", "roles": ["sim"], "realm": "aelvyndor"}, "internal")

    assert read(good, INTERNAL) == Claims("u-1", frozenset({Role.SIM}), "aelvyndor", NOW + 600)
    assert read(good) == Refusal(Reason.WRONG_AUDIENCE)
    assert read(token(), INTERNAL) == Refusal(Reason.WRONG_AUDIENCE)


def test_whoever_signs_players_in_cannot_call_internal_endpoints() -> None:
    """A leaked key of the login server stays a leaked key of the login server."""
    forged = token(claims={"aud": "council:internal", "roles": ["admin"]})

    assert read(forged, INTERNAL) == Refusal(Reason.KEY_NOT_FOR_THIS)


def test_another_issuer_can_be_trusted_instead() -> None:
    assert isinstance(read(token(claims={"iss": "game"}), EXPECTED._replace(issuer="game")), Claims)


def test_what_callers_are_told_can_stand_in_a_header() -> None:
    """RFC 6750 3: printable ASCII without quotes and backslashes."""
    for reason in Reason:
        assert reason.told.isascii() and reason.told.isprintable() and not set('"\\') & set(reason.told)
