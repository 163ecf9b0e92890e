"""Recording onto a cassette: one line an exchange, appended in one write, whatever becomes of the process."""

import fcntl
import logging
import threading
from pathlib import Path

from agents.models.cassette_file import (
    HEADER_LINE,
    CassetteError,
    Exchange,
    check_schema,
    exchange_to_line,
    said_by,
    torn_line,
)

logger = logging.getLogger(__name__)


class Tape:
    """A cassette that is being recorded. What is appended outlives this process, though not a power cut.

    Args:
        path: the file; made where there is none, else continued. A torn last line is dropped with a warning.

    Raises:
        CassetteError: where it cannot be opened, is no cassette, or another process records into it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._broken: CassetteError | None = None
        try:
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            fix = "name a file in a directory that may be written to"
            raise CassetteError(path, None, "", f"cannot be opened: {said_by(error)}", fix) from error
        try:
            self._take()
            self._continue()
        except BaseException:
            self._file.close()
            raise

    def append(self, exchange: Exchange) -> None:
        """Append one exchange, whole or not at all as far as readers are concerned.

        Raises:
            CassetteError: where it cannot be written, then and from then on.
        """
        line = exchange_to_line(exchange)
        with self._lock:
            self._write(line)

    def close(self) -> None:
        """Close the file.

        Raises:
            CassetteError: where an exchange could not be written: the recording is not whole.
        """
        with self._lock:
            self._file.close()
        if self._broken is not None:
            raise self._broken

    def _take(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            fix = "record into another file, or wait for the other recording to end"
            raise CassetteError(self._path, None, "", "it is being recorded into already", fix) from error

    def _continue(self) -> None:
        self._file.seek(0)
        raw = self._file.read()
        if HEADER_LINE.startswith(raw) and raw != HEADER_LINE:  # empty, or torn within its first line
            self._file.truncate(0)
            self._write(HEADER_LINE)
            return
        check_schema(self._path, raw)
        torn = torn_line(raw)
        if torn is not None:
            self._file.truncate(raw.rfind(b"\n") + 1)
            told = f"{self._path}:{torn}: a torn line was dropped; its call is to be recorded again"
            logger.warning("cassette_line_torn", extra={"hint": told})
        elif not raw.endswith(b"\n"):
            self._write(b"\n")

    def _write(self, line: bytes) -> None:
        if self._broken is not None:
            raise self._broken
        if self._file.closed:
            raise CassetteError(self._path, None, "", "is closed already", "close it after the last call")
        try:
            left = memoryview(line)
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError as error:
            fix = "make room on the disk, then record again: a torn last line is dropped"
            self._broken = CassetteError(self._path, None, "", f"cannot be written: {said_by(error)}", fix)
            raise self._broken from error
