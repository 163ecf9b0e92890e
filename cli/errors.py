"""What goes wrong for a person at the command line, said so that it can be put right."""

from collections.abc import Sequence


class CliError(Exception):
    """A command cannot go on: what happened, and what to do about it.

    Attributes:
        what: what is wrong and where, one line, lower case.
        fix: what to do, one line; "" where nothing helps.
        details: further lines, such as every fault of an input.
    """

    def __init__(self, what: str, fix: str = "", details: Sequence[str] = ()) -> None:
        self.what = what
        self.fix = fix
        self.details = tuple(details)
        super().__init__(what)


class ReaderGoneError(Exception):
    """the reader of our output has closed it"""
