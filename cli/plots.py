"""Plots in a terminal: matrices, the trade-off, intervals, bars. The same figures as the page's, drawn with characters.

Nothing is told by colour alone: cells say in words what they are, marks differ in shape.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import bar, columns
from cli.text import clean
from evals.plots.canvas import ticks
from evals.plots.figures import Estimate, Kind, Length, Matrix, Spot, TradeOff
from evals.statistics.calibration import Bin
from evals.statistics.intervals import Interval
from policies.verdicts import STRICTNESS, VERDICTS, Verdict

ACROSS: Final = 60
"""Columns of a plot's area."""
DOWN: Final = 15
"""Rows of the trade-off's area."""
_STYLES: Final[dict[Kind, str]] = {
    "right": "green", "unsafe": "bold red", "needless": "yellow", "wrong": "magenta",
    "same": "dim", "milder": "bold red", "stricter": "yellow",
}  # fmt: skip
_SAID: Final[dict[Kind, str]] = {
    "unsafe": " unsafe",
    "needless": " needless",
    "milder": " milder",
    "stricter": " stricter",
}


def draw_matrix(matrix: Matrix) -> RenderableType:
    """Return a matrix of verdicts: counts, shares of the row, and in words what a cell means."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    is_turn = matrix.rows_are == "old verdict"
    table.add_column("old ↓  new →" if is_turn else "label ↓  verdict →", no_wrap=True)
    for verdict in VERDICTS:
        table.add_column(verdict_text(verdict), justify="right", no_wrap=True)
    table.add_column("n", justify="right", style="dim")
    for row in VERDICTS:
        counts = matrix.counts[STRICTNESS[row]]
        table.add_row(
            verdict_text(row), *[_cell(matrix, row, column, sum(counts)) for column in VERDICTS], str(sum(counts))
        )
    return table


def draw_tradeoff(found: TradeOff) -> RenderableType:
    """Return policies by both errors: ◆ the policy as it is, numbers the front, · all others."""
    across = ticks(max([spot.needless_holds for spot in found.spots], default=0))
    up = ticks(max([spot.unsafe_approvals for spot in found.spots], default=0))
    cells: dict[tuple[int, int], Text] = {}

    def place(spot: Spot) -> tuple[int, int]:
        column = round(spot.needless_holds / across[-1] * (ACROSS - 1))
        return column, round((1 - spot.unsafe_approvals / up[-1]) * (DOWN - 1))

    for spot in found.spots:
        cells[place(spot)] = Text("·", style="dim")
    for number, spot in reversed([*enumerate(found.front, start=1)]):
        cells[place(spot)] = Text(str(number) if number < 10 else "●", style="bold cyan")
    for spot in found.spots:
        if spot.is_current:
            cells[place(spot)] = Text("◆", style="bold yellow")
    labels = {round((1 - at / up[-1]) * (DOWN - 1)): f"{at:,}" for at in up}
    wide = max(map(len, labels.values()))
    lines = [Text(f"{'':<{wide}} unsafe approvals", style="dim")]
    for row in range(DOWN):
        edge = Text(f"{labels.get(row, ''):>{wide}} {'┤' if row in labels else '│'}")
        lines.append(Text.assemble(edge, *[cells.get((column, row), " ") for column in range(ACROSS)]))
    lines += _foot(wide, [(round(at / across[-1] * (ACROSS - 1)), f"{at:,}") for at in across], "needless holds")
    lines.append(
        Text(
            "◆ the policy as it is · 1, 2, … the front, fewest needless holds first · dots: beaten by others",
            style="dim",
        )
    )
    return Group(*lines)


def draw_estimates(rows: Sequence[Estimate], *, width: int = 40) -> RenderableType:
    """Return shares between 0 and 1 with their intervals, one row each."""
    table = columns()
    for row in rows:
        told = row.interval.told if row.interval is not None else "nothing to measure"
        table.add_row(clean(row.name), _whisker(row.interval, width), told)
    table.add_row("", Text(f"0{'0.5':^{width - 2}}1", style="dim"), "")
    return table


def draw_lengths(rows: Sequence[Length]) -> RenderableType:
    """Return lengths as bars from 0; the longest is full."""
    most = max([row.value for row in rows], default=0.0)
    table = columns()
    for row in rows:
        share = Fraction(row.value / most).limit_denominator(1000) if most else Fraction(0)
        table.add_row(clean(row.name), bar(share, None, "cyan"), clean(row.told))
    return table


def draw_reliability(bins: Sequence[Bin]) -> RenderableType:
    """Return how often votes of each confidence were right: the bar is the share right, the tick what was claimed."""
    table = columns()
    table.add_row(*[Text(title, style="dim") for title in ("claimed", "right ┃ claimed", "share right", "votes")])
    for each in bins:
        share = Fraction(each.right.estimate).limit_denominator(1000)
        drawn = bar(share, each.confidence, "cyan")
        table.add_row(f"{float(each.confidence):.2f}", drawn, each.right.told, f"{each.right.n:,}")
    return table


def _cell(matrix: Matrix, row: Verdict, column: Verdict, n: int) -> Text:
    count = matrix.counts[STRICTNESS[row]][STRICTNESS[column]]
    if not count:
        return Text("·", style="dim")
    kind = matrix.kind(row, column)
    share = f" ({count / n:.0%})" if matrix.rows_are == "label" else ""
    return Text(f"{count:,}{share}{_SAID.get(kind, '')}", style=_STYLES[kind])


def _whisker(found: Interval | None, width: int) -> Text:
    if found is None:
        return Text("")
    low, middle, high = [round(share * (width - 1)) for share in (found.low, found.estimate, found.high)]
    cells = [" " if at < low or at > high else "─" for at in range(width)]
    cells[low], cells[high] = "├", "┤"
    cells[middle] = "●"
    return Text("".join(cells), style="cyan")


def _foot(indent: int, labels: Sequence[tuple[int, str]], title: str) -> list[Text]:
    rule = ["─"] * ACROSS
    numbers = [" "] * (ACROSS + 8)
    for at, label in labels:
        rule[at] = "┬"
        start = max(0, at - len(label) // 2)
        numbers[start : start + len(label)] = label
    pad = " " * indent
    return [
        Text(f"{pad} └{''.join(rule)}"),
        Text(f"{pad}  {''.join(numbers).rstrip()}"),
        Text(f"{pad}  {title:^{ACROSS}}".rstrip(), style="dim"),
    ]
