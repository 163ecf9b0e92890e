"""Ticks that were run, one row each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.text import clean

if TYPE_CHECKING:
    from cli.world_tick import TickRow


def render_ticks(rows: "Sequence[TickRow]") -> list[RenderableType]:
    """Return the table of ticks: what moved, what changed hands, which triggers fired, what the council settled."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("tick", "snapshot", "shares, points", "territories", "triggers"):
        table.add_column(title, no_wrap=title in ("tick", "snapshot"))
    table.add_column("settled", justify="right")
    table.add_column("hash", no_wrap=True, style="dim")
    for row in rows:
        wire = row.wire
        table.add_row(
            str(wire["tick_number"]),
            clean(wire["snapshot_id"]),
            ", ".join(f"{clean(name)} {delta:+.1f}" for name, delta in sorted(wire["faction_deltas"].items())) or "–",
            ", ".join(f"{clean(each['territory_id'])} → {clean(each['to'])}" for each in wire["territory_changes"])
            or "–",
            clean(", ".join(wire["trigger_fired"])) or "–",
            str(row.settled),
            row.hash[:12],
        )
    return [table, Text("")]
