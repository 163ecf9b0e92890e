"""Voting power, lints and differences of policies, drawn."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.output import json_text
from cli.render_parts import section
from cli.text import clean, percent
from policies.comparison import Change, Comparison, PowerChange
from policies.diversity import worth_told
from policies.findings import Finding
from policies.power import LevelPower, Power

_SEVERITY_STYLES: Final = {"error": "bold red", "warning": "yellow", "hint": "cyan"}
_NOTHING: Final = "–"
_LEGEND: Final = (
    "Banzhaf: the part of all swings. chance: to decide where every other member tosses a coin. Shapley: to be the pivot"
    " in a random order. A rule that fires decides alone; 'with rules' counts every enforced rule as a player."
)


def render_power(levels: Sequence[LevelPower]) -> list[RenderableType]:
    """Return the drawing of who can tighten a verdict; levels with the same numbers share a table."""
    groups: dict[tuple[Any, ...], list[LevelPower]] = {}
    for level in levels:
        groups.setdefault((level.quota, level.members, level.with_rules), []).append(level)
    parts: list[RenderableType] = []
    for found in groups.values():
        parts += [_title(found), _power_table(found[0]), Text("")]
    parts.append(Text(_LEGEND, style="dim"))
    return parts


def render_findings(findings: Sequence[Finding]) -> list[RenderableType]:
    """Return the drawing of lint findings."""
    if not findings:
        return [Text("✓ nothing found: every member, quota and rule can matter", style="green")]
    parts: list[RenderableType] = []
    for finding in findings:
        title = Text.assemble((f"{finding.severity:<8}", _SEVERITY_STYLES[finding.severity]), (finding.place, "bold"))
        title.append(f"  [{finding.code}]", style="dim")
        body = Text(f"{finding.message}\n→ {finding.fix}")
        parts.append(Group(title, Padding(body, (0, 0, 0, 8))))
    return parts


def render_comparison(comparison: Comparison) -> list[RenderableType]:
    """Return the drawing of what changed between two policies and whose power changed with it."""
    if not comparison.changes:
        return [Text("no difference")]
    parts: list[RenderableType] = [_changes_table(comparison.changes), Text("")]
    if comparison.power:
        parts.append(section("Power", _power_changes(comparison.power)))
    else:
        parts.append(Text("nobody's voting power changes", style="dim"))
    if comparison.worth is not None:
        told = " → ".join(map(worth_told, comparison.worth))
        parts.append(Text(f"effective votes by models: {told} (rho: how far errors of one model are correlated)"))
    return parts


def _title(levels: Sequence[LevelPower]) -> Text:
    kinds: dict[str, list[str]] = {}
    for level in levels:
        kinds.setdefault(level.decision_type, []).append(level.verdict)
    places = "; ".join(f"{kind}: {', '.join(verdicts)}" for kind, verdicts in kinds.items())
    return Text.assemble((places, "bold"), f"  (quota {levels[0].quota})")


def _power_table(level: LevelPower) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("player", no_wrap=True)
    for title in ("Banzhaf", "chance", "Shapley", "with rules: Banzhaf", "Shapley"):
        table.add_column(title, justify="right")
    alone = {power.player: power for power in level.members}
    for power in level.with_rules:
        member = alone.get(power.player)
        first = _figures(member) if member else (_NOTHING, _NOTHING, _NOTHING)
        name = Text(clean(power.player), style="" if member else "dim")
        table.add_row(name, *first, percent(power.banzhaf_share), percent(power.shapley))
    return table


def _figures(power: Power) -> tuple[str, str, str]:
    return percent(power.banzhaf_share), percent(power.banzhaf), percent(power.shapley)


def _changes_table(changes: Sequence[Change]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    table.add_column("key", overflow="fold")
    table.add_column("old", ratio=1, overflow="fold")
    table.add_column("new", ratio=1, overflow="fold")
    for change in changes:
        table.add_row(Text(clean(change.key), style="bold"), _value(change.old), _value(change.new))
    return table


def _value(value: Any) -> Text:
    if value is None:
        return Text(_NOTHING, style="dim")
    return Text(clean(value if isinstance(value, str) else json_text(value)))


def _power_changes(changes: Sequence[PowerChange]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("decision type", "to reach", "player"):
        table.add_column(title, no_wrap=True)
    for title in ("Banzhaf", "Shapley"):
        table.add_column(title, justify="right", no_wrap=True)
    for change in changes:
        table.add_row(
            change.decision_type,
            verdict_text(change.verdict),
            clean(change.player),
            _turn(change, "banzhaf_share"),
            _turn(change, "shapley"),
        )
    return table


def _turn(change: PowerChange, name: str) -> str:
    old: Fraction | None = getattr(change.old, name) if change.old else None
    new: Fraction | None = getattr(change.new, name) if change.new else None
    return " → ".join(percent(value) if value is not None else _NOTHING for value in (old, new))
