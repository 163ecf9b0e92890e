"""A day in a realm, told: who rose, what was fought over, what the council said, who was stopped, what players read."""

from collections.abc import Mapping
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from cli.render_parts import cut, section
from cli.render_world import faction_styles, faction_text
from cli.render_world_council import council_told
from cli.render_world_pipeline import kind_words, pipeline_told
from cli.render_world_shares import SharesChart, clock
from cli.text import clean, counted
from world.demo.players import KINDS
from world.demo.tale import Bearers, DayReport, Fight, Moved, bearers_of, chosen_recaps

KIND_OF: Final = {str(kind): kind for kind in KINDS}
Styles = Mapping[str, str]
_MOST_BEARERS: Final = 2
_MOST_PLACES: Final = 2


def render_day(report: DayReport) -> list[RenderableType]:
    """Return the report as a drawing."""
    styles = faction_styles(list(report.shares[0]))
    return [
        _head(report),
        Text(""),
        section("Shares", SharesChart(report, styles)),
        section("Territories", _territories(report, styles)),
        section("Council", council_told(report)),
        section("Pipeline", pipeline_told(report)),
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


def _territories(report: DayReport, styles: Styles) -> Group:
    lines: list[RenderableType] = []
    for moved in report.moves:
        lines += _changed(moved, report, styles)
    for fight in report.fights:
        lines += _fight(fight, styles)
    if any(fight.rounds for fight in report.fights):
        lines.append(Text("  points of a round, challenger : owner; ✓ the challenger has won it", style="dim"))
    for fired in report.fired:
        how = ", put to the council" if fired.is_asked else ""
        lines.append(Text.assemble(f"★ {clock(fired.tick)}  ", (clean(fired.told).rstrip("."), "bold"), how))
    return Group(*lines) if lines else Group(Text("nothing was fought over", style="dim"))


def _changed(moved: Moved, report: DayReport, styles: Styles) -> list[Text]:
    """Return that a territory changed hands, and why."""
    first = Text.assemble(
        "⚑ ", (clean(moved.name), "bold"), ": ", faction_text(moved.old, styles), " → ",
        faction_text(moved.new, styles), f", at {clock(moved.tick)}",
    )  # fmt: skip
    return [first, *[cut(f"  {why}", "dim") for why in (_why(moved, report), _carried(moved, report)) if why]]


def _why(moved: Moved, report: DayReport) -> str:
    """Return why a territory changed hands: a verdict, or the rounds of its conflict."""
    ended = (moved.territory_id, moved.tick, moved.old)
    fight = next((each for each in report.fights if (each.territory_id, each.ended, each.owner) == ended), None)
    if fight is None:
        return "by decree, which the council let happen" if moved.by_council else "by conquest"
    won = sum(each.is_won for each in fight.rounds)
    conquest = f"by conquest: {won} of {counted(len(fight.rounds), 'round')} won since {clock(fight.began)}"
    return f"{conquest}, and the council let it happen" if moved.by_council else conquest


def _carried(moved: Moved, report: DayReport) -> str:
    """Return who brought the points that the new owner made there on the day; nothing where it made none."""
    bearers = bearers_of(report, moved.territory_id, moved.new)
    total = sum(each.points for each in bearers)
    named = [f"{_named(each)} {100 * each.points // total} %" for each in bearers[:_MOST_BEARERS]]
    return f"its points there that day: {', '.join(named)}" if named else ""


def _named(bearers: Bearers) -> str:
    kind = KIND_OF.get(bearers.name)
    return kind_words(kind, bearers.accounts) if kind is not None else clean(bearers.name)


def _fight(fight: Fight, styles: Styles) -> list[Text]:
    until = f"to {clock(fight.ended)}" if fight.ended is not None else "on"
    end = {"taken": "and took it", "held": "and did not get it", "undecided": "undecided at the day's end"}[
        fight.ending
    ]
    first = Text.assemble(
        "⚔ ", (clean(fight.name), "bold"), ": ", faction_text(fight.challenger, styles), " fought ",
        faction_text(fight.owner, styles), f" from {clock(fight.began)} {until}, {end}",
    )  # fmt: skip
    rounds = []
    for each in fight.rounds:
        winner = fight.challenger if each.is_won else fight.owner
        points = f"{each.for_challenger // 1_000}:{each.for_owner // 1_000}"
        rounds.append(Text.assemble("  ", (points, styles.get(winner, "")), "✓" if each.is_won else ""))
    return [first, Text.assemble("  rounds", *rounds)] if rounds else [first]


def _recaps(report: DayReport, styles: Styles) -> Group:
    names = {each.territory_id: each.name for each in report.territories}
    lines = []
    for recap in chosen_recaps(report):
        points = sum(recap.points.values())
        places = sorted(recap.points.items(), key=lambda item: (-item[1], item[0]))
        told = [place for place in places[:_MOST_PLACES] if 10 * place[1] >= points]
        first = ", ".join(f"{clean(names[place])} ({part // 1_000})" for place, part in told)
        more = f" and {len(places) - len(told)} more" if len(places) > len(told) else ""
        faction = faction_text(recap.faction, styles)
        lines.append(Text.assemble((clean(recap.user_id), "bold"), f", number {recap.rank} of ", faction))
        lines.append(Text(f"  “You contributed {points // 1_000} points: {first}{more}.”"))
    return Group(*lines)
