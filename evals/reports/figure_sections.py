"""The sections of the page that tell numbers: trade-off, backtest, members and calibration, cost and latency. Pure."""

from typing import Final

from evals.markup import Child, Markup, joined
from evals.plots.bars import interval_plot, length_plot
from evals.plots.figures import Estimate, Spot
from evals.plots.heatmap import heatmap
from evals.plots.reliability import reliability_plot
from evals.plots.tradeoff import tradeoff_plot
from evals.reports.inputs import Backtest, BacktestFlip, Counts
from evals.reports.members import MemberFigures, MemberLine
from evals.reports.parts import (
    NONE,
    Column,
    code,
    count,
    decimal,
    figure,
    figures,
    listed,
    paragraph,
    section,
    share,
    table,
    turn,
    verdict,
)
from evals.reports.report import Report
from evals.reports.stories import usd

MOST_FLIPS: Final = 100
"""Flips of a backtest that the page lists; its own JSON has all."""
_FRONT: Final = (
    Column("", is_number=True), Column("policy"), Column("needless holds", is_number=True),
    Column("unsafe approvals", is_number=True), Column("right", is_number=True),
)  # fmt: skip
_COUNTS: Final = (
    Column("decision type"), Column("decisions", is_number=True), Column("judged", is_number=True),
    Column("milder", is_number=True), Column("stricter", is_number=True), Column("share that changes"),
)  # fmt: skip
_CAUSES: Final = (
    Column("turned by"),
    Column("kind"),
    Column("verdicts", is_number=True),
    Column("milder", is_number=True),
)
_FLIPS: Final = (Column("decision"), Column("verdict"), Column("label"), Column("why"))
_MEMBERS: Final = (
    Column("member"), Column("votes", is_number=True), Column("right"), Column("unsafe", is_number=True),
    Column("needless", is_number=True), Column("with the council"), Column("power", is_number=True),
    Column("ECE", is_number=True),
)  # fmt: skip
_LEGEND: Final = (
    "Right: share of votes that are the label. Unsafe: approvals of what should be stopped; needless: the reverse. Power: part "
    "of all swings at the quota that stops a change (Banzhaf). ECE: how far confidence and accuracy lie apart, on average."
)


def tradeoff_section(report: Report) -> Markup | None:
    """The sweep's policies by both errors; None without a sweep."""
    if report.sweep is None:
        return None
    found = report.sweep.found
    plot = tradeoff_plot("tradeoff-plot", "Unsafe approvals against needless holds", found)
    told = "Every dot is a policy. Those on the line are beaten by none in one error without losing in the other."
    rows = [_spot("now" if spot.is_current else number, spot) for number, spot in enumerate(found.front, start=1)]
    rows += [_spot("now", spot) for spot in found.spots if spot.is_current and spot not in found.front]
    tried = f"{count(len(found.spots), 'policy', 'policies')} of {report.sweep.source}"
    foot = f"{tried}, each on {count(found.labelled, 'labelled decision')}."
    warning = "The best of many policies looks better than it is: try it on cases that the sweep has not seen."
    title = "Unsafe approvals and needless holds"
    body = (figures(figure(title, plot, told)), table(_FRONT, rows, "The front, and the policy as it is"))
    return section("tradeoff", "Trade-off", *body, paragraph(foot, " ", warning, kind="aside"))


def backtest_section(report: Report) -> Markup | None:
    """Recorded history under another policy; None without a backtest."""
    found = report.backtest
    if found is None:
        return None
    policy, counts = found.policy, found.all
    told = f"{count(counts.decisions, 'recorded decision')} of {found.source}"
    told = f"{told} under policy {policy.policy_id} version {policy.version}"
    changed = f"{counts.changed:,} of {counts.judged:,} change, {counts.milder:,} towards milder: {_rate(counts)}."
    parts: list[Child] = [paragraph(f"{told}: {changed}"), listed(_unjudged(found))]
    if counts.changed:
        below = "Only verdicts that change. Below the diagonal they grow milder, above it stricter."
        parts.append(
            figures(
                figure(
                    "Recorded and new verdicts",
                    heatmap("backtest-plot", "Recorded and new verdicts", found.turned),
                    below,
                )
            )
        )
    parts.append(_labels(found))
    parts.append(table(_COUNTS, [_counts(line) for line in found.by_type], "By decision type"))
    if found.causes:
        rows = [(code(cause.name), cause.kind, cause.flips, cause.milder) for cause in found.causes]
        parts.append(table(_CAUSES, rows, "What turned them; a verdict that several things turned counts for each"))
    if found.flips:
        shown = found.flips[:MOST_FLIPS]
        caption = f"The first {len(shown)} of {len(found.flips):,} that change, towards milder first"
        parts.append(table(_FLIPS, [_flip(flip) for flip in shown], caption))
    return section("backtest", "Backtest", *parts)


