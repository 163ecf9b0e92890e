"""Two runs compared, drawn: what flipped, how good each is, what it costs, and what can be believed of it."""

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import cut, lines
from cli.text import clean
from evals.comparing import GOOD, Change, Comparison, Score
from evals.flips import Flip
from evals.statistics.intervals import Interval

SHOWN: Final = 20
"""Flips drawn; --json has all."""
_STYLES: Final = {
    "regression": "bold red",
    "small_loss": "yellow",
    "no_evidence": "bold",
    "improvement": "bold green",
    "unjudged": "bold yellow",
}
_EFFECT_STYLES: Final = {"broken": "red", "corrected": "green", "still wrong": "yellow", "unlabelled": "dim"}


def render_comparison(comparison: Comparison, *, is_partial: bool = False) -> list[RenderableType]:
    """Return the drawing of a comparison, the judgement last, where the eye rests."""
    parts: list[RenderableType] = []
    if is_partial:
        parts.append(Text("NOT FINISHED: cases that are missing may be the ones that fail", style="bold red"))
    parts += [_changed(comparison), Text("")]
    parts += _flips(comparison)
    if comparison.change is not None:
        parts += [_shares(comparison, comparison.change), Text("")]
    if comparison.scores:
        parts += [_scores(comparison.scores), Text("")]
    parts += _left_out(comparison)
    parts += _conclusion(comparison)
    return parts


def _changed(comparison: Comparison) -> RenderableType:
    title = Text.assemble(
        ("A ", "bold"), clean(comparison.old.run_id), ("  →  B ", "bold"), clean(comparison.new.run_id)
    )
    if comparison.old.run_id == comparison.new.run_id:
        title.append("  one and the same run", style="yellow")
    what = comparison.changed or ("policy, mode, models and prompts are the same",)
    return Group(title, Padding(lines([clean(line) for line in what]), (0, 0, 0, 2)))


def _flips(comparison: Comparison) -> list[RenderableType]:
    flips = comparison.flips
    if not flips:
        return [Text(f"no verdict differs in {len(comparison.pairing.pairs)} cases"), Text("")]
    milder = sum(flip.steps < 0 for flip in flips)
    title = f"{len(flips)} of {len(comparison.pairing.pairs)} verdicts differ: {milder} milder, {len(flips) - milder} stricter"
    parts: list[RenderableType] = [Text(title, style="bold")]
    parts += [_flip(flip) for flip in flips[:SHOWN]]
    if len(flips) > SHOWN:
        parts.append(Text(f"{len(flips) - SHOWN} more; --json has all", style="dim"))
    return [*parts, Text("")]


def _flip(flip: Flip) -> RenderableType:
    line = cut("")
    line.append_text(verdict_text(flip.old))
    line.append(" → ")
    line.append_text(verdict_text(flip.new))
    line.append(f"  {clean(flip.case)}", style="bold")
    if flip.repeat:
        line.append(f" (repeat {flip.repeat + 1})")
    line.append(f"  {flip.effect}", style=_EFFECT_STYLES[flip.effect])
    if flip.label is not None:
        line.append(f", label {flip.label}", style="dim")
    if flip.is_unsafe:
        line.append("  UNSAFE APPROVAL", style="bold red")
    told = [cut(clean(what)) for what in flip.differences]
    told += [cut(f"A: {clean(reason)}", "dim") for reason in flip.old_reasons[:2]]
    told += [cut(f"B: {clean(reason)}", "dim") for reason in flip.new_reasons[:2]]
    return Group(line, Padding(Group(*told), (0, 0, 0, 4)))


def _shares(comparison: Comparison, change: Change) -> RenderableType:
    table = _table("", "cases", "A", "B", "B − A", "lost", "gained")
    for each in (change, *comparison.by_axis):
        table.add_row(
            clean(each.group), str(each.old.n), _range(each.old), _range(each.new), _turn(each.difference),
            str(each.lost), str(each.gained),
        )  # fmt: skip
    if comparison.spread is not None:
        table.add_row("repeats averaged", str(comparison.spread.n), "", "", _turn(comparison.spread), "", "")
    return Group(Text(f"share of cases {GOOD[comparison.metric]}", style="bold"), table)


