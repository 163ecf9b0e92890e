"""From whole numbers to what people read: percent, points, times. Floats appear here, at the edge, only."""

from datetime import UTC, datetime


def percent(ppm: int) -> float:
    """Return millionths as percent.

    >>> percent(284_113)
    28.4113
    """
    return ppm / 10_000


def percent_or_none(ppm: int | None) -> float | None:
    """Return a change in percentage points; none is none, never nothing."""
    return None if ppm is None else percent(ppm)


def points(milli: int) -> float:
    """Return milli-points as points, and a meter's milli as its 0 to 100."""
    return milli / 1_000


def points_or_none(milli: int | None) -> float | None:
    """Return milli-points as points; none is none."""
    return None if milli is None else points(milli)


def moment_text(at_ms: int) -> str:
    """Return milliseconds since 1970 as ISO 8601 in UTC.

    >>> moment_text(1_772_359_200_000)
    '2026-03-01T10:00:00.000Z'
    """
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
