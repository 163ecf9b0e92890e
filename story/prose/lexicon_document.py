"""The lexicon's files: read strictly, every fault with its line, or refused."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, get_args

from policies.cursor import REQUIRED, Place
from story.languages import Language
from story.prose.language_files import read_language_file, shipped
from story.prose.words import SECTIONS, Count, Entry, Gender, Lexicon

SCHEMA: Final = "council.lexicon/1"
_LONGEST: Final = 200
_DEFAULTS: Final = {"text": REQUIRED, "at": "", "gender": "m", "number": "one", "titles": [], "marks": []}


@cache
def lexicon_of(language: Language) -> Lexicon:
    """Return the shipped words of a language.

    Raises:
        InvalidPolicyError: with every fault of its file.
    """
    return load_lexicon(shipped("lexicon", language))


def load_lexicon(path: Path | str) -> Lexicon:
    """Load a lexicon's file.

    Raises:
        InvalidPolicyError: with every fault of the file.
    """
    return read_language_file(path, SCHEMA, SECTIONS, _lexicon)


def _lexicon(language: Language, fields: Mapping[str, Place]) -> Lexicon:
    sections = {
        section: {name: _entry(place, section) for name, place in fields[section].entries().items()}
        for section in SECTIONS
    }
    return Lexicon(language, sections)


def _entry(place: Place, section: str) -> Entry:
    if isinstance(place.value, str):
        place = place.at("text", place.value)
        return Entry(place.text(_LONGEST), at=_missing_at(place, section))
    fields = place.fields(_DEFAULTS)
    if not fields:
        return Entry("")
    if section == "territories" and not fields["at"].value:
        _missing_at(place, section)
    if section == "questions" and not fields["titles"].value:
        fields["titles"].fault("a question without titles", "write titles of chapters about it, four or more")
    return Entry(
        text=fields["text"].text(_LONGEST),
        at=fields["at"].text(20) if fields["at"].value else "",
        gender=fields["gender"].choice(get_args(Gender)),
        number=fields["number"].choice(get_args(Count)),
        titles=tuple([item.text(80) for item in fields["titles"].items()]),
        marks=tuple([item.text(40).lower() for item in fields["marks"].items()]),
    )


def _missing_at(place: Place, section: str) -> str:
    if section == "territories":
        place.fault("a place without its preposition", "write {text: the Far Wilds, at: in}")
    return ""