def _scores(scores: Sequence[Score]) -> Table:
    table = _table("per case", "A", "B", "B − A", "in all: A", "B")
    for score in scores:
        unit = f" {score.unit}" if score.unit else ""
        table.add_row(f"{score.name}{unit}", *_score(score))
    return table


def _score(score: Score) -> tuple[str, ...]:
    if score.unit == "" and score.name == "confidence":
        totals: tuple[str, ...] = ("", "")
    else:
        totals = (_figure(score.old_total), _figure(score.new_total))
    ends = f"{_signed(score.difference.low)} to {_signed(score.difference.high)}"
    return (
        _figure(score.old_mean), _figure(score.new_mean), f"{_signed(score.difference.estimate)} ({ends})", *totals,
    )  # fmt: skip


def _left_out(comparison: Comparison) -> list[RenderableType]:
    pairing = comparison.pairing
    groups = (
        ("judged in A and not in B", pairing.lost, "bold yellow"),
        ("not judged in A", pairing.unjudged, ""),
        ("only in A", pairing.only_old, ""),
        ("only in B", pairing.only_new, ""),
        ("with different labels in A and B, left out", pairing.relabelled, "yellow"),
        ("newly failing expectations", comparison.newly_failing, "yellow"),
        ("gates of the suite that A passes and B fails", comparison.lost_gates, "bold red"),
    )
    parts: list[RenderableType] = [
        cut(f"{len(names)} {what}: {clean(', '.join(names))}", style) for what, names, style in groups if names
    ]
    return [*parts, Text("")] if parts else []


def _conclusion(comparison: Comparison) -> list[RenderableType]:
    parts: list[RenderableType] = []
    unsafe = sum(flip.is_unsafe for flip in comparison.flips)
    if unsafe:
        told = f"{unsafe} new unsafe approval{'' if unsafe == 1 else 's'}, whatever is said of chance below: look at the flips"
        parts.append(Text(told, style="bold red"))
    parts.append(Text(comparison.told, style=_STYLES[comparison.judgement]))
    change = comparison.change
    if change is None:
        return parts
    flips = f"{change.lost} lost, {change.gained} gained"
    evidence = f"exact McNemar p = {_p_value(change.p_value)} ({flips}); B − A {change.difference.told_signed}"
    parts.append(Text(evidence, style="dim"))
    if comparison.judgement == "no_evidence":
        parts.append(Text(_seen(comparison, change)))
    return parts


def _seen(comparison: Comparison, change: Change) -> str:
    """Say what a comparison that found nothing could have found, and what it does not rule out."""
    if comparison.detectable is None:
        seen = f"{change.old.n} cases are too few to show any difference"
    else:
        seen = f"a difference of {comparison.detectable:.2f} would have been seen four times in five"
    # Rounded up: a loss that is told as ruled out must be.
    loss = max(0.0, -change.difference.low)
    if loss < comparison.min_effect:
        return f"{seen}; a loss of {comparison.min_effect:g} or more is ruled out"
    return f"{seen}; a loss of up to {loss:.2f} is not ruled out: label more cases to see smaller ones"


def _range(interval: Interval) -> str:
    return f"{interval.estimate:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def _turn(interval: Interval) -> str:
    return interval.told_signed.split(", n = ")[0]


def _p_value(value: float) -> str:
    return "below 0.0001" if value < 0.0001 else f"{value:.4f}".rstrip("0").rstrip(".")


def _figure(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}".replace(",", " ")


def _signed(value: float) -> str:
    text = _figure(abs(value))
    sign = "" if float(f"{value:.4g}") == 0 else "+" if value > 0 else "−"
    return f"{sign}{text}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, no_wrap=True)
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    return table
