"""`council eval`: the table of its commands, each loaded only when it runs."""

from typing import Final

from cli.commands import Command
from cli.lazy_group import lazy_app

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


app = lazy_app(COMMANDS)


@app.callback()
def evaluate() -> None:
    """Evaluate councils on recorded decisions and suites: label, run, backtest, sweep, compare, jury, tune."""
