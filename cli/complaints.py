"""Telling a person what went wrong, on standard error."""

import sys

from cli.errors import CliError
from cli.output import json_text
from cli.text import clean


def complain(error: CliError, *, as_json: bool) -> None:
    """Say on standard error what is wrong and how to put it right; as one JSON line where JSON was asked for."""
    if as_json:
        said = {"error": error.what, "fix": error.fix, "details": error.details}
        print(json_text({key: value for key, value in said.items() if value}), file=sys.stderr)
        return
    print(f"council: {clean(error.what)}", file=sys.stderr)
    for detail in error.details:
        print(f"  {clean(detail)}", file=sys.stderr)
    if error.fix:
        print(f"  → {clean(error.fix)}", file=sys.stderr)
