"""A token drawn for people: its header, its claims, and the verdict with its reason."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from cli.console import draw
from cli.text import clean
from gateway.identity_inspecting import Inspected
from gateway.identity_tokens import Refusal

_TIMES: Final = ("iat", "nbf", "exp")
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_LAST: Final = 253_402_300_799
"""The last second of the year 9999, beyond which no date is written."""


def render_inspected(found: Inspected, now: float) -> None:
    """Draw what was found.

    Args:
        now: seconds since 1970.
    """
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for title, part in (("header", found.header), ("claims", found.claims)):
        _rows(table, title, part, now)
    draw(table, Text(), *_verdict(found))


def inspected_document(found: Inspected) -> dict[str, Any]:
    """Return what was found as one JSON document."""
    refusal = found.outcome.reason if isinstance(found.outcome, Refusal) else None
    return {
        "good": refusal is None,
        "reason": None if refusal is None else refusal.value,
        "told": None if refusal is None else refusal.told,
        "fix": None if refusal is None else refusal.fix,
        "checked_for": found.audience,
        "header": found.header,
        "claims": found.claims,
        "permissions": sorted(found.permissions),
    }


def _rows(table: Table, title: str, part: Mapping[str, Any] | None, now: float) -> None:
    if part is None:
        table.add_row(title, "(not one strict JSON object)")
        return
    for name, value in part.items():
        told = _moment(value, now) if name in _TIMES and type(value) is int else clean(_plain(value))
        table.add_row(f"{title} {clean(name)}", told)


def _verdict(found: Inspected) -> list[Text]:
    if isinstance(found.outcome, Refusal):
        reason = found.outcome.reason
        return [Text(f"✗ refused: {reason.told}", style="red"), Text(f"  → {reason.fix}")]
    where = "in every realm" if found.outcome.realm_id is None else f"in realm {clean(found.outcome.realm_id)}"
    return [
        Text(f"✓ good for {found.audience}, {where}", style="green"),
        Text(f"  may: {', '.join(sorted(found.permissions))}"),
    ]


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _moment(second: int, now: float) -> str:
    if not 0 <= second <= _LAST:
        return f"{second} (no date)"
    written = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    apart = round(second - now)
    return f"{written} ({'in ' if apart >= 0 else ''}{_span(abs(apart))}{'' if apart >= 0 else ' ago'})"


def _span(seconds: int) -> str:
    """Return a span in its two largest units: "1 h 5 min"."""
    parts = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
