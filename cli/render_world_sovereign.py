"""Sovereign actions as people read them: what is under way, and what each faction could do now."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render_parts import cut
from cli.text import clean, counted, decimal

Document = Mapping[str, Any]
_BECAUSE: Final = {
    "under_way": "has one under way",
    "spent": "used up this season",
    "too_costly": "treasury too small",
}


def render_actions(document: Document) -> list[RenderableType]:
    """Return the sovereign actions of one realm as a drawing.

    Args:
        document: realm_id, tick_number, actions (`actions_view`), factions (`sovereignty_view`).
    """
    actions = document["actions"]
    told = f"  tick {document['tick_number']}, {counted(len(actions), 'action')} under way"
    parts: list[RenderableType] = [Text.assemble((clean(document["realm_id"]), "bold"), (told, "dim"))]
    if actions:
        parts += [Text(""), _actions(actions)]
    return [*parts, Text(""), _kinds(document["factions"])]


def _actions(actions: list[dict[str, Any]]) -> Table:
    table = _table("action", "faction", "kind", "target", "others may object", "against it")
    for action in actions:
        is_open = action["phase"] == "counterplay"
        table.add_row(
            Text(clean(action["action_id"]), style="bold"),
            cut(clean(action["faction_id"])),
            cut(clean(action["kind"])),
            cut(clean(action["target"] or "")),
            Text(f"up to tick {action['closes']}" if is_open else "no more: the council decides", style="yellow"),
            cut(clean(", ".join(action["objections"]))),
        )
    return table


def _kinds(factions: list[dict[str, Any]]) -> Table:
    table = _table("faction", "treasury", "kind", "cost", "left", "now")
    for faction in factions:
        purse = f"{_points(faction['treasury'])} of {_points(faction['treasury_most'])}"
        name = clean(faction["faction_id"])
        for kind in faction["kinds"]:
            table.add_row(
                Text(name, style="bold"), Text(purse, style="dim"), cut(clean(kind["kind"])), _points(kind["cost"]),
                str(kind["uses_left"]), _now(kind),
            )  # fmt: skip
            name = purse = ""
    return table


def _now(kind: Mapping[str, Any]) -> Text:
    because = kind["because"]
    if because is None:
        return Text("✓ free", style="green")
    told = f"from tick {kind['free_from']} on" if because == "cooldown" else _BECAUSE[because]
    return Text(told, style="yellow")


def _points(points: float) -> str:
    return decimal(Fraction(points), 0)


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, no_wrap=True)
    return table
