"""The rich console that draws people's output, and progress bars for long work.

Widths are fixed where nobody looks (pipes, files, tests), so that output can be compared; colour appears only on a
terminal that wants it (NO_COLOR is honoured by rich).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from cli.output import flush, write

WIDTH: Final = 100
"""Columns where the output is no terminal."""
_WIDEST: Final = 120
VERDICT_STYLES: Final = {"approve": "green", "modify": "yellow", "reject": "red", "quarantine": "magenta"}
VERDICT_SIGNS: Final = {"approve": "✓", "modify": "≈", "reject": "✗", "quarantine": "‖"}


def console() -> Console:
    """Return a console on standard output that reads no markup, emoji codes or links out of text."""
    is_terminal = sys.stdout.isatty()
    found = Console(highlight=False, markup=False, emoji=False)
    width = min(found.width, _WIDEST) if is_terminal else WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width)


def draw(*parts: RenderableType) -> None:
    """Draw to standard output.

    Raises:
        ReaderGoneError: where the reader has closed the pipe.
    """
    target = console()
    with target.capture() as captured:
        for part in parts:
            target.print(part)
    text = captured.get()
    if not target.is_terminal:
        text = "\n".join(line.rstrip() for line in text.split("\n"))
    write(text)
    flush()


def verdict_text(verdict: str, *, sign: bool = True) -> Text:
    """Return a verdict in its colour, with its sign for those who do not see colours."""
    mark = f"{VERDICT_SIGNS.get(verdict, '?')} " if sign else ""
    return Text(f"{mark}{verdict}", style=VERDICT_STYLES.get(verdict, ""))


class Steps(Protocol):
    """Something that counts finished steps of long work."""

    def __call__(self, steps: int = 1) -> None:
        """Count steps done."""


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Steps]:
    """Show a progress bar on standard error while long work runs; silent where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda steps=1: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)

        def advance(steps: int = 1) -> None:
            bar.advance(task, steps)

        yield advance
