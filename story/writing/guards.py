"""What a model's text may not be besides what the lint of prose finds in any text: foreign signs, nonsense, strangers. Pure.

The lint knows what must never be said. A grammar says nothing else, so the lint need not ask whether a text says anything; a
model may write words in a row, another chapter, or happenings of its own, and these guards ask that.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from story.languages import Language
from story.prose.lint import LintFault, lint
from story.prose.lint_characters import language_faults
from story.prose.lint_patterns import STOPWORDS
from story.service.composing import Draft
from story.writing.consequences import Consequence, holds, parts_of, without
from story.writing.reading import paragraphs_of

LEAST_STOPWORDS: Final[dict[Language, int]] = {"en": 150, "vi": 80, "es": 150}
"""Permille of words that carry a language's grammar; in the grammars' own texts never below 275, 153 and 267."""
LEAST_DIFFERENT: Final = 350
"""Permille of words that are not repetitions; in the grammars' own texts never below 566."""
LEAST_KEPT: Final = 150
"""Permille of the template's content words that a rewrite still holds: it is to tell the same, in other words."""
MOST_CHARACTERS: Final = 16
"""Characters a planned word beyond which a text is not even looked at: patterns are not run over a flood."""
_LONGEST_WORD: Final = 24
_WORD: Final = re.compile(r"[^\W\d_]+")
_SIGNS: Final = frozenset(" \n.,;:!?…'’‘\"“”«»¿¡–—-()")
_NUMERALS: Final[dict[Language, re.Pattern[str]]] = {
    "en": re.compile(
        r"\b(?:thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|"
        r"thousands?|millions?|out of ten|half full|zero)\b",
        re.IGNORECASE,
    ),
    "vi": re.compile(r"(?<!\w)(?:mươi|trăm|nghìn|ngàn|triệu|phần mười|số không)(?!\w)", re.IGNORECASE),
    "es": re.compile(
        r"\b(?:trece|catorce|quince|dieci\w+|veint\w+|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien|cientos?|"
        r"\w+cient[oa]s|mil|miles|millones|sobre diez|cero)\b",
        re.IGNORECASE,
    ),
}

_GRAVE: Final[dict[Language, re.Pattern[str]]] = {
    "en": re.compile(
        r"\b(?:die[sd]?|dying|dead|deaths?|kill\w*|murder\w*|corpses?|swore|sworn|vow\w*|promis\w*|oaths?|married|betray\w*)\b",
        re.IGNORECASE,
    ),
    "vi": re.compile(r"(?<!\w)(?:chết|giết|qua đời|xác|thề|hứa|cưới|phản bội)(?!\w)", re.IGNORECASE),
    "es": re.compile(
        r"\b(?:muri\w+|muer[te]\w*|mat(?:ó|aron|ado|ada|ar)|asesin\w*|cadáver\w*|jur(?:ó|aron|ado|amento)\w*|prome[ts]\w*|"
        r"se cas(?:ó|aron)|traicion\w*)\b",
        re.IGNORECASE,
    ),
}
"""Words of what the story keeps account of: deaths, promises, betrayals. A plan makes them, never a model."""


def faults_of_text(text: str, consequence: Consequence, draft: Draft, said: Collection[str] = ()) -> tuple[str, ...]:
    """Return what is wrong with a model's text of one beat, in sentences for its rewrite; nothing where it may ship.

    Args:
        text: the beat's text, in normal form C.
        consequence: what the beat may do.
        draft: what the chapter is written from.
        said: sentences that other beats of the chapter say, as `sentences` returns them.
    """
    if not text:
        return ("the text is empty; write the beat",)
    if len(text) > consequence.words * MOST_CHARACTERS + 200:
        return (f"the text is far too long; write about {consequence.words} words",)
    language = draft.plan.language
    found = [
        *_signs(text),
        *_numerals(text, consequence, language),
        *_grave(text, consequence, language),
        *_nonsense(text, consequence, language),
        *_unlocked(text, consequence),
        *_strangers(without(text, consequence.locked), consequence),
        *[fault.told for fault in language_faults(text, language)],
        *([_AGAIN] if set(sentences(text)) & set(said) else []),
        *[fault.told for fault in lint_of_beat(text, consequence.beat, draft)],
    ]
    return tuple(dict.fromkeys(found))


