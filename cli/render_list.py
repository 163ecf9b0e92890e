"""Decisions as rows: one line each, newest information first to the eye, ids last so that they can be copied."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import cut
from cli.text import clean, moment
from council.record import DamagedRecordError, read_record

SHORT_ID: Final = 14
"""Characters of an id in a table: `show`, `explain` and `diff` take the start of an id."""


class Listed(NamedTuple):
    """What one row of a list says of a decision."""

    position: int
    recorded_at: str
    realm_id: str
    decision_type: str
    verdict: str
    path: str
    confidence: float
    held: bool
    summary: str
    decision_id: str


def listed(body: bytes, position: int) -> Listed:
    """Return the row of one record."""
    try:
        record = read_record(body)
    except DamagedRecordError as damaged:
        return Listed(position, "", "", "", "damaged", "", 0, False, f"{damaged}; council verify names it", "")
    return Listed(
        position,
        record["recorded_at"],
        record["realm_id"],
        record["decision_type"],
        record["answer"]["final_verdict"],
        record["path"],
        record["answer"]["confidence"],
        record["held"],
        record["request"]["proposed_change"]["summary"],
        record["decision_id"],
    )


def render_list(rows: Sequence[Listed]) -> RenderableType:
    """Return the table of decisions."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    for title in ("#", "recorded", "realm", "verdict", "path", "conf."):
        table.add_column(title, no_wrap=True, justify="right" if title in ("#", "conf.") else "left")
    table.add_column("change", ratio=1)
    table.add_column("decision", no_wrap=True)
    for row in rows:
        table.add_row(
            str(row.position),
            moment(row.recorded_at)[:-4],
            cut(clean(row.realm_id)),
            _verdict(row),
            row.path,
            str(row.confidence),
            cut(clean(row.summary)),
            Text(clean(row.decision_id)[:SHORT_ID], style="dim"),
        )
    return table


def list_line(row: Listed) -> Text:
    """Return one decision as a line, for following along."""
    line = Text(f"{moment(row.recorded_at)[11:-4]}  ", style="dim")
    verdict = _verdict(row)
    verdict.pad_right(13 - verdict.cell_len)
    line.append_text(verdict)
    line.append(f" {row.path:<8}{clean(row.realm_id)}  ", style="default")
    line.append(clean(row.summary), style="bold")
    line.append(f"  {clean(row.decision_id)}", style="dim")
    return line


def _verdict(row: Listed) -> Text:
    verdict = verdict_text(row.verdict)
    if row.held:
        verdict.append(" (held)" if row.verdict != "quarantine" else "")
    return verdict
