"""The matrix of prompts and models, drawn: a row per combination, then what each difference from the first is worth."""

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.text import clean, decimal
from evals.decisions import AXES
from evals.prompt_matrix import Figures, Matrix, Standing
from evals.prompt_versions import PromptVersion
from evals.statistics.intervals import Interval

NOTHING: Final = "–"


def render_matrix(matrix: Matrix, versions: Sequence[PromptVersion], *, mode: str, suite: str) -> list[RenderableType]:
    """Return the drawing of a matrix: its combinations are numbered, because their names are long."""
    first = matrix.figures[0]
    head = Text.assemble((clean(suite), "bold"), f"  mode {mode} · {first.cases} results per combination")
    parts: list[RenderableType] = [head, Text(""), *_legend(matrix, versions), Text("")]
    parts += [_figures(matrix), Text(""), _axes(matrix), Text("")]
    if mode == "cassette":
        parts += [Text("a replay takes no time that a model took: latency is left out", style="dim"), Text("")]
    if matrix.standings:
        parts += [_standings(matrix), Text("")]
    return [*parts, _best(matrix)]


def _legend(matrix: Matrix, versions: Sequence[PromptVersion]) -> list[Text]:
    changed = {version.name: ", ".join(version.changed) or "as shipped" for version in versions}
    return [
        Text.assemble(
            (_number(at), "bold"), f"  prompts {clean(each.prompts)} ({changed[each.prompts]}) × {clean(each.models)}"
        )
        for at, each in enumerate(matrix.figures)
    ]


def _figures(matrix: Matrix) -> Table:
    table = _table("", "accuracy (95 %)", "unsafe", "needless", "unreadable", "silent", "cost", "p50", "p95", "")
    for at, figures in enumerate(matrix.figures):
        table.add_row(
            _starred(matrix, at),
            _interval(figures.accuracy),
            Text(str(figures.unsafe), style="red" if figures.unsafe else ""),
            str(figures.needless),
            _of(figures.unreadable, figures.votes),
            _of(figures.silent, figures.votes),
            _cost(figures),
            _ms(figures.p50_ms),
            _ms(figures.p95_ms),
            Text(f"{figures.unjudged} not judged" if figures.unjudged else "", style="yellow"),
        )
    return table


def _axes(matrix: Matrix) -> Table:
    table = _table("", *AXES)
    for at, figures in enumerate(matrix.figures):
        table.add_row(_starred(matrix, at), *[_interval(figures.by_axis.get(axis)) for axis in AXES])
    return table


def _standings(matrix: Matrix) -> Table:
    table = _table("against #1", "won", "lost", "difference (95 %)", "p", "p corrected", "")
    for at, standing in enumerate(matrix.standings, 1):
        change = standing.change
        if change is None or standing.corrected is None:
            table.add_row(_starred(matrix, at), *([NOTHING] * 5), Text("no labelled case in common", style="yellow"))
            continue
        difference = change.difference
        table.add_row(
            _starred(matrix, at),
            str(change.gained),
            str(change.lost),
            f"{difference.estimate:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})",
            f"{change.p_value:.3f}",
            f"{standing.corrected:.3f}",
            _told(standing),
        )
    return table


def _told(standing: Standing) -> Text:
    if not standing.is_different or standing.change is None:
        return Text("no evidence of a difference", style="dim")
    is_better = standing.change.difference.estimate > 0
    return Text("better" if is_better else "worse", style="green" if is_better else "red")


def _best(matrix: Matrix) -> Text:
    best, first = matrix.figures[matrix.best], matrix.figures[0]
    if best.accuracy is None:
        return Text("nothing labelled was judged: no combination can be called the best", style="yellow")
    name = f"★ {_number(matrix.best)}"
    if len(matrix.figures) == 1:
        return Text("one combination: name more --prompts or --models to compare", style="dim")
    if matrix.best == 0:
        return Text(f"{name}: the first combination is the best of these", style="green")
    if not matrix.standings[matrix.best - 1].is_different and best.unsafe >= first.unsafe:
        return Text(f"{name} comes out best, but there is no evidence that it differs from the first", style="yellow")
    return Text(f"{name} is the best of these", style="green")


def _number(at: int) -> str:
    return f"#{at + 1}"


def _starred(matrix: Matrix, at: int) -> Text:
    return Text(f"{_number(at)} ★" if at == matrix.best else _number(at), style="green" if at == matrix.best else "")


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right" if name else "left", no_wrap=bool(name))
    return table


def _interval(found: Interval | None) -> str:
    return NOTHING if found is None else f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f})"


def _of(part: int, whole: int) -> str:
    return str(part) if not whole or not part else f"{part} of {whole}"


def _cost(figures: Figures) -> str:
    if figures.model_calls and not figures.cost_usd:
        return "no price"
    return f"${decimal(figures.cost_usd, 4)}"


def _ms(value: int | None) -> str:
    return NOTHING if value is None else f"{value} ms"
