"""`council eval jury`: how good each member is, how far members agree and err together, and what they reach together."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.console import draw
from cli.errors import CliError
from cli.jury_loading import load_jury
from cli.options import AsJson, Database, Realm
from cli.output import json_text, note, write_json
from cli.render_jury import render_jury
from cli.running import new_app
from evals.jury_report import By, jury_reports
from evals.statistics.intervals import LEVEL
from evals.statistics.resampling import SEED
from evals.whole_files import write_whole

app = new_app()
_GROUPS: Final[dict[str, By]] = {"all": "", "class": "class"}


@app.command()
def jury(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="Export, run log or jury set; the ledger unless given.", show_default=False
        ),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="all|class", help="One report, or one per decision class too.")
    ] = "all",
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", "-p", metavar="FILE", help="Merge the votes by this policy; else by the one on record."
        ),
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Level of the intervals, between 0.5 and 1.")] = LEVEL,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of resampling.")] = SEED,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE.json", help="Write the whole report to a file too.")
    ] = None,
    database: Database = None,
    realm: Realm = None,
    as_json: AsJson = False,
) -> None:
    """Tell how good a jury is: members, calibration, agreement, shared errors, who is needed.

    Accuracy is told against settled labels only; without labels there is agreement, which is no truth. Votes are merged by
    the policy that decided most of the decisions, or by --policy; juries of foreign members by equal weights. Words of
    caution stand last: read them first.
    """
    if by not in _GROUPS:
        raise CliError(f"--by {by!r} is neither 'all' nor 'class'", "leave it out, or write --by class")
    if not 0.5 <= level < 1:
        raise CliError(f"the level {level:g} does not lie between 0.5 and 1", "0.95 is usual")
    loaded = load_jury(file, policy, database, realm)
    reports = jury_reports(loaded.jury, loaded.merger, by=_GROUPS[by], level=level, seed=seed)
    document = {"source": loaded.jury.source, "level": level, "seed": seed, "reports": reports}
    if output is not None:
        write_whole(Path(output), json_text(document) + "\n")
    if as_json:
        write_json(document)
    else:
        draw(*render_jury(loaded.jury.source, reports))
    if output is not None:
        note(f"council: wrote {output}")
