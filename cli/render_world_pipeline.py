"""What the pipeline did with everybody's acts, by kind of player, and how well it told exploiters from honest people."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from cli.render_parts import cut
from cli.text import clean, counted, shortened
from evals.statistics.intervals import wilson
from policies.numbers import apportion
from world.demo.players import Kind
from world.demo.tale import DayReport, Tally, kinds_in
from world.influence.judging import State

_KINDS: Final[dict[Kind, tuple[str, str]]] = {
    "casual": ("casual player", "casual players"),
    "guild": ("guild member", "guild members"),
    "whale": ("whale's account", "whales' accounts"),
    "bot": ("bot", "bots"),
    "replayer": ("replayer", "replayers"),
}
_STATES: Final[tuple[State, ...]] = ("accepted", "in_review", "quarantined", "rejected")
_REFUSALS: Final = {
    "council": "by the council",
    "replay": "replays",
    "user_cap": "beyond the account's points of the day",
    "source_cap": "beyond its source's points of the day",
    "faction_cap": "beyond the faction's points of the tick",
    "too_old": "too old",
    "ahead_of_time": "ahead of time",
}


def pipeline_told(report: DayReport) -> Group:
    """Return the totals, why acts were refused, and who stood out."""
    return Group(_totals(report), Text(""), *_asides(report), *_catch(report), *_odd_ones(report.tallies))


def kind_words(kind: Kind, count: int) -> str:
    """Return so many accounts of a kind.

    >>> kind_words("bot", 1), kind_words("whale", 8)
    ('1 bot', "8 whales' accounts")
    """
    one, several = _KINDS[kind]
    return f"{count} {one if count == 1 else several}"


def _totals(report: DayReport) -> Table:
    """Return a table whose rows add up: every act that was submitted stands in one state at the day's end."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", show_footer=True)
    everybody = counted(len(report.tallies), "account")
    table.add_column("", footer=everybody, no_wrap=True)
    kinds = {kind: report.of_kind(kind) for kind in kinds_in(report)}
    milli: dict[str, int] = {kind: sum(each.counted_points for each in tallies) for kind, tallies in kinds.items()}
    worth = sum(milli.values()) // 1_000
    shown = apportion(milli, worth)
    for title, total in zip(
        ("submitted", *[state.replace("_", " ") for state in _STATES], "worth"),
        _row(report.tallies, worth),
        strict=True,
    ):
        table.add_column(title, footer=total, justify="right", no_wrap=True)
    for kind, tallies in kinds.items():
        table.add_row(kind_words(kind, len(tallies)), *_row(tallies, shown[kind]))
    return table


def _row(tallies: Sequence[Tally], worth: int) -> list[str]:
    submitted = sum(each.sent - each.repeats for each in tallies)
    by_state = [sum(each.states.get(state, 0) for each in tallies) for state in _STATES]
    return [f"{number:,}" for number in (submitted, *by_state, worth)]


def _asides(report: DayReport) -> list[Text]:
    refused = Counter[str]()
    for each in report.tallies:
        refused.update(each.refused)
    lines = [Text("worth: points that moved the realm, after clusters and caps", style="dim")]
    if repeats := sum(each.repeats for each in report.tallies):
        lines.append(
            Text(f"{counted(repeats, 'more act')} arrived again under the same id and counted once", style="dim")
        )
    if refused:
        why = ", ".join(
            f"{count} {_REFUSALS.get(kind, kind.replace('_', ' '))}" for kind, count in refused.most_common()
        )
        lines.append(Text(f"rejected: {why}", style="dim"))
    return [*lines, Text("")]


def _catch(report: DayReport) -> list[Text]:
    found = report.catch()
    recall = wilson(found.caught, found.caught + found.missed)
    precision = wilson(found.caught, found.caught + found.falsely)
    lines = []
    if precision is not None:
        told = f": {found.falsely} of {found.honest} honest accounts had an act stopped"
        lines.append(Text.assemble(("precision ", "bold"), precision.told, told))
    if recall is not None:
        told = f": {counted(found.missed, 'exploiter')} got through"
        lines.append(Text.assemble(("recall    ", "bold"), recall.told, told))
    return lines


def _odd_ones(tallies: Sequence[Tally]) -> list[Text]:
    """Return what became of everybody who stood out, a whale's accounts as one."""
    by_manner: dict[str, list[Tally]] = {}
    for each in tallies:
        if each.player.manner:
            by_manner.setdefault(each.player.manner, []).append(each)
    lines = []
    for manner, group in sorted(by_manner.items()):
        is_unfair = group[0].player.is_exploiter
        caught = sum(each.is_caught for each in group)
        right = caught == (len(group) if is_unfair else 0)
        said = "stopped" if caught else "let play"
        who = shortened(clean(", ".join(each.player.user_id for each in group)), 24)
        lines.append(cut(f"{'✓' if right else '✗'} {said:<8} {clean(manner)} ({who})", "" if right else "yellow"))
    return lines
