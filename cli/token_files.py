"""The two files of a development key set: what a service reads, and what signs, which nobody else may read."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cli.errors import CliError
from cli.output import read_bytes, unreadable
from evals.errors import FileFault, InvalidFileError
from gateway.identity_keys import MAX_FILE, read_keys
from gateway.identity_making import Jwk, key_set
from policies.faults import InvalidInputError
from policies.strict_json import parse_strict

PUBLIC: Final = "keys.json"
SIGNING: Final = "signing.json"


def read_public(folder: Path) -> list[Jwk]:
    """Return the keys that a service reads; empty where there is no file yet.

    Raises:
        InvalidFileError: where the file is not a good key set.
    """
    path = folder / PUBLIC
    if not path.exists():
        return []
    read_keys(read_bytes(str(path)), str(path))
    return _listed(path)


def read_signing(folder: Path) -> list[Jwk]:
    """Return the private keys that sign.

    Raises:
        CliError: where there are none.
        InvalidFileError: where the file is not a JWK set.
    """
    path = folder / SIGNING
    if not path.exists():
        raise CliError(f"there is no {path}", "make a development key set: council token keys")
    return _listed(path)


def write_keys(folder: Path, public: Sequence[Jwk], signing: Sequence[Jwk]) -> None:
    """Write both files, each whole or not at all; only their owner may read the one that signs.

    Raises:
        CliError: where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / SIGNING, key_set(signing), 0o600)
        _replace(folder / PUBLIC, key_set(public), 0o644)
    except OSError as error:
        raise CliError(
            f"cannot write to {str(folder)!r}: {(error.strerror or str(error)).lower()}", "name another"
        ) from None


def _replace(path: Path, content: bytes, mode: int) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _listed(path: Path) -> list[Jwk]:
    try:
        document: Any = parse_strict(path.read_bytes(), max_bytes=MAX_FILE).value
    except OSError as error:
        raise unreadable(path, error) from None
    except InvalidInputError as error:
        raise InvalidFileError([FileFault(str(path), 0, "", each.message, each.fix) for each in error.faults]) from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        fix = "remove it, and make a new one: council token keys"
        raise InvalidFileError([FileFault(str(path), 0, "keys", "is not a list of keys", fix)])
    return keys
