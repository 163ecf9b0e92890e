"""A report in the terminal: the answer first, then what changed, verdicts, failures, members, cost, versions."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.plots import draw_estimates, draw_lengths, draw_matrix, draw_reliability, draw_tradeoff
from cli.render_parts import columns, cut, lines, section
from cli.text import clean
from evals.plots.figures import Estimate
from evals.reports.judgement import Answer, Judgement
from evals.reports.members import MemberFigures
from evals.reports.report import GroupLine, Report, estimates
from evals.reports.stories import Story, usd
from evals.results import Gate, RunHeader

MOST_CASES: Final = 12
"""Cases of a list that the terminal shows; the page tells all at length."""
_STYLES: Final[dict[Answer, str]] = {"ship": "green", "hold": "red", "unknown": "yellow"}
_MARKS: Final = {"against": ("✗", "red"), "missing": ("?", "yellow"), "for": ("✓", "green"), "note": ("·", "dim")}


def render_report(report: Report) -> list[RenderableType]:
    """Return the drawing of a report."""
    parts: list[RenderableType] = [_head(report)]
    if report.gates:
        parts.append(section("Gates", lines(map(_gate, report.gates))))
    parts += _changes(report)
    if report.matrix.n:
        parts.append(section("Verdicts", draw_matrix(report.matrix)))
    parts.append(section("Axes", Group(draw_estimates(estimates(report.axes)), _errors(report.axes))))
    if report.failures:
        parts.append(section("Failures", Group(*_cases(report.failures))))
    parts += _sources(report)
    parts += _members(report.members)
    spent = report.spending
    told = f"{usd(spent.picodollars)}, {spent.model_calls:,} model calls, {spent.tokens:,} tokens"
    parts.append(section("Cost", Group(Text(told), draw_lengths(spent.cost_by_type), draw_lengths(spent.latency))))
    parts.append(section("Versions", lines(_versions(report)), gap=False))
    return parts


def _head(report: Report) -> Panel:
    found = report.judgement
    run = report.run
    policy = f"policy {clean(run.policy_id)} version {run.policy_version}"
    where = f"{clean(run.suite)} · {policy} · mode {run.mode} · {report.cases:,} cases"
    body = Group(Text(where, style="dim"), *_evidence(found))
    style = _STYLES[found.answer]
    title = Text(f" {found.headline} ", style=f"bold {style}")
    return Panel(body, title=title, title_align="left", box=box.ROUNDED, border_style=style, padding=(0, 1))


def _evidence(found: Judgement) -> list[RenderableType]:
    table = columns(gap=1)
    for each in found.evidence:
        sign, style = _MARKS[each.kind]
        table.add_row(Text(sign, style=style), Text(clean(each.told)))
    return [table]


def _gate(gate: Gate) -> Text:
    value = "no value" if gate.value is None else f"{gate.value:.4g}"
    sign, style = ("✓", "green") if gate.passed else ("✗", "red")
    return Text.assemble((sign, style), f" {clean(gate.gate)}  ", (value, "dim"))


def _changes(report: Report) -> list[RenderableType]:
    found = report.comparison
    if found is None or report.turned is None:
        return []
    body: list[RenderableType] = [cut(clean(change)) for change in found.changed]
    body += [Text(""), draw_matrix(report.turned)]
    if found.change is not None:
        body.append(draw_estimates([Estimate("baseline", found.change.old), Estimate("this run", found.change.new)]))
        told = f"difference {found.change.difference.told_signed}, exact McNemar p = {found.change.p_value:.3f}"
        body.append(Text(f"{told}; {found.told.split(';')[0]}"))
    parts: list[RenderableType] = [section("Changes", Group(*body))]
    if report.flips:
        parts.append(section("Turned", Group(*_cases(report.flips))))
    return parts


def _cases(stories: Sequence[Story]) -> list[RenderableType]:
    found: list[RenderableType] = []
    for story in stories[:MOST_CASES]:
        result = story.result
        line = cut("")
        line.append(clean(result.case), style="bold")
        line.append(f"  {story.concern}: ", style="red" if story.concern == "unsafe approval" else "")
        if story.before is not None and story.before.verdict is not None:
            line.append_text(verdict_text(story.before.verdict)).append(" → ")
        line.append_text(verdict_text(result.verdict) if result.verdict else Text("no verdict"))
        if result.label is not None:
            line.append(", label ", style="dim").append_text(verdict_text(result.label))
        found.append(line)
        found += [cut(f"    {clean(told)}", "dim") for told in _why(story)]
    if len(stories) > MOST_CASES:
        found.append(Text(f"and {len(stories) - MOST_CASES} more, see: -o report.html", style="dim"))
    return found


def _why(story: Story) -> list[str]:
    """Return what differs from the baseline, or who voted what, in at most three lines."""
    if story.result.error:
        return [story.result.error]
    if story.differences:
        return ["; ".join(story.differences)]
    votes = ", ".join([f"{line.member} {line.said}" for line in story.votes])
    rules = ", ".join([f"{rule.rule} → {rule.outcome}" for rule in story.rules])
    return [told for told in (f"votes: {votes}" if votes else "", f"rules: {rules}" if rules else "") if told]


def _errors(groups: Sequence[GroupLine]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("axis")
    for title in ("cases", "unsafe approvals", "needless holds", "passed"):
        table.add_column(title, justify="right")
    for line in groups:
        counts = (str(line.unsafe_approvals), str(line.needless_holds)) if line.labelled else ("–", "–")
        table.add_row(line.name, str(line.cases), *counts, f"{line.passed} of {line.results}")
    return table


def _sources(report: Report) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if report.backtest is not None:
        counts = report.backtest.all
        told = f"{counts.changed:,} of {counts.judged:,} recorded decisions change, {counts.milder:,} towards milder"
        rate = f" ({counts.rate.told})" if counts.rate is not None else ""
        parts.append(section("Backtest", Group(Text(f"{told}{rate}"), draw_matrix(report.backtest.turned))))
    if report.sweep is not None:
        parts.append(section("Trade-off", draw_tradeoff(report.sweep.found)))
    return parts


def _members(found: MemberFigures) -> list[RenderableType]:
    if not found.lines:
        return [section("Members", Text("no member voted"))]
    rows = [Estimate(line.report.member, line.report.accuracy) for line in found.lines]
    body: list[RenderableType] = [draw_estimates(rows), _member_table(found)]
    if found.correlation is not None and found.effective is not None:
        worth = f"{len(found.lines)} members are worth {found.effective:.1f} independent votes"
        body.append(Text(f"errors of two members correlate by {_minus(found.correlation)} on average: {worth}"))
    parts: list[RenderableType] = [section("Members", Group(*body))]
    if found.bins:
        parts.append(section("Calibration", draw_reliability(found.bins)))
    return parts


def _member_table(found: MemberFigures) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("member")
    for title in ("votes", "silent", "unsafe", "needless", "power", "ECE"):
        table.add_column(title, justify="right")
    table.add_column("with the council")
    for line in found.lines:
        seen = line.report
        share = line.agreement
        agreement = f"{share.estimate:.2f} ({share.low:.2f} to {share.high:.2f})" if share is not None else "–"
        table.add_row(
            seen.member, str(seen.asked - seen.abstained), str(seen.abstained), str(seen.unsafe_approvals),
            str(seen.needless_holds), _places(line.power), _places(seen.ece), agreement,
        )  # fmt: skip
    return table


def _places(value: Fraction | None) -> str:
    return "–" if value is None else f"{float(value):.2f}"


def _versions(report: Report) -> list[str]:
    found = [_version("this run", report.run)]
    if report.baseline is not None:
        found.append(_version("baseline", report.baseline))
    return [*found, f"scored by version {report.scorer}"] if report.scorer else found


def _version(name: str, header: RunHeader) -> str:
    policy = f"policy {clean(header.policy_id)} version {header.policy_version} {header.policy_hash[:12]}"
    return (
        f"{name}: {clean(header.run_id)} · {policy} · suite {header.suite_hash[:12]} · council {clean(header.version)}"
    )


def _minus(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
