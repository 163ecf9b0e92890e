"""Words of a language: how an id is spoken of, with what its grammar needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from policies.faults import Fault, InvalidInputError, did_you_mean, pointer
from story.languages import Language

Gender = Literal["m", "f"]
Count = Literal["one", "many"]
Kind = Literal["hero", "person", "other"]

SECTIONS: Final = (
    "territories", "factions", "people", "triggers", "campaigns", "questions", "stakes", "wants", "needs", "wounds",
    "promises", "things", "roles", "archetypes", "echoes", "directions", "reasons", "conditions", "outcomes", "signs",
    "units", "others",
)  # fmt: skip
SUBJECTS: Final = ("territories", "factions", "triggers", "people", "units", "campaigns")
"""Sections that a verdict's subject may stand in."""


class Entry(NamedTuple):
    """One id in words.

    `text` stands as it would in the middle of a sentence: names with their article, things without one.
    """

    text: str
    at: str = ""
    """Of a place: the word before it for being there, such as in, at, ở, en."""
    gender: Gender = "m"
    number: Count = "one"
    titles: tuple[str, ...] = ()
    """Of a question: titles of chapters about it."""
    marks: tuple[str, ...] = ()
    """Of an outcome: stems of which a telling holds at least one."""


class Word(NamedTuple):
    """What fills a hole of a sentence."""

    text: str
    kind: Kind = "other"
    at: str = ""
    gender: Gender = "m"
    number: Count = "one"
    role: str = ""
    """Of a person: the words of the role."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All words of one language.

    Attributes:
        language: which.
        sections: entries by id, by section.
    """

    language: Language
    sections: Mapping[str, Mapping[str, Entry]]

    def entry(self, section: str, name: str) -> Entry:
        """Return the words of an id.

        Raises:
            InvalidInputError: where the section has none.
        """
        known = self.sections[section]
        if name not in known:
            fix = f"write it in story/data/lexicon/{self.language}.yaml under {section}; {did_you_mean(name, list(known))}"
            raise InvalidInputError([Fault(pointer(section, name), "an id without words", fix)])
        return known[name]

    def subject(self, name: str) -> Entry | None:
        """Return the words of whatever a verdict was about; None where nobody has a word for it."""
        return next((self.sections[each][name] for each in SUBJECTS if name in self.sections[each]), None)


def word_of(entry: Entry) -> Word:
    """Return an entry as it fills a hole."""
    return Word(entry.text, at=entry.at, gender=entry.gender, number=entry.number)


def in_capitals(name: str) -> str:
    """Return an id that no lexicon knows as a name: never with the marks of an id.

    >>> in_capitals("salt-marsh_of_old")
    'Salt Marsh Of Old'
    """
    return " ".join([part.capitalize() for part in name.replace("_", "-").split("-") if part])
