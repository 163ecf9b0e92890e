"""A realm at a glance: factions as bars, territories with who holds and who threatens them, conflicts, meters, triggers."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import bar, columns, cut, section
from cli.text import clean, counted

Document = Mapping[str, Any]
FACTION_STYLES: Final = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2")
"""The colour-blind tell them apart too: Okabe and Ito's palette without yellow and black (doi 10.1038/nmeth.1618)."""
_PHASES: Final = {"stable": "", "contested": "contested", "conflict": "⚔ conflict", "protected": "at peace"}
_PHASE_STYLES: Final = {"contested": "yellow", "conflict": "bold red", "protected": "dim"}
_METER_WIDTH: Final = 20


def render_status(document: Document) -> list[RenderableType]:
    """Return a realm's summary as a drawing.

    Args:
        document: `world.views.summary.summary_view` with `next_tick_in_s`.
    """
    styles = faction_styles([each["faction_id"] for each in document["factions"]])
    parts: list[RenderableType] = [_head(document), Text(""), section("Factions", _factions(document, styles))]
    parts.append(section("Territories", _territories(document, styles)))
    if document["campaigns"]:
        parts.append(section("At stake", _campaigns(document, styles)))
    parts.append(section("Meters", _meters(document)))
    if document["triggers"]:
        parts.append(section("Triggers", _triggers(document)))
    if document["verdicts"]:
        parts.append(section("Council", _verdicts(document)))
    return [*parts, _foot(document)]


def faction_styles(factions: list[str]) -> dict[str, str]:
    """Return each faction's colour, the same in every drawing of a realm."""
    return {faction: FACTION_STYLES[place % len(FACTION_STYLES)] for place, faction in enumerate(sorted(factions))}


def faction_text(faction: str | None, styles: Mapping[str, str]) -> Text:
    """Return a faction's name as people write it."""
    if faction is None:
        return Text("nobody", style="dim")
    return Text(clean(faction).replace("_", " "), style=styles.get(faction, ""))


def change_text(change: float | None, unit: str = "") -> Text:
    """Return a change with its sign and an arrow; nothing where there is nothing to compare with."""
    if change is None:
        return Text("–", style="dim")
    if abs(change) < 0.005:
        return Text("  0.00" + unit, style="dim")
    arrow, style = ("▲", "green") if change > 0 else ("▼", "red")
    return Text(f"{arrow} {abs(change):.2f}{unit}", style=style)


def _head(document: Document) -> Text:
    text = Text()
    text.append(clean(document["realm_id"]), style="bold")
    text.append(f" · {clean(document['season_id'])} · tick {document['tick_number']} · {document['snapshot_id']}")
    text.append(f" · {document['made_at'][:19].replace('T', ' ')} UTC", style="dim")
    return text


def _factions(document: Document, styles: Mapping[str, str]) -> Table:
    table = _table("", "", "share", "per tick", "per hour", "holds")
    most = max((each["share"] for each in document["factions"]), default=1) or 1
    for each in document["factions"]:
        table.add_row(
            faction_text(each["faction_id"], styles),
            bar(Fraction(str(each["share"])) / Fraction(str(most)), None, styles[each["faction_id"]], _METER_WIDTH),
            f"{each['share']:.2f} %",
            change_text(each["change_per_tick"]),
            change_text(each["change_per_hour"]),
            str(len(each["territories"])),
        )
    return table


def _territories(document: Document, styles: Mapping[str, str]) -> Table:
    table = _table("", "held by", "", "next", "", "")
    for each in document["territories"]:
        mine = each["shares"].get(each["controller"], 0.0) if each["controller"] else 0.0
        rival = _rival(each)
        table.add_row(
            cut(clean(each["name"])),
            faction_text(each["controller"], styles),
            f"{mine:.1f} %" if each["controller"] else "",
            faction_text(rival[0], styles) if rival else "",
            f"{rival[1]:.1f} %" if rival else "",
            Text(_PHASES.get(each["phase"], each["phase"]), style=_PHASE_STYLES.get(each["phase"], "")),
        )
    return table


def _rival(territory: Document) -> tuple[str, float] | None:
    others = {name: share for name, share in territory["shares"].items() if name != territory["controller"]}
    return max(others.items(), key=lambda item: (item[1], item[0])) if others else None


def _campaigns(document: Document, styles: Mapping[str, str]) -> Group:
    lines: list[Text] = []
    for each in document["campaigns"]:
        fight = each["conflict"]
        how = "within three points"
        if fight is not None:
            how = f"rounds {fight['rounds_won']} : {fight['rounds_held']} of {fight['rounds_to_win']}, "
            how += f"next in {counted(fight['next_round_in'], 'tick')}"
        left = each["projected_ticks"]
        when = f"at this pace it falls in {counted(left, 'tick')}" if left is not None else "at this pace it holds"
        line = Text.assemble(
            (clean(each["name"]), "bold"), ": ", faction_text(each["challenger"], styles), " against ",
            faction_text(each["owner"], styles),
        )  # fmt: skip
        lines += [line, Text(f"  {how}; {when}", style="dim")]
    return Group(*lines)


def _meters(document: Document) -> Table:
    table = _table("", "", "", "per tick", "per hour")
    for each in document["meters"]:
        level = Fraction(str(each["level"])) / 100
        table.add_row(
            clean(each["meter"]).replace("_", " "),
            bar(level, None, "blue", _METER_WIDTH),
            f"{each['level']:.1f}",
            change_text(each["change_per_tick"]),
            change_text(each["change_per_hour"]),
        )
    return table


def _triggers(document: Document) -> Table:
    table = columns()
    for each in document["triggers"]:
        match each["phase"]:
            case "waiting":
                how = f"waits for the council since tick {each['pending_since']}"
            case "rising":
                how = f"has held for {each['held']} of {counted(each['sustain'], 'tick')}"
            case _:
                how = f"{each['phase']}, last at tick {each['last_fired']}"
        table.add_row(Text(clean(each["trigger_id"]), style="bold"), how, cut(clean(each["told"]), "dim"))
    return table


def _verdicts(document: Document) -> Table:
    table = columns()
    for each in document["verdicts"]:
        table.add_row(f"tick {each['tick_number']}", verdict_text(each["verdict"]), cut(clean(each["summary"])))
    return table


def _foot(document: Document) -> Text:
    held = document.get("held") or {}
    waits = [
        f"{held.get('questions', 0)} open questions",
        f"{held.get('in_review', 0)} acts in review",
        f"{held.get('quarantined', 0)} in quarantine",
    ]
    left = document["next_tick_in_s"]
    due = (
        f"next tick in {left // 60} min {left % 60:02} s"
        if left > 0
        else "the next tick is due: council worker runs it"
    )
    return Text(f"{due} · {' · '.join(waits)} · hash {document['hash'][:12]}", style="dim")


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", show_header=any(titles))
    for place, title in enumerate(titles):
        table.add_column(title, no_wrap=True, justify="left" if place < 2 or not title else "right")
    return table
