"""Votes that were cast elsewhere, as CSV: who voted what on which item, and what was right. Pure."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from evals.csv_rows import Complaints, Row, read_rows
from evals.errors import EvalsError
from evals.jury import Ballot, Jury, JuryItem
from policies.faults import did_you_mean
from policies.verdicts import VERDICTS, Verdict

NEEDED: Final = ("item", "member", "vote", "label")
OPTIONAL: Final = ("confidence", "class")
Mapped = Mapping[str, Verdict]
"""The verdict that each foreign vote stands for."""
SAME: Final[Mapped] = {verdict: verdict for verdict in VERDICTS}


class _Vote(NamedTuple):
    row: Row
    ballot: Ballot
    label: Verdict | None


def read_mapping(text: str) -> dict[str, Verdict]:
    """Return the mapping that a text such as "1=approve,2=reject" says.

    Several foreign votes may stand for one verdict.

    Raises:
        EvalsError: naming the part that is no pair of a vote and a verdict.
    """
    mapping: dict[str, Verdict] = {}
    for part in text.split(","):
        vote, mark, verdict = (piece.strip() for piece in part.rpartition("="))
        if not mark or not vote:
            raise EvalsError(f"{part.strip()!r} maps nothing", "write 1=approve,2=reject")
        if verdict not in VERDICTS:
            raise EvalsError(f"{verdict!r} is no verdict", did_you_mean(verdict, VERDICTS))
        if vote in mapping:
            raise EvalsError(f"the vote {vote!r} is mapped twice", "keep one of them")
        mapping[vote] = verdict
    return mapping


def read_votes(data: bytes, file: str, mapping: Mapped, source: str) -> Jury:
    """Return the jury of a CSV file with a row a vote, its items and members in the order of their first row.

    An empty vote is an abstention, an empty label a truth that is not known. Items need not have a vote of every member. A
    confidence is a number from 0 to 1; without one a vote counts as sure.

    Args:
        file: name for faults.
        source: where the votes come from, for reports.

    Raises:
        InvalidFileError: with every fault of the file.
    """
    complaints = Complaints(file)
    rows = read_rows(data, complaints, NEEDED, OPTIONAL)
    votes = [_Vote(row, _ballot(row, complaints, mapping), _mapped(row, "label", complaints, mapping)) for row in rows]
    items = _items(votes, complaints)
    complaints.finish()
    members = tuple(dict.fromkeys([vote.row.fields["member"] for vote in votes]))
    return Jury(members, tuple(items), source)


def _items(votes: Iterable[_Vote], complaints: Complaints) -> list[JuryItem]:
    grouped: dict[str, list[_Vote]] = {}
    for vote in votes:
        for key in ("item", "member"):
            if not vote.row.fields[key]:
                complaints.add(vote.row.line, key, "is empty", f"name the {key}")
        grouped.setdefault(vote.row.fields["item"], []).append(vote)
    return [_item(name, group, complaints) for name, group in grouped.items()]


def _item(name: str, group: list[_Vote], complaints: Complaints) -> JuryItem:
    first = group[0]
    lines: dict[str, int] = {}
    for vote in group:
        fields, line = vote.row.fields, vote.row.line
        before = lines.setdefault(fields["member"], line)
        if before != line:
            told = f"{fields['member']!r} has voted on {name!r} on line {before} already"
            complaints.add(line, "member", told, "keep one vote of a member and item")
        for key in ("label", "class"):
            if fields.get(key, "") != first.row.fields.get(key, ""):
                told = f"{fields[key]!r} where line {first.row.line} says {first.row.fields[key]!r} of the same item"
                complaints.add(line, key, told, f"give every row of an item one {key}")
    ballots = {vote.row.fields["member"]: vote.ballot for vote in group}
    return JuryItem(name, first.row.fields.get("class", ""), ballots, None, first.label)


def _ballot(row: Row, complaints: Complaints, mapping: Mapped) -> Ballot:
    return Ballot(_mapped(row, "vote", complaints, mapping), _confidence(row, complaints))


def _mapped(row: Row, key: str, complaints: Complaints, mapping: Mapped) -> Verdict | None:
    said = row.fields[key]
    if said and said not in mapping:
        known = ", ".join([f"{vote}={verdict}" for vote, verdict in mapping.items()])
        complaints.add(row.line, key, f"{said!r} stands for no verdict", f"mapped are {known}; give all with --map")
    return mapping.get(said)


def _confidence(row: Row, complaints: Complaints) -> int:
    """Return a confidence in permille, rounded half to even."""
    text = row.fields.get("confidence", "")
    if not text:
        return 1000
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        complaints.add(
            row.line, "confidence", f"{text!r} is no share of one", "write a number from 0 to 1, such as 0.85"
        )
        return 0
    return round(share * 1000)
