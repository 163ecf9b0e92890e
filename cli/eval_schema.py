"""`council eval schema`: the files of evals as JSON Schema."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.options import AsJson
from cli.running import new_app
from cli.schema import print_schemas, schemas

app = new_app()
NAMES: Final = ("suite", "run")


@app.command()
def schema(
    name: Annotated[str | None, typer.Argument(metavar="|".join(NAMES), help="Only this one.")] = None,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="DIR", help="Write NAME.schema.json files to a directory.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schemas of suites and of the lines of run logs.

    An editor that knows YAML schemas completes and checks suites by them. `council schema` prints all schemas.
    """
    found = schemas()
    print_schemas(name, {each: found[each] for each in NAMES}, write, as_json=as_json)
