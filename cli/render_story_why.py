"""Why a chapter is as it is: beats with their fits, world items with their terms, threats with their numbers. Not for players."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.render_parts import columns, section
from cli.render_story import deeds_table
from cli.text import clean, counted
from story.context.quality import NOISE_BELOW, QUIET_FROM, RECALL_ABOVE, Quality, Share
from story.planner.choosing import NEAR

MOST_OMITTED: Final = 12
_PRESSURES: Final = {"calm": "green", "observed": "cyan", "contested": "yellow", "siege": "red", "anomalous": "magenta"}


def render_why(why: Mapping[str, Any]) -> list[RenderableType]:
    """Return what a chapter was made from (`gateway.story_views.why_view`)."""
    plan = why["plan"]
    held = [Text(f"✗ {clean(each)}", style="yellow") for each in why["objections"]] or [Text("nothing", style="dim")]
    writing = [Text(f"· {clean(each)}") for each in why["writing"]] or [Text("nothing", style="dim")]
    arc = f"{plan['pacing'].replace('_', ' ')} · tension {plan['chapter_tension']}/10 · {clean(plan['emotional_arc'])}"
    parts = [
        section("Plan", Group(Text(arc), _beats(plan["beats"], why["beats"], why["deeds"]))),
        section("World", _items(why["context"])),
        section("Council", Group(*held)),
        section("Lint", Group(*writing)),
    ]
    if why["deeds"]:
        parts.append(section("Deeds", deeds_table(why["deeds"])))
    at = f"tick {why['tick_number']} · {clean(why['snapshot_id'])} · correlation id {clean(why['correlation_id'] or '-')}"
    return [Text(""), *parts, Text(at, style="dim")]


def render_context(document: Mapping[str, Any]) -> list[RenderableType]:
    """Return what a chapter would hear of the world."""
    budget = document["budget"]
    head = Text(f"What chapter {document['chapter']} of {clean(document['story_id'])} would hear", style="bold")
    head.append(f": {budget['used']} of {budget['tokens']} tokens, tick {document['tick_number']}", style="not bold")
    if "why" in document:
        return [head, Text(""), _items(document["why"])]
    chosen: list[RenderableType] = [
        Text.assemble("● ", (clean(each["item_id"]), "bold"), f": {clean(each['why'])}") for each in document["chosen"]
    ]
    empty = Text("nothing: the world has no news for this hero, which is an answer", style="dim")
    return [
        head,
        Text(""),
        section("Chosen", Group(*(chosen or [empty]))),
        section("Left out", _omitted(document["omitted"])),
        Text("--why shows how relevance came about", style="dim"),
    ]


def render_threat(document: Mapping[str, Any]) -> list[RenderableType]:
    """Return what threatens a hero."""
    pressure = document["pressure"]
    head = Text.assemble((pressure, f"bold {_PRESSURES.get(pressure, '')}"), f": {clean(document['tone'])}")
    at_work = [Text(f"● {told}") for told in document["at_work"]] or [Text("nothing is set on the hero", style="dim")]
    parts: list[RenderableType] = [head, *at_work]
    if "environment" in document:
        parts += [
            Text(""),
            section("Numbers", _pairs(document["environment"])),
            section("Player", _pairs(document["player"])),
            section("Block", Text(clean_lines(document["prompt_block"]))),
        ]
    return parts


def render_quality(found: Quality) -> list[RenderableType]:
    """Return what was measured of the choice of world items."""
    table = columns()
    rows: tuple[tuple[str, Share, str, bool], ...] = (
        ("noise", found.noise, f"below {NOISE_BELOW:.0%}", found.noise.estimate < NOISE_BELOW),
        ("recall", found.recall, f"above {RECALL_ABOVE:.0%}", found.recall.estimate > RECALL_ABOVE),
        ("quiet", found.quiet, f"at least {QUIET_FROM:.0%}", found.quiet.estimate >= QUIET_FROM),
    )
    for name, share, target, is_met in rows:
        table.add_row(
            Text("✓ " if is_met else "✗ ", style="green" if is_met else "red"),
            name,
            f"{share.estimate:.1%}",
            f"({share.low:.1%} to {share.high:.1%})",
            f"{share.hits} of {share.of}",
            Text(target, style="dim"),
        )
    return [
        Text(f"{found.stories} stories, {counted(found.chapters, 'chapter')}, seed {found.seed}", style="bold"),
        Text(""),
        table,
        Text(""),
        section("Told", Text(_counts(found.kinds))),
        section("Linked by", Text(_counts(found.links))),
        section("Left out", Text(_counts(found.omitted))),
        section("Missed", Text(_counts(found.missed) or "nothing", style="" if found.missed else "dim"), gap=False),
    ]


def clean_lines(text: str) -> str:
    """Return several lines of text, each without what could move a cursor."""
    return "\n".join(clean(line) for line in text.splitlines())


def _beats(
    beats: Sequence[Mapping[str, Any]], explained: Sequence[Mapping[str, Any]], deeds: Sequence[Mapping[str, Any]]
) -> Table:
    table = columns()
    for beat, why in zip(beats, explained, strict=False):
        terms = ", ".join(f"{name} {value:+d}" for name, value in why["terms"].items() if value)
        told = Text.assemble(
            (clean(beat["storylet"]), "bold"), f" · {beat['purpose']} · {beat['mood']} · {beat['place']}"
        )
        items = ", ".join(clean(each) for each in [*beat["items"], *beat["decisions"]])
        rows = [told, Text(f"fit {why['fit']}: {terms}", style="dim")]
        rows += [Text(told, style="dim") for told in _rivals(why)]
        rows += [Text(f"tells {items}", style="cyan")] if items else []
        done = ", ".join(clean(each["action_type"]) for each in deeds if each["beat"] == beat["number"])
        rows += [Text(f"done here {done}", style="green")] if done else []
        table.add_row(f"{beat['number']}", beat["kind"], f"{beat['tension']}/10", Group(*rows))
    return table


def _rivals(why: Mapping[str, Any]) -> list[str]:
    """Return what else could have been played: some fitted as well, so that a lot decided; the others fitted less."""
    least = max([why["fit"], *[fit for _, fit in why["rivals"]]]) - NEAR
    as_good = [f"{clean(name)} {fit}" for name, fit in why["rivals"] if fit >= least]
    behind = [f"{clean(name)} {fit}" for name, fit in why["rivals"] if fit < least]
    told = [f"by lot among what fits within {NEAR} of the best, as {', '.join(as_good)}"] if as_good else []
    return [*told, *([f"ahead of {', '.join(behind)}"] if behind else [])]


def _items(found: Mapping[str, Any]) -> RenderableType:
    table = columns()
    for each in found["chosen"]:
        table.add_row(
            Text("✓", style="green"),
            Text(clean(each["item_id"]), "bold"),
            f"{each['terms']['relevance']}",
            _terms(each),
        )
    for each in found["omitted"][:MOST_OMITTED]:
        why = Text(f"{each['why'].replace('_', ' ')}: {clean(each['told'])}", style="dim")
        relevance = "" if each["relevance"] is None else f"{each['relevance']}"
        table.add_row(Text("–", style="dim"), clean(each["item_id"]), relevance, why)
    more = len(found["omitted"]) - MOST_OMITTED
    if more > 0:
        table.add_row("", Text(f"and {more} more", style="dim"), "", "")
    if not found["chosen"] and not found["omitted"]:
        return Text("nothing of the world was news", style="dim")
    return table


def _terms(each: Mapping[str, Any]) -> Text:
    """Return why an item was chosen: it ends with its terms and what it costs."""
    return Text(clean(each["why"]))


def _omitted(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    lines = [
        Text.assemble("– ", clean(each["item_id"]), (f": {clean(each['told'])}", "dim")) for each in rows[:MOST_OMITTED]
    ]
    if len(rows) > MOST_OMITTED:
        lines.append(Text(f"and {len(rows) - MOST_OMITTED} more", style="dim"))
    return Group(*lines) if lines else Text("nothing", style="dim")


def _pairs(values: Mapping[str, Any]) -> Table:
    table = columns()
    for name, value in values.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        table.add_row(Text(name.replace("_", " "), style="dim"), clean("-" if shown in (None, "") else shown))
    return table


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {count}" for name, count in sorted(found.items(), key=lambda item: -item[1])
    )
