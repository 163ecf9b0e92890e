"""Shares over a day as a chart that is read without colours too: values, hours, a sign on every line, what happened when."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from cli.braille import Span, line_plot
from cli.console import VERDICT_SIGNS, VERDICT_STYLES
from cli.render_parts import columns
from cli.render_world import change_text, faction_text
from cli.text import clean
from world.demo.tale import DayReport

ACROSS: Final = 56
"""Columns of the chart where there is room."""
_LEAST_ACROSS: Final = 32
"""Five hours beneath one another need as many."""
DOWN: Final = 13
_LINES: Final = 4
"""Spaces between lines of the grid: four of three rows, so that each line stands on a row of its own."""
_STEPS: Final = (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 50_000, 100_000, 250_000)
"""What a space of the grid may stand for, ppm."""
_SIGNS: Final = ("●", "■", "◆", "○", "□", "◇", "+", "×")
_ABOVE: Final = {"⚔": "a conflict begins", "⚑": "a territory changes hands"}
_BENEATH: Final = {"".join(VERDICT_SIGNS.values()): "the council's word"}
_HOUR_TICKS: Final = 4
_MARGIN: Final = 8
Styles = Mapping[str, str]


class SharesChart:
    """Every faction's share over the day, what happened beneath it, and the shares in figures, as wide as there is room."""

    def __init__(self, report: DayReport, styles: Styles) -> None:
        self._report = report
        self._styles = styles

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it; the names at the ends of its lines are never cut."""
        names = max(len(clean(faction)) for faction in self._report.shares[0]) + len(" ● ")
        yield _chart(self._report, self._styles, max(_LEAST_ACROSS, min(ACROSS, options.max_width - _MARGIN - names)))


def _chart(report: DayReport, styles: Styles, across: int) -> Group:
    series = {faction: [shares[faction] for shares in report.shares] for faction in sorted(report.shares[0])}
    signs = {faction: _SIGNS[place % len(_SIGNS)] for place, faction in enumerate(series)}
    span = grid(min(map(min, series.values())), max(map(max, series.values())))
    rows = line_plot(series, styles, across=across, down=DOWN, span=span, marks=signs)
    ends = _ends(series, span)
    drawn = [_line(number, row, span) for number, row in enumerate(rows)]
    for number, faction in ends.items():
        drawn[number].append_text(Text.assemble(" ", _signed(faction, signs, styles)))
    drawn.append(Text(" " * (_MARGIN - 1) + "└" + "─" * across, style="dim"))
    drawn.append(Text(" " * _MARGIN, style="dim").append(_hours(report.ticks, across)))
    return Group(*drawn, *_happened(report, across), Text(""), _figures(report, series, signs, styles))


def grid(least: int, most: int) -> Span:
    """Return the range of a chart whose five lines stand at round values, as narrow as that can be.

    >>> grid(197_600, 284_500), grid(250_000, 250_000)
    (Span(low=180000, high=300000), Span(low=250000, high=250400))
    """
    for step in _STEPS:
        low = least // step * step
        if low + _LINES * step >= most:
            return Span(low, low + _LINES * step)
    return Span(0, 1_000_000)


def clock(tick: int) -> str:
    """Return the time of a tick as people tell it, the first day without its number.

    >>> clock(67), clock(96), clock(97)
    ('16:45', '24:00', 'day 2, 00:15')
    """
    day = max(0, tick - 1) // 96
    hours, quarters = divmod(tick - day * 96, _HOUR_TICKS)
    time = f"{hours:02}:{quarters * 15:02}"
    return time if day == 0 else f"day {day + 1}, {time}"


def _line(number: int, row: Text, span: Span) -> Text:
    """Return a row behind its axis; on a line of the grid the value is told and the gaps are dotted."""
    between = (DOWN - 1) // _LINES
    if number % between:
        return Text(" " * (_MARGIN - 1) + "│", style="dim").append_text(row)
    value = span.high - (span.high - span.low) * (number // between) // _LINES
    line = Text(f"{f'{value / 10_000:g} %':>{_MARGIN - 2}} ┤", style="dim")
    for char in row.divide(range(1, len(row))):
        line.append_text(Text("┈", style="dim") if char.plain == " " else char)
    return line


def _ends(series: Mapping[str, Sequence[int]], span: Span) -> dict[int, str]:
    """Return which row names which faction, at the end of its line; two on one row make way for one another."""
    order = sorted(series, key=lambda name: -series[name][-1])
    rows: list[int] = []
    for faction in order:
        row = (span.high - series[faction][-1]) * (DOWN - 1) // (span.high - span.low)
        rows.append(max(row, rows[-1] + 1) if rows else row)
    for place in range(len(rows) - 1, -1, -1):
        rows[place] = min(rows[place], DOWN - len(rows) + place)
    return {row: faction for row, faction in zip(rows, order, strict=True) if row >= 0}


def _hours(ticks: int, across: int) -> str:
    """Return the axis of time: five moments, each beneath its column."""
    line = ""
    for part in range(5):
        told = clock(ticks * part // 4)
        column = across * part // 4 - (len(told) // 2 if part else 0)
        line = f"{line:<{column}}{told}"
    return line


def _happened(report: DayReport, across: int) -> list[Text]:
    """Return what happened beneath the hours in which it did, and what the signs mean; nothing where nothing happened."""
    beneath: dict[int, tuple[str, str]] = {}
    for heard in report.heard:
        if not heard.is_of_an_act:
            beneath[_column(heard.tick, report, across)] = (VERDICT_SIGNS[heard.verdict], VERDICT_STYLES[heard.verdict])
    above = {_column(fight.began, report, across): ("⚔", "") for fight in report.fights}
    above |= {_column(moved.tick, report, across): ("⚑", "bold") for moved in report.moves}
    lines = [_signs_at(places) for places in (above, beneath) if places]
    meanings = {**(_ABOVE if above else {}), **(_BENEATH if beneath else {})}
    told = ", ".join(f"{sign} {meaning}" for sign, meaning in meanings.items())
    return [*lines, Text(told, style="dim")] if lines else []


def _signs_at(places: Mapping[int, tuple[str, str]]) -> Text:
    line = Text(" " * _MARGIN)
    for column in range(max(places) + 1):
        line.append(*places.get(column, (" ", "")))
    return line


def _column(tick: int, report: DayReport, across: int) -> int:
    return tick * (across - 1) // max(1, report.ticks)


def _figures(report: DayReport, series: Mapping[str, Sequence[int]], signs: Mapping[str, str], styles: Styles) -> Table:
    table = columns()
    for faction in sorted(series, key=lambda name: (-series[name][-1], name)):
        values = series[faction]
        before = sum(each.controller == faction for each in report.first.values())
        after = sum(each.controller == faction for each in report.territories)
        table.add_row(
            _signed(faction, signs, styles),
            f"{values[0] / 10_000:.2f} → {values[-1] / 10_000:.2f} %",
            change_text(_hundredths(values[-1]) - _hundredths(values[0])),
            Text(f"between {min(values) / 10_000:.1f} and {max(values) / 10_000:.1f}", style="dim"),
            Text(f"holds {before}" if before == after else f"holds {before} → {after}"),
        )
    return table


def _hundredths(ppm: int) -> float:
    """Return a share in percent as it is shown, so that the change is that of the two figures beside it."""
    return round(ppm / 10_000, 2)


def _signed(faction: str, signs: Mapping[str, str], styles: Styles) -> Text:
    return Text.assemble((f"{signs[faction]} ", styles[faction]), faction_text(faction, styles))
