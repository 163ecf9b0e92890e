"""`council eval compare`: two runs over the same cases, flips first, and whether the difference can be believed."""

from typing import Annotated, Any, Final

import typer

from cli.console import draw
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson
from cli.output import write_json
from cli.render_compare import render_comparison
from cli.running import new_app
from evals.comparing import METRICS, MIN_EFFECT, Comparison, Metric, compare
from evals.pairing import check_comparable
from evals.run_log import read_run
from evals.statistics.intervals import LEVEL
from evals.statistics.resampling import SEED

app = new_app()
_EXITS: Final = {"regression": Exit.MISMATCH, "unjudged": Exit.UNJUDGED}


@app.command()
def compare_runs(
    old: Annotated[str, typer.Argument(metavar="A", help="Run log of the baseline.")],
    new: Annotated[str, typer.Argument(metavar="B", help="Run log of the change.")],
    metric: Annotated[str, typer.Option("--metric", help=f"What is judged: {', '.join(METRICS)}.")] = "accuracy",
    min_effect: Annotated[
        float, typer.Option("--min-effect", min=0, max=1, help="Least loss of the share of good cases that fails.")
    ] = MIN_EFFECT,
    level: Annotated[float, typer.Option("--level", help="Level of the intervals, between 0.5 and 1.")] = LEVEL,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the bootstrap.")] = SEED,
    partial: Annotated[bool, typer.Option("--partial", help="Compare runs that are not finished.")] = False,
    force_suite: Annotated[
        bool, typer.Option("--force-suite", help="Compare the cases in common of runs of different suites.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two runs: flips first, accuracy, cost and latency, each with its interval.

    A and B are logs of 'council eval run SUITE --out FILE', paired by case and repeat. It exits with 1 where B is worse than
    A beyond chance (exact McNemar) and by at least the minimum effect, with 2 where that cannot be judged: no labels, or
    cases that A judged and B could not. Without evidence of a difference it says so, and how large one would have been seen.
    A gate that must never fail belongs into the suite, where 'council eval run' holds it: here it is told, not judged.
    """
    found = _metric(metric)
    if not 0.5 <= level < 1:
        raise CliError(f"the level {level:g} does not lie between 0.5 and 1", "0.95 is usual")
    before, after = read_run(old), read_run(new)
    check_comparable(before, after, allow_partial=partial, allow_other_suite=force_suite)
    comparison = compare(before, after, metric=found, min_effect=min_effect, level=level, seed=seed)
    is_partial = not (before.is_complete and after.is_complete)
    if as_json:
        write_json({**_document(comparison), "is_partial": is_partial})
    else:
        draw(*render_comparison(comparison, is_partial=is_partial))
    code = _exit(comparison)
    if code != Exit.GOOD:
        raise typer.Exit(code)


def _metric(name: str) -> Metric:
    found = next((metric for metric in METRICS if metric == name), None)
    if found is None:
        raise CliError(f"unknown metric {name!r}", f"name one of {', '.join(METRICS)}")
    return found


def _exit(comparison: Comparison) -> Exit:
    if comparison.judgement not in _EXITS and comparison.pairing.lost:
        return Exit.UNJUDGED
    return _EXITS.get(comparison.judgement, Exit.GOOD)


def _document(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as JSON: every field, with what flips mean and without the pairs' whole records."""
    document = comparison._asdict()
    pairing = comparison.pairing._asdict()
    pairing["pairs"] = len(comparison.pairing.pairs)
    flips = [
        {**flip._asdict(), "steps": flip.steps, "is_unsafe": flip.is_unsafe, "effect": flip.effect}
        for flip in comparison.flips
    ]
    headers = {name: {**document[name]._asdict(), "cases": len(document[name].cases)} for name in ("old", "new")}
    return {**document, **headers, "pairing": pairing, "flips": flips}