def lint_of_beat(text: str, beat: int, draft: Draft) -> tuple[LintFault, ...]:
    """Run the lint over one beat as if it were the whole chapter: every length, language and missing fact is its own."""
    alone = draft.plan._replace(beats=tuple([each for each in draft.plan.beats if each.number == beat]))
    return lint(
        paragraphs_of(beat, text),
        language=alone.language,
        plan=alone,
        tale=draft.tale,
        locks=draft.locks,
        names=draft.names,
    )


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a text that are long enough to be noticed when they come again, in lower case."""
    parts = [" ".join(_WORD.findall(part.lower())) for part in parts_of(text)]
    return tuple([part for part in parts if part.count(" ") >= _NOTICED])


_AGAIN: Final = "repeats a sentence of another beat; write another one"
_NOTICED: Final = 4
"""Spaces between the words of a sentence whose repetition a reader notices."""


def _signs(text: str) -> Iterator[str]:
    strange = next((sign for sign in text if not sign.isalpha() and sign not in _SIGNS), None)
    if strange is not None:
        yield f"holds U+{ord(strange):04X}; write letters and plain punctuation only"


def _numerals(text: str, consequence: Consequence, language: Language) -> Iterator[str]:
    for match in _NUMERALS[language].finditer(text):
        if match[0].lower() not in consequence.template.lower():
            yield "counts what nobody counted; write no numbers"
            return


def _grave(text: str, consequence: Consequence, language: Language) -> Iterator[str]:
    known = {match[0].lower() for match in _GRAVE[language].finditer(consequence.template)}
    for match in _GRAVE[language].finditer(text):
        if match[0].lower() not in known:
            yield "tells of a death, a promise or a betrayal that the given text does not hold; leave it out"
            return


def _nonsense(text: str, consequence: Consequence, language: Language) -> Iterator[str]:
    words = [word.lower() for word in _WORD.findall(text)]
    if not words:
        yield "holds no words; write the beat"
        return
    if _permille(sum(word in STOPWORDS[language] for word in words), len(words)) < LEAST_STOPWORDS[language]:
        yield f"is not made of sentences ({language}); write whole sentences"
    if _permille(len(set(words)), len(words)) < LEAST_DIFFERENT or _stammers(words):
        yield "says the same words again and again; write each thing once"
    if max(len(word) for word in words) > _LONGEST_WORD:
        yield "holds a word that is none; write words of the language"
    wanted = _content(consequence.template, language)
    if wanted and _permille(len(wanted & _content(text, language)), len(wanted)) < LEAST_KEPT:
        yield "tells something else; keep what the given text tells, in its order"


def _stammers(words: list[str]) -> bool:
    """Tell whether a word stands four times in a row, or one that is not grammar makes up a fifth of a longer text."""
    if any(len(set(words[at : at + 4])) == 1 for at in range(len(words) - 3)):
        return True
    return len(words) >= 40 and Counter(words).most_common(1)[0][1] * 5 > len(words)


def _unlocked(text: str, consequence: Consequence) -> Iterator[str]:
    # As sentences of their own: inside another one ("it is a lie that ...") they would say something else.
    parts = parts_of(text)
    lost = next((sentence for sentence in consequence.locked if sentence not in parts), None)
    if lost is not None:
        yield f"changes or leaves out a sentence that must stand word for word: {lost}"


def _strangers(text: str, consequence: Consequence) -> Iterator[str]:
    stranger = next((name for name in consequence.strange if holds(text, name)), None)
    if stranger is not None:
        yield f"names {stranger}, which has no part in this beat; leave it out"


def _content(text: str, language: Language) -> frozenset[str]:
    """Return what a text is about: its longer words without those of grammar, by their stems where a language bends them."""
    least, stem = (3, 12) if language == "vi" else (4, 5)
    words = [word.lower() for word in _WORD.findall(text)]
    return frozenset([word[:stem] for word in words if len(word) >= least and word not in STOPWORDS[language]])


def _permille(part: int, whole: int) -> int:
    return part * 1_000 // whole
