"""Many decisions at a glance: a table with one row each, and how the verdicts spread."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.render_list import SHORT_ID, Listed
from cli.render_parts import cut
from cli.text import clean
from policies.verdicts import VERDICTS


class Outcome(NamedTuple):
    """What came of one file."""

    file: str
    decision: Listed


def render_summary(outcomes: Sequence[Outcome]) -> list[RenderableType]:
    """Return the table of what was decided, and the count of every verdict."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    table.add_column("request", no_wrap=True, overflow="ellipsis", max_width=34)
    for title in ("verdict", "path"):
        table.add_column(title, no_wrap=True)
    table.add_column("conf.", no_wrap=True, justify="right")
    table.add_column("change", ratio=1)
    table.add_column("decision", no_wrap=True)
    for file, row in outcomes:
        table.add_row(
            clean(file),
            verdict_text(row.verdict),
            row.path,
            str(row.confidence),
            cut(clean(row.summary)),
            Text(clean(row.decision_id)[:SHORT_ID], style="dim"),
        )
    return [table, Text(""), _spread(outcomes)]


def _spread(outcomes: Sequence[Outcome]) -> Text:
    counts = Counter(outcome.decision.verdict for outcome in outcomes)
    parts = [Text.assemble(f"{counts[verdict]} ", verdict_text(verdict)) for verdict in VERDICTS if counts[verdict]]
    held = sum(outcome.decision.held for outcome in outcomes)
    waiting = f" · {held} wait for a person" if held else ""
    plural = "" if len(outcomes) == 1 else "s"
    return Text.assemble(f"{len(outcomes)} decision{plural}: ", Text(", ").join(parts), waiting)
