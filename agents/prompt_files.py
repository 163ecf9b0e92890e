"""The members' prompt files: the packaged ones, or another version of them from a folder; each is read once."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from policies.prompt_files import PromptFile, PromptFileError, parse_prompt_file, read_prompt_file

__all__ = ["HERE", "SHARED", "PromptFile", "PromptFileError", "parse_prompt_file", "prompt_file"]

HERE: Final = Path(__file__).parent / "prompts"
SHARED: Final = "council"
"""The part that every member's prompt begins with."""


@lru_cache(maxsize=256)
def prompt_file(name: str, folder: Path = HERE) -> PromptFile:
    """Return a prompt file; it is read once per process.

    Args:
        name: of the file without its ending: a member's, or `council`.
        folder: where another version of the prompts stands; a file that it lacks is the packaged one.

    Raises:
        PromptFileError: where the file is missing, has no version in its first line, or no text.
    """
    path = folder / f"{name}.md"
    if folder != HERE and not path.exists():
        path = HERE / f"{name}.md"
    return read_prompt_file(path)
