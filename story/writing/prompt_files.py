"""The prompt files of the writer and the critic; each is read once."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from policies.prompt_files import PromptFile, read_prompt_file

HERE: Final = Path(__file__).parent / "prompts"


@lru_cache(maxsize=8)
def prompt_file(name: str) -> PromptFile:
    """Return a prompt file.

    Raises:
        PromptFileError: where it is missing or not of the form.
    """
    return read_prompt_file(HERE / f"{name}.md")
