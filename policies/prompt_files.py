"""The form of a prompt file: a version, a blank line and a text. A text that changes gets a new version (docs/models.md).

version: 1

# Lore Consistency
...
"""

import re
from pathlib import Path
from typing import Final, NamedTuple

_HEADER: Final = re.compile(r"version: ([1-9][0-9]{0,5})\n\n")


class PromptFileError(Exception):
    """a prompt file cannot be used"""


class PromptFile(NamedTuple):
    """One part of a prompt."""

    name: str
    """Name of the file without its ending."""
    version: int
    text: str
    """Markdown, without blank lines at its ends."""


def read_prompt_file(path: Path) -> PromptFile:
    """Read a prompt file.

    Raises:
        PromptFileError: where the file is missing, has no version in its first line, or no text.
    """
    try:
        document = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PromptFileError(f"prompt file {path.name!r} cannot be read: {error.strerror}") from None
    return parse_prompt_file(path.stem, document)


def parse_prompt_file(name: str, document: str) -> PromptFile:
    """Split a prompt file into its version and its text.

    Raises:
        PromptFileError: where it does not begin with "version: N" and a blank line, or says nothing.
    """
    header = _HEADER.match(document)
    if header is None:
        raise PromptFileError(f"prompt file '{name}.md' must begin with 'version: 1' and a blank line")
    text = document[header.end() :].strip()
    if not text:
        raise PromptFileError(f"prompt file '{name}.md' has no text")
    return PromptFile(name, int(header[1]), text)
