"""One decision term by term: every number that led to the verdict, with where it came from."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cli.console import VERDICT_STYLES, verdict_text
from cli.render_arithmetic import render_arithmetic
from cli.render_parts import Record, columns, head, lines, merge_words, section
from cli.render_replies import render_replies
from cli.render_show import votes_of
from cli.signals import spec_of, unit_of
from cli.text import clean, condition_text, effect_text, fraction, quantity
from policies.evidence import Unit

if TYPE_CHECKING:
    from council.explain import RuleReading


def render_explain(
    record: Record, readings: Sequence["RuleReading"], *, stored: Mapping[str, Any] | None = None
) -> list[RenderableType]:
    """Return the drawing of everything that a record says.

    Args:
        record: the record's body.
        readings: every rule with the values it read; empty where the policy of the record is not at hand.
        stored: its `position`, `hash` and `previous` in the chain, where it has been recorded.
    """
    parts: list[RenderableType] = [head(record), section("Change", lines(_change(record)))]
    parts.append(section("Convened", _triage(record)))
    parts += [section(owner.capitalize(), _signals(found)) for owner, found in _by_owner(record)]
    if record["rules"]:
        parts.append(section("Rules", _rules(record, readings)))
    if record["path"] != "fast":
        parts.append(section("Votes", _votes(record)))
    said = render_replies(record)
    if said is not None:
        parts.append(section("Models", said))
    if record["merge"]:
        parts.append(section("Merge", Group(render_arithmetic(record["merge"]), Text(merge_words(record["merge"])))))
    if record["modifications"]:
        parts.append(section("Conditions", lines(_conditions(record))))
    parts.append(section("Verdict", Group(*_verdict(record))))
    parts.append(section("Record", lines(_record(record, stored))))
    return parts


def _change(record: Record) -> list[str]:
    request = record["request"]
    effects = request["proposed_change"].get("effects", [])
    return [f"{index}  {effect_text(effect, request['world_snapshot'])}" for index, effect in enumerate(effects)]


def _triage(record: Record) -> RenderableType:
    values = {signal["name"]: signal["value"] for signal in record["evidence"]}
    score, threshold = values.get("impact_score"), values.get("impact_threshold")
    words = f"world impact {score} of 100, threshold {threshold}"
    convened = clean(", ".join(record["invoked_by"])) or "nothing: the fast path"
    seated = ", ".join(record["seated"]) or "nobody"
    return lines([words, f"by {convened}", f"seated: {seated}"])


def _by_owner(record: Record) -> list[tuple[str, list[Record]]]:
    def owner(signal: Record) -> str:
        spec = spec_of(signal["name"])
        return spec.owner if spec else "unknown"

    return [(name, list(found)) for name, found in groupby(record["evidence"], owner)]


def _signals(found: Sequence[Record]) -> RenderableType:
    table = columns()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column()
    for signal in found:
        spec = spec_of(signal["name"])
        value = quantity(signal["value"], spec.unit if spec else None)
        meaning = Text(clean(spec.meaning) if spec else "(no longer in the catalogue)")
        if signal["from"]:
            meaning.append(f"\n{clean(', '.join(signal['from']))}", style="dim")
        table.add_row(clean(signal["name"]), Text(value, style="bold"), meaning)
    return table


def _rules(record: Record, readings: Sequence["RuleReading"]) -> RenderableType:
    if not readings:
        note = "the policy of this record is not at hand: the conditions are not shown"
        return Group(*(_rule(rule) for rule in record["rules"]), Text(note, style="dim"))
    said = {rule["rule"]: rule for rule in record["rules"]}
    return Group(*(Group(_rule(said[reading.rule]), _reading(reading)) for reading in readings))


def _rule(rule: Record) -> Text:
    fired = rule["fired"]
    line = Text("● " if fired else "○ ", style=VERDICT_STYLES.get(rule["outcome"], "") if fired else "dim")
    line.append(clean(rule["rule"]), style="bold" if fired else "default")
    line.append(f" {'fired' if fired else 'did not fire'} → {rule['outcome']} ({rule['mode']})", style="default")
    if rule.get("because"):
        line.append(f"\n    {clean(rule['because'])}", style="default")
    if rule.get("error"):
        line.append(f"\n    {clean(rule['error'])}: a rule that fails counts as fired", style="red")
    return line


def _reading(reading: "RuleReading") -> Padding:
    text = Text(f"when {clean(reading.when)}", style="dim")
    if reading.threshold is not None:
        text.append(f"   threshold {reading.threshold}")
    read = [f"{name} = {_raw(name, value)}" for name, value in reading.values.items()]
    read += [f"{name} is unknown" for name in reading.missing]
    text.append(f"\nread {clean(', '.join(read))}" if read else "")
    return Padding(text, (0, 0, 0, 4))


_IN_WORDS: frozenset[Unit] = frozenset(("ppm", "milli"))


def _raw(name: str, value: int) -> str:
    """A rule compares integers: show them, and beside them what they mean where that differs."""
    unit = unit_of(name)
    return f"{value} ({quantity(value, unit)})" if unit in _IN_WORDS else str(value)


def _votes(record: Record) -> RenderableType:
    votes = votes_of(record)
    if not votes:
        return Text("nobody was asked: an enforced rule ended the review")
    values = {signal["name"]: signal["value"] for signal in record["evidence"]}
    return Group(*(_vote(vote, values) for vote in votes))


def _vote(vote: Record, values: Mapping[str, int]) -> RenderableType:
    said = verdict_text(vote["verdict"]) if vote["verdict"] else Text(f"– abstained: {vote['abstained']}")
    sure = f"  confidence {vote['confidence']} ‰" if vote["verdict"] else ""
    by = f"by {vote['source']}" + (f", for its model failed: {vote['degraded']}" if vote.get("degraded") else "")
    title = Text.assemble((f"{vote['member']}  ", "bold"), said, f"{sure}  weight {vote['weight']}  {by}")
    below: list[RenderableType] = []
    for reason in vote["reasons"]:
        cited = [f"{name} {quantity(values[name], unit_of(name))}" for name in reason["evidence"] if name in values]
        text = Text(f"• {clean(reason['text'])}")
        text.append(f"  [{clean(', '.join(cited))}]" if cited else "", style="dim")
        below.append(text)
    for condition in vote["modifications"]:
        because = f", because {clean(condition['because'])}" if condition.get("because") else ""
        below.append(Text(f"→ effect {condition['effect']}: {condition_text(condition)}{because}", style="yellow"))
    return Group(title, Padding(Group(*below), (0, 0, 0, 4)))


def _conditions(record: Record) -> list[str | Text]:
    modifications = record["modifications"]
    found: list[str | Text] = []
    for condition in modifications["required"]:
        asked = ", ".join(condition["asked_by"])
        found.append(f"effect {condition['effect']}: {condition_text(condition)}  asked by {clean(asked)}")
    found += [Text(clean(words), style="yellow") for words in modifications["contradictions"]]
    fired = [clean(rule["rule"]) for rule in modifications["rules_on_modified"] if rule["fired"]]
    if modifications["required"]:
        again = f"fires {', '.join(fired)}" if fired else "fires no rule"
        found.append(f"the modified change {again}")
    return found or ["nothing was asked"]


def _verdict(record: Record) -> list[RenderableType]:
    answer, merge = record["answer"], record["merge"]
    exact = fraction(merge["confidence"]) if merge else str(answer["confidence"])
    said: list[RenderableType] = [Text.assemble(verdict_text(answer["final_verdict"]), f"  confidence {exact}")]
    if answer["final_verdict"] != record["council_verdict"]:
        decided = f"the council says {record['council_verdict']}; the realm's mode is {record['mode']}"
        said.append(Text(decided, style="bold"))
    said += [Text(f"• {clean(reason)}") for reason in answer["reasons"]]
    if record["held"]:
        said.append(Text("waits for a person", style="bold magenta"))
    if answer["audit_tags"]:
        said.append(Text(f"tags: {clean(', '.join(answer['audit_tags']))}"))
    said += [
        Text(f"shadow policy {clean(shadow['id'])} says {shadow['verdict']} (path {shadow['path']})")
        for shadow in record["shadows"]
    ]
    return said


def _record(record: Record, stored: Mapping[str, Any] | None) -> list[str | Text]:
    policy = record["policy"]
    found: list[str | Text] = [f"decision {clean(record['decision_id'])}, recorded at {clean(record['recorded_at'])}"]
    if stored:
        found.append(f"position {stored['position']} in the chain of realm {clean(record['realm_id'])}")
        found.append(f"hash {stored['hash']}")
        found.append(f"after {stored['previous']}")
    found.append(f"policy {clean(policy['id'])} version {policy['version']}, realm mode {record['mode']}")
    found.append(f"policy hash {policy['hash']}")
    found.append(f"request {clean(record['request_key'])}, fingerprint {record['fingerprint'][:16]}…")
    if record.get("correlation_id"):
        found.append(f"correlation {clean(record['correlation_id'])}")
    cost = record["answer"]["cost"]
    spent = f"{cost['model_calls']} model calls, {cost['tokens']} tokens, {cost['usd']} USD"
    found.append(f"{record['elapsed_ms']} ms, {spent}")
    return found
