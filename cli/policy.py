"""`council policy`: what the policy says, whether it makes sense, and what a change of it would do."""

from typing import Annotated

import typer

from cli.console import draw
from cli.exits import Exit
from cli.options import AsJson
from cli.output import write_json, write_line
from cli.policy_files import current_policy, policy_path
from cli.render_policy import render_policy, render_signals
from cli.running import new_app
from policies.faults import did_you_mean
from policies.signals.catalogue import SIGNALS
from cli.errors import CliError

app = new_app()
File = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="Policy file; the one in force unless given.", show_default=False)
]


@app.callback()
def policies() -> None:
    """Show, check and compare policies: show, lint, diff, signals, power."""


@app.command()
def show(file: File = None, as_json: AsJson = False) -> None:
    """Show a policy: members, quotas, rules, realms.

    With --json the whole document, every default written out, with its hash.
    """
    policy = current_policy(file)
    if as_json:
        write_json({"hash": policy.content_hash, "policy": policy.document})
    else:
        draw(*render_policy(policy, str(policy_path(file))))


@app.command()
def signals(
    owner: Annotated[str | None, typer.Option("--by", metavar="OWNER", help="triage or a member.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the signals that rules may read."""
    owners = list(dict.fromkeys(spec.owner for spec in SIGNALS))
    if owner is not None and owner not in owners:
        raise CliError(f"nobody called {owner!r} finds signals", did_you_mean(owner, owners))
    found = [spec for spec in SIGNALS if owner in (None, spec.owner)]
    if as_json:
        for spec in found:
            write_json({name: getattr(spec, name) for name in spec.__slots__})
    else:
        draw(render_signals(found))
