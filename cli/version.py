"""`council version`: what is running, for a bug report."""

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Final

from cli.options import AsJson
from cli.output import write_json, write_line
from cli.running import new_app

app = new_app()
PARTS: Final = ("langgraph", "pydantic", "sqlalchemy", "common-expression-language", "rich", "typer")


@app.command()
def version(
    as_json: AsJson = False,
) -> None:
    """Print the versions of the product and of what it stands on."""
    versions = {name: _version(name) for name in ("world-council", *PARTS)}
    versions |= {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    if as_json:
        write_json(versions)
        return
    width = max(map(len, versions))
    for name, number in versions.items():
        write_line(f"{name:<{width}}  {number}")


def _version(distribution: str) -> str:
    try:
        return version_of(distribution)
    except PackageNotFoundError:
        return "from source"
