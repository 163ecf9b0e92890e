"""The keys that sign tokens: a JWK set (RFC 7517) in a file that is read again when it changes, so that keys can be rotated.

Each key carries its one algorithm and the audiences that it may sign for. The file holds public halves; a shared secret (HS256)
is the exception, and then the file is as secret as a password.
"""

import logging
import os
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import InvalidKeyError

from evals.errors import FileFault, InvalidFileError
from policies.faults import InvalidInputError
from policies.strict_json import parse_strict

MAX_FILE: Final = 65_536
"""Largest key set, bytes."""
MAX_KEYS: Final = 32
MIN_SECRET: Final = 32
"""Shortest HS256 secret, bytes (RFC 7518 3.2)."""
MIN_RSA_BITS: Final = 2_048
LOOK_EVERY_S: Final = 1.0
"""How long a change of the file may go unseen, seconds."""
ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {
    "EdDSA": ("OKP", "Ed25519"),
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", None),
    "HS256": ("oct", None),
}
"""By `alg`: the `kty` and the `crv` that its keys have."""
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_KID = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_BASE64 = re.compile(r"[A-Za-z0-9_-]+")
_MATERIAL: Final = {"OKP": ("x",), "EC": ("x", "y"), "RSA": ("n", "e"), "oct": ("k",)}
_log = logging.getLogger(__name__)


class Audience(StrEnum):
    """Whom a token is for."""

    USER = "council:user"
    """People: /api/*."""
    INTERNAL = "council:internal"
    """Programs: /internal/*."""


_AUDIENCES: Final = frozenset(audience.value for audience in Audience)


class VerifyingKey:
    """One key of the set. Its material shows in no representation."""

    __slots__ = ("_key", "_way", "algorithm", "audiences")

    def __init__(self, algorithm: str, way: Algorithm, key: Any, audiences: frozenset[Audience]) -> None:
        self.algorithm = algorithm
        self.audiences = audiences
        self._way = way
        self._key = key

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Return whether a signature is this key's."""
        return bool(self._way.verify(signed, self._key, signature))


Keys = Mapping[str, VerifyingKey]
"""By `kid`."""


def read_keys(raw: bytes, file: str) -> Keys:
    """Read a key set.

    Raises:
        InvalidFileError: naming every fault of it, and never key material.
    """
    try:
        document = parse_strict(raw, max_bytes=MAX_FILE).value
    except InvalidInputError as error:
        raise InvalidFileError([FileFault(file, 0, "", each.message, each.fix) for each in error.faults]) from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        fix = f"write a JWK set: an object whose member keys is a list of at most {MAX_KEYS} keys"
        raise InvalidFileError([FileFault(file, 0, "keys", "is not a list of keys", fix)])
    reading = _Reading(file)
    for index, jwk in enumerate(listed):
        reading.key(f"keys.{index}", jwk)
    if reading.faults:
        raise InvalidFileError(reading.faults)
    return reading.keys


