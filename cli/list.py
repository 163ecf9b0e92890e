"""`council list`: recorded decisions, newest first."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.console import draw
from cli.errors import CliError
from cli.ledger import Opened, run_with_ledger
from cli.options import AsJson, Database, Realm
from cli.output import note, write_json
from cli.render_list import listed, render_list
from cli.running import new_app
from council.ledger.port import MAX_PAGE, Filters, InvalidCursorError, Page
from policies.faults import did_you_mean
from policies.verdicts import DECISION_TYPES, VERDICTS

app = new_app()


@app.command("list")
def list_decisions(
    *,
    realm: Realm = None,
    verdict: Annotated[str | None, typer.Option(metavar="VERDICT", help="approve, modify, reject, quarantine.")] = None,
    decision_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="sovereign_action, major_trigger, impact_dispute.")
    ] = None,
    path: Annotated[str | None, typer.Option(metavar="PATH", help="fast, council or veto.")] = None,
    held: Annotated[bool | None, typer.Option("--held/--not-held", help="Cases that wait for a person.")] = None,
    policy: Annotated[str | None, typer.Option(metavar="HASH", help="Content hash of the policy that decided.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From this time on, such as 2026-11-03.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this time.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=MAX_PAGE, help="How many at most.")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on where an earlier list ended.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List recorded decisions.

    Newest first. Where more are left, the way to the next page is printed on standard error.
    """
    filters = Filters(
        realm_id=realm,
        decision_type=_known("decision type", decision_type, DECISION_TYPES),
        verdict=_known("verdict", verdict, VERDICTS),
        path=_known("path", path, ("fast", "council", "veto")),
        held=held,
        policy_hash=policy,
        since=_time("--since", since),
        until=_time("--until", until),
    )
    page = run_with_ledger(database, lambda ledger: _page(ledger, filters, cursor, limit))
    rows = [listed(record.body, record.position) for record in page.records]
    if as_json:
        for row in rows:
            write_json(row._asdict())
    elif rows:
        draw(render_list(rows))
    else:
        note(_nothing(filters))
    if page.cursor is not None:
        note(f"more: add --cursor {page.cursor}")


async def _page(ledger: Opened, filters: Filters, cursor: str | None, limit: int) -> Page:
    try:
        return await ledger.list(filters, cursor=cursor, limit=limit)
    except InvalidCursorError:
        raise CliError("the cursor is not one that a list printed", "start again without --cursor") from None


def _known(what: str, value: str | None, known: tuple[Any, ...]) -> str | None:
    if value is not None and value not in known:
        raise CliError(f"unknown {what} {value!r}", did_you_mean(value, known))
    return value


def _time(option: str, text: str | None) -> str | None:
    """Return a time as records carry it: ISO 8601 UTC with milliseconds; one without a zone is taken as UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CliError(f"{option} is not a time: {text!r}", "write 2026-11-03 or 2026-11-03T10:00:00Z") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _nothing(filters: Filters) -> str:
    if any(value is not None for value in filters):
        return "no decision on record fits; without filters 'council list' shows all"
    return "nothing is on record here yet: 'council review FILE' decides something"
