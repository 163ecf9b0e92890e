"""Votes as they arrive: what `council review --live` shows while members' models are asked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from agents.asking import Slot
from agents.parsing import vote_of
from cli.console import verdict_text
from cli.render_parts import cut
from cli.text import clean
from policies.votes import Vote

if TYPE_CHECKING:
    from agents.asking import Question, Reply


@dataclass(slots=True)
class _Row:
    model: str
    asked_at: float
    rule_vote: Vote
    vote: Vote | None = None
    latency_ms: int = 0
    calls: int = 0


class LiveVotes:
    """An observer that draws a table of members, each with what its model has said so far.

    Where nobody looks (no terminal) it writes one line a vote instead, in the order of arrival.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._rows: dict[str, dict[Slot, _Row]] = {}
        self._titles: dict[str, str] = {}

    @contextmanager
    def showing(self) -> Iterator["LiveVotes"]:
        """Show votes while the block runs."""
        if not self._console.is_terminal:
            yield self
            return
        with Live(console=self._console, refresh_per_second=10, get_renderable=self._draw):
            yield self

    def asked(self, question: "Question") -> None:
        """Show that a member is being asked."""
        rows = self._rows.setdefault(question.decision_id, {})
        self._titles[question.decision_id] = question.case.request.proposed_change.summary
        rows[question.slot] = _Row(question.use.name, time.monotonic(), question.rule_vote)

    def replied(self, question: "Question", reply: "Reply") -> None:
        """Show what came back."""
        row = self._rows.get(question.decision_id, {}).get(question.slot)
        if row is None:
            return
        row.vote = vote_of(reply, question.case, question.evidence, question.rules)
        row.latency_ms, row.calls = reply.latency_ms, len(reply.attempts)
        if not self._console.is_terminal:
            self._console.print(Text.assemble(f"{_name(question.slot)}: ", _said(row), f"  {row.latency_ms} ms"))

    def breaker(self, endpoint: str, state: str) -> None:
        """Say that an endpoint is given a rest, or is back."""
        told = {
            "open": "does not answer: it is left alone for a while",
            "half_open": "is tried again",
            "closed": "answers again",
        }
        self._console.print(Text(f"endpoint {clean(endpoint)} {told[state]}", style="yellow"))

    def _draw(self) -> RenderableType:
        return Group(*(self._table(decision_id, rows) for decision_id, rows in self._rows.items()))

    def _table(self, decision_id: str, rows: dict[Slot, _Row]) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for slot, row in rows.items():
            waited = row.latency_ms / 1000 if row.vote is not None else time.monotonic() - row.asked_at
            shown: RenderableType = _said(row) if row.vote is not None else Spinner("dots", text="thinking")
            why = "; ".join(clean(reason.text) for reason in row.vote.reasons[:1]) if row.vote is not None else ""
            table.add_row(_name(slot), shown, f"{waited:.1f} s", Text(clean(row.model), style="dim"), cut(why, "dim"))
        title = cut(clean(self._titles[decision_id]), "bold")
        return Group(title, table)


def _name(slot: Slot) -> str:
    again = " (rebuttal)" if slot.round == 2 else ""
    return f"{slot.member}{again}{' (no players’ text)' if slot.variant == 'twin' else ''}"


def _said(row: _Row) -> Text:
    vote = row.vote
    if vote is None or vote.verdict is None:
        return Text(f"– {vote.abstained if vote is not None else 'thinking'}", style="yellow")
    said = verdict_text(vote.verdict)
    if row.rule_vote.verdict is not None and row.rule_vote.verdict != vote.verdict:
        said.append(f" (rules: {row.rule_vote.verdict})", style="dim")
    return said
