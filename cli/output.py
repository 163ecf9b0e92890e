"""Writing to the terminal, to a pipe or to a file: plain lines and JSON Lines. Nothing here loads rich.

Results go to standard output, everything else (errors, progress, hints) to standard error, so that output can be piped.
"""

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NoReturn

import orjson

from cli.errors import CliError, ReaderGoneError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write_line(text: str) -> None:
    """Write one line to standard output.

    Raises:
        ReaderGoneError: where the reader has closed the pipe.
    """
    write(text + "\n")


def write(text: str) -> None:
    """Write text to standard output; what its encoding lacks is written as an escape.

    Raises:
        ReaderGoneError: where the reader has closed the pipe.
    """
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        reader_gone()
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def write_json(value: Any) -> None:
    """Write one JSON document as one line, keys in the order given."""
    write_line(json_text(value))


def json_text(value: Any) -> str:
    """Return one JSON document on one line."""
    return orjson.dumps(value, default=_plain).decode()


def note(text: str) -> None:
    """Write one line to standard error: a hint or a warning that is no part of the result."""
    sys.stderr.write(text + "\n")


def flush() -> None:
    """Push everything written so far to the reader.

    Raises:
        ReaderGoneError: where the reader has closed the pipe.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        reader_gone()


def reader_gone() -> NoReturn:
    """Stop writing: the reader has closed the pipe, as `head` does.

    Standard output is pointed at the null device, so that the interpreter's own flush at exit stays silent.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise ReaderGoneError


def read_text(file: str) -> str:
    """Read a whole file, or standard input where it is "-".

    Raises:
        CliError: where it cannot be read.
    """
    return read_bytes(file).decode("utf-8", "replace")


def read_bytes(file: str) -> bytes:
    """Read a whole file, or standard input where it is "-".

    Raises:
        CliError: where it cannot be read.
    """
    try:
        if file == "-":
            return sys.stdin.buffer.read()
        with open(file, "rb") as opened:  # noqa: PTH123 - pathlib costs a tenth of the start-up
            return opened.read()
    except OSError as error:
        raise unreadable(file, error) from None


@contextmanager
def lines_of(file: str) -> "Iterator[IO[bytes]]":
    """Open a file, or standard input where it is "-", to be read line by line.

    Raises:
        CliError: where it cannot be opened.
    """
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        opened = open(file, "rb")  # noqa: PTH123, SIM115 - closed below
    except OSError as error:
        raise unreadable(file, error) from None
    with opened:
        yield opened


def unreadable(file: "str | Path", error: OSError) -> CliError:
    """Say that a file cannot be read, and what to do."""
    match error:
        case FileNotFoundError():
            fix = "check the path; '-' reads standard input"
        case IsADirectoryError():
            fix = "name a file, not a directory"
        case PermissionError():
            fix = "check who may read it"
        case _:
            fix = ""
    return CliError(f"cannot read {str(file)!r}: {(error.strerror or str(error)).lower()}", fix)


def _plain(value: Any) -> Any:
    """Turn what orjson does not know into JSON: fractions as strings, tuples of named fields as objects."""
    if hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
