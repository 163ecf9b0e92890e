"""The prompt files: a version and a text each, read once. A text that changes gets a new version (docs/models.md).

version: 1

# Lore Consistency
...
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).parent / "prompts"
SHARED: Final = "council"
"""The part that every member's prompt begins with."""

_HEADER: Final = re.compile(r"version: ([1-9][0-9]{0,5})\n\n")


class PromptFileError(Exception):
    """a prompt file cannot be used"""


class PromptFile(NamedTuple):
    """One part of a prompt."""

    name: str
    """Name of the file without its ending: a member's, or `council`."""
    version: int
    text: str
    """Markdown, without blank lines at its ends."""


@lru_cache(maxsize=256)
def prompt_file(name: str, folder: Path = HERE) -> PromptFile:
    """Return a prompt file; it is read once per process.

    Args:
        folder: where another version of the prompts stands; a file that it lacks is the packaged one.

    Raises:
        PromptFileError: where the file is missing, has no version in its first line, or no text.
    """
    path = folder / f"{name}.md"
    if folder != HERE and not path.exists():
        path = HERE / f"{name}.md"
    try:
        document = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PromptFileError(f"prompt file {path.name!r} cannot be read: {error.strerror}") from None
    return parse_prompt_file(name, document)


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
