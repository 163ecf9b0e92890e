"""What the doctor found, model by model."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from agents.models.examining import Check, Examined
from cli.render_parts import columns
from cli.text import clean

_SIGNS: Final = {"good": ("✓", "green"), "warning": ("!", "yellow"), "bad": ("✗", "red")}


def render_doctor(found: Sequence[Examined], warning: str | None) -> Iterator[RenderableType]:
    """Yield the drawing: a block per model, then what all of them together mean."""
    for each in found:
        sign, style = _SIGNS[each.state]
        title = Text.assemble((f"{sign} ", style), (clean(each.model), "bold"))
        title.append(f"  asked by {', '.join(each.members)}", style="dim")
        yield title
        for check in each.checks:
            yield _line(check)
    if warning is not None:
        yield Text.assemble(("! ", "yellow"), clean(warning))


def _line(check: Check) -> RenderableType:
    sign, style = _SIGNS[check.state]
    told = [Text(clean(check.says))]
    if check.fix and check.state != "good":
        told.append(Text(f"→ {clean(check.fix)}"))
    table = columns(gap=1)
    for _ in range(3):
        table.add_column()
    table.add_row(f"    {check.name:<8}", Text(sign, style=style), Group(*told))
    return table
