"""What the council was asked on a day and what it said, in plain words: great matters one by one, odd acts by their end."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import VERDICT_SIGNS, verdict_text
from cli.render_parts import columns, cut
from cli.render_world_pipeline import kind_words
from cli.render_world_shares import clock
from cli.text import clean
from policies.verdicts import VERDICTS, Verdict
from world.demo.players import Player
from world.demo.tale import DayReport, Heard

_PLAIN: Final = {
    "canon_lock": "it would break the canon of the realm",
    "canon_needs_human": "only a person may open that part of the canon",
    "exploit_suspicion": "its support looks contrived, not earned",
    "exploit_held": "a person should look at the accounts behind it",
    "realm_collapse": "it could bring the realm down",
    "collapse_unproven": "it could bring the realm down, and too little is known to say",
    "high_risk_flag": "the pipeline warns gravely of it",
    "bot_certain": "no person acts like this",
    "bot_rhythm": "hardly a person acts like this",
    "unprepared_trigger": "nothing led up to it",
    "unearned_trigger": "too little led up to it",
    "concentration_floor": "it gathers too much in one hand",
    "dominance_floor": "one faction would rule alone",
    "swing_floor": "it moves too much at one stroke",
    "meter_floor": "it pushes the realm too near to ruin",
    "whale_floor": "a few outweigh the many",
    "governor": "the realm would lose its balance",
    "fairness": "it is in doubt how it was earned",
    "lore": "it touches the canon",
    "narrative": "the story does not carry it yet",
    "risk": "the acts behind it look odd",
}
"""What it means where a rule of Aelvyndor's policy or a member is the reason; a rule of another policy speaks for itself."""
_MEANINGS: Final = {
    "approve": "counts",
    "modify": "counts in part",
    "reject": "is refused",
    "quarantine": "is held for a person",
}
_MOST_REASONS: Final = 2
_STRICTEST_FIRST: Final = tuple(reversed(VERDICTS))


def council_told(report: DayReport) -> Group:
    """Return everything that the council was asked about."""
    great = [heard for heard in report.heard if not heard.is_of_an_act]
    acts = [heard for heard in report.heard if heard.is_of_an_act]
    parts: list[RenderableType] = []
    if great:
        parts.append(_great(great))
    if great and acts:
        parts.append(Text(""))
    if acts:
        parts += _odd_acts(acts, {each.player.user_id: each.player for each in report.tallies})
    return Group(*parts) if parts else Group(Text("nobody asked", style="dim"))


def _great(matters: Sequence[Heard]) -> Table:
    table = columns()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for heard in matters:
        lines = [Text(clean(heard.summary).rstrip("."), style="bold")]
        if heard.user_id:
            lines.append(Text(f"asked by {clean(heard.user_id)}"))
        if why := _why(heard):
            lines.append(Text(f"because {why}"))
        lines += [
            Text(clean(reason), style="dim")
            for reason in heard.reasons[: 1 if heard.verdict == "approve" else _MOST_REASONS]
        ]
        table.add_row(verdict_text(heard.verdict), clock(heard.tick), Group(*lines))
    return table


def _why(heard: Heard) -> str:
    """Return in plain words why something did not simply pass."""
    if heard.verdict == "approve":
        return ""
    named = [reason.partition(":")[0] for reason in heard.reasons[:_MOST_REASONS]]
    return "; ".join(dict.fromkeys([_PLAIN[name] for name in named if name in _PLAIN]))


def _odd_acts(acts: Sequence[Heard], players: Mapping[str, Player]) -> list[RenderableType]:
    """Return what became of odd acts, the strictest verdict first, and whether the right people were stopped."""
    groups: dict[tuple[Verdict, str], list[Heard]] = {}
    for heard in acts:
        groups.setdefault((heard.verdict, heard.told or _without_numbers(heard)), []).append(heard)
    table = columns()
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    order = sorted(groups, key=lambda key: (_STRICTEST_FIRST.index(key[0]), -len(groups[key]), key[1]))
    for verdict, told in order:
        group = groups[verdict, told]
        whose = _whose({heard.user_id for heard in group}, players)
        table.add_row(verdict_text(verdict), str(len(group)), whose, cut(clean(told), "dim"))
    meanings = ", ".join(f"{VERDICT_SIGNS[verdict]} {_MEANINGS[verdict]}" for verdict in VERDICTS)
    stopped = [heard for heard in acts if heard.verdict in ("reject", "quarantine")]
    exploiters = {user for user, player in players.items() if player.is_exploiter}
    unfair = sum(heard.user_id in exploiters for heard in stopped)
    head = Text.assemble(("Odd acts", "bold"), f": {len(acts)} asked about, {len(stopped)} stopped")
    if stopped:
        head.append(f", {unfair} of these an exploiter's")
    return [head, table, cut(f"  {meanings}", "dim")]


def _whose(users: Collection[str | None], players: Mapping[str, Player]) -> str:
    """Return whose acts they were, by kind: the simulation knows."""
    kinds = Counter(player.kind for user, player in players.items() if user in users)
    return ", ".join(kind_words(kind, count) for kind, count in sorted(kinds.items()))


def _without_numbers(heard: Heard) -> str:
    """Return the first reason with its numbers left out, so that equal ones count as equal."""
    return re.sub(r"\d+", "…", heard.reasons[0]) if heard.reasons else ""
