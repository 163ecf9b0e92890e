"""`council show`: one decision as a person wants to see it."""

from cli.ledger import find_record, run_with_ledger, stored_line
from cli.options import AsJson, Database, DecisionId
from cli.output import write_json
from cli.running import new_app

app = new_app()


@app.command()
def show(decision_id: DecisionId, database: Database = None, as_json: AsJson = False) -> None:
    """Show one decision: path, evidence, votes, merge, vetoes, verdict.

    The first characters of an id are enough where they name one decision.
    """
    stored = run_with_ledger(database, lambda ledger: find_record(ledger, decision_id))
    if as_json:
        write_json(stored_line(stored))
        return
    from cli.showing import draw_stored  # noqa: PLC0415 - loads rich, which --json does without

    draw_stored(stored)
