"""`council diff`: two decisions side by side."""

from typing import Annotated, Any

import typer

from cli.console import draw
from cli.ledger import Opened, find_record, run_with_ledger
from cli.options import AsJson, Database, DecisionId
from cli.output import write_json
from cli.render_diff import differing, render_diff
from cli.running import new_app
from council.record import read_record

app = new_app()


@app.command()
def diff(
    first: DecisionId,
    second: Annotated[str, typer.Argument(metavar="ID", help="The decision to compare it with.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Compare two decisions.

    Shows only what differs: case, policy, triage, signals, rules, votes, merge and verdict; ids and times are not
    compared.
    """

    async def load(ledger: Opened) -> list[dict[str, Any]]:
        return [read_record((await find_record(ledger, wanted)).body) for wanted in (first, second)]

    one, other = run_with_ledger(database, load)
    if as_json:
        write_json({"differences": differing(one, other)})
        return
    draw(*render_diff(one, other))
