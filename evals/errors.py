"""What the evals package raises: bad files and questions that cannot be answered, never a bad result (that is a value)."""

from collections.abc import Sequence
from typing import NamedTuple


class FileFault(NamedTuple):
    """One thing wrong with a file that somebody wrote, cut off or edited."""

    file: str
    line: int
    """Counted from 1; 0 where the whole file is meant."""
    key: str
    """Dotted path or column; "" where the whole line is meant."""
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{where}:{key} {self.message}{fix}"


class EvalsError(Exception):
    """Base of everything the evals package raises.

    Args:
        what: what is wrong, one line, lower case.
        fix: what to do about it, one line; "" where nothing helps.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        self.what = what
        self.fix = fix
        super().__init__(f"{what}; {fix}" if fix else what)


class InvalidFileError(EvalsError):
    """The file is refused whole; `faults` names every place that is wrong, in the order of the file."""

    def __init__(self, faults: Sequence[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class NotEnoughError(EvalsError):
    """there is too little to answer from: no labels, one class only, no decisions in common"""
