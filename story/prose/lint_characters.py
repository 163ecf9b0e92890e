"""Characters and language: nothing that nobody sees, one script, and the language that was asked for."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from story.languages import Language
from story.prose.lint_found import Found, around
from story.prose.lint_patterns import STOPWORDS

_UNSEEN: Final = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"])
"""Unicode categories of what is not printed, or clings to another letter."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_LEAST_WORDS: Final = 12
"""Words below which a text says too little of its language."""
_LEAST_OF_A_SENTENCE: Final = 7
_VIETNAMESE: Final = re.compile(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.IGNORECASE)
_LEAST_MARKED: Final = 250
"""Permille of Vietnamese syllables that carry a mark no other language here has; in the grammar it is over 500."""


def hidden_faults(text: str) -> Iterator[Found]:
    """Yield the first character that nobody sees, and the first of another script."""
    composed = unicodedata.normalize("NFC", text)
    strange = {char: why for char in sorted(set(composed)) if (why := _strangeness(char))}
    for why in sorted(set(strange.values())):
        at = next(at for at, char in enumerate(composed) if strange.get(char) == why)
        yield Found("hidden", around(composed, at, at + 1), f"holds U+{ord(composed[at]):04X}, {why}")


def _strangeness(char: str) -> str:
    """Return what is wrong with a character, in words; nothing where it may stand in prose."""
    if char != "\n" and (unicodedata.category(char) in _UNSEEN or (char.isspace() and char not in " \u00a0")):
        return "which nobody sees; remove it"
    name = unicodedata.name(char, "")
    if char.isalpha() and not name.startswith("LATIN"):
        return "a letter of another script; write Latin letters"
    return "a full-width sign; write the plain one" if "FULLWIDTH" in name else ""


def language_faults(text: str, language: Language) -> Iterator[Found]:
    """Yield a fault where a text, or a sentence of it, is in another language.

    A short Vietnamese sentence may carry few marks, so the want of marks counts for the whole text only.
    """
    for part in (text, *_parts(text)):
        words = [word.lower() for word in _WORD.findall(unicodedata.normalize("NFC", part))]
        if len(words) < (_LEAST_WORDS if part is text else _LEAST_OF_A_SENTENCE):
            continue
        if _is_foreign(words, language) or _is_mismarked(words, language, is_whole=part is text):
            yield Found("language", part[:40], f"is not written in the language that was asked for ({language})")
            return


def _is_foreign(words: list[str], language: Language) -> bool:
    counts = {name: sum(word in known for word in words) for name, known in STOPWORDS.items()}
    best = max(counts, key=lambda name: (counts[name], name == language))
    return best != language and counts[best] > 2 * counts[language] + 1


def _is_mismarked(words: list[str], language: Language, *, is_whole: bool) -> bool:
    marked = sum(bool(_VIETNAMESE.search(word)) for word in words) * 1_000 >= len(words) * _LEAST_MARKED
    return marked if language != "vi" else is_whole and not marked


def _parts(text: str) -> list[str]:
    """Return the sentences of a text: a foreign one hides among many."""
    return [part for part in re.split(r"(?<=[.!?…”»])\s+", text) if part]
