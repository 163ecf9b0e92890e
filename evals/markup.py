"""Markup that is safe by construction: text is escaped unless it already is markup. Pages and plots are built of it. Pure.

Records hold what strangers wrote. Text becomes markup only here, so there is one place to get it right.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Final

from agents.visible import INVISIBLE


class Markup(str):
    """A piece of HTML or SVG whose text is already escaped."""

    __slots__ = ()


Child = str | int | None
Attribute = str | int | bool | None
NOTHING: Final = Markup("")


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element; attributes write "_" for "-" (`class_` is class), None or False leaves one out.

    >>> tag("b", "a < b", class_="x", aria_label='"')
    '<b class="x" aria-label="&quot;">a &lt; b</b>'
    """
    return Markup(f"<{name}{_attributes(attributes)}>{joined(children)}</{name}>")


def void(name: str, /, **attributes: Attribute) -> Markup:
    """Return an element that has no content, closed as both HTML and SVG read it."""
    return Markup(f"<{name}{_attributes(attributes)}/>")


def joined(children: Iterable[Child]) -> Markup:
    """Return pieces one after the other: markup as it is, everything else as words; None is left out."""
    pieces = [child if isinstance(child, Markup) else words(str(child)) for child in children if child is not None]
    return Markup("".join(pieces))


def words(text: str) -> Markup:
    """Return text escaped, with every invisible or control character written as its code.

    >>> words("<script>\\u202e")
    '&lt;script&gt;\\\\u202e'
    """
    return Markup(escape(INVISIBLE.sub(_coded, text), quote=True))


def _attributes(attributes: dict[str, Attribute]) -> str:
    return "".join([_attribute(name, value) for name, value in attributes.items() if value is not None])


def _attribute(name: str, value: Attribute) -> str:
    if value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{words(str(value))}"'


def _coded(match: re.Match[str]) -> str:
    return "".join([f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}" for char in match[0]])
