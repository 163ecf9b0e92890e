"""How benchmarks print: one table a run, ratios beside their bounds."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson
from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """One measured thing."""

    what: str
    figure: str
    ratio: str
    """Against the run's own peer; empty where the bound is absolute."""
    bound: str


def print_report(title: str, rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows as a table, or as one JSON document."""
    if as_json:
        print(orjson.dumps({"title": title, "rows": [row._asdict() for row in rows]}).decode())
        return
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("ratio", justify="right")
    table.add_column("bound", justify="right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
