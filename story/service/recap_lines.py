"""The lines that a recap is drawn from: one file a language, read strictly, every fault with its line, or refused."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from policies.cursor import REQUIRED, Place
from policies.faults import did_you_mean
from story.languages import Language
from story.prose.grammar import Lines, slots_in
from story.prose.language_files import alternatives, read_language_file, shipped

SCHEMA: Final = "council.recap/1"
DEEDS: Final = ("taken", "lost", "fought_over", "risen", "fallen", "unmoved", "against", "nobody")
VERDICTS: Final = ("approve", "modify", "withheld", "reject")
"""What was said; withheld: modified so that what was asked itself does not happen."""
CHANGES: Final = ("taken", "war", "contested", "kept")
"""What happens to a territory."""
WORLD: Final = (*CHANGES, "fired")
_SLOTS: Final[Mapping[str, Sequence[str]]] = {
    "deaths": ("npc",),
    "deeds": ("hero", "territory", "faction"),
    "verdicts": ("faction", "subject", "condition", "reason"),
    "world": ("territory", "controller", "trigger"),
    "sent": ("hero", "territory"),
    "sent_elsewhere": ("hero",),
    "quiet": ("hero",),
}


class RecapLines(NamedTuple):
    """The lines of one language; each tuple's lines are alternatives."""

    deaths: Lines
    """Of people whom the chapter's end took out of the story."""
    deeds: Mapping[str, Lines]
    """By what came of them."""
    verdicts: Mapping[str, Lines]
    world: Mapping[str, Lines]
    """By what happened to a territory; `fired` of a trigger."""
    sent: Lines
    """Of deeds that the world has not answered yet."""
    sent_elsewhere: Lines
    """Of those that are tied to no place."""
    quiet: Lines
    """Where there is nothing to tell."""


@cache
def recap_lines(language: Language) -> RecapLines:
    """Return the shipped lines of a language.

    Raises:
        InvalidPolicyError: with every fault of its file.
    """
    return load_recap_lines(shipped("recap", language))


def load_recap_lines(path: Path | str) -> RecapLines:
    """Load a file of recap lines.

    Raises:
        InvalidPolicyError: with every fault of the file.
    """
    return read_language_file(path, SCHEMA, RecapLines._fields, _recap_lines)


def _recap_lines(_: Language, fields: Mapping[str, Place]) -> RecapLines:
    return RecapLines(
        deaths=_lines(fields["deaths"], "deaths"),
        deeds=_blocks(fields["deeds"], DEEDS, "deeds"),
        verdicts=_blocks(fields["verdicts"], VERDICTS, "verdicts"),
        world=_blocks(fields["world"], WORLD, "world"),
        sent=_lines(fields["sent"], "sent"),
        sent_elsewhere=_lines(fields["sent_elsewhere"], "sent_elsewhere"),
        quiet=_lines(fields["quiet"], "quiet"),
    )


def _blocks(place: Place, names: Sequence[str], kind: str) -> dict[str, Lines]:
    return {name: _lines(found, kind) for name, found in place.fields(dict.fromkeys(names, REQUIRED)).items()}


def _lines(place: Place, kind: str) -> Lines:
    if not isinstance(place.value, str):
        place.fault("must be lines of text", "write `|` and one alternative a line below it")
        return ()
    lines = alternatives(place.value)
    if not lines:
        place.fault("holds no line", "write one alternative a line, at least one")
    for slot in sorted({slot for line in lines for slot in slots_in(line)} - set(_SLOTS[kind])):
        place.fault(f"names {slot!r}, which nothing fills here", did_you_mean(slot, list(_SLOTS[kind])))
    return lines
