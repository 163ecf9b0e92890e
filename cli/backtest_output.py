"""Where reports of backtests go: the terminal, standard output as JSON, a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from cli.console import draw
from cli.output import write_json
from cli.render_backtest import render_report, told_why
from evals.backtest import Flip
from evals.backtest_report import BacktestReport
from evals.backtest_report import FailOn as FailOn_
from evals.errors import NotEnoughError
from evals.whole_files import write_whole

FailOn = Annotated[
    FailOn_,
    typer.Option(
        "--fail-on",
        metavar="any|milder|unsafe",
        help="What exits with 1: any change, milder ones, new unsafe approvals.",
    ),
]


def judged_or_told(report: BacktestReport) -> None:
    """Refuse a backtest in which no decision could be judged.

    Raises:
        NotEnoughError: naming what is missing most.
    """
    if report.all.judged:
        return
    if not report.all.decisions:
        raise NotEnoughError(f"there is no decision in {report.source}", "name another export, database or realm")
    kinds = [f"{told_why(kind)}: {count}" for kind, count in report.unjudged_by_kind.items()]
    told = f"none of {report.all.decisions} decisions can be judged: {'; '.join(kinds)}"
    raise NotEnoughError(told, f"the first is {report.unjudged[0].decision_id}: {report.unjudged[0].told}")


def show(reports: Sequence[BacktestReport], *, every: bool, output: Path | None, as_json: bool) -> None:
    """Write reports to where they are wanted.

    Args:
        every: draw all flips, not the first of them.
        output: file that also gets the whole reports; one document where there is one report, a list where there are more.
    """
    documents = [as_document(report) for report in reports]
    if output is not None:
        document = documents[0] if len(documents) == 1 else documents
        write_whole(output, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    if as_json:
        for document in documents:
            write_json(document)
        return
    for report in reports:
        draw(*render_report(report, every=every))


def as_document(report: BacktestReport) -> dict[str, Any]:
    """Return a report as plain JSON, named tuples as objects."""
    document: dict[str, Any] = _plain(report)
    document["untried"] = [dict(zip(("rule", "signal", "decisions"), item, strict=True)) for item in report.untried]
    return document


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        found = {key: _plain(item) for key, item in value._asdict().items()}
        return {**found, "is_milder": value.is_milder} if isinstance(value, Flip) else found
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | float) or value is None:
        return value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value)
