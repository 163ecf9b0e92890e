"""`council eval sweep`: many policies over the same recorded decisions."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from cli.backtest_source import history_from
from cli.console import draw, progress
from cli.options import AsJson, Database, Realm
from cli.output import json_text, note, write_json
from cli.policy_files import policy_in_force
from cli.render_sweep import render_sweep
from cli.running import new_app
from evals.columns import Columns
from evals.errors import NotEnoughError
from evals.history import History, redecide_with
from evals.sweep import Sweep, labelled_only, sweep_to_wire, try_point
from evals.sweep_points import Points, read_dimension, sweep_points
from evals.whole_files import write_whole

app = new_app()


@app.command()
def sweep(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="An export; the ledger unless given.", show_default=False)
    ] = None,
    *,
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary", metavar="KEY=VALUES", help="A key of the policy and what to set it to; may be repeated."
        ),
    ],
    draws: Annotated[
        int | None, typer.Option("--random", metavar="N", help="Draw N points instead of trying every combination.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws.")] = 0,
    every: Annotated[
        bool, typer.Option("--all", help="Count changed verdicts on decisions without a label too.")
    ] = False,
    policy: Annotated[
        str | None,
        typer.Option("--policy", "-p", metavar="FILE", help="Policy to vary; the one in force unless given."),
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Also write every point as JSON, for reports.")
    ] = None,
    realm: Realm = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Try many policies on recorded decisions: unsafe approvals against needless holds.

    VALUES are a list (1,3/2,2) or, with --random, a range to draw from (1/5..1/2). Keys are those of the policy file, rules by
    their id: members.lore.weight, weights.impact_dispute.fairness, merge.quotas.reject, members.risk.thresholds.review_score,
    rules.exploit_suspicion.threshold. Errors are counted on decisions with a settled label (council eval label); the front
    is made of the points that no other beats in both errors. A point of the front is found on the same decisions that it is
    judged on: prove it on others before it decides anything.
    """
    current = policy_in_force(policy)
    points = sweep_points(current, [read_dimension(text, current) for text in vary], draws=draws, seed=seed)
    with history_from(file, database, realm) as (history, _):
        found = _sweep(history, points, realm, only_labelled=not every)
    wire = sweep_to_wire(found)
    if out is not None:
        write_whole(Path(out), json_text(wire) + "\n")
    if as_json:
        write_json(wire)
    else:
        draw(*render_sweep(found))
        if out is not None:
            note(f"every point written to {out}; next: council eval report RUN.jsonl --sweep {out}")


def _sweep(history: History, points: Points, realm: str | None, *, only_labelled: bool) -> Sweep:
    columns = history.columns
    if realm is not None:
        columns = columns.take(np.flatnonzero(_of_realm(columns, realm)))
    if only_labelled:
        columns = labelled_only(columns)
    if not len(columns):
        fix = "label some (council eval label), or count changed verdicts alone: --all"
        raise NotEnoughError("no recorded decision has a settled label to judge by", fix)
    chosen = history._replace(columns=columns)
    outcomes = []
    with progress("sweeping", 1 + len(points.points)) as advance:
        for point in (points.current, *points.points):
            outcomes.append(try_point(columns, history.policies, point, redecide_with(chosen, point.policy)))
            advance()
    return Sweep(tuple(outcomes), points.invalid)


def _of_realm(columns: Columns, realm: str) -> NDArray[np.bool_]:
    if realm not in columns.realms:
        return np.zeros(len(columns), bool)
    found: NDArray[np.bool_] = columns.arrays.realms == columns.realms.index(realm)
    return found
