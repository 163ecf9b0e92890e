"""A grammar: the alternatives that a chapter's sentences are drawn from."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from story.languages import Language

ANY: Final = "*"
"""Variant of a telling that holds for whatever has none of its own."""
HOLE: Final = re.compile(r"\{([a-z]+)(?:\.([a-z]+))?(?::([^|{}]*)\|([^|{}]*))?\}")
CHOICE: Final = re.compile(r"\[([^\[\]]+)\]")
FORMS: Final = ("a", "the", "poss", "at", "to", "name")
Lines = tuple[str, ...]


class StoryletText(NamedTuple):
    """What one storylet's beat is made of; each line is one alternative."""

    open: Lines
    middle: Lines
    end: Lines
    tell: Mapping[str, Lines] = {}
    """What must be said, by variant; none for most personal beats."""
    on: str = ""
    """The slot whose value names the variant."""


class Shared(NamedTuple):
    """What any beat may begin, set or close with."""

    arrive: Lines
    change: Lines
    """Another place."""
    stay: Lines
    """The same place, another matter."""
    follow: Lines
    """The same matter."""
    aside: Lines
    """From the hero's own story to the world's."""
    back: Lines
    """And back."""
    places: Mapping[str, Lines]
    moods: Mapping[str, Lines]
    pressures: Mapping[str, Lines]
    pacing: Mapping[str, Lines]
    """How a chapter closes, by the pacing machine's phase."""
    lyrical: Lines
    """For a narrator whose style is lyrical."""


class Grammar(NamedTuple):
    """All sentences of one language."""

    language: Language
    storylets: Mapping[str, StoryletText]
    shared: Shared


def slots_in(line: str) -> frozenset[str]:
    """Return the slots that a line names."""
    return frozenset([found[1] for found in HOLE.finditer(line)])
