"""`council verify`: is the record whole, unedited, and does every verdict follow from its inputs?"""

from typing import Final, NamedTuple

import typer

from cli.console import progress
from cli.errors import CliError
from cli.exits import Exit
from cli.export import total_records
from cli.ledger import Opened, run_with_ledger
from cli.options import AsJson, Database, Realm
from cli.output import write_json, write_line
from cli.running import new_app
from cli.text import clean
from council.verification import Checked, verify

app = new_app()


class Verified(NamedTuple):
    """What verification found."""

    records: int
    realms: int
    bad: tuple[Checked, ...]
    """In chain order, realm by realm; the first one is where to look."""


@app.command("verify")
def verify_records(realm: Realm = None, database: Database = None, as_json: AsJson = False) -> None:
    """Check the hash chains and verdicts; the first bad record exits with 1.

    Checks every record's hash, place and link to the one before, the chain's end, and every verdict, recomputed from
    its inputs. A chain is followed to its first broken link: behind it nothing is proved.
    """
    found = run_with_ledger(database, lambda ledger: _verify(ledger, realm))
    if as_json:
        bad = [checked._asdict() for checked in found.bad]
        write_json({"records": found.records, "realms": found.realms, "good": not bad, "bad": bad})
    else:
        for line in _report(found):
            write_line(line)
    if found.bad:
        raise typer.Exit(Exit.MISMATCH)


async def _verify(ledger: Opened, realm: str | None) -> Verified:
    if realm is not None and realm not in await ledger.realms():
        raise CliError(f"no realm {realm!r} is on record", "'council list' shows the realms of the decisions on record")
    records = 0
    realms: set[str] = set()
    bad: list[Checked] = []
    with progress("verifying", await total_records(ledger, realm)) as advance:
        async for checked in verify(ledger, realm):
            records += 1
            realms.add(checked.realm_id)
            if not checked.is_good:
                bad.append(checked)
            advance()
    return Verified(records, len(realms), tuple(bad))


_MOST_SHOWN: Final = 20


def _report(found: Verified) -> list[str]:
    if not found.records:
        return ["nothing is on record here: nothing to verify"]
    if not found.bad:
        chains = "1 chain" if found.realms == 1 else f"{found.realms} chains"
        return [f"✓ {found.records} records in {chains}: every link holds, every verdict follows from its inputs"]
    first = found.bad[0]
    lines = [f"✗ first bad record: {_place(first)}", f"    {clean(first.reason)}"]
    lines += [f"✗ also {_place(checked)}: {clean(checked.reason)}" for checked in found.bad[1:_MOST_SHOWN]]
    if len(found.bad) > _MOST_SHOWN:
        lines.append(f"✗ and {len(found.bad) - _MOST_SHOWN} more")
    lines.append(f"{len(found.bad)} of {found.records} checked are bad; a realm is checked up to its first broken link")
    lines.append("look at the first with: council show <decision>")
    return lines


def _place(checked: Checked) -> str:
    decision = f"decision {clean(checked.decision_id)}" if checked.decision_id else "no record"
    return f"position {checked.position} of realm {clean(checked.realm_id)} ({decision})"