def members_section(report: Report) -> Markup:
    """Accuracy, agreement, power and calibration of the members."""
    found = report.members
    if not found.lines:
        told = "No member voted: every case was decided before anyone was asked."
        return section("members", "Members and calibration", paragraph(told))
    rows = [Estimate(line.report.member, line.report.accuracy) for line in found.lines]
    plot = interval_plot("members-plot", "Right votes by member", rows)
    told = (
        "Share of votes that are the label, with 95% intervals. A member judges its own field: a vote milder than the label is "
        "no fault where another member's field decides."
    )
    both = figures(figure("Right votes by member", plot, told), _calibration(found))
    lines = table(_MEMBERS, [_member(line) for line in found.lines], f"Members on {count(found.cases, 'case')}")
    return section("members", "Members and calibration", both, lines, paragraph(_LEGEND, kind="aside"), _jury(found))


def spending_section(report: Report) -> Markup:
    """Latency and cost."""
    spent = report.spending
    calls = f"{count(spent.model_calls, 'model call')}, {count(spent.tokens, 'token')}, {usd(spent.picodollars)}"
    latency = cost = None
    if spent.latency:
        plot = length_plot("latency", "Latency of a case", spent.latency)
        latency = figure("Latency of a case", plot, "From intake to verdict.")
    if spent.cost_by_type:
        plot = length_plot("cost", "Cost by decision type", spent.cost_by_type)
        cost = figure("Cost by decision type", plot, "All calls together; calls without a price count nothing.")
    said = paragraph(f"{calls} over {count(report.results, 'result')}.")
    return section("spending", "Cost and latency", said, figures(latency, cost))


def _spot(number: str | int, spot: Spot) -> tuple[Child, ...]:
    return number, code(spot.name), spot.needless_holds, spot.unsafe_approvals, decimal(spot.accuracy)


def _unjudged(found: Backtest) -> list[Child]:
    return [f"Cannot be judged, {kind.replace('_', ' ')}: {n:,}" for kind, n in found.unjudged_by_kind.items()]


def _labels(found: Backtest) -> Markup:
    seen = found.labelled
    if not seen.decisions:
        return paragraph("None of these decisions is labelled: nothing says which verdicts are right.", kind="aside")
    unsafe = f"unsafe approvals {seen.unsafe_before:,} → {seen.unsafe_after:,}"
    needless = f"needless holds {seen.needless_before:,} → {seen.needless_after:,}"
    right = f"right {share(seen.right_before)} → {share(seen.right_after)}"
    return paragraph(f"On {count(seen.decisions, 'labelled decision')}: {unsafe}, {needless}, {right}.")


def _counts(line: Counts) -> tuple[Child, ...]:
    numbers = [f"{number:,}" for number in (line.decisions, line.judged, line.milder, line.stricter)]
    return line.name.replace("_", " "), *numbers, _rate(line)


def _rate(line: Counts) -> str:
    """Return the share that changes as percent: of a long history a small share is many decisions."""
    rate = line.rate
    return NONE if rate is None else f"{rate.estimate:.2%} ({rate.low:.2%} to {rate.high:.2%}), n = {rate.n:,}"


def _flip(flip: BacktestFlip) -> tuple[Child, ...]:
    where = f"{flip.decision_type.replace('_', ' ')}, realm {flip.realm_id}"
    named = joined([code(flip.decision_id), f" {where}"])
    return (
        named,
        turn(flip.before, flip.after),
        verdict(flip.label),
        "; ".join([cause.told for cause in flip.causes]) or NONE,
    )


def _calibration(found: MemberFigures) -> Markup | None:
    if not found.bins:
        return None
    votes = count(sum(each.right.n for each in found.bins), "vote")
    told = "How often votes of a confidence were right. Below the broken line they claim more than they keep."
    plot = reliability_plot("calibration", "Reliability of confidence", found.bins)
    return figure("Confidence against truth", plot, f"{told} ECE {decimal(found.ece)} over {votes}.")


def _member(line: MemberLine) -> tuple[Child, ...]:
    seen = line.report
    silent = f" + {seen.abstained} silent" if seen.abstained else ""
    votes = f"{seen.asked - seen.abstained}{silent}"
    errors = (seen.unsafe_approvals, seen.needless_holds) if seen.accuracy else (NONE, NONE)
    return (
        seen.member, votes, share(seen.accuracy), *errors, share(line.agreement), decimal(line.power), decimal(seen.ece),
    )  # fmt: skip


def _jury(found: MemberFigures) -> Markup:
    said = [f"Agreement of the votes beyond chance (Krippendorff's alpha, ordinal): {decimal(found.alpha)}."]
    if found.correlation is None or found.effective is None:
        said.append("Too few labelled errors to say how independent the members are.")
    else:
        worth = f"{len(found.lines)} members are worth {decimal(found.effective, 1)} independent votes"
        said.append(f"Errors of two members correlate by {decimal(found.correlation)} on average: {worth}.")
    return listed(said)
