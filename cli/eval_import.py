"""`council eval import`: published votes as a recorded set, so that jury statistics can be run on them."""

from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer
from rich import box
from rich.table import Table

from cli.console import draw
from cli.options import AsJson
from cli.output import read_bytes, write_json, write_line
from cli.running import new_app
from cli.text import clean, counted
from evals.foreign_votes import SAME, read_mapping, read_votes
from evals.jury import Jury
from evals.jury_files import RecordedJury, write_jury
from evals.statistics.intervals import Interval, wilson

app = new_app()
_ITEM_NOTE: Final = (
    "accuracy is over votes cast on labelled items, with a Wilson interval of 95 %; abstentions are no errors"
)


class _Member(NamedTuple):
    """What one member did."""

    member: str
    votes: int
    abstentions: int
    right: int
    scored: int
    """Votes cast on items whose label is known."""

    @property
    def accuracy(self) -> Interval | None:
        return wilson(self.right, self.scored)


@app.command("import")
def import_votes(
    file: Annotated[str, typer.Argument(metavar="FILE.csv|-", help="Votes: columns item, member, vote, label.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="SET.jsonl", help="Where to write the set.")],
    mapping: Annotated[
        str | None,
        typer.Option(
            "--map", metavar="VOTE=VERDICT,...", help="What votes stand for; not needed where they are verdicts."
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Where the votes come from, and under which licence.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import votes of other juries from CSV as a recorded set.

    A row is one vote: the item, the member, its vote, and what was right. An empty vote is an abstention, an empty label
    a truth that is not known. Two more columns may stand there: confidence, from 0 to 1, and class. Votes and labels are
    mapped to verdicts alike: --map 1=approve,2=reject. 'council eval jury SET.jsonl' reads what this writes.
    """
    mapped = SAME if mapping is None else read_mapping(mapping)
    name = "standard input" if file == "-" else file
    jury = read_votes(read_bytes(file), name, mapped, source or Path(name).name)
    write_jury(output, RecordedJury(jury, mapped))
    members = [_member(jury, member) for member in jury.members]
    if as_json:
        write_json(
            {"items": len(jury.items), "labelled": len(jury.labelled), "members": [_shown(each) for each in members]}
        )
        return
    draw(_table(members))
    labelled = f"{len(jury.labelled)} of them labelled"
    write_line(f"✓ {counted(len(jury.items), 'item')}, {labelled}, {counted(len(members), 'member')}: {output}")
    write_line(_ITEM_NOTE)


def _member(jury: Jury, member: str) -> _Member:
    ballots = [(item.ballots[member], item.label) for item in jury.items if member in item.ballots]
    cast = [(ballot.verdict, label) for ballot, label in ballots if ballot.verdict is not None]
    scored = [(verdict, label) for verdict, label in cast if label is not None]
    right = sum(verdict == label for verdict, label in scored)
    return _Member(member, len(cast), len(ballots) - len(cast), right, len(scored))


def _shown(member: _Member) -> dict[str, Any]:
    accuracy = member.accuracy
    return {**member._asdict(), "accuracy": accuracy._asdict() if accuracy else None}


def _table(members: list[_Member]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("member", no_wrap=True)
    for title in ("votes", "abstained", "right"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("accuracy", no_wrap=True)
    for each in members:
        accuracy = each.accuracy
        told = accuracy.told if accuracy else "not known: no labels"
        table.add_row(clean(each.member), str(each.votes), str(each.abstentions), str(each.right), told)
    return table
