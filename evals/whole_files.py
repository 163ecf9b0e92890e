"""Files that are written whole or not at all: beside the target, then moved into its place."""

from contextlib import suppress
from pathlib import Path

from evals.errors import EvalsError


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file; whoever reads it meanwhile sees the old one or the new one.

    Raises:
        EvalsError: where it cannot be written; nothing is left behind.
    """
    beside = path.with_name(f".{path.name}.partial")
    try:
        beside.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        told = f"cannot write {str(path)!r}: {(error.strerror or str(error)).lower()}"
        raise EvalsError(told, "name a file in a directory that you may write to") from None
