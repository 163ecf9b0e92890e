"""What tuning found, drawn and in words: what members' votes tell, what every way of deciding costs, and what to do."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.output import json_text
from cli.render_power import render_findings
from cli.text import clean
from council.merge import Seats
from evals.competence import Competence
from evals.statistics.intervals import Interval
from evals.tuning import Tuning
from evals.tuning_ways import WAYS, ClassNote, Options, Scheme, Way
from policies.findings import Finding

_PAIRS: Final = 5
"""Pairs of members that err together that are shown; all of them are in --json."""
_HOW: Final = {"learned": "learned", "borrowed": "BORROWED", "kept": "kept as they are"}


def render_tuning(
    found: Tuning, options: Options, current: Mapping[str, Seats], stands: str, hints: Sequence[str]
) -> list[RenderableType]:
    """Return the drawing of everything found."""
    parts: list[RenderableType] = [Text(clean(line)) for line in _about(found, options)]
    parts += [Text(clean(hint), style="yellow" if "BORROWED" in hint else "dim") for hint in hints]
    for note in found.notes:
        parts += [Text(""), Text(clean(_class_line(note)), style="bold" if note.how == "learned" else "yellow")]
        if note.decision_class in found.learned:
            parts.append(_members(found, note.decision_class, current[note.decision_class]))
    parts += [Text(""), Text("On held-out decisions", style="bold"), _ways(found, stands), Text("")]
    parts += [Text(clean(line), style="yellow") for line in _together(found)]
    parts += [Text(clean(line), style="bold") for line in _verdict(found, current)]
    return [*parts, Text("")]


def render_next(
    found: Tuning, written: str | None, proposal: Mapping[str, Any], *, is_council: bool
) -> list[RenderableType]:
    """Return what to do next."""
    if not is_council:
        parts: list[RenderableType] = [Text(json_text(proposal), overflow="fold")] if found.is_shown or written else []
        told = f"written to {written}: the policy of a line for 'council merge'" if written else ""
        return [*parts, Text(told)] if told else parts
    if written:
        return [Text(f"written to {written}; next: council eval backtest --policy {written}")]
    return (
        [Text("-o PROPOSAL.yaml writes it; then: council eval backtest --policy PROPOSAL.yaml")]
        if found.is_shown
        else []
    )


def render_warnings(old: Sequence[Finding], new: Sequence[Finding]) -> list[RenderableType]:
    """Return what the lint says of a proposal and did not say of the policy as it stands; hints are left to the lint."""
    known = {(finding.code, finding.place) for finding in old}
    found = [each for each in new if each.severity != "hint" and (each.code, each.place) not in known]
    if not found:
        return []
    title = Text("The lint warns of it, and not of the policy as it stands", style="bold")
    return [title, *render_findings(found), Text("")]


def told_of(found: Tuning, options: Options, stands: str) -> list[str]:
    """Return where a proposal's numbers come from, as lines for its head."""
    way = found.chosen if found.is_shown else found.scored[-1].way
    lines = [f"From {_labels(found)} of {clean(found.source)}.", f"What changed: {_told(way, found)}."]
    if not found.is_shown:
        lines.append(
            "NO GAIN IS SHOWN: the data would say as much of chance. It was written because --anyway asked for it."
        )
    lines.append(f"Loss saved per held-out decision against {clean(stands)}: {_interval(found.gain)}")
    lines.append(f"({_trial(options)}; {_costs(options)}).")
    lines += [clean(_class_line(note)) + "." for note in found.notes]
    lines.append(
        f"Quotas: kept, {found.quotas_kept}." if found.quotas_kept else "Quotas: chosen over all of these labels."
    )
    return lines


def tuning_to_wire(
    found: Tuning, options: Options, stands: str, proposal: Mapping[str, Any], written: str | None
) -> dict[str, Any]:
    """Return everything found as one document."""
    return {
        "source": found.source,
        "against": stands,
        "labelled": found.labelled,
        "unlabelled": found.unlabelled,
        "options": {
            "costs": {name: str(cost) for name, cost in options.costs._asdict().items()},
            "folds": options.folds,
            "repeats": options.repeats,
            "seed": options.seed,
            "level": options.level,
        },
        "classes": [note._asdict() for note in found.notes],
        "quotas_kept": found.quotas_kept,
        "members": {
            name: {
                "shrinkage": learned.shrinkage,
                "members": [{**each._asdict(), "is_a_coin": each.is_a_coin} for each in learned.members],
            }
            for name, learned in found.learned.items()
        },
        "ways": [{"told": WAYS[each.way], **each._asdict()} for each in found.scored],
        "together": [pair._asdict() for pair in found.together],
        "chosen": found.chosen,
        "is_shown": found.is_shown,
        "gain": found.gain._asdict(),
        "scheme": _scheme(found.scheme),
        "fullest": _scheme(found.fullest),
        "proposal": proposal if found.is_shown or written else None,
        "written": written,
    }


