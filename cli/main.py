"""The entry point of `council`: finds the command, loads only that, and turns every error into a lesson.

Help and version answer without loading typer or rich: `council --help` costs a few bare interpreter starts at most.
"""

import sys
from typing import TYPE_CHECKING

from cli.commands import COMMANDS, overview
from cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else "--help"
    match name:
        case "--help" | "-h" | "help" if len(arguments) < 2:
            return _printed(overview())
        case "help":
            return main([*arguments[1:], "--help"])
        case "--version" | "-V":
            return _printed(_version())
    if name not in COMMANDS:
        return _unknown(name)
    # Late: a command line that only asks for help or misspells a command loads nothing more.
    from cli.running import run_command  # noqa: PLC0415

    return run_command(name, COMMANDS[name], arguments[1:])


def _printed(text: str) -> int:
    print(text)
    return Exit.GOOD


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - costs more than all of help

    try:
        return f"world-council {version('world-council')}"
    except PackageNotFoundError:
        return "world-council, running from source"


def _unknown(name: str) -> int:
    from difflib import get_close_matches  # noqa: PLC0415 - only a misspelling needs it

    from cli.complaints import complain  # noqa: PLC0415
    from cli.errors import CliError  # noqa: PLC0415

    near = get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    fix = f"did you mean 'council {near[0]}'?" if near else "'council --help' lists every command"
    what = f"unknown option {name!r} before the command" if name.startswith("-") else f"unknown command {name!r}"
    complain(CliError(what, fix), as_json=False)
    return Exit.UNJUDGED


if __name__ == "__main__":
    sys.exit(main())
