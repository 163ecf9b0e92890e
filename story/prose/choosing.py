"""Which alternative of a block is said: drawn by what the line is for, and never twice in a chapter.

What the last chapters said comes again only where nothing else of the block is left, and then what was said longest ago. What
would deny something that stands in the same beat, or in the one before or after, is not said while the block has another line.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal

from policies.draws import Draws
from story.languages import Language
from story.prose.grammar import Claims, Lines, exclude, lasting, slots_in
from story.prose.naming import Names
from story.prose.sentences import sentence
from story.prose.words import Word

Need = Literal["must", "names", "may"]
"""must: some line of the block has to be said; names: one that names what is still missing; may: one that is new, if there is."""
_NEVER: Final = -1


class Sayer:
    """Says lines of one chapter, and remembers which.

    Args:
        language: whose grammar it is.
        draws: of the chapter.
        names: how people are named.
        avoid: keys of lines that the last chapters said, the latest last.
        claims: what lines take for granted.
    """

    def __init__(
        self, language: Language, draws: Draws, names: Names, avoid: Sequence[str], claims: Mapping[str, Claims]
    ) -> None:
        self._language: Language = language
        self._draws = draws
        self._names = names
        self._last_said = {key: at for at, key in enumerate(avoid)}
        self._claims = claims
        self._around: Claims = frozenset()
        self._claimed: set[str] = set()
        self._claimed_before: Claims = frozenset()
        self._used: dict[str, None] = {}
        self._said: set[str] = set()

    @property
    def used(self) -> tuple[str, ...]:
        """Keys of the lines said, in their order."""
        return tuple(self._used)

    def begin(self, around: Claims) -> None:
        """Begin a beat: what the beat before took for granted still holds.

        Args:
            around: what this beat's storylet and its neighbours' take for granted, whichever lines are said.
        """
        self._around, self._claimed_before, self._claimed = around, lasting(self._claimed), set()

    def pick(
        self,
        block: str,
        lines: Lines,
        words: Mapping[str, Word],
        wanted: Collection[str],
        *key: object,
        need: Need = "must",
    ) -> int | None:
        """Return which alternative to say, from 0, or None where there is none that the chapter has not said.

        Lines that name more of the `wanted` slots go first; the rest is drawn. Lines with a hole that nothing fills are left out.
        """
        free = [
            at for at, line in enumerate(lines) if f"{block}/{at}" not in self._used and slots_in(line) <= set(words)
        ]
        if need == "names":
            free = [at for at in free if slots_in(lines[at]) & set(wanted)]
        agreeing = [at for at in free if not self._is_denied(lines[at])]
        fresh = [at for at in agreeing if f"{block}/{at}" not in self._last_said]
        left = fresh if need == "may" else fresh or agreeing or free
        if not left:
            return None
        return min(
            left,
            key=lambda at: (
                self._last_said.get(f"{block}/{at}", _NEVER),
                -len(slots_in(lines[at]) & set(wanted)),
                self._draws.number(*key, at),
            ),
        )

    def take(self, block: str, lines: Lines, at: int) -> None:
        """Keep a line that was picked: it is not said again, and what it takes for granted holds."""
        self._used[f"{block}/{at}"] = None
        self._claimed |= self._claims.get(lines[at], frozenset())

    def _is_denied(self, line: str) -> bool:
        claims = self._claims.get(line)
        return claims is not None and (
            exclude(claims, self._around) or exclude(claims, self._claimed) or exclude(claims, self._claimed_before)
        )

    def say(self, line: str, words: Mapping[str, Word], *key: object) -> str | None:
        """Return the line as a sentence; None where the chapter has the very same one already."""
        self._names.line(line, *key)
        text = sentence(line, self._language, words, self._names, self._draws, *key)
        if text in self._said:
            return None
        self._said.add(text)
        return text
