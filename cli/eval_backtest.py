"""`council eval backtest`: all recorded decisions under another policy."""

from pathlib import Path
from typing import Annotated

import typer

from cli.backtest_output import FailOn, judged_or_told, show
from cli.backtest_source import history_from
from cli.console import progress
from cli.options import AsJson, Database, Realm
from cli.running import new_app
from evals.backtest import backtest as decide_anew
from evals.backtest_report import name_of, report_of
from evals.history import redecide_with
from policies.loading import load_policy

app = new_app()


@app.command()
def backtest(
    policy: Annotated[str, typer.Option("--policy", "-p", metavar="NEW", help="The policy file to decide by.")],
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="An export; the ledger of the settings unless given.")
    ] = None,
    realm: Realm = None,
    database: Database = None,
    fail_on: FailOn = "any",
    every: Annotated[bool, typer.Option("--all", help="List every verdict that changes, not the first 20.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Also write the whole report as JSON.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide all recorded history under another policy: what would change.

    Verdicts that grow milder come first. Exit 0: nothing changed that --fail-on names. 1: something did. 2: nothing could be
    judged. Of an export its columns are kept beside it (FILE.columns), which makes the next run ten times faster.
    """
    new = load_policy(policy)
    with history_from(file, database, realm) as (history, name):
        with progress("judging anew", None) as advance:
            judged = decide_anew(history.columns, history.policies, new, redecide_with(history, new, advance), realm)
        report = report_of(history.columns, judged, history.policies, name_of(new), name)
    judged_or_told(report)
    show([report], every=every, output=output, as_json=as_json)
    if report.fails(fail_on):
        raise typer.Exit(1)
