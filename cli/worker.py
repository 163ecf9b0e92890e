"""`council worker`: the process that moves the world."""

import sys
from typing import Annotated

import typer

from cli.options import AsJson, Database, PolicyFile
from cli.output import note
from cli.running import new_app
from gateway.settings import read_settings

app = new_app()


@app.command()
def worker(
    *,
    catch_up: Annotated[
        int,
        typer.Option(
            "--catch-up", min=1, max=96, metavar="N", help="Most ticks run at once for those that an outage left out."
        ),
    ] = 1,
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, settle it, and stop.")] = False,
    policy: PolicyFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Tick every realm on time, ask the council, apply its verdicts, until told to stop.

    Ticks every COUNCIL_TICK_S seconds of the wall clock. Any number of workers may run over one database: each tick is run by
    one of them. Stops at ctrl-c or SIGTERM within COUNCIL_SHUTDOWN_GRACE_S. With --json, log lines are JSON.
    """
    settings = read_settings(policy_path=policy, database_url=database, log_format="json" if as_json else None)
    # Late: the worker loads LangGraph, which a wrong setting must not wait for.
    from gateway.world_working import work  # noqa: PLC0415

    if sys.stderr.isatty() and not once:
        note(f"council: a tick every {settings.tick_s} s for every realm; ctrl-c stops")
    work(settings, catch_up=catch_up, once=once)
