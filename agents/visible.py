"""Text as a reader sees it: nothing invisible, and no longer than a cap. For prompts' copies and for what models say.

Hidden characters carry instructions past the people who look at a text (zero width, bidirectional controls, tag
characters). The ranges are written out, so that a prompt's bytes never depend on the Unicode tables of an interpreter.
"""

import re
from typing import Final, NamedTuple

_RANGES: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f"  # controls but tab, newline and next line
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"  # soft hyphen, grapheme joiner, Arabic number marks
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # Hangul fillers, Khmer inherent vowels, Mongolian selectors
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"  # zero width, bidirectional controls, the empty Braille pattern
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"  # Hangul fillers, variation selectors, byte order mark
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tag characters and the rest of what is never shown
)
INVISIBLE: Final = re.compile(f"[{_RANGES}]+")
"""Runs of characters that nobody sees."""
_LINE_ENDS: Final = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


MAX_ID: Final = 48
"""Longest identifier that is shown whole, characters; the contract allows 128."""


class Cut(NamedTuple):
    """A text within its cap."""

    text: str
    left_out: int
    """Characters that were cut off."""


def visible(text: str) -> str:
    """Return a text without invisible characters, every line end as a newline; the text itself is never changed."""
    if text.isprintable() and text.isascii():
        return text
    return INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))


def one_line(text: str) -> str:
    """Return the visible text with every run of white space as one space, and none at its ends."""
    return " ".join(visible(text).split())


def cut(text: str, most: int) -> Cut:
    """Return at most `most` characters, and how many are left out."""
    return Cut(text[:most], max(0, len(text) - most))


def shown_id(name: str) -> str:
    """Return an identifier as it is shown: visible, and cut with a mark where it is long."""
    kept = cut(one_line(name), MAX_ID)
    return f"{kept.text}…+{kept.left_out}" if kept.left_out else kept.text
