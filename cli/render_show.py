"""The picture of one decision: the case, the change, triage, evidence, votes, merge, rules, verdict. One screen."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from textwrap import wrap
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from cli.console import VERDICT_STYLES, verdict_text
from cli.render_parts import (
    LABEL_WIDTH,
    Record,
    bar,
    columns,
    cut,
    head,
    lines,
    merge_bars,
    merge_words,
    rule_lines,
    section,
)
from cli.signals import spec_of
from cli.text import clean, condition_text, decimal, effect_text, moment, quantity
from policies.verdicts import STRICTNESS

MOST_EFFECTS: Final = 5
MOST_SIGNALS: Final = 6
MOST_REASONS: Final = 3
MOST_RULES: Final = 3
_WHY_LINES: Final = 2
_GAUGE: Final = 8
_SCALES: Final = {"ppm": 1_000_000, "permille": 1_000, "points": 100}


def render_show(record: Record, *, stored: Mapping[str, Any] | None = None, width: int = 100) -> list[RenderableType]:
    """Return the drawing of one decision, at most about 45 lines.

    Args:
        record: the record's body.
        stored: its `position` and `hash` in the chain, where it has been recorded.
        width: columns to draw for.
    """
    parts: list[RenderableType] = [head(record), section("Change", change_lines(record))]
    if record["evidence"]:
        parts.append(section("Triage", _triage(record)))
    found = highlights(record)
    if found:
        parts.append(section("Evidence", evidence_table(found)))
    if record["path"] != "fast":
        parts.append(section("Votes", _votes(record, width)))
    if record["merge"] and record["merge"]["votes_outcome"] is not None:
        merged = Group(merge_bars(record["merge"]), Text(merge_words(record["merge"]), style="dim"))
        parts.append(section("Merge", merged))
    if record["rules"]:
        parts.append(section("Rules", lines(_rules(record)), gap=False))
    parts.append(_verdict(record))
    parts.append(lines([cut(_foot(record, stored), "dim")]))
    return parts


def votes_of(record: Record) -> Sequence[Record]:
    """Return the votes of a record, in seat order; empty where nobody was asked."""
    votes: Sequence[Record] = record.get("votes") or record["answer"]["votes"]
    return votes


def highlights(record: Record) -> list[Record]:
    """Return the signals that a person wants to see first: those that fired rules and deciding reasons cite."""
    if record["path"] == "fast":
        return []
    level = STRICTNESS[record["council_verdict"]]
    votes = sorted(votes_of(record), key=lambda vote: abs(STRICTNESS.get(vote["verdict"], 9) - level))
    cited = [name for veto in record["answer"]["vetoes"] for name in veto["evidence"]]
    # Each member's first signal comes before anybody's second, so that all of them are heard.
    per_vote = [[name for reason in vote["reasons"] for name in reason["evidence"]] for vote in votes]
    cited += [name for nth in zip_longest(*per_vote) for name in nth if name is not None]
    by_name = {signal["name"]: signal for signal in record["evidence"]}
    names = [name for name in dict.fromkeys(cited) if name in by_name]
    return [by_name[name] for name in names[:MOST_SIGNALS]]


def change_lines(record: Record) -> RenderableType:
    """Return what the change would do to the world, an effect a line."""
    change, snapshot = record["request"]["proposed_change"], record["request"]["world_snapshot"]
    effects = change.get("effects", [])
    if not effects:
        return Text("nothing in the world's state changes", style="dim")
    shown = [f"{index}  {effect_text(effect, snapshot)}" for index, effect in enumerate(effects[:MOST_EFFECTS])]
    if len(effects) > MOST_EFFECTS:
        shown.append(f"   and {len(effects) - MOST_EFFECTS} more")
    return lines(shown)


def evidence_table(signals: Sequence[Record]) -> RenderableType:
    """Return signals with their value in people's units and what they mean."""
    table = columns()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    table.add_column()
    for signal in signals:
        spec = spec_of(signal["name"])
        table.add_row(
            clean(signal["name"]),
            Text(quantity(signal["value"], spec.unit if spec else None), style="bold"),
            _gauge(signal["value"], spec.unit if spec else ""),
            cut(clean(spec.meaning) if spec else "", "dim"),
        )
    return table


