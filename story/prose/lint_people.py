"""People: nobody whom the story does not know, and nobody who is dead or elsewhere acts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from story.languages import Language
from story.planner.plan import Plan
from story.prose.composing import Paragraph
from story.prose.grammar_document import grammar_of
from story.prose.lint_found import Found, around
from story.prose.lint_patterns import SPEAKS, words
from story.prose.words import Lexicon
from story.tale.tale import CastMember, Tale

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_STARTS: Final = re.compile(r"[.!?…:\n][\s“”«»¿¡\"'‘’(—–-]*$")
"""What stands before a word that begins a sentence or a speech."""
_LOOK_BACK: Final = 8
"""Characters before a word in which the end of the sentence before stands."""
_MARKS: Final = " \n“”«»¿¡\"'‘’(—–-"
_OPENING: Final = "“«‘\"'"
_ALWAYS: Final[dict[Language, frozenset[str]]] = {
    "en": frozenset(["I", "I'll", "I'd", "I'm", "I've", "I’ll", "I’d", "I’m", "I’ve"]),
    "vi": frozenset(),
    "es": frozenset(),
}


@dataclass(frozen=True, slots=True)
class People:
    """Who may be named in a chapter."""

    plan: Plan
    tale: Tale
    lexicon: Lexicon
    names: tuple[str, ...]
    cast: Mapping[str, CastMember]
    known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        texts = [entry.text for section in self.lexicon.sections.values() for entry in section.values()]
        texts += [title for entry in self.lexicon.sections["questions"].values() for title in entry.titles]
        texts += [self.tale.hero_name, *self.names, *[each.name for each in self.cast.values()]]
        capitals = {word for text in texts for word in _WORD.findall(text) if word[0].isupper()}
        object.__setattr__(self, "known", frozenset(capitals | _ALWAYS[self.lexicon.language]))

    def absent(self, paragraph: Paragraph, language: Language) -> Iterator[Found]:
        """Yield who acts though dead, gone or elsewhere."""
        present = self._present(paragraph.beat)
        for name, member in self.cast.items():
            if name in present and member.status == "alive":
                continue
            person, acts = re.escape(member.name), SPEAKS[language]
            match = re.search(rf"\b{person}\b[^.!?\n]{{0,25}}?\b{acts}\b|\b{acts} {person}\b", paragraph.text)
            if match is not None:
                why = "is elsewhere in this beat" if member.status == "alive" else f"is {member.status}"
                told = f"{member.name} {why}, and acts; leave them out"
                yield Found("absent", around(paragraph.text, *match.span()), told)

    def _present(self, beat: int) -> frozenset[str]:
        """Return who is there; in a text without beats, whoever is in any."""
        beats = [each for each in self.plan.beats if beat in (0, each.number)]
        return frozenset(name for each in beats for name in (*each.characters, *each.slots.values()))


def person_faults(text: str, people: People, language: Language) -> Iterator[Found]:
    """Yield names that nobody knows: words with a capital inside a sentence, or at its start before a verb of people.

    A sentence may begin with any word, so a name there is told from a word only by what follows, or where it stands again.
    """
    for match in _WORD.finditer(text):
        word = match[0]
        if not word[0].isupper() or _base(word) in people.known or word in people.known:
            continue
        if not _is_start(text, match.start()) or _acts(text, match.end(), word, language):
            yield Found(
                "person", around(text, *match.span()), f"names {word}, whom the story does not know; use the cast"
            )
            return


def _base(word: str) -> str:
    return re.sub(r"['’]s?$", "", word)


def _is_start(text: str, at: int) -> bool:
    return (
        not text[:at].strip(_MARKS)
        or bool(_STARTS.search(text[max(0, at - _LOOK_BACK) : at]))
        or text[max(0, at - 1) : at] in tuple(_OPENING)
    )


def _acts(text: str, end: int, word: str, language: Language) -> bool:
    is_verb_next = re.match(rf"\s+{SPEAKS[language]}\b", text[end:]) is not None
    return is_verb_next and word.lower() not in _vocabulary(language)


@cache
def _vocabulary(language: Language) -> frozenset[str]:
    """Return every word of the grammar, in lower case: what may begin a sentence without being a name."""
    grammar = grammar_of(language)
    texts, shared = grammar.storylets.values(), grammar.shared
    blocks = [block for text in texts for block in (text.open, text.middle, text.end, *text.tell.values())]
    blocks += [shared.arrive, shared.change, shared.stay, shared.follow, shared.aside, shared.back, shared.lyrical]
    for groups in (shared.places, shared.moods, shared.pressures, shared.pacing):
        blocks += groups.values()
    lines = [line for block in blocks for line in block]
    return frozenset(word.lower() for line in lines for word in _WORD.findall(line)) | _COMMON[language]


_COMMON: Final[dict[Language, frozenset[str]]] = {
    "en": words(
        "he she it they we you i who what which someone somebody everyone nobody both all some none one another"
    ),
    "vi": words("họ nó ai kẻ người ông bà cô anh chị cả mọi có không rồi"),
    "es": words("él ella ellos ellas quien alguien nadie todos uno una ambos se le la lo les no ya"),
}
