"""The story's demo drawn: chapters as pages, between them what happened in the world, and what of it each chapter tells."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from rich.console import RenderableType
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import section
from cli.render_story import deeds_table, page, render_recap
from cli.render_world_events import event_sentence
from cli.story_demo_play import Played, Told, decided
from cli.text import clean, counted
from gateway.story_views import deed_view, in_order
from world.persistence.messages import Event

MOST_EVENTS: Final = 6


def render_story_demo(played: Played) -> list[RenderableType]:
    """Return the story with its world."""
    parts: list[RenderableType] = [
        Text.assemble(
            (f"{clean(played.hero)}'s story", "bold"),
            f": {counted(len(played.told), 'chapter')} in a world that changes meanwhile",
        )
    ]
    for told in played.told:
        parts += _chapter(told)
    parts.append(Text(f"seed {played.seed}: the same seed tells the same story", style="dim"))
    return parts


def _chapter(told: Told) -> list[RenderableType]:
    chapter = told.chapter.told
    prose = [each["text"] for each in orjson.loads(chapter.prose)]
    parts = page(chapter.number, chapter.title, prose)
    if told.chapter.recap is not None:
        parts += render_recap(orjson.loads(told.chapter.recap))
    plan = orjson.loads(chapter.plan)
    context, why = orjson.loads(chapter.context), orjson.loads(chapter.why)
    parts.append(section("World in it", _because(plan, context, why)))
    parts.append(
        section("Deeds", deeds_table([deed_view(each) for each in in_order(told.deeds)]), gap=bool(told.ticks))
    )
    if told.ticks:
        parts.append(section("Meanwhile", _meanwhile(told), gap=False))
    return parts


def _because(plan: Any, context: Any, why: Any) -> RenderableType:
    """Return which beats tell of the world, and from what: a verdict shows its way into the story."""
    reasons = {each["item_id"]: each["why"] for each in why["context"]["chosen"]}
    verdicts = {each["item_id"]: each["final_verdict"] for each in context["verdicts"]}
    text = Text(f"threat {plan['pressure']}", style="dim")
    for beat in plan["beats"]:
        for item in beat["items"]:
            text.append("\n")
            text.append(f"beat {beat['number']} ", style="dim")
            text.append(clean(item), style="bold")
            if item in verdicts:
                text.append(" ")
                text.append_text(verdict_text(verdicts[item]))
            text.append(f" {clean(reasons.get(item, ''))}", style="dim")
    return text


def _meanwhile(told: Told) -> RenderableType:
    text = Text(f"{counted(told.ticks, 'tick')} of the realm", style="dim")
    for event in _worth_telling(decided(told.meanwhile)):
        text.append("\n")
        text.append(f"tick {event.tick_number:<3} ", style="dim")
        text.append_text(_event(event))
    return text


def _event(event: Event) -> Text:
    told = orjson.loads(event.payload)
    match event.kind:
        case "sovereign_proposed":
            target = f" of {clean(told['target'])}" if told["target"] else ""
            return Text(f"{clean(told['faction_id'])} declares: {clean(told['kind']).replace('_', ' ')}{target}")
        case "decision_applied":
            line = Text.assemble("the council: ", verdict_text(told["verdict"]), f" {clean(told['summary'])}")
            if told.get("stood_against"):
                line.append(f" Against it stood {clean(told['stood_against']).replace('_', ' ')}.")
            return line
        case _:
            return Text(event_sentence(event.kind, told))


def _worth_telling(events: Sequence[Event]) -> list[Event]:
    verdicts = [each for each in events if each.kind == "decision_applied"]
    others = [each for each in events if each.kind != "decision_applied"]
    return sorted([*verdicts, *others[: MOST_EVENTS - len(verdicts)]], key=lambda each: each.sequence)
