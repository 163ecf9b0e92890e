"""How a sweep is drawn: the trade-off as a plot, then the front and the policy as it is as a table."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.plots import draw_tradeoff
from evals.sweep import Outcome, Sweep

_SHOWN = 12
"""Points of the front that are shown; all of them are in --json and -o."""


def render_sweep(found: Sweep) -> Iterator[RenderableType]:
    """Yield the parts of a sweep's answer."""
    current = found.current
    yield Text(_headline(found))
    if found.invalid:
        yield Text(f"{len(found.invalid)} combinations are no valid policy, such as {found.invalid[0]}", style="dim")
    if current.labelled:
        yield Text()
        yield draw_tradeoff(found.trade_off)
    yield Text()
    yield _table(found)
    if len(found.front) > _SHOWN:
        yield Text(f"and {len(found.front) - _SHOWN} more on the front: --json shows all", style="dim")
    yield Text(_advice(found))


def _headline(found: Sweep) -> str:
    current, tried = found.current, len(found.outcomes) - 1
    left = f"; {current.unjudged} cannot be judged even as the policy is" if current.unjudged else ""
    if not current.labelled:
        return f"{tried} policies tried on {current.judged} recorded decisions without labels: only changes are counted{left}"
    return f"{tried} policies tried on {current.labelled} labelled decisions{left}"


def _table(found: Sweep) -> Table:
    table = Table(title="front and current policy", title_justify="left")
    table.add_column("policy", overflow="fold")
    for column in ("unsafe", "needless", "right", "changed", "milder", "unjudged"):
        table.add_column(column, justify="right")
    shown = [each for each in found.front[:_SHOWN] if each is not found.current]
    for each in (found.current, *shown):
        table.add_row(*_row(each), style="bold" if each is found.current else "")
    return table


def _row(each: Outcome) -> tuple[str, ...]:
    right = "" if each.accuracy is None else f"{each.right}/{each.labelled}"
    errors = ("", "") if each.accuracy is None else (str(each.unsafe_approvals), str(each.needless_holds))
    return (each.name, *errors, right, str(each.changed), str(each.milder), str(each.unjudged))


def _advice(found: Sweep) -> str:
    current = found.current
    if not current.labelled:
        return "Label decisions (council eval label) to see which changes are right."
    better = [
        each
        for each in found.front
        if each.cost_of_errors != current.cost_of_errors
        and each.unsafe_approvals <= current.unsafe_approvals
        and each.needless_holds <= current.needless_holds
        and each.labelled >= current.labelled
    ]
    if not better:
        return (
            "No point makes fewer errors of one kind without more of the other: nothing here beats the policy as it is."
        )
    return (
        f"{len(better)} of the front make fewer errors of one kind and no more of the other. They were chosen on the decisions "
        "that they are judged on: prove one on other decisions before it decides (council eval backtest, council eval tune)."
    )
