"""The sections of the page that tell verdicts: gates, changes, labels, failures, versions. Pure."""

from collections.abc import Sequence
from typing import Final

from evals.comparing import Comparison
from evals.markup import Child, Markup, tag
from evals.plots.bars import interval_plot
from evals.plots.figures import Estimate, Matrix
from evals.plots.heatmap import heatmap
from evals.reports.case_parts import case_article
from evals.reports.parts import (
    NONE,
    Column,
    code,
    column,
    count,
    figure,
    figures,
    listed,
    paragraph,
    section,
    share,
    table,
)
from evals.reports.report import GroupLine, Report, estimates
from evals.reports.stories import Story
from evals.results import RunHeader
from evals.statistics.intervals import Interval

_OPEN: Final = 3
"""Cases of a list that stand open when the page loads."""
_GROUPS: Final = (
    Column("axis"), Column("cases", is_number=True), Column("right"), Column("unsafe approvals", is_number=True),
    Column("needless holds", is_number=True), Column("passed", is_number=True),
)  # fmt: skip
_GATES: Final = (Column("result"), Column("gate"), Column("value", is_number=True))
_SCORES: Final = (
    Column("per case"), Column("baseline", is_number=True), Column("this run", is_number=True), Column("difference"),
)  # fmt: skip


def gates_section(report: Report) -> Markup | None:
    """The suite's gates; None where it has none."""
    if not report.gates:
        return None
    rows = []
    for gate in report.gates:
        said = tag("span", "✓ passes" if gate.passed else "✗ fails", class_="good" if gate.passed else "bad")
        rows.append((said, code(gate.gate), NONE if gate.value is None else f"{gate.value:.4g}"))
    return section("gates", "Gates", table(_GATES, rows))


def changes_section(report: Report) -> Markup | None:
    """Verdicts that turned since the baseline; None without one."""
    found, turned = report.comparison, report.turned
    if found is None or turned is None:
        return None
    parts: list[Child] = [listed(found.changed)]
    if not found.changed:
        parts.append(paragraph("Suite, policy, models and prompts are the same."))
    told = "Below the diagonal verdicts grew milder, above it stricter."
    plot = figure("Verdicts of the baseline, and now", heatmap("turned", "Old and new verdicts", turned), told)
    parts.append(figures(plot, _compared(found)))
    if found.scores:
        parts.append(table(_SCORES, _scores(found), "Means over cases, and the difference with its bootstrap interval"))
    missing = (
        ("baseline", found.pairing.only_old),
        ("new run", found.pairing.only_new),
        ("baseline", found.pairing.lost),
    )
    parts += [
        paragraph(f"Judged in the {where} only: {', '.join(cases)}.", kind="aside") for where, cases in missing if cases
    ]
    parts.append(tag("h3", f"{count(len(found.flips), 'verdict')} turned"))
    return section("changes", "What changed", *parts, *_stories(report.flips))


def verdicts_section(report: Report) -> Markup:
    """Labels against verdicts, and the axes apart."""
    matrix, parts = report.matrix, list[Child]()
    if not matrix.n:
        parts.append(paragraph("No case is labelled: there is nothing to compare verdicts with."))
    plot = (
        figure("Labels and verdicts", heatmap("matrix", "Labels against verdicts", matrix), _told(matrix))
        if matrix.n
        else None
    )
    wide = (
        "Share of right verdicts with 95% intervals. Where bars overlap much, these cases cannot tell the groups apart."
    )
    by_axis = interval_plot("axes-plot", "Right verdicts by axis", estimates(report.axes))
    by_type = interval_plot("types-plot", "Right verdicts by decision type", estimates(report.types))
    beside = column(
        figure("Right verdicts by axis", by_axis, wide), figure("Right verdicts by decision type", by_type, wide)
    )
    parts.append(figures(plot, beside))
    parts.append(table(_GROUPS, [_group(line) for line in report.axes], "By axis"))
    if report.unplaced:
        parts.append(
            paragraph(f"Without an axis, and in the totals only: {count(report.unplaced, 'case')}.", kind="aside")
        )
    columns = (_GROUPS[0]._replace(title="decision type"), *_GROUPS[1:])
    parts.append(table(columns, [_group(line) for line in report.types], "By decision type"))
    return section("verdicts", "Verdicts and labels", *parts)


