"""Exit codes of every command."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says (style guide, CLI)."""

    GOOD = 0
    """The command did what was asked and found nothing wrong."""
    MISMATCH = 1
    """A regression, a mismatch or a failed check was found."""
    UNJUDGED = 2
    """Nothing could be judged: bad usage, bad input, or something that the command needs is missing."""
    INTERRUPTED = 130
    """Stopped by the keyboard, as shells report it: 128 + SIGINT."""
    READER_GONE = 141
    """The reader of our output closed it, as shells report it: 128 + SIGPIPE."""
