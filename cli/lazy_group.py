"""A group of commands that are loaded only when one of them runs: some load numpy, a database driver, or the whole council."""

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli.commands import Command


class _Loaded(dict[str, Any]):
    """The commands by name, each module imported when its command is first looked at."""

    def __init__(self, table: Mapping[str, Command]) -> None:
        super().__init__(dict.fromkeys(table))
        self._table = table

    def __getitem__(self, name: str) -> Any:
        if name not in self._table:
            raise KeyError(name)
        if super().get(name) is None:
            loaded: Any = get_command(importlib.import_module(self._table[name].module).app)
            loaded.name = name
            self[name] = loaded
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._table else default

    def values(self) -> Any:
        return {name: self[name] for name in self._table}.values()

    def items(self) -> Any:
        return {name: self[name] for name in self._table}.items()


def lazy_app(table: Mapping[str, Command]) -> typer.Typer:
    """Return a typer application whose commands are those of a table, in its order."""

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = _Loaded(table)

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            """List the commands from the table, without importing one."""
            with formatter.section("Commands"):
                formatter.write_dl([(name, command.summary) for name, command in table.items()])

    return typer.Typer(
        cls=Group,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode=None,
        no_args_is_help=True,
    )
