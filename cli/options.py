"""Options that several commands share, so that they are spelled and explained in one way."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one document a line, instead of a drawing.")]
Database = Annotated[
    str | None,
    typer.Option("--database", "-d", metavar="URL", help="Database to use instead of COUNCIL_DATABASE_URL."),
]
DecisionId = Annotated[str, typer.Argument(metavar="ID", help="Decision id, as `council list` shows it.")]
Realm = Annotated[str | None, typer.Option("--realm", "-r", metavar="REALM", help="Only this realm.")]
PolicyFile = Annotated[
    str | None,
    typer.Option("--policy", "-p", metavar="FILE", help="Policy file; the one in force unless given."),
]
