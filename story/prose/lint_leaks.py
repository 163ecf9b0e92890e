"""Leaks: numbers, words of the machinery, identifiers, markup, prompt words (S4-67: no tiers, no numbers, only the world)."""

import re
from collections.abc import Iterator
from typing import Final

from story.planner.plan import Plan
from story.prose.lint_found import Found, around
from story.prose.lint_patterns import LEAKS
from story.prose.words import Lexicon
from world.canon_terms import plain

_DIGIT: Final = re.compile(r"\d")
_MARKUP: Final = re.compile(r"[{}\[\]<>`|\\#*_=~^@&%$€£+/]|--")
_ID: Final = re.compile(r"\b[a-z0-9]+(?:[-_/:][a-z0-9]+)+\b")
_TOLD: Final = {
    "stat": "speaks of the machinery; tell what people see of it",
    "tier": "names a tier of the force taxonomy; tell what people see of it",
    "prompt": "speaks of prompts, models or players; leave it out",
    "link": "holds an address; leave it out",
}


def leak_faults(text: str, ids: frozenset[str]) -> Iterator[Found]:
    """Yield what a paragraph lets out.

    Args:
        text: the paragraph.
        ids: identifiers that it could hold, in lower case.
    """
    seen = plain(text.replace("’", "'"))
    for name, pattern, told in (
        ("number", _DIGIT, "holds a digit; prose has no numbers, write what people see"),
        ("markup", _MARKUP, "holds markup or a symbol; write plain prose"),
    ):
        if match := pattern.search(text):
            yield Found(name, around(text, *match.span()), told)
    for name, pattern in LEAKS.items():
        # Names of tiers are told apart from words by their capitals, so there the text as written is searched too.
        if match := pattern.search(seen) or (pattern.search(text) if name == "tier" else None):
            yield Found(name, match[0], _TOLD[name])
    for match in _ID.finditer(seen):
        if match[0] in ids:
            yield Found("id", match[0], "holds an identifier; write the name")


def ids_of_pools(lexicon: Lexicon) -> frozenset[str]:
    """Return the ids that cannot be words: those which the lexicon itself never writes."""
    texts = [entry.text for section in lexicon.sections.values() for entry in section.values()]
    ids = frozenset(name.lower() for section in lexicon.sections.values() for name in section)
    return ids - frozenset(word for text in texts for word in re.findall(r"[\w'-]+", text.lower()))


def ids_of_plan(plan: Plan) -> frozenset[str]:
    """Return the ids of a plan that no sentence holds by chance."""
    named = {*plan.world_changes_used, *plan.verdicts_cited, plan.story_id}
    for beat in plan.beats:
        named |= {beat.storylet, *beat.items, *beat.decisions, *beat.facts, *beat.characters, beat.thread_id or ""}
    return frozenset(name.lower() for name in named if re.search(r"[-_/:]", name))
