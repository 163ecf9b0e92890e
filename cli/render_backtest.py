"""A backtest as people read it: what it comes to, which verdicts change and why, and where they do."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import columns, cut
from cli.text import clean
from evals.backtest import Flip
from evals.backtest_report import BacktestReport, Counts, Labelled, PolicyName
from evals.statistics.intervals import Interval
from evals.turning import Cause, Level

SHOWN: Final = 20
"""Flips that are listed unless all are asked for."""
_MOST_CAUSES: Final = 3
WHY_WORDS: Final = {
    "not_asked": "the policy asks a model that was not asked",
    "other_model": "the policy asks another model than the one on record",
    "rebuttal_not_held": "the policy holds a second round that was not held",
    "unknown_realm": "the policy does not know the realm",
    "invalid_request": "the recorded request is not valid",
    "unknown_policy": "the policy that decided is not at hand",
    "lost_signal": "a signal that the rules read was redacted away",
    "not_tried": "the shadow policy did not try the decision",
}


def told_why(kind: str) -> str:
    """Return in words what is missing of decisions that cannot be judged."""
    return WHY_WORDS.get(kind, kind)


def render_report(report: BacktestReport, *, every: bool) -> list[RenderableType]:
    """Return the drawing of a backtest.

    Args:
        every: list all flips.
    """
    parts: list[RenderableType] = [*_summary(report)]
    if report.flips:
        parts += ["", *_flips(report.flips, every=every)]
        parts += ["", _heading("where"), _counts_table([*report.by_type, *_worst(report.by_realm)])]
        parts += ["", _heading("turned by"), _causes_table(report)]
    if report.unjudged:
        parts += ["", _heading("not judged"), *_unjudged(report)]
    if report.untried:
        parts += [
            "",
            _heading("rules, new or changed, that did not act where a signal cannot be computed from the request"),
        ]
        parts += [cut(f"  {clean(rule)}: {signal} in {count}") for rule, signal, count in report.untried]
    return parts


def percent(interval: Interval | None) -> str:
    """Return a share with its interval in percent.

    >>> percent(Interval(0.25, 0.1, 0.5, 8))
    '25 % (10 to 50 %)'
    """
    if interval is None:
        return "–"
    return f"{_hundredths(interval.estimate)} % ({_hundredths(interval.low)} to {_hundredths(interval.high)} %)"


def _hundredths(share: float) -> str:
    value = share * 100
    return f"{value:.2f}".rstrip("0").rstrip(".") if value < 10 else f"{value:.1f}".rstrip("0").rstrip(".")


def _heading(text: str) -> Text:
    return Text(text, style="bold cyan")


def _summary(report: BacktestReport) -> Iterator[RenderableType]:
    yield Text(_name(report.policy), style="bold")
    decided = ", ".join(_name(policy) for policy in report.decided_by)
    source = f"over {_number(report.all.decisions)} decisions of {clean(report.source)}"
    yield Text(f"instead of {decided}, {source}" if decided else source, style="dim")
    yield ""
    table = columns()
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column()
    for label, told in _lines(report):
        table.add_row(label, told)
    yield table


def _lines(report: BacktestReport) -> Iterator[tuple[str, Text | str]]:
    counts = report.all
    unjudged = counts.decisions - counts.judged
    yield "judged", _number(counts.judged) + (f", {_number(unjudged)} cannot be" if unjudged else "")
    changed = Text(f"{_number(counts.changed)} verdicts, {percent(counts.rate)} of the judged")
    if counts.changed:
        changed.append(f": {_number(counts.milder)} milder", style="red" if counts.milder else "")
        changed.append(f", {_number(counts.stricter)} stricter")
    yield "changed", changed
    if counts.changed:
        kinds = [f"{each.before} → {each.after} {_number(each.decisions)}" for each in report.transitions]
        yield "", ", ".join(kinds)
    if report.convened_before != report.convened_after:
        yield "convened", f"{_number(report.convened_after)} cases, before {_number(report.convened_before)}"
    if report.labelled.decisions or report.labelled.disputed:
        yield "labelled", _labelled(report.labelled)
    if report.merged_anew or report.judged_anew:
        yield (
            "how",
            (
                f"{_number(report.merged_anew)} by merging recorded votes anew, "
                f"{_number(report.judged_anew)} judged anew from the request"
            ),
        )


def _labelled(labelled: Labelled) -> Text:
    told = Text(_number(labelled.decisions))
    if labelled.disputed:
        told.append(f" ({_number(labelled.disputed)} more are disputed)")
    if labelled.decisions:
        style = "red" if labelled.new_unsafe else ""
        told.append(f": unsafe approvals {labelled.unsafe_after}, before {labelled.unsafe_before}", style=style)
        told.append(f" ({labelled.new_unsafe} new)" if labelled.new_unsafe else "", style=style)
        told.append(f"; needless holds {labelled.needless_after}, before {labelled.needless_before}")
        told.append(f"; right {percent(labelled.right_after)}, before {percent(labelled.right_before)}")
    return told


def _flips(flips: Sequence[Flip], *, every: bool) -> Iterator[RenderableType]:
    shown = flips if every else flips[:SHOWN]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    table.add_column("before", no_wrap=True)
    table.add_column("after", no_wrap=True)
    table.add_column("decision", no_wrap=True)
    table.add_column("turned by", ratio=1)
    for flip in shown:
        table.add_row(verdict_text(flip.before), verdict_text(flip.after), _decision(flip), _why(flip))
    yield table
    if len(flips) > len(shown):
        left = len(flips) - len(shown)
        yield Text(f"… and {_number(left)} more: --all lists them, --output FILE writes them", style="dim")


def _decision(flip: Flip) -> Text:
    told = Text(clean(flip.decision_id))
    told.append(f"\n{flip.decision_type}\n{clean(flip.realm_id)}", style="dim")
    if flip.label is not None:
        told.append("\nlabelled ", style="dim")
        told.append_text(verdict_text(flip.label, sign=False))
    return told


def _why(flip: Flip) -> Text:
    told = Text()
    for cause in flip.causes[:_MOST_CAUSES]:
        told.append(f"{_cause(cause)}\n")
    if len(flip.causes) > _MOST_CAUSES:
        told.append(f"and {len(flip.causes) - _MOST_CAUSES} more\n", style="dim")
    if flip.path_before != flip.path_after:
        told.append(f"path {flip.path_after}, before {flip.path_before}\n", style="dim")
    for level in flip.levels:
        told.append(f"{_level(level)}\n", style="dim")
    told.rstrip()
    return told


def _cause(cause: Cause) -> str:
    told = clean(f"{cause.name} {cause.told}" if cause.kind == "member" else cause.told)
    together = {"alone": "", "needed": " (not alone)", "together": " (together)"}
    return told + together[cause.how]


def _level(level: Level) -> str:
    before = "≥" if level.share_before >= level.quota_before else "<"
    after = "≥" if level.share_after >= level.quota_after else "<"
    return (
        f"at {level.verdict}: {level.share_after} {after} {level.quota_after}, "
        f"before {level.share_before} {before} {level.quota_before}"
    )


def _worst(realms: Sequence[Counts]) -> list[Counts]:
    """Return the realms where most changes, at most as many as flips are shown; one realm alone says nothing more."""
    changed = sorted([counts for counts in realms if counts.changed], key=lambda counts: (-counts.changed, counts.name))
    return changed[:SHOWN] if len(realms) > 1 else []


def _counts_table(rows: Sequence[Counts]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("")
    for name in ("judged", "changed", "milder", "stricter"):
        table.add_column(name, justify="right")
    table.add_column("rate")
    for counts in rows:
        numbers = (counts.judged, counts.changed, counts.milder, counts.stricter)
        table.add_row(clean(counts.name), *[_number(number) for number in numbers], percent(counts.rate))
    return table


def _causes_table(report: BacktestReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("")
    table.add_column("")
    for name in ("flips", "alone", "milder", "stricter"):
        table.add_column(name, justify="right")
    for cause in report.causes[:SHOWN]:
        numbers = (cause.flips, cause.alone, cause.milder, cause.stricter)
        table.add_row(Text(cause.kind, style="dim"), clean(cause.name), *[_number(number) for number in numbers])
    return table


def _unjudged(report: BacktestReport) -> Iterator[RenderableType]:
    for kind, count in report.unjudged_by_kind.items():
        first = next(item for item in report.unjudged if item.why == kind)
        yield cut(f"  {_number(count)}: {told_why(kind)}")
        yield cut(f"    such as {clean(first.decision_id)}: {clean(first.told)}", "dim")


def _name(policy: PolicyName) -> str:
    return f"{clean(policy.policy_id)} v{policy.version} ({policy.hash[:12]})"


def _number(count: int) -> str:
    return f"{count:,}".replace(",", " ")
