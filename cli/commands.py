"""The table of commands: what `council --help` prints, and which module answers each.

It is all that the entry point knows, so that help costs no import; a test holds the sentences to the commands' own
docstrings.
"""

from typing import Final, NamedTuple


class Command(NamedTuple):
    """One command of the command line."""

    module: str
    """Module that defines it as `app`, imported only when the command runs."""
    summary: str
    """First line of its docstring."""


GROUPS: Final[dict[str, dict[str, Command]]] = {
    "Decide": {
        "review": Command("cli.review", "Review decision requests and show each verdict with its reasons."),
        "demo": Command("cli.demo", "Review the example requests and show every decision."),
        "merge": Command("cli.merge", "Merge votes given as JSON Lines, one result a line."),
    },
    "Understand": {
        "show": Command("cli.show", "Show one decision: path, evidence, votes, merge, vetoes, verdict."),
        "explain": Command("cli.explain", "Explain one decision term by term; --flip says what would turn it."),
        "diff": Command("cli.diff", "Compare two decisions."),
        "list": Command("cli.list", "List recorded decisions."),
        "tail": Command("cli.tail", "Follow new decisions as they are recorded."),
        "cost": Command("cli.cost", "Show what models cost, by realm, member, model and decision type."),
    },
    "Audit": {
        "replay": Command("cli.replay", "Recompute decisions from their records; any difference exits with 1."),
        "verify": Command("cli.verify", "Check the hash chains and verdicts; the first bad record exits with 1."),
        "export": Command("cli.export", "Write records as JSON Lines."),
    },
    "Evaluate": {
        "eval": Command(
            "cli.eval",
            "Evaluate councils on recorded decisions and suites: label, run, backtest, sweep, compare, jury, tune.",
        ),
    },
    "Move the world": {
        "world": Command(
            "cli.world",
            "Run and read shared worlds: seed, status, tick, events, replay, queue, sovereign, demo, dead-letters.",
        ),
        "story": Command(
            "cli.story",
            "Tell and read players' stories: plan, close, chapter, context, threat, list, deeds, quality, demo.",
        ),
        "worker": Command(
            "cli.worker", "Tick every realm on time, ask the council, apply its verdicts, until told to stop."
        ),
    },
    "Govern": {
        "policy": Command("cli.policy", "Show, check and compare policies: show, lint, diff, signals, power."),
        "schema": Command(
            "cli.schema", "Print the JSON Schemas of requests, answers, records, exports, suites and run logs."
        ),
        "graph": Command("cli.graph", "Draw the graph of a review."),
    },
    "Run": {
        "serve": Command("cli.serve", "Start the HTTP service."),
        "token": Command(
            "cli.token", "Make development keys and tokens, and say why a token is refused: keys, mint, inspect."
        ),
        "doctor": Command("cli.doctor", "Check every model endpoint for real, and say what to fix."),
        "migrate": Command("cli.migrate", "Bring the database to the current schema."),
        "config": Command("cli.config", "List every setting with its value and source."),
        "completion": Command("cli.completion", "Print the completion script for bash, zsh or fish."),
        "version": Command("cli.version", "Print the versions of the product and of what it stands on."),
    },
}
COMMANDS: Final[dict[str, Command]] = {name: command for group in GROUPS.values() for name, command in group.items()}


def overview() -> str:
    """Return the text of `council --help`."""
    width = max(map(len, COMMANDS)) + 2
    lines = ["Usage: council COMMAND [OPTIONS]", "", "Decides which high-impact changes of a shared world may happen,"]
    lines += ["and shows, replays and proves every decision.", ""]
    for title, group in GROUPS.items():
        lines.append(f"{title}:")
        lines += [f"  {name:<{width}}{command.summary}" for name, command in group.items()]
        lines.append("")
    lines += [
        "Every command takes --json and --help. Exit codes: 0 good, 1 mismatch found, 2 could not judge.",
        "Start with: council demo",
    ]
    return "\n".join(lines)
