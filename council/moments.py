"""Moments as records carry them: text whose order is the order of time."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Return an aware moment in UTC with milliseconds and "Z".

    >>> iso(datetime(2026, 11, 3, 10, 0, tzinfo=UTC))
    '2026-11-03T10:00:00.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
