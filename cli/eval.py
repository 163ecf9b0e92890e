"""`council eval`: the table of its commands, each loaded only when it runs."""

import importlib
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli.commands import Command

COMMANDS: Final[dict[str, Command]] = {
    "label": Command("cli.eval_label", "Label decisions with the verdict that would have been right."),
    "import": Command("cli.eval_import", "Import votes of other juries from CSV as a recorded set."),
    "run": Command(
        "cli.eval_run", "Judge the cases of a suite and hold the result against its expectations and gates."
    ),
    "compare": Command(
        "cli.eval_compare", "Compare two runs: flips first, accuracy, cost and latency, each with its interval."
    ),
    "backtest": Command("cli.eval_backtest", "Decide all recorded history under another policy: what would change."),
    "sweep": Command(
        "cli.eval_sweep", "Try many policies on recorded decisions: unsafe approvals against needless holds."
    ),
    "shadows": Command("cli.eval_shadows", "Compare the verdicts of shadow policies with those that counted."),
    "jury": Command(
        "cli.eval_jury", "Tell how good a jury is: members, calibration, agreement, shared errors, who is needed."
    ),
    "tune": Command("cli.eval_tune", "Propose weights and quotas from labelled decisions, with what they save."),
    "prompts": Command(
        "cli.eval_prompts",
        "Run one suite over versions of prompts and models, and show how each combination fares against the first.",
    ),
    "metamorphic": Command(
        "cli.eval_metamorphic",
        "Change requests in ways that must not matter, and show where the council decided otherwise.",
    ),
    "report": Command(
        "cli.eval_report",
        "Tell a run as one HTML page, in the terminal or as JSON: is the change safe to ship, and why.",
    ),
    "schema": Command("cli.eval_schema", "Print the JSON Schemas of suites and of the lines of run logs."),
}


class _Loaded(dict[str, Any]):
    """The commands by name, each module imported when its command is first looked at."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if super().get(name) is None:
            loaded: Any = get_command(importlib.import_module(COMMANDS[name].module).app)
            loaded.name = name
            self[name] = loaded
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in COMMANDS else default

    def values(self) -> Any:
        return {name: self[name] for name in COMMANDS}.values()

    def items(self) -> Any:
        return {name: self[name] for name in COMMANDS}.items()


class EvalGroup(TyperGroup):
    """A group whose commands cost nothing until one of them runs: some of them load numpy."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loaded(dict.fromkeys(COMMANDS))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands from the table, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])


app = typer.Typer(
    cls=EvalGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.callback()
def evaluate() -> None:
    """Evaluate councils on recorded decisions and suites: label, run, backtest, sweep, compare, jury, tune."""