def failures_section(report: Report) -> Markup:
    """Cases that are not as they should be, the most dangerous first."""
    if not report.failures:
        return section("failures", "Failures", paragraph("None: every case is as it should be."))
    told = "Unsafe approvals first, then needless holds, other wrong verdicts, and expectations that were not met."
    rest = (
        paragraph(f"{count(report.untold, 'more case')} stand in the run log.", kind="aside") if report.untold else None
    )
    title = f"Failures ({len(report.failures)})"
    return section("failures", title, paragraph(told, kind="aside"), *_stories(report.failures), rest)


def versions_section(report: Report) -> Markup:
    """What the run was made of, beside its baseline."""
    headers = [report.run, *([report.baseline] if report.baseline else [])]
    facts = [_facts(header) for header in headers]
    keys = dict.fromkeys(key for fact in facts for key in fact)
    rows = [(key, *[code(fact[key]) if key in fact else NONE for fact in facts]) for key in keys]
    columns = (Column(""), *[Column(name) for name in ("this run", "baseline")[: len(headers)]])
    scorer = paragraph(f"Scored and drawn by version {report.scorer}.", kind="aside") if report.scorer else None
    return section("versions", "Versions", table(columns, rows), scorer)


def _told(matrix: Matrix) -> str:
    kinds = (
        f"{matrix.of_kind('right'):,} right", count(matrix.of_kind("unsafe"), "unsafe approval"),
        count(matrix.of_kind("needless"), "needless hold"), f"{matrix.of_kind('wrong'):,} wrong in another way",
    )  # fmt: skip
    return f"{count(matrix.n, 'labelled result')}: {', '.join(kinds)}. The tint is the share of the row's label."


def _compared(found: Comparison) -> Markup | None:
    if found.change is None:
        return None
    rows = [Estimate("baseline", found.change.old), Estimate("this run", found.change.new)]
    numbers = f"Difference {found.change.difference.told_signed}; exact McNemar p = {found.change.p_value:.3f}."
    told = f"{found.told[0].upper()}{found.told[1:]}. {numbers}"
    return figure("Right verdicts in both runs", interval_plot("compared", "Right verdicts in both runs", rows), told)


def _scores(found: Comparison) -> list[tuple[Child, ...]]:
    rows: list[tuple[Child, ...]] = []
    for score in found.scores:
        old, new = [f"{mean:,.4g} {score.unit}".rstrip() for mean in (score.old_mean, score.new_mean)]
        rows.append((score.name, old, new, _turn(score.difference)))
    return rows


def _turn(found: Interval) -> str:
    """Return a difference with its interval in as many digits as it needs: costs of a case are fractions of a cent."""
    said = [_signed(value) for value in (found.estimate, found.low, found.high)]
    return f"{said[0]} ({said[1]} to {said[2]})"


def _signed(value: float) -> str:
    return (
        f"{value:+,.0f}".replace("-", "−") if abs(value) >= 100 else f"{value:+.3g}".replace("-", "−") if value else "0"
    )


def _stories(stories: Sequence[Story]) -> list[Child]:
    return [case_article(story, is_open=at < _OPEN) for at, story in enumerate(stories)]


def _group(line: GroupLine) -> tuple[Child, ...]:
    passed = f"{line.passed} of {line.results}" if line.results else NONE
    counts = (line.unsafe_approvals, line.needless_holds) if line.labelled else (NONE, NONE)
    return line.name.replace("_", " "), line.cases, share(line.accuracy), *counts, passed


def _facts(header: RunHeader) -> dict[str, str]:
    found = {
        "run": header.run_id, "started": header.started_at, "suite": header.suite, "suite hash": header.suite_hash,
        "narrowed to": header.selection or "the whole suite", "mode": header.mode, "repeats": str(header.repeats),
        "policy": f"{header.policy_id} version {header.policy_version}", "policy hash": header.policy_hash,
        "council version": header.version,
    }  # fmt: skip
    found |= {f"model of {member}": model for member, model in header.models.items()}
    return found | {f"prompt of {member}": prompt for member, prompt in header.prompts.items()}
