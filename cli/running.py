"""Running one command: load it, let typer read its options, map whatever ends it to an exit code."""

import importlib
import logging
import traceback
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import typer
from typer.main import get_command

from cli.commands import Command
from cli.complaints import complain
from cli.errors import CliError, ReaderGoneError
from cli.exits import Exit
from cli.output import flush

PACKAGES: Final = ("council", "agents", "policies", "world", "story", "evals", "gateway")
"""Our top-level packages. The names are common, so that another distribution may own one (style guide, the shape)."""


def run_command(name: str, command: Command, arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors of the user are told, never traced."""
    try:
        _refuse_foreign_packages()
        code = _invoke(name, command, arguments)
        flush()
    except ReaderGoneError:
        return Exit.READER_GONE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a defect of ours must not look like a mismatch (exit 1)
        from cli.telling import told  # noqa: PLC0415 - knows every package's errors, which a good run does without

        said = told(error)
        if said is None:
            traceback.print_exc()
            said = CliError(
                "this is a defect of the council, not of your input", "please report it with the lines above"
            )
        complain(said, as_json="--json" in arguments)
        return Exit.UNJUDGED
    return code


def _invoke(name: str, command: Command, arguments: Sequence[str]) -> int:
    # Commands tell people what went wrong in words; log lines are for the service, which sends them where it wants.
    logging.getLogger().addHandler(logging.NullHandler())
    module = importlib.import_module(command.module)
    try:
        get_command(module.app).main(args=list(arguments), prog_name=f"council {name}")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else Exit.GOOD
    return Exit.GOOD


def _refuse_foreign_packages() -> None:
    ours = Path(__file__).resolve().parent.parent
    for package in PACKAGES:
        found = find_spec(package)
        origin = Path(found.origin).resolve() if found is not None and found.origin else None
        if origin is None or origin.parent.parent != ours:
            where = origin or "nowhere"
            fix = "install world-council in a virtual environment of its own"
            raise CliError(f"package {package!r} is taken from {where}, not from {ours}", fix)


def new_app() -> typer.Typer:
    """Return an empty typer application as every command module starts with."""
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode=None,
    )
