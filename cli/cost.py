"""`council cost`: what models have cost, by realm, member, model and decision type."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.console import draw
from cli.errors import CliError
from cli.ledger import Opened, run_with_ledger
from cli.options import AsJson, Database, Realm
from cli.output import write_json
from cli.render_cost import Costs, render_cost
from cli.running import new_app
from council.costs import GROUPINGS, invocation, month_at_this_rate, summed
from council.moments import iso
from policies.models import dollars

app = new_app()


@app.command()
def cost(
    *,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From this time on; this month unless given.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this time; now unless given.")] = None,
    realm: Realm = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show what models cost, by realm, member, model and decision type.

    Beside the sums stand the share of decisions that needed the council, against the band of 5 to 15 percent, and what
    this month comes to at the rate of the period, against the envelope of 100 to 800 dollars (000 §13). Times without a
    zone are UTC.
    """
    now = datetime.now(UTC)
    start = _moment("--since", since) or now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = _moment("--until", until) or now
    if end <= start:
        raise CliError(f"--until {end.date()} is not after --since {start.date()}", "name a period that has a length")
    found = run_with_ledger(database, lambda ledger: _read(ledger, start, end, realm))
    if as_json:
        write_json(_document(found))
    else:
        draw(*render_cost(found))


async def _read(ledger: Opened, start: datetime, end: datetime, realm: str | None) -> Costs:
    since, until = iso(start), iso(end)
    lines = await ledger.spending(since, until, realm)
    days = await ledger.spent_by_day(since, until, realm)
    spent = sum(line.picodollars for line in lines)
    return Costs(
        start,
        end,
        realm,
        invocation(await ledger.decided(since, until, realm)),
        {by: summed(lines, by) for by in GROUPINGS},
        days,
        spent,
        month_at_this_rate(spent, start, end),
    )


def _document(found: Costs) -> dict[str, Any]:
    month = found.month_picodollars
    return {
        "since": iso(found.start),
        "until": iso(found.end),
        "realm_id": found.realm_id,
        "decisions": found.invocation.decisions,
        "convened": found.invocation.convened,
        "invocation_rate": str(found.invocation.rate),
        "invocation_band": found.invocation.verdict,
        "usd": dollars(found.picodollars),
        "usd_month_at_this_rate": None if month is None else dollars(month),
        "by_day": {day: dollars(amount) for day, amount in found.days.items()},
        **{
            f"by_{by}": [
                {**{name: value for name, value in each._asdict().items() if name != "picodollars"},
                 "usd": dollars(each.picodollars)}
                for each in sums
            ]
            for by, sums in found.sums.items()
        },
    }  # fmt: skip


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CliError(f"{option} is not a time: {text!r}", "write 2026-11-03 or 2026-11-03T10:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
