"""Edits of a policy's YAML text that leave its comments where they are. Pure.

Only what stands in the usual form (a key and its value on one line, or a block below it) is edited; anything else is not
guessed at, and whoever asked writes the whole document anew.
"""

import re
from collections.abc import Mapping
from typing import Final

from policies.policy_faults import KeyPath
from policies.yaml_positions import read_yaml

_LINE: Final = re.compile(r"(?P<start>\s*[\w*-]+:)(?P<value>(?:\s+[^\s#]\S*(?:\s+[^\s#]\S*)*)?)(?P<note>\s+#.*)?\s*")


class UneditableError(ValueError):
    """the text does not stand in a form that can be edited without touching the rest"""


class PolicyText:
    """A policy's text under edit.

    Args:
        text: YAML.

    Raises:
        UneditableError: where it is not valid YAML.
    """

    def __init__(self, text: str) -> None:
        sheet = read_yaml(text, "policy")
        if sheet.faults:
            raise UneditableError
        self._lines: list[list[str]] = [[line] for line in text.splitlines()]
        self._places: Mapping[KeyPath, int] = sheet.lines

    @property
    def text(self) -> str:
        return "\n".join(line for lines in self._lines for line in lines) + "\n"

    def has(self, *path: str) -> bool:
        """Whether the key stands in the text."""
        return path in self._places

    def set(self, value: str, *path: str) -> None:
        """Replace what stands on the line of a key, or the block below it, by a value of one line."""
        at = self._line(path)
        found = self._match(at, path[-1])
        self._clear_block(at)
        self._lines[at] = [f"{found['start']} {value}{found['note'] or ''}"]

    def set_block(self, block: list[str], *path: str) -> None:
        """Replace what a key holds by lines below it, written as if the key stood at the margin."""
        at = self._line(path)
        found = self._match(at, path[-1])
        self._clear_block(at)
        margin = found["start"][: len(found["start"]) - len(found["start"].lstrip())]
        self._lines[at] = [f"{found['start']}{found['note'] or ''}", *[margin + line for line in block]]

    def add_below(self, line: str, *path: str) -> None:
        """Add a line below the line of a key, as deep as that key."""
        at = self._line(path)
        found = self._match(at, path[-1])
        margin = found["start"][: len(found["start"]) - len(found["start"].lstrip())]
        self._lines[at] = [*self._lines[at], margin + line]

    def append(self, block: list[str]) -> None:
        """Add lines at the end."""
        self._lines.append(["", *block])

    def _line(self, path: KeyPath) -> int:
        if path not in self._places:
            raise UneditableError
        return self._places[path] - 1

    def _match(self, at: int, key: str) -> re.Match[str]:
        """Return the parts of a key's line; a key inside brackets stands on the line of another."""
        found = _LINE.fullmatch(self._lines[at][0])
        if found is None or found["start"].strip() != f"{key}:":
            raise UneditableError
        return found

    def _clear_block(self, at: int) -> None:
        """Take away the lines below a key that are deeper than it; comments and blank lines after them stay."""
        depth = _depth(self._lines[at][0])
        end = last = at + 1
        while end < len(self._lines):
            line = self._lines[end][0]
            if line.strip() and not line.lstrip().startswith("#"):
                if _depth(line) <= depth:
                    break
                last = end + 1
            end += 1
        for place in range(at + 1, last):
            self._lines[place] = []


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
