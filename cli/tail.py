"""`council tail`: new decisions as they are recorded."""

import asyncio
from typing import Annotated

import typer

from cli.console import draw
from cli.ledger import Opened, Stored, run_with_ledger, stored_line
from cli.options import AsJson, Database, Realm
from cli.output import flush, write_json
from cli.render_list import list_line, listed
from cli.running import new_app
from council.ledger.port import Filters, Head

app = new_app()


@app.command()
def tail(
    *,
    realm: Realm = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=500, help="Earlier ones to show first.")] = 10,
    every_s: Annotated[float, typer.Option("--every", min=0.05, metavar="SECONDS", help="How often to look.")] = 0.5,
    once: Annotated[bool, typer.Option("--once", help="Show what is there and stop.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Follow new decisions as they are recorded.

    Stops at ctrl-c. With --json each decision is one line: the whole record with its place in the chain.
    """

    async def follow(ledger: Opened) -> None:
        seen = {name: head.position for name in await _realms(ledger, realm) if (head := await ledger.head(name))}
        page = await ledger.list(Filters(realm_id=realm), limit=max(1, lines))
        for stored in reversed(page.records[:lines]):
            _show(stored, as_json=as_json)
        flush()
        while not once:
            await asyncio.sleep(every_s)
            await _show_new(ledger, realm, seen, as_json=as_json)

    run_with_ledger(database, follow)


async def _show_new(ledger: Opened, realm: str | None, seen: dict[str, int], *, as_json: bool) -> None:
    for name in await _realms(ledger, realm):
        head: Head | None = await ledger.head(name)
        if head is None or head.position == seen.get(name, 0):
            continue
        async for stored in ledger.scan(name, after=seen.get(name, 0)):
            _show(stored, as_json=as_json)
            seen[name] = stored.position
    flush()


async def _realms(ledger: Opened, realm: str | None) -> tuple[str, ...]:
    return await ledger.realms() if realm is None else (realm,)


def _show(stored: Stored, *, as_json: bool) -> None:
    if as_json:
        write_json(stored_line(stored))
    else:
        draw(list_line(listed(stored.body, stored.position)))
