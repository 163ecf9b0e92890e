"""Bad input as data: where it is, what is wrong, and what to write instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input.

    Attributes:
        path: JSON pointer (RFC 6901) to the offending place; "" is the whole document.
        message: what is wrong, without repeating the value that was sent.
        fix: what to write instead.
    """

    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.path or '(document)'}: {self.message}{fix}"


class PoliciesError(Exception):
    """Base of everything the policies package raises."""


class InvalidInputError(PoliciesError):
    """The input is refused; `faults` names every place that is wrong and its fix."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return "did you mean 'x'?" for the known word nearest to `word`, or the list of known words."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"


def pointer(*segments: str | int) -> str:
    """Return the RFC 6901 JSON pointer of path segments.

    >>> pointer("effects", 2, "a/b")
    '/effects/2/a~1b'
    """
    return "".join("/" + str(segment).replace("~", "~0").replace("/", "~1") for segment in segments)
