"""Lines in a terminal: braille cells are two dots wide and four high, so that a day fits a screen."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rich.text import Text

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of a dot, by row and column of a cell (Unicode block 2800)."""
_SPARKS: Final = "▁▂▃▄▅▆▇█"
MARK_EVERY: Final = 16
"""Columns from one sign of a line to its next; the lines' signs are spread evenly between."""
_NO_MARKS: Final[Mapping[str, str]] = {}
_Place = tuple[int, int]


class Span(NamedTuple):
    """The values of the lowest and of the highest row."""

    low: int
    high: int


def line_plot(
    series: Mapping[str, Sequence[int]],
    styles: Mapping[str, str],
    *,
    across: int,
    down: int,
    span: Span | None = None,
    marks: Mapping[str, str] = _NO_MARKS,
) -> list[Text]:
    """Return several series over one range as rows of braille; where lines cross, the first series' colour is shown.

    Args:
        series: whole numbers by name, equally long, at least one of each.
        across: columns.
        down: rows.
        span: the range of the rows; None: that of the values.
        marks: a sign by series that stands on its line here and there, so that lines are told apart without colours.
    """
    low = min(min(values) for values in series.values())
    high = max(max(values) for values in series.values())
    cells: dict[_Place, tuple[int, str]] = {}
    signs: dict[_Place, tuple[str, str]] = {}
    for order, (name, values) in enumerate(series.items()):
        dots = _dots(values, *(span or Span(low, high)), across * 2, down * 4)
        for x, y in dots:
            place = (y // 4, x // 2)
            bits, first = cells.get(place, (0, name))
            cells[place] = (bits | _DOTS[y % 4][x % 2], first)
        if name in marks:
            first_column = MARK_EVERY * (2 * order + 1) // (2 * len(series))
            signed = {x // 2: (y // 4, x // 2) for x, y in dots}
            signs |= {signed[column]: (marks[name], name) for column in range(first_column, across, MARK_EVERY)}
    drawn = {place: (chr(0x2800 + bits), name) for place, (bits, name) in cells.items()} | signs
    return [_row([drawn.get((row, column)) for column in range(across)], styles) for row in range(down)]


def sparkline(values: Sequence[int], width: int) -> str:
    """Return a series as one line of blocks over its own range.

    >>> sparkline([0, 1, 2, 3], 4), sparkline([5, 5], 3)
    ('▁▃▆█', '▁▁▁')
    """
    chosen = [values[column * (len(values) - 1) // max(1, width - 1)] for column in range(width)]
    low, high = min(chosen), max(chosen)
    if low == high:
        return _SPARKS[0] * width
    return "".join(_SPARKS[(value - low) * (len(_SPARKS) - 1) * 2 // (high - low) + 1 >> 1] for value in chosen)


def _dots(values: Sequence[int], low: int, high: int, across: int, down: int) -> list[tuple[int, int]]:
    """Return the dots of one line; steep steps are filled in, so that it stays a line."""
    span, last = max(1, high - low), len(values) - 1
    heights = [(down - 1) - (values[x * last // max(1, across - 1)] - low) * (down - 1) // span for x in range(across)]
    found = []
    for x, y in enumerate(heights):
        before = heights[x - 1] if x else y
        step = 1 if y > before else -1
        found += [(x, between) for between in range(before + step, y, step)] if y != before else []
        found.append((x, y))
    return found


def _row(cells: Sequence[tuple[str, str] | None], styles: Mapping[str, str]) -> Text:
    row = Text()
    for cell in cells:
        if cell is None:
            row.append(" ")
        else:
            row.append(cell[0], style=styles.get(cell[1], ""))
    return row
