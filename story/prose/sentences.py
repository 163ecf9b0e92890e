"""One line of the grammar as a sentence: holes, articles, agreement, contractions, capitals and spaces."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from policies.draws import Draws
from story.languages import Language
from story.prose.grammar import CHOICE, HOLE
from story.prose.words import Word

_ARTICLES: Final = {
    ("m", "one"): ("un", "el"), ("f", "one"): ("una", "la"), ("m", "many"): ("unos", "los"), ("f", "many"): ("unas", "las"),
}  # fmt: skip
_TO: Final = {"en": "to", "vi": "đến", "es": "a"}
_START: Final = re.compile(r"(^|[.!?…]\s+)([“«¿¡(]*)(\w)")
_DEL: Final = re.compile(r"\b([Dd]e|[Aa]) el\b")
_AND: Final = re.compile(r"(?<=\s)y(?= [“«¿¡(]*(?i:h?í|h?i(?![aeou])))")
_OR: Final = re.compile(r"(?<=\s)o(?= [“«¿¡(]*(?i:h?[oó]))")
_SPACES: Final = re.compile(r"\s+")
_BEFORE: Final = re.compile(r"\s+([,.;:!?…»”])")
_DOUBLED: Final = re.compile(r",\s*([,.;:!?])")
Naming = Callable[[str, str], str]
"""Returns what stands for a person: slot and form in, words out."""


def sentence(
    line: str, language: Language, words: Mapping[str, Word], naming: Naming, draws: Draws, *key: object
) -> str:
    """Return one line with its holes filled, as it is printed.

    Args:
        line: an alternative of the grammar.
        language: whose grammar holds.
        words: what fills each hole.
        naming: what stands for the hero and for a person, in the order in which they are named.
        draws: of the alternatives inside the line.
        key: what the line is for; a change elsewhere does not shift it.

    >>> words = {"thing": Word("old key"), "faction": Word("the Free Cities", number="many")}
    >>> line = "{faction} {faction:has|have} lost {thing.a}."
    >>> sentence(line, "en", words, lambda slot, form: "", Draws(1))
    'The Free Cities have lost an old key.'
    """
    line = CHOICE.sub(lambda found: draws.one_of(found[1].split("|"), *key, found.start()), line)

    def fill(found: re.Match[str]) -> str:
        slot, form, one, many = found.groups()
        word = words[slot]
        if one is not None:
            return many if word.number == "many" else one
        return _formed(word, form or "", language) if word.kind == "other" else naming(slot, form or "")

    return tidy(HOLE.sub(fill, line), language)


def tidy(text: str, language: Language) -> str:
    """Return a text with single spaces, no doubled commas, contracted articles, and capitals where sentences begin.

    In Spanish, y before the sound of i is e, and o before that of o is u.

    >>> tidy("Maren y Ilsabet, plata o oro, agua y hielo", "es")
    'Maren e Ilsabet, plata u oro, agua y hielo'
    """
    text = _DOUBLED.sub(r"\1", _BEFORE.sub(r"\1", _SPACES.sub(" ", text))).strip()
    if language == "es":
        text = _OR.sub("u", _AND.sub("e", _DEL.sub(lambda found: found[1] + "l", text)))
    return _START.sub(lambda found: found[1] + found[2] + found[3].upper(), text)


def possessive(text: str) -> str:
    """Return the English possessive.

    >>> possessive("the Free Cities"), possessive("Naeve")
    ("the Free Cities'", "Naeve's")
    """
    return text + ("'" if text.endswith("s") and text.startswith("the ") else "'s")


def _formed(word: Word, form: str, language: Language) -> str:
    match form:
        case "at":
            return f"{word.at} {word.text}"
        case "to":
            return f"{_TO[language]} {word.text}"
        case "poss" if language == "en":
            return possessive(word.text)
        case "a" | "the":
            return f"{_article(word, form, language)}{word.text}"
        case _:
            return word.text


def _article(word: Word, form: str, language: Language) -> str:
    if language == "vi":
        return "một " if form == "a" else ""
    if language == "es":
        return _ARTICLES[word.gender, word.number][form == "the"] + " "
    if form == "the":
        return "the "
    return "an " if word.text[:1].lower() in "aeiou" else "a "
