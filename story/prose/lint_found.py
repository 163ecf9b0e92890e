"""What a check of the lint found in one paragraph."""

from typing import Any, NamedTuple


class Found(NamedTuple):
    """One finding; the paragraph is known to whoever asked."""

    name: Any
    """A `story.prose.lint.FaultName`."""
    excerpt: str
    told: str


def around(text: str, start: int, end: int) -> str:
    """Return a match with a little of what stands around it."""
    return text[max(0, start - 20) : end + 20].strip()