def _triage(record: Record) -> RenderableType:
    values = {signal["name"]: signal["value"] for signal in record["evidence"]}
    score = f"world impact {values.get('impact_score')} of 100"
    if "impact_threshold" in values:
        score += f" (a council from {values['impact_threshold']})"
    if record["path"] == "fast":
        return lines([f"{score} · no council needed"])
    first = f"{score} · convened by {clean(', '.join(record['invoked_by']))}"
    return lines([first, f"seated: {', '.join(record['seated'])}"])


def _gauge(value: int, unit: str) -> Text:
    scale = _SCALES.get(unit)
    if scale is None or not 0 <= value <= scale:
        return Text("")
    return bar(Fraction(value, scale), None, "cyan", _GAUGE)


def _votes(record: Record, width: int) -> RenderableType:
    votes = votes_of(record)
    if not votes:
        return Text("nobody was asked: an enforced rule ended the review", style="dim")
    is_weighted = len({vote.get("weight") for vote in votes}) > 1
    has_models = "models" in record
    table = columns()
    for _ in range(3 + is_weighted + has_models):
        table.add_column(no_wrap=True)
    table.add_column()
    room = max(20, width - LABEL_WIDTH - 34 - 12 * is_weighted - 7 * has_models)
    for vote in votes:
        verdict = verdict_text(vote["verdict"]) if vote["verdict"] else Text(f"– {vote['abstained']}", style="dim")
        sure = decimal(Fraction(vote["confidence"], 1000)) if vote["verdict"] else ""
        why = "; ".join(clean(reason["text"]) for reason in vote["reasons"])
        weight = [Text(f"weight {vote['weight']}", style="dim")] if is_weighted else []
        source = [Text(vote["source"], style="dim")] if has_models else []
        table.add_row(vote["member"], verdict, sure, *source, *weight, Text(_wrapped(why, room)))
    return table


def _wrapped(text: str, width: int) -> str:
    return "\n".join(wrap(text, width, max_lines=_WHY_LINES, placeholder=" …"))


def _rules(record: Record) -> list[Text]:
    modified = (record["modifications"] or {}).get("rules_on_modified", [])
    found = rule_lines(record["rules"], modified)
    if len(found) <= MOST_RULES:
        return found
    more = Text(f"and {len(found) - MOST_RULES} more that fired, see: council explain", style="dim")
    return [*found[: MOST_RULES - 1], more, found[-1]]


def _verdict(record: Record) -> Panel:
    answer = record["answer"]
    verdict = answer["final_verdict"]
    title = Text.assemble(" ", verdict_text(verdict), f" · confidence {answer['confidence']} ")
    reasons = [f"• {clean(reason)}" for reason in answer["reasons"]]
    body: list[str | Text] = list(reasons[:MOST_REASONS])
    if len(reasons) > MOST_REASONS:
        body.append(Text(f"  and {len(reasons) - MOST_REASONS} more, see: council explain", style="dim"))
    body += _required(record)
    if record["held"]:
        body.append(Text("waits for a person", style="bold magenta"))
    if answer["audit_tags"]:
        body.append(Text(clean("tags: " + ", ".join(answer["audit_tags"])), style="dim"))
    style = VERDICT_STYLES.get(verdict, "")
    return Panel(lines(body), title=title, title_align="left", box=box.ROUNDED, border_style=style, padding=(0, 1))


def _required(record: Record) -> list[str | Text]:
    effects = record["request"]["proposed_change"].get("effects", [])
    shown: list[str | Text] = []
    for condition in record["answer"]["required_modifications"][:MOST_EFFECTS]:
        effect = effects[condition["effect"]]
        line = cut("→ ")
        line.append(f"effect {condition['effect']} ({clean(effect['op'])}): {condition_text(condition)}", style="bold")
        asked = ", ".join(condition["asked_by"])
        because = f", because {clean(condition['because'])}" if condition.get("because") else ""
        line.append(f"  asked by {clean(asked)}{because}")
        shown.append(line)
    return shown


def _foot(record: Record, stored: Mapping[str, Any] | None) -> str:
    policy = record["policy"]
    place = f"record {stored['position']} {stored['hash'][:12]}" if stored else "not recorded"
    shadows = "".join(f" · shadow {clean(shadow['id'])}: {shadow['verdict']}" for shadow in record["shadows"])
    named = f"policy {clean(policy['id'])} v{policy['version']} {policy['hash'][:12]}"
    when = f" · {moment(record['recorded_at'])}" if record["recorded_at"] else ""
    mode = "" if record["mode"] == "enforce" else f" · mode {clean(record['mode'])}"
    return f" {named} · {place}{when}{mode} · {record['elapsed_ms']} ms{shadows}"
