"""What a beat must tell: which variant of its storylet's telling fits, by what stands in its slots and in the world item."""

from collections.abc import Mapping

from story.context.items import WorldContext
from story.planner.plan import Beat
from story.prose.grammar import ANY, Grammar, Lines, StoryletText
from story.prose.naming import NOBODY, conditions_of

_LOST = ("lost", "fallen")
"""Outcomes after which nobody says that a deed helped."""


def text_of(beat: Beat, grammar: Grammar) -> StoryletText:
    """Return the text of a beat's storylet: a trigger that still waits for the council has one of its own.

    Raises:
        KeyError: where the grammar has none; a test holds that every storylet has one in every language.
    """
    is_waiting = beat.storylet == "trigger_felt" and beat.slots.get("phase") == "waiting"
    return grammar.storylets["trigger_waiting" if is_waiting else beat.storylet]


def tellings(beat: Beat, text: StoryletText, facts: Mapping[str, object]) -> tuple[Lines, ...]:
    """Return blocks of alternatives; one of each must be told."""
    if beat.storylet == "verdict_modified":
        return tuple([text.tell[kind] for kind in conditions_of(beat) or ("replaced",)])
    if not text.tell:
        return ()
    variant = _variant(beat, text.on, facts)
    return (text.tell[variant] if variant in text.tell else text.tell[ANY],)


def facts_of_items(beat: Beat, context: WorldContext | None) -> Mapping[str, object]:
    """Return what the beat's world items say beside its slots."""
    items = context.items if context is not None else ()
    found: dict[str, object] = {}
    for chosen in items:
        if chosen.candidate.item_id in beat.items:
            found.update(chosen.candidate.facts)
    return found


def _variant(beat: Beat, on: str, facts: Mapping[str, object]) -> str:
    slots = {name: value or NOBODY for name, value in beat.slots.items()}
    value = slots.get(on, NOBODY)
    if beat.storylet == "control_changed" and value != NOBODY:
        return "new" if slots.get("former", NOBODY) == NOBODY else ANY
    if beat.storylet == "territory_contested" and slots.get("change") == "kept":
        return "kept"
    if beat.storylet == "deeds_told" and value != NOBODY:
        if facts.get("is_against") is True:
            return "against"
        return "vain" if slots.get("outcome") in _LOST else ANY
    return value
