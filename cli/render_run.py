"""A run of a suite, drawn: what failed and why first to be found, then gates, cost and time."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.render_parts import section
from cli.text import clean, decimal
from evals.decisions import AXES
from evals.metrics import METRICS, confusion, right_cases, within
from evals.regressions import Measured, fares_well
from evals.results import CaseResult, Gate, RunHeader
from evals.statistics.intervals import wilson
from evals.stories import story
from evals.suite import Suite
from policies.models import dollars
from policies.verdicts import VERDICTS

NOTHING: Final = "–"
MOST_TOLD: Final = 20
"""Failures told in full unless every case is asked for."""


class RunShown(NamedTuple):
    """Everything that is shown of a run."""

    suite: Suite
    header: RunHeader
    results: tuple[CaseResult, ...]
    gates: tuple[Gate, ...]
    against: Measured | None


def render_run(shown: RunShown, *, is_verbose: bool) -> list[RenderableType]:
    """Return the drawing of a run.

    Args:
        is_verbose: with every case, and with the table of labels against verdicts.
    """
    parts: list[RenderableType] = [_head(shown), Text(""), _by_axis(shown.results), Text("")]
    if is_verbose:
        parts += [_all_cases(shown.results), Text(""), _confusion(shown.results), Text("")]
    parts += _regressions(shown.against)
    parts += _failures(shown, None if is_verbose else MOST_TOLD)
    if shown.gates:
        parts.append(section("gates", _gates(shown.gates)))
    parts += [section("cost", _cost(shown.results), gap=False), section("time", _time(shown.results)), _summary(shown)]
    return parts


def run_json(shown: RunShown, code: int) -> dict[str, Any]:
    """Return a run as one JSON document.

    Args:
        code: the exit code that says the same in a number.
    """
    results = shown.results
    scopes = [axis for axis in AXES if within(results, axis)]
    return {
        "run": shown.header,
        "metrics": _metrics(results),
        "axes": {axis: _metrics(within(results, axis)) for axis in scopes},
        "confusion": confusion(results),
        "gates": shown.gates,
        "results": [{key: value for key, value in each._asdict().items() if key != "record"} for each in results],
        "regressions": shown.against.regressions if shown.against is not None else None,
        "repaired": shown.against.repaired if shown.against is not None else None,
        "exit": int(code),
    }


def _head(shown: RunShown) -> Text:
    header = shown.header
    text = Text(clean(header.suite), style="bold")
    policy = f"policy {clean(header.policy_id)} v{header.policy_version} {header.policy_hash[:12]}"
    repeats = f" × {header.repeats}" if header.repeats > 1 else ""
    cases = f"{len(header.cases)} {_plural('case', len(header.cases))}{repeats}"
    narrowed = f" · only {clean(header.selection)}" if header.selection else ""
    text.append(f"  mode {header.mode} · {policy} · {cases}{narrowed}", style="not bold")
    for member, model in header.models.items():
        text.append(f"\n  {member} asks {clean(model)}", style="dim not bold")
    return text


def _by_axis(results: Sequence[CaseResult]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("axis", no_wrap=True)
    for title in ("cases", "labelled", "right", "accuracy (95 %)", "unsafe", "needless", "passed"):
        table.add_column(title, justify="right", no_wrap=True)
    groups = [(axis, within(results, axis)) for axis in AXES]
    without = [each for each in results if each.axis is None]
    shown = [(name, found) for name, found in [*groups, ("no axis", without)] if found]
    for name, found in shown:
        table.add_row(name, *_row(found))
    if len(shown) != 1:
        table.add_section()
        table.add_row(Text("all", style="bold"), *_row(results))
    return table


def _row(results: Sequence[CaseResult]) -> list[str]:
    right, labelled = right_cases(results)
    interval = wilson(right, labelled)
    accuracy = NOTHING if interval is None else f"{interval.estimate:.2f} ({interval.low:.2f} to {interval.high:.2f})"
    passed = sum(fine.passed for fine in results)
    unsafe, needless = METRICS["unsafe_approvals"].measure(results), METRICS["needless_holds"].measure(results)
    return [
        str(len({each.case for each in results})), str(labelled), str(right) if labelled else NOTHING, accuracy,
        _number(unsafe), _number(needless), f"{passed} of {len(results)}",
    ]  # fmt: skip


def _all_cases(results: Sequence[CaseResult]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("case", ratio=1, no_wrap=True, overflow="ellipsis")
    for title in ("axis", "label", "verdict", "path", "conf."):
        table.add_column(title, no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    for each in results:
        name = clean(each.case) + (f" #{each.repeat + 1}" if each.repeat else "")
        verdict = verdict_text(each.verdict) if each.verdict is not None else Text("not judged", style="dim")
        table.add_row(
            _sign(each), name, each.axis or NOTHING, each.label or NOTHING, verdict, each.path or NOTHING,
            f"{each.confidence:g}", str(each.latency_ms),
        )  # fmt: skip
    return table


def _sign(result: CaseResult) -> Text:
    if result.error:
        return Text("?", style="magenta")
    if not result.passed:
        return Text("✗", style="red")
    return Text("✓", style="green") if fares_well(result) else Text("≠", style="yellow")


def _confusion(results: Sequence[CaseResult]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("label \\ verdict", no_wrap=True)
    for verdict in VERDICTS:
        table.add_column(verdict, justify="right", no_wrap=True)
    for label, row in confusion(results).items():
        table.add_row(
            label, *[Text(str(count), style="bold" if verdict == label else "") for verdict, count in row.items()]
        )
    return table


def _regressions(against: Measured | None) -> list[RenderableType]:
    if against is None:
        return []
    lines = [
        Text.assemble(
            ("✗ ", "red"),
            (clean(each.case), "bold"),
            f": {each.before} before, {each.now or 'not judged'} now; {clean(each.why)}",
        )
        for each in against.regressions
    ]
    told = f"{against.compared} cases compared, {len(against.regressions)} got worse, {len(against.repaired)} repaired"
    left = [f"{len(ids)} only {where}" for ids, where in _alone(against) if ids]
    lines.append(Text("; ".join([told, *left]), style="dim"))
    return [section("baseline", Text("\n").join(lines))]


def _alone(against: Measured) -> list[tuple[tuple[str, ...], str]]:
    return [(against.only_here, "in this run"), (against.only_there, "in the baseline")]


def _failures(shown: RunShown, most: int | None) -> list[RenderableType]:
    failing = [each for each in shown.results if not fares_well(each)]
    failing.sort(key=lambda each: (not each.error, each.passed))  # errors, failed expectations, then labels alone
    parts: list[RenderableType] = []
    for each in failing[:most]:
        name = clean(each.case) + (f" (repeat {each.repeat + 1})" if shown.header.repeats > 1 else "")
        axis = f"  {each.axis}" if each.axis else ""
        parts.append(Text.assemble(_sign(each), " ", (name, "bold"), (axis, "dim")))
        parts.append(Padding(Text("\n".join(map(clean, story(each, shown.suite)))), (0, 0, 1, 4)))
    if most is not None and len(failing) > most:
        parts += [Text(f"… and {len(failing) - most} more: --verbose", style="dim"), Text("")]
    return parts


def _gates(gates: Iterable[Gate]) -> Text:
    lines = []
    for gate in gates:
        if gate.value is None:
            lines.append(Text.assemble(("? ", "magenta"), clean(gate.gate), ("  nothing to measure", "dim")))
        else:
            sign = ("✓ ", "green") if gate.passed else ("✗ ", "red")
            lines.append(Text.assemble(sign, clean(gate.gate), (f"  {_short(gate.value)}", "dim")))
    return Text("\n").join(lines)


def _cost(results: Sequence[CaseResult]) -> Text:
    calls, tokens = sum(each.model_calls for each in results), sum(each.tokens for each in results)
    if not calls:
        return Text("no model was asked", style="dim")
    spent = dollars(sum(each.picodollars for each in results))
    rate = METRICS["abstention_rate"].measure(results)
    silent = f" · {decimal(rate * 100, 1)} % of votes are abstentions" if rate else ""
    stable = METRICS["stability"].measure(results)
    agree = f" · repeats agree in {decimal(stable * 100, 1)} % of cases" if stable is not None else ""
    return Text(f"{spent} USD · {calls} calls · {tokens} tokens{silent}{agree}")


def _time(results: Sequence[CaseResult]) -> Text:
    found = [(name, METRICS[f"{name}_latency_ms"].measure(results)) for name in ("p50", "p95", "max")]
    return Text(" · ".join(f"{name} {_number(value)} ms" for name, value in found))


def _summary(shown: RunShown) -> Text:
    results = shown.results
    errors = sum(bool(each.error) for each in results)
    failed = sum(not each.passed and not each.error for each in results)
    wrong = sum(each.passed and not fares_well(each) for each in results)
    gates = sum(not gate.passed and gate.value is not None for gate in shown.gates)
    unknown = sum(gate.value is None for gate in shown.gates)
    told = [f"{sum(each.passed for each in results)} of {len(results)} results pass"]
    told += [f"{failed} fail an expectation"] if failed else []
    told += [f"{wrong} pass and differ from their label"] if wrong else []
    told += [f"{errors} could not be judged"] if errors else []
    told += [f"{gates} of {len(shown.gates)} gates fail"] if gates else []
    told += [f"{unknown} of {len(shown.gates)} gates have nothing to measure"] if unknown else []
    style = "magenta" if errors or unknown else "red" if failed or gates else "green"
    return Text(" · ".join(told), style=style)


def _metrics(results: Sequence[CaseResult]) -> dict[str, float | None]:
    found = {name: metric.measure(results) for name, metric in METRICS.items()}
    return {name: None if value is None else float(value) for name, value in found.items()}


def _number(value: Fraction | None) -> str:
    return NOTHING if value is None else decimal(value)


def _short(value: float) -> str:
    return f"{value:.4g}"


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"
