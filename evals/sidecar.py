"""The sidecar: an export's columns in a file beside it, so that reading it a second time costs next to nothing.

It is a copy that may be thrown away at any time. It is used only where the export is byte for byte the one that it was made
from; where that cannot be told from the file's own marks, the export is hashed. One that is damaged, stale or of another
version is made again, and that is said.

    line 1    magic and version
    line 2    JSON: the export's identity, texts, policies, and name, type, shape and place of every array
    then      the arrays, each beginning at a multiple of 64 bytes
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from evals.columns import Arrays, Columns

MAGIC: Final = b"council.columns/1\n"
SUFFIX: Final = ".columns"
_ALIGN: Final = 64
_BLOCK: Final = 1 << 20
_SETTLED_NS: Final = 2_000_000_000
"""A file changed within two seconds of its sidecar may have changed again within one tick of a coarse clock."""

Note = Callable[[str], None]


class Marks(NamedTuple):
    """What the file system says of an export: where all of it is the same, the file is the same."""

    size: int
    modified_ns: int
    changed_ns: int
    """Time of the last change of content or marks; no program can set it back."""
    inode: int


def sidecar_path(export: Path) -> Path:
    """Return where an export's columns are kept."""
    return export.with_name(export.name + SUFFIX)


def columns_beside(export: Path, read: Callable[[], Columns], note: Note, *, made_by: str) -> Columns:
    """Return an export's columns from its sidecar, or read them and keep them there.

    Args:
        export: the file.
        read: reads its columns, every line checked.
        note: told in a sentence where a sidecar could not be used, or not be written.
        made_by: version of this product: what reads an export may change with it.
    """
    path = sidecar_path(export)
    if path.exists():
        found = _trusted(path, export, made_by)
        if not isinstance(found, str):
            return found
        note(f"{path.name} {found}: reading the export again")
    marks = marks_of(export)
    with ThreadPoolExecutor(1) as beside:
        hashing = beside.submit(sha256_of, export)
        columns = read()
        digest = hashing.result()
    if marks_of(export) != marks:
        note(f"{export.name} changed while it was read: its columns are not kept")
        return columns
    try:
        write_sidecar(path, columns, _identity(marks, digest, made_by))
    except OSError as error:
        note(f"{path.name} could not be written: {(error.strerror or str(error)).lower()}")
    return columns


def marks_of(export: Path) -> Marks:
    found = export.stat()
    return Marks(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def sha256_of(export: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with export.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_sidecar(path: Path, columns: Columns, identity: Mapping[str, Any]) -> None:
    """Write columns beside the target and move them into place.

    Raises:
        OSError: where they cannot be written; what stood there before then stands there still.
    """
    arrays = [
        *columns.arrays._asdict().items(),
        *[(f"shadow {name}", ranks) for name, ranks in columns.shadows.items()],
    ]
    payload = hashlib.sha256()
    places, at = [], 0
    for name, array in arrays:
        raw = _padded(array)
        payload.update(raw)
        places.append({"name": name, "type": array.dtype.str, "shape": array.shape, "at": at})
        at += len(raw)
    header = {
        **identity,
        "payload_sha256": payload.hexdigest(),
        "payload_bytes": at,
        "realms": columns.realms,
        "policies": columns.policies,
        "documents": columns.documents,
        "shadow_names": columns.shadow_names,
        "casts": columns.casts,
        "is_redacted": columns.is_redacted,
        "unreplayed": columns.unreplayed,
        "arrays": places,
    }
    head = orjson.dumps(header)
    sealed = MAGIC + hashlib.sha256(head).hexdigest().encode() + b" " + head + b"\n"
    partial = path.with_name(path.name + f".{os.getpid()}.partial")
    try:
        with partial.open("wb") as opened:
            opened.write(sealed.ljust(_aligned(len(sealed)), b"\0"))
            for _, array in arrays:
                opened.write(_padded(array))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _identity(marks: Marks, digest: str, made_by: str) -> dict[str, Any]:
    return {"export": marks._asdict(), "export_sha256": digest, "made_by": made_by}


def _trusted(path: Path, export: Path, made_by: str) -> Columns | str:
    """Return a sidecar's columns, or why they cannot be used."""
    try:
        raw = np.fromfile(path, np.uint8)
        made_ns = path.stat().st_mtime_ns
    except OSError:
        return "cannot be read"
    header = _header(raw)
    if header is None:
        return "is damaged, or of another version"
    if header["made_by"] != made_by:
        return f"was made by version {header['made_by']}"
    marks = marks_of(export)
    if marks.size != header["export"]["size"]:
        return "is of another export"
    is_same = marks._asdict() == header["export"] and made_ns - marks.changed_ns > _SETTLED_NS
    if not is_same and sha256_of(export) != header["export_sha256"]:
        return "is of another export"
    return _columns(raw, header)


def _header(raw: NDArray[np.uint8]) -> dict[str, Any] | None:
    """Return the header of a sidecar that is whole; None of any other."""
    start = len(MAGIC) + 65
    if raw[: len(MAGIC)].tobytes() != MAGIC or len(raw) < start:
        return None
    newline = np.flatnonzero(raw[start : start + _BLOCK] == ord("\n"))
    stop = start + int(newline[0]) if newline.size else _line_end(raw, start)
    head = raw[start:stop].tobytes()
    if hashlib.sha256(head).hexdigest().encode() != raw[len(MAGIC) : start - 1].tobytes():
        return None
    header: dict[str, Any] = orjson.loads(head)
    begin = _aligned(stop + 1)
    payload = raw[begin:]
    if len(payload) != header["payload_bytes"] or hashlib.sha256(payload.data).hexdigest() != header["payload_sha256"]:
        return None
    return {**header, "begin": begin}


def _line_end(raw: NDArray[np.uint8], start: int) -> int:
    found = raw[start:].tobytes().find(b"\n")
    return len(raw) if found < 0 else start + found


def _columns(raw: NDArray[np.uint8], header: Mapping[str, Any]) -> Columns:
    arrays = {}
    for place in header["arrays"]:
        kind, shape = np.dtype(place["type"]), tuple(place["shape"])
        begin = header["begin"] + place["at"]
        size = kind.itemsize * int(np.prod(shape))
        arrays[place["name"]] = raw[begin : begin + size].view(kind).reshape(shape)
    return Columns(
        Arrays(*[arrays[name] for name in Arrays._fields]),
        tuple(header["realms"]),
        tuple(header["policies"]),
        header["documents"],
        {name.removeprefix("shadow "): ranks for name, ranks in arrays.items() if name.startswith("shadow ")},
        header["shadow_names"],
        tuple(header["casts"]),
        header["is_redacted"],
        header["unreplayed"],
    )


def _padded(array: NDArray[Any]) -> bytes:
    raw = np.ascontiguousarray(array).tobytes()
    return raw.ljust(_aligned(len(raw)), b"\0")


def _aligned(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN
