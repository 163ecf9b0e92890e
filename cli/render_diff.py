"""Two decisions side by side: only what differs, in the order in which a decision is made."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import VERDICT_STYLES
from cli.render_parts import Record, cut
from cli.signals import unit_of
from cli.text import clean, condition_text, decimal, effect_text, quantity
from policies.verdicts import VERDICTS

NOTHING: Final = "–"
_MINOR: Final = "  "
"""Starts the name of a row that says nothing where only one of the decisions has it."""


class Row(NamedTuple):
    """One thing in which two decisions differ."""

    part: str
    """Which step of the decision: case, policy, triage, evidence, rules, votes, merge or verdict."""
    name: str
    first: str
    second: str


def differing(first: Record, second: Record) -> list[Row]:
    """Return every difference between two records that a person would call one (ids and times apart)."""
    rows: list[Row] = []
    for part, view in _VIEWS.items():
        left, right = dict(view(first)), dict(view(second))
        for name in dict.fromkeys((*left, *right)):
            before, after = left.get(name, NOTHING), right.get(name, NOTHING)
            is_alone = name.startswith(_MINOR) and NOTHING in (before, after)
            if before != after and not is_alone:
                rows.append(Row(part, name, before, after))
    return rows


def render_diff(first: Record, second: Record) -> list[RenderableType]:
    """Return the drawing of what differs."""
    rows = differing(first, second)
    if not rows:
        return [Text("no difference but ids and times")]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    table.add_column("")
    table.add_column("")
    for record in (first, second):
        table.add_column(cut(clean(record["decision_id"])), ratio=1)
    previous = ""
    for row in rows:
        part = row.part if row.part != previous else ""
        previous = row.part
        table.add_row(Text(part, style="bold cyan"), clean(row.name), _value(row.first), _value(row.second))
    return [table, Text(_summary(first, second, len(rows)), style="dim")]


def _value(text: str) -> Text:
    return Text(text, style=VERDICT_STYLES.get(text, ""))


def _summary(first: Record, second: Record, count: int) -> str:
    same = "the same request" if first["fingerprint"] == second["fingerprint"] else "different requests"
    policy = "the same policy" if first["policy"]["hash"] == second["policy"]["hash"] else "different policies"
    plural = "" if count == 1 else "s"
    return f"{count} difference{plural}; {same}, {policy}"


def _case(record: Record) -> Iterator[tuple[str, str]]:
    request = record["request"]
    yield "summary", clean(request["proposed_change"]["summary"])
    yield "decision type", record["decision_type"]
    yield "realm", clean(record["realm_id"])
    yield "snapshot", clean(request["world_snapshot"]["snapshot_id"])
    for index, effect in enumerate(request["proposed_change"].get("effects", [])):
        yield f"effect {index}", effect_text(effect, request["world_snapshot"])
    for field in ("supporting_events", "risk_flags", "lore_constraints"):
        yield field.replace("_", " "), str(len(request.get(field, [])))


def _policy(record: Record) -> Iterator[tuple[str, str]]:
    policy = record["policy"]
    yield "policy", f"{clean(policy['id'])} v{policy['version']} {policy['hash'][:12]}"
    yield "mode", record["mode"]


def _triage(record: Record) -> Iterator[tuple[str, str]]:
    yield "path", record["path"]
    yield "convened by", clean(", ".join(record["invoked_by"]) or NOTHING)
    yield "seated", ", ".join(record["seated"]) or NOTHING


def _evidence(record: Record) -> Iterator[tuple[str, str]]:
    for signal in record["evidence"]:
        yield signal["name"], quantity(signal["value"], unit_of(signal["name"]))


def _rules(record: Record) -> Iterator[tuple[str, str]]:
    for rule in record["rules"]:
        mode = "" if rule["mode"] == "enforce" else f" ({rule['mode']})"
        yield rule["rule"], f"fired: {rule['outcome']}{mode}" if rule["fired"] else "did not fire"


def _votes(record: Record) -> Iterator[tuple[str, str]]:
    for vote in record["answer"]["votes"]:
        yield vote["member"], vote["verdict"] or f"abstained ({vote['abstained']})"
        yield f"{_MINOR}{vote['member']}'s confidence", decimal(Fraction(vote["confidence"], 1000))
        yield f"{_MINOR}{vote['member']}'s weight", vote["weight"]


def _merge(record: Record) -> Iterator[tuple[str, str]]:
    merge = record["merge"]
    if not merge:
        return
    for verdict in VERDICTS[:0:-1]:
        yield f"share at {verdict} +", merge["shares"][verdict]
        yield f"quota of {verdict}", merge["quotas"][verdict]
    for field in ("coverage", "quorum", "confidence"):
        yield field, merge[field]
    yield "decided by", merge["decided_by"]


def _verdict(record: Record) -> Iterator[tuple[str, str]]:
    answer = record["answer"]
    yield "council", record["council_verdict"]
    yield "final", answer["final_verdict"]
    for condition in answer["required_modifications"]:
        yield f"effect {condition['effect']} {condition.get('field') or ''}".rstrip(), condition_text(condition)
    yield "tags", clean(", ".join(answer["audit_tags"]) or NOTHING)
    yield "held", "yes" if record["held"] else "no"


_VIEWS: Final[Mapping[str, Any]] = {
    "case": _case,
    "policy": _policy,
    "triage": _triage,
    "evidence": _evidence,
    "rules": _rules,
    "votes": _votes,
    "merge": _merge,
    "verdict": _verdict,
}
