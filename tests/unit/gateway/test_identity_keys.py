"""Key sets: every fault told at once and no key material with it; rotation by editing the file."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from evals.errors import InvalidFileError
from gateway.identity_keys import LOOK_EVERY_S, MAX_FILE, MAX_KEYS, Audience, KeyRing, read_keys
from gateway.identity_tokens import Claims, Reason, Refusal, read_token
from tests.unit.gateway.identity_samples import (
    EXPECTED,
    NOW,
    SECRET,
    all_keys,
    b64,
    ec_jwk,
    ed_jwk,
    keys_bytes,
    oct_jwk,
    rsa_jwk,
    token,
)


def _faults(*keys: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFileError) as caught:
        read_keys(keys_bytes(*keys), "keys.json")
    return [(fault.key, fault.message) for fault in caught.value.faults]


def test_a_key_signs_for_users_unless_it_says_otherwise() -> None:
    keys = read_keys(keys_bytes(ed_jwk(), ec_jwk(audiences=["council:internal", "council:user"])), "keys.json")

    assert keys["users"].audiences == {Audience.USER}
    assert keys["ec"].audiences == {Audience.USER, Audience.INTERNAL}


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("users", ("keys.0", "is not a key")),
        (ed_jwk(kid=...), ("keys.0.kid", "is missing or not a name")),
        (ed_jwk(kid="../users"), ("keys.0.kid", "is missing or not a name")),
        (ed_jwk(alg=...), ("keys.0.alg", "is missing or not supported")),
        (ed_jwk(alg="none"), ("keys.0.alg", "is missing or not supported")),
        (oct_jwk(alg="HS512"), ("keys.0.alg", "is missing or not supported")),
        (ed_jwk(alg="HS256"), ("keys.0.kty", "does not fit the key's alg")),
        (rsa_jwk(alg="HS256"), ("keys.0.kty", "does not fit the key's alg")),
        (ed_jwk(crv="Ed448"), ("keys.0.kty", "does not fit the key's alg")),
        (ec_jwk(crv="secp256k1"), ("keys.0.kty", "does not fit the key's alg")),
        (ed_jwk(use="enc"), ("keys.0.use", "is not sig")),
        (ed_jwk(d=b64(bytes(range(32)))), ("keys.0.d", "is part of a private key")),
        (ed_jwk(x=...), ("keys.0.x", "is missing or not base64url")),
        (ed_jwk(x="a b"), ("keys.0.x", "is missing or not base64url")),
        (ed_jwk(x="AAAA"), ("keys.0.x", "is no key of this kind")),
        (ec_jwk(y=b64(bytes(32))), ("keys.0.x", "is no key of this kind")),
        (oct_jwk(SECRET[:31]), ("keys.0.k", "is shorter than 32 bytes")),
        (oct_jwk(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), ("keys.0.k", "is no key of this kind")),
        (rsa_jwk(1_024), ("keys.0.n", "has fewer than 2048 bits")),
        (ed_jwk(audiences=[]), ("keys.0.audiences", "is not a list of audiences")),
        (ed_jwk(audiences=["council:all"]), ("keys.0.audiences", "is not a list of audiences")),
        (ed_jwk(audiences="council:internal"), ("keys.0.audiences", "is not a list of audiences")),
    ],
    ids=lambda value: ": ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_bad_key_is_told_by_its_place(key: Any, fault: tuple[str, str]) -> None:
    cleared = {name: value for name, value in key.items() if value is not ...} if isinstance(key, dict) else key

    assert _faults(cleared) == [fault]


def test_all_faults_are_told_at_once_with_a_fix_and_no_material() -> None:
    bad = [oct_jwk(SECRET[:16]), ed_jwk(use="enc", kid=""), ed_jwk(), ed_jwk()]
    with pytest.raises(InvalidFileError) as caught:
        read_keys(keys_bytes(*bad), "keys.json")

    assert [fault.key for fault in caught.value.faults] == ["keys.0.k", "keys.1.kid", "keys.1.use", "keys.3.kid"]
    assert all(fault.fix for fault in caught.value.faults)
    assert b64(SECRET[:16]) not in str(caught.value) and ed_jwk()["x"] not in str(caught.value)


NO_SETS = [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[],"keys":[]}', b"\xff", b" " * (MAX_FILE + 1)]


@pytest.mark.parametrize("raw", NO_SETS, ids=lambda raw: str(raw[:20]))
def test_a_file_that_is_no_key_set_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidFileError):
        read_keys(raw, "keys.json")


def test_more_keys_than_anybody_rotates_are_refused() -> None:
    assert _faults(*[ed_jwk(kid=f"k{n}") for n in range(MAX_KEYS + 1)]) == [("keys", "is not a list of keys")]


def test_no_key_shows_its_material() -> None:
    assert b64(SECRET) not in repr(dict(all_keys())) and str(SECRET) not in repr(dict(all_keys()))


class Ring:
    """A key ring over a file, with a clock that a test turns."""

    def __init__(self, folder: Path, *keys: dict[str, Any]) -> None:
        self.path = folder / "keys.json"
        self.now = 0.0
        self.path.write_bytes(keys_bytes(*keys))
        self.ring = KeyRing(self.path, lambda: self.now)

    def edit(self, raw: bytes) -> None:
        """Replace the file as a deployment does, and let the ring's next look be due."""
        beside = self.path.with_suffix(".new")
        beside.write_bytes(raw)
        beside.replace(self.path)
        self.now += LOOK_EVERY_S

    def read(self, header: dict[str, Any] | None = None, by: str = "ed") -> Claims | Refusal:
        return read_token(token(header, by=by), self.ring.current(), EXPECTED, NOW)


