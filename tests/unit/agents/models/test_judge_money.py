"""What the judge sets aside, books and estimates (S0-101; reliability.md, L18)."""

import asyncio

import pytest

from agents.asking import Usage
from tests.unit.agents.models.fake_models import (
    LENGTH,
    VOTE,
    Answer,
    Desk,
    FakePurse,
    outcome,
    question,
)
from tests.unit.agents.models.virtual_time import in_virtual_time
from tests.unit.agents.questions import raw_reply


def test_usage_that_an_endpoint_leaves_out_is_estimated() -> None:
    """L18: a quarter of the characters."""
    (reply,) = Desk([Answer(raw_reply(), usage=None)]).ask(question())
    assert reply.usage == Usage(-(-LENGTH // 4), 0, -(-len(raw_reply()) // 4), is_estimated=True)
    assert reply.picodollars == reply.usage.input * 400_000 + reply.usage.output * 1_600_000


def test_what_has_no_price_is_marked() -> None:
    (reply,) = Desk([VOTE]).ask(question(price=None))
    assert (reply.picodollars, reply.is_priced, reply.usage) == (0, False, Usage(1_000, 600, 50))


def test_a_spent_budget_makes_no_call() -> None:
    desk = Desk([VOTE], FakePurse(refuses_from=0))
    (reply,) = desk.ask(question())
    assert outcome(reply) == ("budget", "the budget of this review is spent", 0)
    assert (desk.client.calls, desk.purse.settled, reply.latency_ms) == ([], [], 0)


def test_a_budget_that_ends_between_two_calls_leaves_the_first_ones_failure() -> None:
    (reply,) = Desk([Answer("?")], FakePurse(refuses_from=1)).ask(question())
    kind, because, calls = outcome(reply)
    assert (kind, calls) == ("unparsed", 1)
    assert because.endswith("; not asked again: the budget of this review is spent")


def test_a_purse_that_cannot_be_read_pays_nothing() -> None:
    desk = Desk([VOTE], FakePurse(fails=OSError("database at /secret is gone")))
    (reply,) = desk.ask(question())
    assert outcome(reply) == ("budget", "what was spent so far could not be read (OSError)", 0)
    assert desk.client.calls == []


def test_whoever_asks_may_go_away() -> None:
    """The review's own deadline: the cancellation passes, and what was set aside is given back."""
    desk = Desk([Answer(raw_reply(), after_s=5.0)])

    async def gone() -> None:
        async with asyncio.timeout(1.0):
            await desk.judge().ask(question())

    with pytest.raises(TimeoutError):
        in_virtual_time(gone())
    ((reserved, spent),) = desk.purse.settled
    assert (desk.purse.reserved, spent > 0) == ([reserved], True)