def _scheme(scheme: Scheme) -> dict[str, Any]:
    return {
        "weights": {
            name: {each: str(weight) for each, weight in found.items()} for name, found in scheme.weights.items()
        },
        "quotas": {verdict: str(quota) for verdict, quota in scheme.quotas.items()},
        "calibration": scheme.tables,
    }


def _about(found: Tuning, options: Options) -> list[str]:
    left = f"; {found.unlabelled} without a settled label say nothing here" if found.unlabelled else ""
    return [f"{_labels(found)} of {found.source}{left}", f"{_trial(options)}; {_costs(options)}"]


def _labels(found: Tuning) -> str:
    return f"{found.labelled} labelled decisions"


def _trial(options: Options) -> str:
    return f"{options.folds} folds, dealt {options.repeats} times, seed {options.seed}"


def _costs(options: Options) -> str:
    costs = options.costs
    return f"loss: unsafe approval {costs.unsafe}, needless hold {costs.needless}, otherwise wrong {costs.other}"


def _class_line(note: ClassNote) -> str:
    name = note.decision_class or "all items"
    why = f": {note.why}" if note.why else ""
    return f"{name}, {note.labelled} labels, weights {_HOW[note.how]}{why}"


def _members(found: Tuning, name: str, seats: Seats) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("member", no_wrap=True)
    for title in ("votes", "log-odds", "±", "now", "weight"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("")
    weights = found.fullest.weights[name]
    for each in found.learned[name].members:
        table.add_row(*_member(each, seats.weights[each.member], weights[each.member]))
    table.caption = f"log-odds drawn {found.learned[name].shrinkage:.0%} of the way to equal weights"
    if weights != found.learned[name].weights:
        table.caption += ", and further: else one member would decide alone, or sit for nothing"
    table.caption_justify = "left"
    return table


def _member(each: Competence, now: Fraction, weight: Fraction) -> tuple[str, ...]:
    note = "no better than a coin" if each.is_a_coin else "never voted: mean weight" if each.log_odds is None else ""
    odds = (
        ("–", "–")
        if each.log_odds is None
        else (f"{each.log_odds:.2f}".replace("-", "−"), f"{1.96 * each.variance**0.5:.2f}")
    )
    return (clean(each.member), str(each.votes), *odds, str(now), str(weight), note)


def _ways(found: Tuning, stands: str) -> Table:
    """Return every way over the same held-out decisions."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("way of deciding")
    for title in ("loss", "right", "unsafe", "needless", "loss saved"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in found.scored:
        saved = "" if each.saved is None else _interval(each.saved)
        table.add_row(
            Text(_told(each.way, found), style="bold" if each.way == found.chosen else ""),
            f"{each.loss:.3f}", _plain(each.accuracy), f"{each.unsafe:.1%}", f"{each.needless:.1%}", saved,
        )  # fmt: skip
    table.caption = f"as it stands: {clean(stands)}; nobody heard: one verdict for all, the one that costs least"
    table.caption_justify = "left"
    return table


def _together(found: Tuning) -> list[str]:
    lines = [
        f"{pair.first} and {pair.second} err together (phi {_plain(pair.correlation)}, {pair.correlation.n} items)"
        for pair in found.together[:_PAIRS]
    ]
    if len(found.together) > _PAIRS:
        lines.append(f"and {len(found.together) - _PAIRS} more pairs: --json names all")
    if lines:
        lines.append("log-odds weights suppose that members err apart: those that do not are counted twice")
    return lines


def _verdict(found: Tuning, current: Mapping[str, Seats]) -> list[str]:
    lines = [f"quotas stay as they are: {found.quotas_kept}"] if found.quotas_kept else []
    are_equal = all(len(set(seats.weights.values())) == 1 for seats in current.values())
    keep = "keep equal weights" if are_equal else "keep the weights as they are"
    if not found.is_shown:
        return [*lines, f"no gain that the data can show: {keep}"]
    told = f"proposed: {_told(found.chosen, found)}; it saves {_interval(found.gain)} a decision"
    return (
        [*lines, told, f"of weights there is no gain that the data can show: {keep}"]
        if found.chosen == "quotas"
        else [*lines, told]
    )


def _told(way: Way, found: Tuning) -> str:
    parts = [WAYS["learned"], WAYS["calibrated"]] if way == "calibrated" else [WAYS[way]]
    if way in ("learned", "calibrated") and not found.quotas_kept:
        parts.append(WAYS["quotas"])
    return ", ".join(parts)


def _interval(found: Interval) -> str:
    return f"{_signed(found.estimate)} ({_signed(found.low)} to {_signed(found.high)})"


def _plain(found: Interval) -> str:
    return f"{found.estimate:.3f} ({found.low:.3f} to {found.high:.3f})"


def _signed(value: float) -> str:
    text = f"{abs(value):.3f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"
