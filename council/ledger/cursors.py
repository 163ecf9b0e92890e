"""The cursor of a listing: time and number of the last record shown, so that new records never shift a page."""

from typing import NamedTuple

from council.ledger.port import InvalidCursorError


class Cursor(NamedTuple):
    """Where a page ended."""

    recorded_at: str
    number: int
    """Order of arrival."""

    def __str__(self) -> str:
        return f"{self.recorded_at}~{self.number}"


def read_cursor(text: str | None) -> Cursor | None:
    """Return the cursor in a text; None for None.

    Raises:
        InvalidCursorError: for a text that `str(Cursor)` never wrote.
    """
    if text is None:
        return None
    recorded_at, mark, number = text.rpartition("~")
    if not mark or len(recorded_at) > 64 or not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise InvalidCursorError("the cursor is not one that a listing returned; start again without it")
    return Cursor(recorded_at, int(number))
