"""Rows of bars: shares with their intervals, and lengths such as milliseconds or dollars."""

from collections.abc import Sequence
from typing import Final

from evals.markup import Markup
from evals.plots.canvas import WIDTH, Frame, Point, box, dot, drawing, fitted, line, text
from evals.plots.figures import Estimate, Length

_NAMES: Final = 124
"""Units for the names at the left."""
_VALUES: Final = 74
"""Units for the values at the right."""
_ROW: Final = 26
_AREA: Final = Frame(_NAMES, 8, WIDTH - _NAMES - _VALUES - 8, 0)


def interval_plot(key: str, title: str, rows: Sequence[Estimate], *, chance: float | None = None) -> Markup:
    """Return shares between 0 and 1 as dots with their intervals.

    Args:
        chance: share that a coin would reach, drawn as a broken line.
    """
    bottom = _AREA.top + _ROW * len(rows)
    shapes = [_upright_line(share, bottom, "grid") for share in (0.0, 0.5, 1.0)]
    shapes += [text(Point(_across(share), bottom + 16), label, anchor="middle", small=True, kind="muted")
               for share, label in ((0.0, "0"), (0.5, "0.5"), (1.0, "1"))]  # fmt: skip
    if chance is not None:
        shapes.append(_upright_line(chance, bottom, "ideal"))
    for at, row in enumerate(rows):
        shapes += _estimate(_AREA.top + _ROW * at + _ROW / 2, row)
    told = " ".join([f"{row.name}: {row.interval.told if row.interval else 'nothing to measure'}." for row in rows])
    return drawing(key, title, told, bottom + 24, *shapes)


def length_plot(key: str, title: str, rows: Sequence[Length]) -> Markup:
    """Return lengths as bars from 0; the longest fills the row."""
    most = max([row.value for row in rows], default=0.0) or 1.0
    shapes: list[Markup] = []
    for at, row in enumerate(rows):
        middle = _AREA.top + _ROW * at + _ROW / 2
        shapes.append(text(Point(_NAMES - 8, middle + 4), fitted(row.name, _NAMES - 8), anchor="end"))
        shapes.append(box(Frame(_AREA.left, middle - 7, _AREA.width, 14), "track", round_=3))
        wide = row.value / most * _AREA.width
        shapes.append(box(Frame(_AREA.left, middle - 7, wide, 14), "bar", told=f"{row.name}: {row.told}", round_=3))
        shapes.append(text(Point(_AREA.right + 8, middle + 4), fitted(row.told, _VALUES)))
    told = " ".join([f"{row.name}: {row.told}." for row in rows])
    return drawing(key, title, told, _AREA.top + _ROW * len(rows) + 8, *shapes)


def _estimate(middle: float, row: Estimate) -> list[Markup]:
    shapes = [text(Point(_NAMES - 8, middle + 4), fitted(row.name, _NAMES - 8), anchor="end")]
    if row.interval is None:
        return [*shapes, text(Point(_AREA.right + 12, middle + 4), "–", kind="muted")]
    low, high = Point(_across(row.interval.low), middle), Point(_across(row.interval.high), middle)
    shapes.append(line(low, high, "whisker"))
    shapes += [line(Point(end.x, middle - 4), Point(end.x, middle + 4), "whisker") for end in (low, high)]
    shapes.append(dot(Point(_across(row.interval.estimate), middle), 5, "mark", f"{row.name}: {row.interval.told}"))
    shapes.append(text(Point(_AREA.right + 12, middle + 4), f"{row.interval.estimate:.2f}"))
    shapes.append(text(Point(WIDTH - 2, middle + 4), f"n {row.interval.n}", anchor="end", kind="muted", small=True))
    return shapes


def _across(share: float) -> float:
    return _AREA.left + share * _AREA.width


def _upright_line(share: float, bottom: float, kind: str) -> Markup:
    return line(Point(_across(share), _AREA.top), Point(_across(share), bottom), kind)
