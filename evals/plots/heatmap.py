"""A matrix of verdicts as a heat map: counts, shares of the row, and in words which cells are the dangerous ones."""

from typing import Final

from evals.markup import Markup
from evals.plots.canvas import Frame, Point, box, drawing, text, upright
from evals.plots.figures import Kind, Matrix
from policies.verdicts import STRICTNESS, VERDICTS, Verdict

_GRID: Final = Frame(100, 40, 256, 232)
_GAP: Final = 2
_FAINTEST, _STRONGEST = 0.1, 0.5
"""Opacity of a cell's tint: the strongest still lets text be read on it (tests compute the contrast)."""
_SAID: Final[dict[Kind, str]] = {"unsafe": "unsafe", "needless": "needless", "milder": "milder", "stricter": "stricter"}


def heatmap(key: str, title: str, matrix: Matrix) -> Markup:
    """Return the plot of a matrix: one row a label (or old verdict), one column a verdict."""
    shapes = [text(Point(_GRID.left + _GRID.width / 2, 14), matrix.columns_are, anchor="middle", kind="axis")]
    shapes.append(upright(Point(12, _GRID.top + _GRID.height / 2), matrix.rows_are))
    for column in VERDICTS:
        cell = _cell(VERDICTS[0], column)
        shapes.append(text(Point(cell.left + cell.width / 2, 32), column, anchor="middle", small=True))
    for row in VERDICTS:
        cell, n = _cell(row, VERDICTS[0]), sum(matrix.counts[STRICTNESS[row]])
        middle = cell.top + cell.height / 2
        shapes.append(text(Point(_GRID.left - 6, middle), row, anchor="end"))
        shapes.append(text(Point(_GRID.left - 6, middle + 14), f"n = {n}", anchor="end", kind="muted", small=True))
        for column in VERDICTS:
            shapes += _shapes(matrix, row, column, n)
    return drawing(key, title, matrix.told, _GRID.bottom + 6, *shapes)


def _cell(row: Verdict, column: Verdict) -> Frame:
    width, height = _GRID.width / len(VERDICTS), _GRID.height / len(VERDICTS)
    left, top = _GRID.left + STRICTNESS[column] * width, _GRID.top + STRICTNESS[row] * height
    return Frame(left + _GAP / 2, top + _GAP / 2, width - _GAP, height - _GAP)


def _shapes(matrix: Matrix, row: Verdict, column: Verdict, n: int) -> list[Markup]:
    count, kind, cell = matrix.counts[STRICTNESS[row]][STRICTNESS[column]], matrix.kind(row, column), _cell(row, column)
    if not count:
        outline = box(cell, "cell-none", round_=3)
        return [outline, text(Point(cell.left + cell.width / 2, cell.top + 34), "0", anchor="middle", kind="muted")]
    share = count / n
    told = f"{matrix.rows_are} {row}, {matrix.columns_are} {column}: {count} of {n}"
    middle = cell.left + cell.width / 2
    shapes = [
        box(cell, f"cell cell-{kind}", opacity=_FAINTEST + (_STRONGEST - _FAINTEST) * share, told=told, round_=3),
        text(Point(middle, cell.top + 22), f"{count:,}", anchor="middle", kind="ink figure"),
        text(Point(middle, cell.top + 37), f"{share:.0%}", anchor="middle", small=True),
    ]
    if kind in _SAID:
        shapes.append(text(Point(middle, cell.top + 50), _SAID[kind], anchor="middle", small=True, kind="ink strong"))
    return shapes
