"""A policy as people read it: who sits with what weight, what carries a verdict, which rules guard."""

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import verdict_text
from cli.render_models import render_models
from cli.render_parts import lines, section
from cli.text import clean, fraction
from policies.evidence import SignalSpec
from policies.policy import MemberPolicy, Policy
from policies.rules import Rule, RuleSet
from policies.verdicts import DECISION_TYPES, VERDICTS


def render_policy(policy: Policy, file: str) -> list[RenderableType]:
    """Return the drawing of one policy."""
    return [
        section("Policy", lines(_about(policy, file))),
        section("Members", _members(policy)),
        section("Merge", lines(_merge(policy))),
        section("Convenes", _conditions(policy.invocation)),
        section("Seats", _conditions(policy.seating)),
        section("Rules", _rules(policy.rules.rules)),
        section("Models", render_models(policy)),
        section("Realms", lines(_realms(policy))),
        section("Impact", Group(*map(Text, _impact(policy)))),
    ]


def render_signals(specs: Iterable[SignalSpec]) -> RenderableType:
    """Return the table of signals that rules may read."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    for title in ("signal", "by", "unit"):
        table.add_column(title, no_wrap=True)
    table.add_column("range", no_wrap=True, justify="right")
    table.add_column("meaning", ratio=1)
    for spec in specs:
        meaning = Text(spec.meaning)
        meaning.append(f"\n{spec.source}", style="dim")
        table.add_row(Text(spec.name, style="bold"), spec.owner, spec.unit, f"{spec.low:,}…{spec.high:,}", meaning)
    return table


def table_of(titles: Iterable[str], rows: Iterable[Iterable[Any]], *, right: Iterable[int] = ()) -> Table:
    """Return a plain table; the last column takes the room that is left.

    Args:
        right: positions of columns with numbers.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    numbers = set(right)
    for position, title in enumerate(titles):
        table.add_column(title, justify="right" if position in numbers else "left")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
    return table


def _about(policy: Policy, file: str) -> list[str]:
    shadows = ", ".join(f"{clean(shadow.policy_id)} v{shadow.version}" for shadow in policy.shadows) or "none"
    return [
        f"{clean(policy.policy_id)} version {policy.version}",
        f"hash {policy.content_hash}",
        f"from {clean(file)}",
        f"shadow policies: {shadows}",
    ]


def _members(policy: Policy) -> RenderableType:
    titles = ("member", *(kind.replace("_", " ") for kind in DECISION_TYPES), "confidence", "judge", "models may")
    rows = []
    for member, seat in policy.members.items():
        weights = [
            f"{policy.weights[kind][member]}{' required' if member in policy.required[kind] else ''}"
            for kind in DECISION_TYPES
        ]
        rows.append((member, *weights, _confidence(seat), seat.judge, seat.models_may))
    return table_of(titles, rows)


def _confidence(seat: MemberPolicy) -> str:
    if not seat.use_confidence:
        return "ignored"
    return "weighs" if seat.calibration is None else "weighs, calibrated"


def _merge(policy: Policy) -> list[Text]:
    found = []
    for verdict in reversed(VERDICTS[1:]):
        quota = fraction(str(policy.quotas[verdict]))
        found.append(Text.assemble(verdict_text(verdict), f" where {quota} of the mass is at it or stricter"))
    found.append(Text(f"quorum {fraction(str(policy.quorum))} of the weight, else quarantine for want of votes"))
    found.append(Text(f"an absent member counts as {policy.absent_counts_as}; rule {policy.merge_rule}"))
    if policy.confidence_floor:
        found.append(Text(f"below confidence {fraction(str(policy.confidence_floor))} a verdict is sent as quarantine"))
    return found


def _conditions(rules: RuleSet) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for rule in rules.rules:
        table.add_row(clean(rule.rule_id), Text(clean(rule.when), style="dim"))
    return table


def _rules(rules: tuple[Rule, ...]) -> RenderableType:
    return Group(*(_rule(rule) for rule in rules)) if rules else Text("none")


def _rule(rule: Rule) -> Group:
    title = Text.assemble((clean(rule.rule_id), "bold"), " → ", verdict_text(rule.outcome, sign=False))
    title.append(f" ({rule.mode})")
    threshold = f"   threshold {rule.threshold}" if rule.threshold is not None else ""
    body = Text(f"when {clean(rule.when)}{threshold}", style="dim")
    if rule.because:
        body.append(f"\n{clean(rule.because)}", style="default not dim")
    return Group(title, Padding(body, (0, 0, 0, 4)))


def _realms(policy: Policy) -> list[str]:
    names = {realm: "every other realm" if realm == "*" else clean(realm) for realm in policy.realms}
    return [
        f"{names[realm]}: {how.mode}, a council from impact {how.impact_threshold}"
        for realm, how in policy.realms.items()
    ]


def _impact(policy: Policy) -> list[str]:
    weights = ", ".join(f"{clean(name)} {weight}" for name, weight in policy.impact_weights.items())
    floors = ", ".join(f"{clean(name)} {floor}" for name, floor in policy.impact_floors.items()) or "none"
    return [f"weights of 100: {weights}", f"floors: {floors}"]
