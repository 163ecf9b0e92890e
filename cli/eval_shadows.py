"""`council eval shadows`: what shadow policies would have decided, as the records have it."""

from pathlib import Path
from typing import Annotated

import typer

from cli.backtest_output import FailOn, judged_or_told, show
from cli.backtest_source import history_from
from cli.errors import CliError
from cli.options import AsJson, Database, Realm
from cli.running import new_app
from evals.backtest_report import BacktestReport, report_of
from evals.history import History
from evals.shadow_verdicts import shadow_name, shadow_verdicts

app = new_app()


@app.command()
def shadows(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="An export; the ledger of the settings unless given.")
    ] = None,
    shadow: Annotated[
        str | None,
        typer.Option("--shadow", metavar="NAME", help="Only the shadow policy of this id or start of a hash."),
    ] = None,
    realm: Realm = None,
    database: Database = None,
    fail_on: FailOn = "any",
    every: Annotated[bool, typer.Option("--all", help="List every verdict that differs, not the first 20.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Also write the whole reports as JSON.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the verdicts of shadow policies with those that counted.

    One report per shadow policy, in the form of 'council eval backtest': shadows' verdicts stand in the records, so nothing is
    judged anew but to say what turned a verdict. Exit 0: nothing differs that --fail-on names. 1: something does. 2: no
    record has a verdict of a shadow policy.
    """
    with history_from(file, database, realm) as (history, name):
        wanted = _wanted(history, shadow, name)
        reports = [_report(history, content_hash, realm, name) for content_hash in wanted]
    for report in reports:
        judged_or_told(report)
    show(reports, every=every, output=output, as_json=as_json)
    if any(report.fails(fail_on) for report in reports):
        raise typer.Exit(1)


def _wanted(history: History, shadow: str | None, source: str) -> list[str]:
    found = history.columns.shadow_names
    if not found:
        fix = "list shadow policies under 'shadow' in the policy that decides; they are tried on every new decision"
        raise CliError(f"no record of {source} has a verdict of a shadow policy", fix)
    wanted = [
        content_hash
        for content_hash, name in found.items()
        if shadow is None or name.rsplit(" v", 1)[0] == shadow or content_hash.startswith(shadow)
    ]
    if not wanted:
        named = ", ".join(f"{name} ({content_hash[:12]})" for content_hash, name in found.items())
        raise CliError(f"no shadow policy is called {shadow!r}", f"name one of {named}")
    return wanted


def _report(history: History, content_hash: str, realm: str | None, source: str) -> BacktestReport:
    judged = shadow_verdicts(history, content_hash, realm)
    return report_of(history.columns, judged, history.policies, shadow_name(history.columns, content_hash), source)
