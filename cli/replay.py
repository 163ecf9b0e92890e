"""`council replay`: recompute decisions from their records alone."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, NamedTuple

import typer

from cli.console import progress
from cli.errors import CliError
from cli.exits import Exit
from cli.export import total_records
from cli.ledger import Opened, Stored, find_record, run_with_ledger
from cli.options import AsJson, Database, Realm
from cli.output import json_text, write_json, write_line
from cli.running import new_app
from cli.shelf import policy_or_none
from cli.text import clean, shortened
from council.replay import Difference, replay
from council.shelf import PolicyShelf
from policies.policy import Policy

app = new_app()


class Counts(NamedTuple):
    """How many decisions were recomputed, and how they fared."""

    replayed: int
    differing: int
    unjudged: int
    """Their policy is not in the ledger."""


@app.command("replay")
def replay_decisions(
    decision_id: Annotated[str | None, typer.Argument(metavar="ID", help="One decision.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every decision on record.")] = False,
    realm: Realm = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Recompute decisions from their records; any difference exits with 1.

    Nothing but the record and the policy stored beside it is read: no model, no clock, no file. With --json, one line
    for each decision that differs or cannot be judged, and a last line with the counts.
    """
    if (decision_id is None) == (not every):
        raise CliError("say which decision to replay", "give one ID, or --all (with --realm for one realm)")
    counts = run_with_ledger(database, lambda ledger: _replay(ledger, decision_id, realm, as_json=as_json))
    if as_json:
        write_json(counts._asdict())
    else:
        write_line(_summary(counts))
    if counts.differing:
        raise typer.Exit(Exit.MISMATCH)
    if counts.unjudged:
        raise typer.Exit(Exit.UNJUDGED)


async def _replay(ledger: Opened, decision_id: str | None, realm: str | None, *, as_json: bool) -> Counts:
    replayed = differing = unjudged = 0
    shelf = PolicyShelf(ledger)
    policies: dict[str, Policy | None] = {}
    total = 1 if decision_id else await total_records(ledger, realm)
    with progress("replaying", total) as advance:
        async for stored in _wanted(ledger, decision_id, realm):
            if stored.policy_hash not in policies:
                policies[stored.policy_hash] = await policy_or_none(shelf, stored.policy_hash)
            policy = policies[stored.policy_hash]
            if policy is None:
                unjudged += 1
                _tell_unjudged(stored, as_json=as_json)
            else:
                replayed += 1
                found = replay(stored.body, policy)
                differing += bool(found)
                _tell(stored, found, as_json=as_json)
            advance()
    return Counts(replayed, differing, unjudged)


async def _wanted(ledger: Opened, decision_id: str | None, realm: str | None) -> AsyncIterator[Stored]:
    if decision_id is not None:
        yield await find_record(ledger, decision_id)
        return
    async for stored in ledger.scan(realm):
        yield stored


def _tell(stored: Stored, found: tuple[Difference, ...], *, as_json: bool) -> None:
    if not found:
        return
    if as_json:
        write_json({"decision_id": stored.decision_id, "differences": [item._asdict() for item in found]})
        return
    write_line(f"✗ {clean(stored.decision_id)} (record {stored.position} of {clean(stored.realm_id)}) differs:")
    for item in found:
        write_line(f"    {clean(item.path)}: recorded {_value(item.recorded)}, recomputed {_value(item.recomputed)}")


def _tell_unjudged(stored: Stored, *, as_json: bool) -> None:
    why = "its policy is not in the ledger, or not valid"
    if as_json:
        write_json({"decision_id": stored.decision_id, "unjudged": why, "policy_hash": stored.policy_hash})
    else:
        write_line(f"? {clean(stored.decision_id)} cannot be replayed: {why} ({stored.policy_hash[:12]})")


def _value(value: Any) -> str:
    return shortened(clean(json_text(value)), 60)


def _summary(counts: Counts) -> str:
    if not counts.replayed:
        return (
            f"? nothing replayed: {counts.unjudged} could not be judged" if counts.unjudged else "nothing is on record"
        )
    verdict = "every one came out as recorded" if not counts.differing else f"{counts.differing} differ"
    unjudged = f"; {counts.unjudged} could not be judged" if counts.unjudged else ""
    plural = "" if counts.replayed == 1 else "s"
    return f"{'✗' if counts.differing else '✓'} {counts.replayed} decision{plural} replayed: {verdict}{unjudged}"