EC = {"alg": "ES256", "kid": "ec"}


def test_keys_are_rotated_by_editing_the_file(tmp_path: Path) -> None:
    """Add the new key, sign with it, take the old one out: the old one's tokens end with it."""
    ring = Ring(tmp_path, ed_jwk())
    assert isinstance(ring.read(), Claims)
    assert ring.read(EC, "ec") == Refusal(Reason.UNKNOWN_KEY)

    ring.edit(keys_bytes(ed_jwk(), ec_jwk()))
    assert isinstance(ring.read(), Claims) and isinstance(ring.read(EC, "ec"), Claims)

    ring.edit(keys_bytes(ec_jwk()))
    assert ring.read() == Refusal(Reason.UNKNOWN_KEY)
    assert isinstance(ring.read(EC, "ec"), Claims)


def test_a_key_that_takes_the_name_of_another_ends_the_others_tokens(tmp_path: Path) -> None:
    ring = Ring(tmp_path, ed_jwk())
    ring.edit(keys_bytes(ec_jwk(kid="users")))

    assert ring.read() == Refusal(Reason.WRONG_ALGORITHM)


def test_an_empty_key_set_ends_every_token(tmp_path: Path) -> None:
    ring = Ring(tmp_path, ed_jwk())
    ring.edit(keys_bytes())

    assert ring.read() == Refusal(Reason.UNKNOWN_KEY)
    assert not ring.ring.is_refused


def test_a_bad_edit_leaves_the_good_keys_in_force_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ring = Ring(tmp_path, ed_jwk())
    with caplog.at_level(logging.INFO):
        ring.edit(b'{"keys": [')
        assert isinstance(ring.read(), Claims)
        ring.now += LOOK_EVERY_S
        assert isinstance(ring.read(), Claims)
    assert ring.ring.is_refused
    assert [record.message for record in caplog.records] == ["keys_refused"]

    ring.edit(keys_bytes(ed_jwk()))
    ring.read()
    assert not ring.ring.is_refused


def test_a_file_that_is_gone_leaves_the_keys_in_force(tmp_path: Path) -> None:
    ring = Ring(tmp_path, ed_jwk())
    ring.path.unlink()
    ring.now += LOOK_EVERY_S

    assert isinstance(ring.read(), Claims)
    assert ring.ring.is_refused


def test_an_edit_of_the_same_length_in_place_is_seen(tmp_path: Path) -> None:
    ring = Ring(tmp_path, ed_jwk())
    was = ring.path.stat()
    ring.path.write_bytes(ring.path.read_bytes().replace(b'"users"', b'"other"'))
    os.utime(ring.path, ns=(was.st_atime_ns, was.st_mtime_ns + 1))
    ring.now += LOOK_EVERY_S

    assert ring.read() == Refusal(Reason.UNKNOWN_KEY)


def test_the_file_is_looked_at_once_a_second_at_most(tmp_path: Path) -> None:
    ring = Ring(tmp_path, ed_jwk())
    ring.edit(keys_bytes())
    ring.now -= 0.001

    assert isinstance(ring.read(), Claims)


def test_a_first_reading_that_fails_is_told_with_the_way_to_a_key_set(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidFileError, match=r"nothing\.json: cannot be read: no such file or directory; COUNCIL_JWT_KEYS names"
    ):
        KeyRing(tmp_path / "nothing.json", lambda: 0.0)
