"""A jury's statistics, drawn: members, agreement, shared errors, what they reach together, and words of caution."""

from collections.abc import Sequence
from fractions import Fraction

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.text import clean, percent, shortened
from evals.jury_members import MemberReport
from evals.jury_report import Collective, Diagnosis, JuryReport, PairReport
from evals.statistics.dawid_skene import NO_TRUTH
from evals.statistics.intervals import Interval

_NOTHING = "–"


def render_jury(source: str, reports: Sequence[JuryReport]) -> list[RenderableType]:
    """Return the drawing of a jury's reports, all items first."""
    parts: list[RenderableType] = []
    for report in reports:
        parts += _report(source, report)
    return parts


def _report(source: str, report: JuryReport) -> list[RenderableType]:
    title = Text.assemble((clean(report.group), "bold"), f"  {report.items} decisions of {clean(source)}")
    title.append(f", {report.labelled} labelled · merged by {clean(report.merged_by)}", style="dim")
    parts: list[RenderableType] = [title, Text(""), _members(report.members), Text("")]
    parts += [_agreement(report), Text("")]
    if len(report.members) > 1:
        parts += [_matrix(report), Text("")]
    if report.collective is not None:
        parts += [*_together(report, report.collective), Text("")]
    if report.dawid_skene is not None:
        parts += [_diagnosis(report.members, report.dawid_skene), Text("")]
    parts += [Text(f"! {clean(caution)}", style="yellow") for caution in report.cautions]
    return [*parts, Text("")]


def _members(members: Sequence[MemberReport]) -> Table:
    table = _table("member", "asked", "abstained", "accuracy of its votes", "unsafe", "needless", "ECE", "Brier")
    for member in members:
        table.add_row(
            clean(member.member),
            str(member.asked),
            str(member.abstained),
            _told(member.accuracy),
            str(member.unsafe_approvals),
            str(member.needless_holds),
            _exact(member.ece),
            _exact(member.brier),
        )
    return table


def _agreement(report: JuryReport) -> Table:
    table = _table("agreement beyond chance", "value")
    for name, value in report.agreement.items():
        table.add_row(name, _told(value))
    return table


def _matrix(report: JuryReport) -> RenderableType:
    names = [member.member for member in report.members]
    table = _table("", *[shortened(clean(name), 10) for name in names])
    found = {(pair.first, pair.second): pair for pair in report.pairs}
    for row, name in enumerate(names):
        cells = [_cell(found, names, row, column) for column in range(len(names))]
        table.add_row(clean(name), *cells)
    legend = "below the diagonal: correlation of errors (phi); above it: agreement of votes (Cohen's kappa)"
    return Group(Text(legend, style="dim"), table)


def _cell(found: dict[tuple[str, str], PairReport], names: Sequence[str], row: int, column: int) -> Text:
    if row == column:
        return Text("·", style="dim")
    pair = found[names[min(row, column)], names[max(row, column)]]
    if row < column:
        return Text(_two(pair.kappa), style="dim")
    phi = pair.error_correlation
    is_strong = phi is not None and phi.low > 0
    return Text(_two(phi.estimate if phi is not None else None), style="bold" if is_strong else "")


def _together(report: JuryReport, found: Collective) -> list[RenderableType]:
    lines = [f"votes merged: {found.merged.told}"]
    if found.recorded is not None:
        lines.append(f"verdicts on record, rules included: {found.recorded.told}")
    lines.append(f"best member, {clean(found.best_member)}, abstentions not right: {found.best.told}")
    lines.append(f"votes merged less best member: {found.merged_over_best.told_signed}")
    if found.independent is not None and found.gap is not None:
        lines.append(f"the same members, if they erred apart: {found.independent.told}")
        lines.append(f"Condorcet gap, what erring together costs: {found.gap.told_signed}")
    lines.append(f"majority of members that err apart, ties by a coin: {float(found.independent_majority):.2f}")
    if found.effective_votes is not None and found.mean_correlation is not None:
        erring = found.erring_members
        whose = f"{erring}" if erring == len(report.members) else f"the {erring} members that ever erred"
        worth = f"{found.effective_votes:.1f} of {whose}"
        lines.append(f"effective votes: {worth} (errors correlate by {_two(found.mean_correlation)} on average)")
    parts: list[RenderableType] = [Text("together", style="bold"), Padding(Group(*map(Text, lines)), (0, 0, 0, 2))]
    if found.ablation:
        parts += [Text(""), _ablation(report, found)]
    return parts


def _ablation(report: JuryReport, found: Collective) -> Table:
    table = _table("without", "accuracy", "change", "McNemar p", "turns", "power")
    for each in found.ablation:
        difference = each.difference
        change = f"{_sign(difference.estimate)} ({_sign(difference.low)} to {_sign(difference.high)})"
        power = report.power.get(each.member)
        told = percent(power) if power is not None else _NOTHING
        table.add_row(
            clean(each.member), f"{each.accuracy.estimate:.2f}", change, f"{each.p_value:.3f}", str(each.turned), told
        )
    return table


def _diagnosis(members: Sequence[MemberReport], diagnosis: Diagnosis) -> RenderableType:
    pairs = zip(members, diagnosis.model.accuracy, strict=True)
    told = ", ".join(f"{clean(member.member)} {_two(value)}" for member, value in pairs)
    lines = [told]
    if diagnosis.labels_matched is not None:
        lines.append(f"its likeliest class is the label in {diagnosis.labels_matched.told}")
    if not diagnosis.model.converged:
        lines.append("it did not settle: do not read it at all")
    title = Text.assemble(("Dawid-Skene", "bold"), (f"  {NO_TRUTH}", "dim"))
    return Group(title, Padding(Group(*map(Text, lines)), (0, 0, 0, 2)))


def _told(interval: Interval | None) -> str:
    return interval.told if interval is not None else _NOTHING


def _exact(value: Fraction | None) -> str:
    return f"{float(value):.3f}" if value is not None else _NOTHING


def _two(value: float | None) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−") if value is not None else _NOTHING


def _sign(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text.replace("-", "−")


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, no_wrap=True)
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    return table
