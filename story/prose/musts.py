"""What a beat's text must say, whoever writes it: locked names, places and outcomes (domain.md C11)."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from story.planner.plan import Beat
from story.prose.naming import NOBODY, conditions_of
from story.prose.words import Lexicon, in_capitals
from story.tale.tale import CastMember

_ARTICLES = ("the ", "an ", "a ", "el ", "la ", "los ", "las ", "un ", "una ", "unos ", "unas ")
_NAMED = {
    "territory": "territories", "controller": "factions", "former": "factions", "rival": "factions", "faction": "factions",
    "trigger": "triggers", "unit": "units", "destination": "territories",
}  # fmt: skip


class Must(NamedTuple):
    """One thing that must be said."""

    what: str
    """The slot, or what came of it."""
    any_of: tuple[str, ...]
    """Lower case; one of them stands in the beat's text."""
    told: str


def musts_of(
    beat: Beat, cast: Mapping[str, CastMember], lexicon: Lexicon, names: Mapping[str, str]
) -> tuple[Must, ...]:
    """Return what a beat must say."""
    return (*_people(beat, cast), *_names(beat, lexicon, names), *_outcomes(beat, lexicon))


def core(text: str) -> str:
    """Return a name without its article, in lower case.

    >>> core("the Free Cities"), core("la Ciudad de la Gran Puerta")
    ('free cities', 'ciudad de la gran puerta')
    """
    lowered = text.lower()
    article = next((each for each in _ARTICLES if lowered.startswith(each)), "")
    return lowered[len(article) :]


def _people(beat: Beat, cast: Mapping[str, CastMember]) -> Iterator[Must]:
    npc = beat.slots.get("npc", "")
    if npc in cast:
        yield Must("npc", (cast[npc].name.lower(),), f"names {cast[npc].name}, with whom it happens")


def _names(beat: Beat, lexicon: Lexicon, names: Mapping[str, str]) -> Iterator[Must]:
    for slot, section in _NAMED.items():
        value = beat.slots.get(slot, "")
        if value and value != NOBODY:
            entry = lexicon.sections[section].get(value)
            text = entry.text if entry is not None else names.get(value) or in_capitals(value)
            yield Must(slot, (core(text),), f"names {text}, its {slot}")
    subject = lexicon.subject(beat.slots.get("subject", ""))
    if subject is not None:
        yield Must("subject", (core(subject.text),), f"names {subject.text}, which it was about")


def _outcomes(beat: Beat, lexicon: Lexicon) -> Iterator[Must]:
    slots = beat.slots
    if beat.storylet == "ranking_told":
        yield _marked(lexicon, "directions", slots["direction"])
    if beat.storylet in ("verdict_approved", "verdict_rejected"):
        yield _marked(lexicon, "outcomes", beat.storylet.removeprefix("verdict_"))
    if beat.storylet == "verdict_rejected" and slots.get("reason") in lexicon.sections["reasons"]:
        yield _marked(lexicon, "reasons", slots["reason"])
    if beat.storylet == "verdict_modified":
        yield from [_marked(lexicon, "conditions", kind) for kind in conditions_of(beat)]


def _marked(lexicon: Lexicon, section: str, name: str) -> Must:
    entry = lexicon.entry(section, name)
    return Must(
        section, entry.marks, f"says that it was {entry.text}" if section == "outcomes" else f"says: {entry.text}"
    )
