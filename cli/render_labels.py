"""Drawing for people who label: the case without what the council made of it, and what labellers hold."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.console import VERDICT_SIGNS, verdict_text
from cli.render_list import SHORT_ID
from cli.render_parts import cut, lines, section
from cli.render_show import change_lines, evidence_table, highlights
from cli.text import clean, counted
from evals.decisions import Decision, Label
from evals.labelling import Agreement, latest_labels

_MOST_STORY_LINES: Final = 6
_MOST_NOTES: Final = 3


def render_case(record: Mapping[str, Any], place: str, width: int) -> list[RenderableType]:
    """Return a case as its labeller sees it: request and evidence, neither verdict nor votes.

    Args:
        place: which case of how many it is.
        width: columns to draw for.
    """
    request = record["request"]
    change = request["proposed_change"]
    about = f"{place} · {record['decision_type']} · realm {record['realm_id']} · {record['decision_id']}"
    summary = cut(clean(change["summary"]), "bold")
    parts: list[RenderableType] = [
        Panel(Group(summary, cut(clean(about), "dim"), cut(_who(change), "dim")), box=box.ROUNDED, padding=(0, 1)),
        section("Change", change_lines(record)),
    ]
    if story := _story(change.get("narrative", ""), width):
        parts.append(section("Story", story))
    parts.append(section("Support", lines([_support(request.get("supporting_events", []))])))
    if found := highlights(record):
        parts.append(section("Evidence", evidence_table(found)))
    return parts


def render_labels(labels: Sequence[Label]) -> RenderableType:
    """Return what labellers have said of a case, one a line."""
    shown = []
    for label in latest_labels(labels).values():
        line = Text.assemble(clean(label.labeller), ": ", verdict_text(label.verdict))
        line.append(f"  {label.axis}" if label.axis else "", style="dim")
        line.append(f"  {clean(label.note)}" if label.note else "", style="dim")
        shown.append(line)
    return section("Labels", lines(shown))


def render_labelled(decisions: Sequence[Decision]) -> RenderableType:
    """Return the table of labelled decisions, in the order given."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    for title in ("decision", "type", "council", "labels", "held right"):
        table.add_column(title, no_wrap=True)
    table.add_column("who, axis and why", ratio=1)
    for decision in decisions:
        settled = decision.settled
        table.add_row(
            clean(decision.decision_id)[:SHORT_ID],
            decision.decision_type,
            verdict_text(decision.verdict),
            " ".join([f"{count}{VERDICT_SIGNS[verdict]}" for verdict, count in settled.votes.items()]),
            verdict_text(settled.verdict) if settled.verdict else Text("? disputed", style="bold"),
            cut(_said(decision), "dim"),
        )
    return table


def agreement_lines(agreement: Agreement, alpha: float | None) -> list[str]:
    """Return what labellers have in common, in words.

    Args:
        alpha: Krippendorff's, ordinal; None where no decision was labelled twice, or all labels are one verdict.
    """
    labelled = f"{agreement.decisions} labelled by {agreement.labellers}: {agreement.labels} labels that count"
    told = [f"{labelled}, {agreement.disputed} disputed, {agreement.unsettled} of these without a majority"]
    if not agreement.pairs:
        told.append("no decision has two labellers yet: agreement is not known")
        return told
    share = f"{agreement.agreeing_pairs} of {agreement.pairs} pairs of labels agree"
    known = f"Krippendorff's alpha (ordinal) {alpha:.2f}" if alpha is not None else "alpha is not defined here"
    told.append(f"{share} · {known}; the customary least to rely on is 0.67")
    return told


def _said(decision: Decision) -> str:
    latest = list(latest_labels(decision.labels).values())
    shown = [
        f"{clean(label.labeller)}{f' ({label.axis})' if label.axis else ''}{f': {clean(label.note)}' if label.note else ''}"
        for label in latest[:_MOST_NOTES]
    ]
    return "; ".join(shown) + (f"; and {len(latest) - _MOST_NOTES} more" if len(latest) > _MOST_NOTES else "")


def _who(change: Mapping[str, Any]) -> str:
    actor = change.get("actor") or {}
    who = actor.get("user_id") or ("somebody" if actor else "the world itself")
    faction = f" of {actor['faction_id']}" if actor.get("faction_id") else ""
    return clean(f"asked by {who}{faction}{', its sovereign' if actor.get('sovereign') else ''}")


def _story(narrative: str, width: int) -> RenderableType | None:
    if not narrative:
        return None
    wrapped = wrap(clean(narrative), max(20, width - 14), max_lines=_MOST_STORY_LINES, placeholder=" …")
    wrapped[0] = f"“{wrapped[0]}"
    wrapped[-1] += "”"
    return lines(wrapped)


def _support(events: Sequence[Mapping[str, Any]]) -> str:
    if not events:
        return "no supporting events"
    users = len({event["user_id"] for event in events})
    devices = {event["device_id"] for event in events if event.get("device_id")}
    shown = f" on {counted(len(devices), 'device')}" if devices else ""
    return f"{counted(len(events), 'event')} by {counted(users, 'player')}{shown}"
