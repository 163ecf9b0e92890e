"""Metamorphic checks, drawn: a line per relation, and every violation with both requests side by side."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.text import clean, quantity
from evals.metamorphic import BY_NAME, Relation
from evals.metamorphic_judging import Seen, Violation
from evals.metamorphic_run import Findings
from evals.results import Mode
from policies.policy import Policy
from policies.signals.catalogue import CATALOGUE

MOST_TOLD: Final = 12
"""Violations told in full; --json holds all of them."""
MOST_ROWS: Final = 48
"""Rows of two requests side by side; --json holds both whole."""
CONTEXT: Final = 2
"""Equal lines shown around each difference."""
MOST_UNANSWERED: Final = 8

Both = tuple[Mapping[str, Any], Mapping[str, Any]]


class Shown(NamedTuple):
    """Everything that is shown."""

    findings: Findings
    cases: int
    policy: Policy
    mode: Mode
    seed: int
    samples: int
    requests: Mapping[tuple[str, str, int], Both]
    """By the key of a violation, the request and its variant."""


class _Row(NamedTuple):
    """One line of each request; None where that one has no such line."""

    left: str | None
    right: str | None
    is_gap: bool = False


def render_findings(shown: Shown, relations: Sequence[Relation]) -> list[RenderableType]:
    """Return the drawing of the checks."""
    findings = shown.findings
    parts: list[RenderableType] = [_head(shown), Text(""), _table(shown, relations), Text("")]
    for violation in findings.violations[:MOST_TOLD]:
        parts += [*_told(violation, *shown.requests[violation.key]), Text("")]
    left = len(findings.violations) - MOST_TOLD
    if left > 0:
        parts += [Text(f"and {left} more violations; --json holds all of them", style="dim"), Text("")]
    for unanswered in findings.unanswered[:MOST_UNANSWERED]:
        where = f" ({unanswered.relation})" if unanswered.relation else ""
        parts.append(
            Text(f"could not be judged: {clean(unanswered.case_id)}{where}: {clean(unanswered.error)}", "yellow")
        )
    if len(findings.unanswered) > MOST_UNANSWERED:
        parts.append(
            Text(f"and {len(findings.unanswered) - MOST_UNANSWERED} more that could not be judged", style="dim")
        )
    return [*parts, _summary(findings)]


def side_by_side(request: Any, variant: Any, most: int = MOST_ROWS) -> Table:
    """Return two documents in two columns, only where they differ, with a little of what is around it."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("the request", ratio=1)
    table.add_column("the variant", ratio=1)
    rows = list(_rows(_lines(request), _lines(variant)))
    for row in rows[:most]:
        if row.is_gap:
            table.add_row(Text("⋯", style="dim"), Text("⋯", style="dim"))
            continue
        is_equal = row.left == row.right
        left, right = ("dim", "dim") if is_equal else ("red", "green")
        table.add_row(Text(row.left or "", style=left), Text(row.right or "", style=right))
    if len(rows) > most:
        table.add_row(Text(f"⋯ {len(rows) - most} more lines: --json", style="dim"), Text("", style="dim"))
    return table


def _head(shown: Shown) -> Text:
    policy = shown.policy
    told = f"mode {shown.mode} · policy {clean(policy.policy_id)} v{policy.version} {policy.content_hash[:12]}"
    many = f"{shown.cases} cases · {shown.samples} variants each · seed {shown.seed}"
    return Text.assemble(("metamorphic", "bold"), f"  {told} · {many}")


def _table(shown: Shown, relations: Sequence[Relation]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("relation", no_wrap=True)
    for name in ("checked", "held", "broken"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what is changed", ratio=1)
    known = {relation.name: relation for relation in relations}
    for tried in shown.findings.tried:
        held = Text("–", style="dim") if not tried.checked else Text(str(tried.checked - tried.broken))
        broken = Text(str(tried.broken), style="red" if tried.broken else "")
        told = Text(known[tried.relation].changes)
        notes = [
            *([f"nothing to change in {tried.not_applicable}"] if tried.not_applicable else []),
            *([f"{tried.unjudged} not judged"] if tried.unjudged else []),
        ]
        if notes:
            told.append(f" ({', '.join(notes)})", style="dim")
        table.add_row(tried.relation, str(tried.checked), held, broken, told)
    return table


def _told(violation: Violation, request: Any, variant: Any) -> Iterator[RenderableType]:
    relation = BY_NAME[violation.relation]
    yield Text.assemble(
        ("✗ ", "red"), (violation.relation, "bold"), f"  {clean(violation.case_id)}, variant {violation.sample + 1}"
    )
    lines: list[Text] = [
        Text.assemble("changed: ", relation.changes),
        Text.assemble("must stay because ", relation.why),
        Text.assemble("before: ", *_outcome(violation.before)),
        Text.assemble("after:  ", *_outcome(violation.after)),
        Text(f"did not stay: {', '.join(violation.broken)}", style="red"),
    ]
    lines += [_moved(name, violation) for name in violation.moved] or [Text("no signal moved")]
    for line in lines:
        yield Padding(line, (0, 0, 0, 4))
    if "modifications" in violation.broken:
        for name, seen in (("before", violation.before), ("after", violation.after)):
            yield Padding(Text(f"required {name}: {clean(', '.join(seen.modifications)) or 'nothing'}"), (0, 0, 0, 4))
    yield Padding(side_by_side(request, variant), (0, 0, 0, 4))


def _outcome(seen: Seen) -> list[Text | str]:
    vetoes = f", {', '.join(seen.vetoes)}" if seen.vetoes else ""
    return [verdict_text(seen.verdict), f" ({seen.path}{vetoes})"]


def _moved(name: str, violation: Violation) -> Text:
    unit = CATALOGUE[name].unit if name in CATALOGUE else None
    values = [
        "none" if value is None else quantity(value, unit)
        for value in (violation.before.signals.get(name), violation.after.signals.get(name))
    ]
    return Text(f"moved: {name} {values[0]} → {values[1]}")


def _summary(findings: Findings) -> Text:
    checked = sum(tried.checked for tried in findings.tried)
    if findings.violations:
        cases = len({violation.case_id for violation in findings.violations})
        return Text(
            f"✗ {len(findings.violations)} of {checked} variants were decided otherwise, of {cases} cases", "red"
        )
    if not checked:
        return Text("nothing was compared", style="yellow")
    return Text(f"✓ all {checked} variants were decided like the requests that they were made from", style="green")


def _lines(document: Any) -> list[str]:
    return [clean(line) for line in _indented(json.dumps(document, ensure_ascii=False, indent=1))]


def _indented(text: str) -> Iterator[str]:
    """Yield lines whose indentation survives cleaning: blanks that do not break."""
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        yield "\u00a0" * (len(line) - len(bare)) + bare


def _rows(left: list[str], right: list[str]) -> Iterator[_Row]:
    """Yield aligned lines, with gaps where both are equal for long."""
    at = 0
    groups = list(SequenceMatcher(None, left, right, autojunk=False).get_grouped_opcodes(CONTEXT))
    for group in groups:
        if group[0][1] > at:
            yield _Row(None, None, is_gap=True)
        for _, low, high, other_low, other_high in group:
            for step in range(max(high - low, other_high - other_low)):
                one = left[low + step] if low + step < high else None
                other = right[other_low + step] if other_low + step < other_high else None
                yield _Row(one, other)
        at = group[-1][2]
    if not groups:
        yield _Row("(the same)", "(the same)")
    elif at < len(left):
        yield _Row(None, None, is_gap=True)
