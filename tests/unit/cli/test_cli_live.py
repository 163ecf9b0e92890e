"""`council review --live`: votes as they arrive (issue point 10)."""

import io

from rich.console import Console

from agents.asking import Slot, unanswered
from cli.live import LiveVotes
from gateway.made_up_case import question_to
from tests.unit.council.scripted import MODEL, model_policy, raw_vote, reply_with

POLICY = model_policy()
LORE, RISK = question_to("lore", POLICY), question_to("risk", POLICY)


def test_where_nobody_looks_each_vote_is_one_line_in_order_of_arrival() -> None:
    out = io.StringIO()
    live = LiveVotes(Console(file=out, width=100))
    with live.showing():
        live.asked(LORE)
        live.asked(RISK)
        live.replied(RISK, unanswered(Slot("risk", 1), MODEL, "timeout", "no answer within 6000 ms"))
        live.breaker("lmstudio", "open")
        live.replied(LORE, reply_with(Slot("lore", 1), raw_vote("reject")))
    assert out.getvalue().splitlines() == [
        "risk: – timeout  0 ms",
        "endpoint lmstudio does not answer: it is left alone for a while",
        "lore: ✗ reject (rules: approve)  7 ms",
    ]


def test_on_a_terminal_members_stand_in_a_table_until_they_have_voted() -> None:
    out = io.StringIO()
    live = LiveVotes(Console(file=out, width=100, force_terminal=True, color_system=None))
    with live.showing():
        live.asked(LORE)
        live.asked(RISK)
        live.replied(LORE, reply_with(Slot("lore", 1), raw_vote("approve", reasoning="canon holds")))
    shown = out.getvalue()
    for word in (
        "The Free Cities hold the river bridge",
        "lore",
        "✓ approve",
        "canon holds",
        "risk",
        "thinking",
        MODEL,
    ):
        assert word in shown
