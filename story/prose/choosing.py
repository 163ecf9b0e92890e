"""Which alternative of a block is said: drawn by what the line is for, never twice in a chapter, and not what was said lately."""

from collections.abc import Collection, Mapping

from policies.draws import Draws
from story.languages import Language
from story.prose.grammar import Lines, slots_in
from story.prose.naming import Names
from story.prose.sentences import sentence
from story.prose.words import Word


class Sayer:
    """Says lines of one chapter, and remembers which.

    Args:
        language: whose grammar it is.
        draws: of the chapter.
        names: how people are named.
        avoid: keys of lines that the last chapters said; they are said again only where nothing else is left.
    """

    def __init__(self, language: Language, draws: Draws, names: Names, avoid: Collection[str] = ()) -> None:
        self._language: Language = language
        self._draws = draws
        self._names = names
        self._avoid = frozenset(avoid)
        self._used: dict[str, None] = {}
        self._said: set[str] = set()

    @property
    def used(self) -> tuple[str, ...]:
        """Keys of the lines said, in their order."""
        return tuple(self._used)

    def pick(
        self, block: str, lines: Lines, words: Mapping[str, Word], wanted: Collection[str], *key: object
    ) -> str | None:
        """Return the alternative to say, or None where every one was said in this chapter.

        Lines that name more of the `wanted` slots go first; the rest is drawn. Lines with a hole that nothing fills are left out.
        """
        fitting = [at for at, line in enumerate(lines) if slots_in(line) <= set(words)]
        free = [at for at in fitting if f"{block}/{at}" not in self._used]
        fresh = [at for at in free if f"{block}/{at}" not in self._avoid]
        if not free:
            return None
        best = min(
            fresh or free, key=lambda at: (-len(slots_in(lines[at]) & set(wanted)), self._draws.number(*key, at))
        )
        self._used[f"{block}/{best}"] = None
        return lines[best]

    def say(self, line: str, words: Mapping[str, Word], *key: object) -> str | None:
        """Return the line as a sentence; None where the chapter has the very same one already."""
        self._names.line(line, *key)
        text = sentence(line, self._language, words, self._names, self._draws, *key)
        if text in self._said:
            return None
        self._said.add(text)
        return text

    def give_back(self, block: str, at: int) -> None:
        """Free a line that was picked and found too long."""
        self._used.pop(f"{block}/{at}", None)
