"""`council eval report`: a run told as a page, in the terminal, as JSON, or as a log that inspect-ai shows."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated

import typer

from cli.console import draw
from cli.options import AsJson
from cli.output import note, write_json
from cli.running import new_app
from evals.errors import EvalsError
from evals.reports.document import document_of
from evals.reports.inputs import read_backtest, read_sweep
from evals.reports.page import page
from evals.reports.report import Report, report_of
from evals.results import Run
from evals.run_log import read_run
from evals.whole_files import write_whole

app = new_app()


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN.jsonl", help="Log of 'council eval run --out'.")],
    *,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", "-b", metavar="RUN0.jsonl", help="An earlier run of the same suite.")
    ] = None,
    backtest: Annotated[
        Path | None, typer.Option("--backtest", metavar="B.json", help="What 'council eval backtest -o' wrote.")
    ] = None,
    sweep: Annotated[
        Path | None, typer.Option("--sweep", metavar="S.json", help="What 'council eval sweep -o' wrote.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="report.html", help="Write the page there.")
    ] = None,
    inspect: Annotated[
        Path | None, typer.Option("--inspect", metavar="DIR", help="Write a log there that 'inspect view' opens.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a run as one HTML page, in the terminal or as JSON: is the change safe to ship, and why.

    With -o the page is one file that loads nothing: send it, or open it from disk. Without -o and --inspect the terminal
    shows the same in short. The exit code says whether there is a report, not what it says: 'council eval run' and
    'council eval compare' exit with 1 where something got worse.
    """
    found = read_run(run)
    told = _report(found, baseline, backtest, sweep)
    written = [_page(told, output)] if output is not None else []
    written += [_inspect(found, inspect)] if inspect is not None else []
    if as_json:
        write_json(document_of(told))
    elif not written:
        from cli.render_report import render_report  # noqa: PLC0415 - a page needs no rich

        draw(*render_report(told))
    for path in written:
        note(f"{told.judgement.headline} Written: {path}")


def _report(run: Run, baseline: Path | None, backtest: Path | None, sweep: Path | None) -> Report:
    before = read_run(baseline) if baseline is not None else None
    if before is not None:
        _refuse_baseline(before, run)
    return report_of(
        run,
        before,
        scorer=_version(),
        sweep=read_sweep(sweep) if sweep is not None else None,
        backtest=read_backtest(backtest) if backtest is not None else None,
    )


def _refuse_baseline(before: Run, run: Run) -> None:
    if not before.is_complete:
        what = f"the baseline {before.header.run_id} was cut off or has cases that could not be judged"
        raise EvalsError(what, "finish it with the same 'council eval run', or name another baseline")
    if before.header.suite_hash != run.header.suite_hash:
        what = f"the runs are of different suites: {before.header.suite_hash[:12]} and {run.header.suite_hash[:12]}"
        raise EvalsError(what, "run the baseline's policy over the present suite, or leave out --baseline")


def _page(told: Report, path: Path) -> Path:
    write_whole(path, page(told))
    return path


def _inspect(run: Run, directory: Path) -> Path:
    try:
        from evals.inspect_export import export_run  # noqa: PLC0415 - inspect-ai is optional, and takes a second to load
    except ModuleNotFoundError as error:
        if error.name != "inspect_ai":
            raise
        raise EvalsError("inspect-ai is not installed", "pip install 'world-council[evals]'") from None
    return export_run(run, directory)


def _version() -> str:
    try:
        return version_of("world-council")
    except PackageNotFoundError:
        return "from source"
