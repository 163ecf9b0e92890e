"""`council serve`: the HTTP service."""

import sys
from typing import Annotated

import typer

from cli.options import AsJson, Database, PolicyFile
from cli.output import note
from cli.running import new_app
from gateway.settings import read_settings

app = new_app()


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Instead of COUNCIL_HOST.")] = None,
    port: Annotated[int | None, typer.Option(metavar="PORT", help="Instead of COUNCIL_PORT; 0: a free one.")] = None,
    policy: PolicyFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Start the HTTP service.

    Needs COUNCIL_SERVICE_TOKEN; the other settings are listed by 'council config'. Stops at ctrl-c or SIGTERM, after
    the requests under way. With --json, log lines are JSON.
    """
    settings = read_settings(
        host=host, port=port, policy_path=policy, database_url=database, log_format="json" if as_json else None
    )
    settings.required_token()
    # Late: the service loads FastAPI and LangGraph, which a wrong setting must not wait for.
    from gateway.serving import serve as run_service  # noqa: PLC0415

    if sys.stderr.isatty():
        note(f"council: POST http://{settings.host}:{settings.port}/internal/council/review; ctrl-c stops")
    run_service(settings)
