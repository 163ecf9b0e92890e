"""A day in a realm, told: who rose, what was fought over, what the council said, who was stopped, what players read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.braille import line_plot, sparkline
from cli.console import verdict_text
from cli.render_parts import columns, cut, section
from cli.render_world import change_text, faction_styles, faction_text
from cli.text import clean, counted, shortened
from evals.statistics.intervals import wilson
from policies.verdicts import VERDICTS
from world.demo.tale import DayReport, Fight, Heard, Tally, chosen_recaps, kinds_in

ACROSS: Final = 58
DOWN: Final = 12
VERDICT_WIDTH: Final = 12
Styles = Mapping[str, str]
_KIND_WORDS: Final = {
    "casual": "casual players",
    "guild": "guild members",
    "whale": "a whale's accounts",
    "bot": "bots",
    "replayer": "replayers",
}


def render_day(report: DayReport) -> list[RenderableType]:
    """Return the report as a drawing."""
    styles = faction_styles(list(report.shares[0]))
    return [
        _head(report),
        Text(""),
        section("Shares", _shares(report, styles)),
        section("Territories", _territories(report, styles)),
        section("Council", _council(report)),
        section("Pipeline", _pipeline(report)),
        section("Players", _recaps(report, styles)),
        Text(f"seed {report.seed} · last hash {report.hash[:12]}: the same seed tells the same day", style="dim"),
    ]


def _head(report: DayReport) -> Text:
    text = Text(f"A day in {clean(report.realm_id)}", style="bold")
    hours = report.ticks / 4
    who = f"{counted(len(report.tallies), 'account')}, {counted(report.acts, 'act')}"
    asked = f"{counted(len(report.heard), 'question')} to the council"
    text.append(f": {counted(report.ticks, 'tick')} ({hours:g} h), {who}, {asked}", style="not bold")
    return text


def _shares(report: DayReport, styles: Styles) -> Group:
    series = {faction: [shares[faction] for shares in report.shares] for faction in sorted(report.shares[0])}
    rows = line_plot(series, styles, across=ACROSS, down=DOWN)
    high = max(max(values) for values in series.values())
    low = min(min(values) for values in series.values())
    labels = _labels(series, low, high)
    drawn = []
    for number, row in enumerate(rows):
        axis = {0: f"{high / 10_000:4.1f} %", DOWN - 1: f"{low / 10_000:4.1f} %"}.get(number, "")
        line = Text(f"{axis:>6} ┤" if axis else " " * 7 + "│", style="dim")
        line.append_text(row)
        if (faction := labels.get(number)) is not None:
            line.append(" ")
            line.append_text(faction_text(faction, styles))
        drawn.append(line)
    drawn.append(Text(" " * 7 + "└" + "─" * ACROSS, style="dim"))
    drawn.append(Text(" " * 8 + f"tick 0{f'tick {report.ticks}':>{ACROSS - 6}}", style="dim"))
    return Group(*drawn, Text(""), _moved(series, styles))


def _labels(series: Mapping[str, Sequence[int]], low: int, high: int) -> dict[int, str]:
    """Return which row names which faction, at the end of its line; two on one row make way for one another."""
    found: dict[int, str] = {}
    for faction in sorted(series, key=lambda name: -series[name][-1]):
        row = (high - series[faction][-1]) * (DOWN - 1) // max(1, high - low)
        while row in found:
            row += 1
        found[row] = faction
    return found


def _moved(series: Mapping[str, Sequence[int]], styles: Styles) -> Table:
    table = columns()
    for faction in sorted(series, key=lambda name: -series[name][-1]):
        values = series[faction]
        table.add_row(
            faction_text(faction, styles),
            Text(sparkline(values, 24), style=styles[faction]),
            f"{values[0] / 10_000:.2f} → {values[-1] / 10_000:.2f} %",
            change_text((values[-1] - values[0]) / 10_000),
        )
    return table


def _territories(report: DayReport, styles: Styles) -> Group:
    lines: list[RenderableType] = []
    for fight in report.fights:
        lines += _fight(fight, styles)
    if any(fight.rounds for fight in report.fights):
        lines.append(Text("  points of a round, challenger : owner; ✓ the challenger has won it", style="dim"))
    for moved in report.moves:
        how = "by the council's word" if moved.by_council else "by conquest"
        lines.append(
            Text.assemble(
                "● ", (clean(moved.name), "bold"), ": ", faction_text(moved.old, styles), " → ",
                faction_text(moved.new, styles), f" in tick {moved.tick}, {how}",
            )
        )  # fmt: skip
    for fired in report.fired:
        how = ", the council was asked" if fired.is_asked else ""
        lines.append(_cut("◆ ", (clean(fired.told).rstrip("."), "bold"), f" in tick {fired.tick}{how}"))
    return Group(*lines) if lines else Group(Text("nothing was fought over", style="dim"))


def _fight(fight: Fight, styles: Styles) -> list[Text]:
    end = {
        "taken": f"taken in tick {fight.ended}",
        "held": f"held in tick {fight.ended}",
        "undecided": "undecided at the day's end",
    }[fight.ending]
    first = Text.assemble(
        "⚔ ", (clean(fight.name), "bold"), ": ", faction_text(fight.challenger, styles), " against ",
        faction_text(fight.owner, styles), f" from tick {fight.began}, {end}",
    )  # fmt: skip
    rounds = []
    for each in fight.rounds:
        winner = fight.challenger if each.is_won else fight.owner
        points = f"{each.for_challenger // 1_000}:{each.for_owner // 1_000}"
        rounds.append(Text.assemble("  ", (points, styles.get(winner, "")), "✓" if each.is_won else ""))
    return [first, Text.assemble("  rounds", *rounds)] if rounds else [first]


def _council(report: DayReport) -> Group:
    great = [heard for heard in report.heard if not heard.subject.startswith("event:")]
    acts = [heard for heard in report.heard if heard.subject.startswith("event:")]
    lines: list[RenderableType] = []
    for heard in great:
        lines += _heard(heard)
    if acts:
        spread = Counter(heard.verdict for heard in acts)
        parts = [Text.assemble(f"{spread[verdict]} ", verdict_text(verdict)) for verdict in VERDICTS if spread[verdict]]
        lines.append(Text.assemble(("odd acts", "bold"), f" {len(acts)} asked about: ", Text(", ").join(parts)))
        why = Counter(reason for heard in acts for reason in [_without_numbers(heard.reasons[0])] if heard.reasons)
        lines += [cut(f"  {count:>4} × {reason}", "dim") for reason, count in why.most_common(3)]
    return Group(*lines) if lines else Group(Text("nobody asked", style="dim"))


def _heard(heard: Heard) -> list[Text]:
    who = f", {clean(heard.user_id)}" if heard.user_id else ""
    verdict = verdict_text(heard.verdict)
    verdict.pad_right(max(0, VERDICT_WIDTH - len(verdict)))
    told = _cut(verdict, f" tick {heard.tick:<3} ", (clean(heard.summary), "bold"), (who, "dim"))
    return [told, *[cut(f"{'':{VERDICT_WIDTH + 1}}{clean(reason)}", "dim") for reason in heard.reasons[:2]]]


def _cut(*parts: str | tuple[str, str] | Text) -> Text:
    """Return parts as one line that ends in an ellipsis where its room ends."""
    line = Text.assemble(*parts)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _without_numbers(reason: str) -> str:
    """Return a reason with its numbers left out, so that equal ones count as equal."""
    return " ".join("…" if word.isdigit() else clean(word) for word in reason.split())


def _pipeline(report: DayReport) -> Group:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    for title in ("accounts", "acts", "counted", "stopped", "points", "worth", "caught"):
        table.add_column(title, justify="right", no_wrap=True)
    for kind in kinds_in(report):
        tallies = report.of_kind(kind)
        caught = sum(each.is_caught for each in tallies)
        table.add_row(
            _KIND_WORDS[kind],
            str(len(tallies)),
            f"{sum(each.sent for each in tallies):,}",
            f"{sum(each.states.get('accepted', 0) for each in tallies):,}",
            f"{sum(each.stopped for each in tallies):,}",
            f"{sum(each.accepted_points for each in tallies) // 1_000:,}",
            f"{sum(each.counted_points for each in tallies) // 1_000:,}",
            f"{caught} of {len(tallies)}",
        )
    return Group(table, Text(""), *_catch(report), *_odd_ones(report.tallies))


def _catch(report: DayReport) -> list[Text]:
    found = report.catch()
    recall = wilson(found.caught, found.caught + found.missed)
    precision = wilson(found.caught, found.caught + found.falsely)
    lines = []
    if precision is not None:
        lines.append(
            Text.assemble(
                ("precision ", "bold"),
                precision.told,
                f": {found.falsely} of {found.honest} honest accounts were stopped",
            )
        )
    if recall is not None:
        lines.append(
            Text.assemble(("recall    ", "bold"), recall.told, f": {counted(found.missed, 'exploiter')} got through")
        )
    return lines


def _odd_ones(tallies: Sequence[Tally]) -> list[Text]:
    """Return what became of everybody who stood out, the whale's accounts as one."""
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


def _recaps(report: DayReport, styles: Styles) -> Group:
    names = {each.territory_id: each.name for each in report.territories}
    lines = []
    for recap in chosen_recaps(report):
        places = sorted(recap.points.items(), key=lambda item: (-item[1], item[0]))
        first = ", ".join(
            f"{clean(names[place])} ({points // 1_000})" for place, points in places[:3] if points >= 1_000
        )
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        lines.append(
            Text.assemble(
                (clean(recap.user_id), "bold"),
                ", number ",
                str(recap.rank),
                " of ",
                faction_text(recap.faction, styles),
            )
        )
        points = sum(recap.points.values()) // 1_000
        lines.append(cut(f"  “You contributed {points} points: {first}{more}.”"))
    return Group(*lines)
