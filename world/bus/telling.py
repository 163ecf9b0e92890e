"""What is said of a try that failed."""

from typing import Final

_LONGEST: Final = 500


def told(error: BaseException) -> str:
    """Return what a try failed with, in one line of at most 500 characters.

    >>> told(ValueError("no such realm"))
    'ValueError: no such realm'
    """
    text = "it took too long" if isinstance(error, TimeoutError) and not str(error) else str(error)
    return " ".join(f"{type(error).__name__}: {text}".split())[:_LONGEST]
