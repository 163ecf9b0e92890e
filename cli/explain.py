"""`council explain`: every term of one decision, and what would have turned it."""

from typing import Annotated, Any

import typer

from cli.errors import CliError
from cli.ledger import Opened, Stored, find_record, place_of, run_with_ledger, stored_line
from cli.options import AsJson, Database, DecisionId
from cli.output import write_json
from cli.running import new_app
from cli.shelf import policy_or_none
from council.explain import quota_lines, recorded_flips, rule_readings
from council.record import read_record
from council.shelf import PolicyShelf
from policies.policy import Policy

app = new_app()


@app.command()
def explain(
    decision_id: DecisionId,
    flip: Annotated[bool, typer.Option("--flip", help="Say the smallest change that would turn the verdict.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Explain one decision term by term; --flip says what would turn it.

    Shows triage with its score and threshold, every signal with value, unit, meaning and what it was read from, every
    rule that fired or did not with the values it read, the votes, what models said and which votes counted and why, the
    merge arithmetic with its margins, the record.
    """
    stored, policy = run_with_ledger(database, lambda ledger: _load(ledger, decision_id))
    if flip and policy is None:
        fix = "the ledger keeps every policy that decided; this one is missing, so check it with: council verify"
        raise CliError("the policy of this record is not in the ledger", fix)
    record = read_record(stored.body)
    if as_json:
        write_json(_explained(stored, record, policy, flip=flip))
        return
    _draw(stored, record, policy, flip=flip)


async def _load(ledger: Opened, decision_id: str) -> tuple[Stored, Policy | None]:
    stored = await find_record(ledger, decision_id)
    return stored, await policy_or_none(PolicyShelf(ledger), stored.policy_hash)


def _explained(stored: Stored, record: dict[str, Any], policy: Policy | None, *, flip: bool) -> dict[str, Any]:
    found = stored_line(stored)
    found["rules"] = [reading._asdict() for reading in rule_readings(record, policy)] if policy else []
    found["quotas"] = [line._asdict() for line in quota_lines(record)]
    if flip and policy is not None:
        found["flips"] = recorded_flips(record, policy)
    return found


def _draw(stored: Stored, record: dict[str, Any], policy: Policy | None, *, flip: bool) -> None:
    # Late: --json does without rich.
    from cli.console import draw  # noqa: PLC0415
    from cli.render_explain import render_explain  # noqa: PLC0415
    from cli.render_flip import render_flips  # noqa: PLC0415

    readings = rule_readings(record, policy) if policy else ()
    parts = render_explain(record, readings, stored=place_of(stored))
    flips = recorded_flips(record, policy) if flip and policy else None
    if flips is not None:
        parts += render_flips(flips, record["council_verdict"])
    elif flip:
        parts.append("the fast path asks nobody: there is nothing to flip; see the impact score against its threshold")
    draw(*parts)