class _Reading:
    """Collects keys and faults of one file."""

    def __init__(self, file: str) -> None:
        self.keys: dict[str, VerifyingKey] = {}
        self.faults: list[FileFault] = []
        self._file = file

    def key(self, place: str, jwk: object) -> None:
        """Read one key."""
        if not isinstance(jwk, dict):
            self._fault(place, "is not a key", "write an object with kty, alg, kid and the key's material")
            return
        before = len(self.faults)
        self._head(place, jwk)
        audiences = self._audiences(place, jwk)
        if len(self.faults) == before:
            self._material(place, jwk, audiences)

    def _head(self, place: str, jwk: Mapping[str, Any]) -> None:
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not _KID.fullmatch(kid):
            self._fault(f"{place}.kid", "is missing or not a name", "use 1 to 64 letters, digits and . - _")
        elif kid in self.keys:
            self._fault(f"{place}.kid", "names another key already", "give every key its own kid")
        algorithm = jwk.get("alg")
        shape = ALGORITHMS.get(algorithm) if isinstance(algorithm, str) else None
        if shape is None:
            self._fault(f"{place}.alg", "is missing or not supported", f"use one of {', '.join(ALGORITHMS)}")
        elif (jwk.get("kty"), jwk.get("crv")) != shape:
            told = f"kty {shape[0]}" + (f" and crv {shape[1]}" if shape[1] else " and no crv")
            self._fault(f"{place}.kty", "does not fit the key's alg", f"this alg has {told}")
        if jwk.get("use", "sig") != "sig":
            self._fault(f"{place}.use", "is not sig", "leave out keys that do not sign")
        if private := _PRIVATE & jwk.keys():
            fix = "a service needs public halves only; keep this key with whoever signs, and make a new one if others saw it"
            self._fault(f"{place}.{min(private)}", "is part of a private key", fix)

    def _audiences(self, place: str, jwk: Mapping[str, Any]) -> frozenset[Audience]:
        # A key that says nothing signs for users only: the server that signs players in must not be able to call /internal/*.
        given = jwk.get("audiences", [Audience.USER.value])
        if isinstance(given, list) and given and all(isinstance(each, str) and each in _AUDIENCES for each in given):
            return frozenset(map(Audience, given))
        self._fault(f"{place}.audiences", "is not a list of audiences", f"use {' or '.join(Audience)}, or leave it out")
        return frozenset()

    def _material(self, place: str, jwk: Mapping[str, Any], audiences: frozenset[Audience]) -> None:
        members = _MATERIAL[jwk["kty"]]
        for name in members:
            if not isinstance(jwk.get(name), str) or not _BASE64.fullmatch(jwk[name]):
                self._fault(f"{place}.{name}", "is missing or not base64url", "copy the key again")
                return
        way = get_default_algorithms()[jwk["alg"]]
        try:
            key = way.prepare_key(way.from_jwk(dict(jwk)))
        except (InvalidKeyError, ValueError):
            self._fault(f"{place}.{members[0]}", "is no key of this kind", "copy the key again")
            return
        if weak := _weakness(jwk["alg"], key):
            self._fault(f"{place}.{members[0]}", *weak)
            return
        self.keys[jwk["kid"]] = VerifyingKey(jwk["alg"], way, key, audiences)

    def _fault(self, key: str, message: str, fix: str) -> None:
        self.faults.append(FileFault(self._file, 0, key, message, fix))


def _weakness(algorithm: str, key: Any) -> tuple[str, str] | None:
    if algorithm == "HS256" and len(key) < MIN_SECRET:
        return f"is shorter than {MIN_SECRET} bytes", "make a new one: council token keys"
    if algorithm == "RS256" and key.key_size < MIN_RSA_BITS:
        return f"has fewer than {MIN_RSA_BITS} bits", "make a new one, or use EdDSA"
    return None


class _Seen(NamedTuple):
    """What tells one state of a file from another."""

    modified_ns: int
    size: int
    inode: int


class KeyRing:
    """Holds the keys of one file, and reads it again when it changes.

    A file that becomes unreadable or bad changes nothing: the keys that were good stay, it is logged and `is_refused` says so.
    An empty list of keys is good, and ends every token.

    Args:
        clock: seconds that only grow.

    Raises:
        InvalidFileError: where the first reading fails.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._looked_at = clock()
        self._seen = _seen(path)
        self._keys = _read(path)
        self.is_refused = False
        """Whether the file as it stands is not in force."""

    def current(self) -> Keys:
        """Return the keys in force; looks at the file at most every `LOOK_EVERY_S`."""
        now = self._clock()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._look()
        return self._keys

    def _look(self) -> None:
        seen = _seen(self._path)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._keys = _read(self._path)
        except InvalidFileError as error:
            self.is_refused = True
            # Faults name places and never values.
            _log.error("keys_refused", extra={"faults": [str(fault) for fault in error.faults]})
            return
        self.is_refused = False
        _log.info("keys_reloaded", extra={"new": sorted(self._keys)})


def _seen(path: Path) -> _Seen | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Seen(found.st_mtime_ns, found.st_size, found.st_ino)


def _read(path: Path) -> Keys:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError as error:
        told = os.strerror(error.errno).lower() if error.errno else "unknown error"
        fix = "COUNCIL_JWT_KEYS names the key set; make one: council token keys"
        raise InvalidFileError([FileFault(str(path), 0, "", f"cannot be read: {told}", fix)]) from None
    return read_keys(raw, str(path))
