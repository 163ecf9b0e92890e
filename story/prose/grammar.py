"""A grammar: the alternatives that a chapter's sentences are drawn from."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from story.languages import Language

ANY: Final = "*"
"""Variant of a telling that holds for whatever has none of its own."""
HOLE: Final = re.compile(r"\{([a-z]+)(?:\.([a-z]+))?(?::([^|{}]*)\|([^|{}]*))?\}")
CHOICE: Final = re.compile(r"\[([^\[\]]+)\]")
CLAIMS: Final = re.compile(r"\s*<([^<>]*)>$")
"""What a line takes for granted, at its end: `<+sleep>` where somebody sleeps, `<-sleep>` where nobody does."""
Claims = frozenset[str]
"""Such as +sleep or -sleep: two that differ in the sign alone exclude each other."""
_HERE: Final = ("answer", "haste", "room", "voice")
"""What is so in one beat and may be otherwise in the next: another room, other people."""
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
    says: Claims = frozenset()
    """What any beat of it takes for granted, whichever lines are said."""


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
    claims: Mapping[str, Claims] = {}
    """What each line takes for granted, of those that do."""


@lru_cache(maxsize=16_384)
def slots_in(line: str) -> frozenset[str]:
    """Return the slots that a line names; kept, for each choice looks at every line of its block."""
    return frozenset([found[1] for found in HOLE.finditer(line)])


def exclude(claims: Collection[str], others: Collection[str]) -> bool:
    """Tell whether something is taken for granted here and denied there.

    >>> exclude({"+sleep", "+voice"}, {"-sleep"}), exclude({"+sleep"}, {"+sleep", "-voice"})
    (True, False)
    """
    return any(_denial(each) in others for each in claims)


def lasting(claims: Iterable[str]) -> Claims:
    """Return those that still hold in the beats before and after.

    >>> sorted(lasting({"+sleep", "-voice"}))
    ['+sleep']
    """
    return frozenset([each for each in claims if each[1:] not in _HERE])


def _denial(claim: str) -> str:
    return ("-" if claim[0] == "+" else "+") + claim[1:]
