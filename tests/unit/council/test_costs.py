"""What `council cost` reckons (S0-98, S0-101; 000 §13)."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from agents.asking import Slot, Usage, unanswered
from council.costs import Invocation, Sum, invocation, month_at_this_rate, summed
from council.ledger.port import Decided, Spend, SpendLine
from council.record import cost_of
from council.spending import spend_of
from tests.unit.council.scripted import MODEL, raw_vote, reply_with


def line(realm: str, kind: str, member: str, model: str, picodollars: int) -> SpendLine:
    return SpendLine(
        realm_id=realm, decision_type=kind, member=member, model=model, decisions=1, replies=1, calls=2, input_tokens=100,
        cached_tokens=50, output_tokens=10, picodollars=picodollars, unpriced_calls=0,
    )  # fmt: skip


LINES = (
    line("north", "sovereign_action", "lore", "a/x", 5),
    line("north", "impact_dispute", "risk", "a/y", 7),
    line("south", "sovereign_action", "lore", "a/x", 1),
)


def test_spending_is_summed_by_each_view_dearest_first() -> None:
    assert summed(LINES, "realm") == [Sum("north", 2, 4, 200, 100, 20, 12, 0), Sum("south", 1, 2, 100, 50, 10, 1, 0)]
    assert [(each.name, each.picodollars) for each in summed(LINES, "member")] == [("risk", 7), ("lore", 6)]
    assert [(each.name, each.picodollars) for each in summed(LINES, "model")] == [("a/y", 7), ("a/x", 6)]
    assert [each.name for each in summed(LINES, "type")] == ["impact_dispute", "sovereign_action"]


@pytest.mark.parametrize(("convened", "verdict"), [(4, "below"), (5, "within"), (15, "within"), (16, "above")], ids=str)
def test_the_invocation_rate_is_held_against_the_band_of_5_to_15_percent(convened: int, verdict: str) -> None:
    counts = [
        Decided("r", "impact_dispute", "fast", 100 - convened),
        Decided("r", "major_trigger", "council", convened - 1),
    ]
    found = invocation([*counts, Decided("r", "major_trigger", "veto", 1)])
    assert (found, found.rate, found.verdict) == (Invocation(100, convened), Fraction(convened, 100), verdict)


def test_nothing_decided_is_no_rate_at_all() -> None:
    assert invocation([]).verdict == "none"


def test_the_month_at_this_rate_takes_the_length_of_its_month() -> None:
    start = datetime(2026, 2, 1, tzinfo=UTC)
    assert month_at_this_rate(10, start, datetime(2026, 2, 2, tzinfo=UTC)) == 280
    assert month_at_this_rate(10, start, start) is None


def test_a_decisions_cost_is_the_sum_of_its_calls() -> None:
    """Tries that failed cost too; what has no price is told and not taken for free (L18)."""
    good = reply_with(Slot("lore", 1), raw_vote("approve"), picodollars=1_250_000_000)
    unpriced = good._replace(slot=Slot("risk", 1), picodollars=0, is_priced=False, usage=Usage(10, 0, 5, True))
    refused = unanswered(Slot("governor", 1), MODEL, "budget", "spent")
    assert cost_of([good, unpriced, refused]) == {
        "model_calls": 2, "tokens": 1295, "usd": "0.00125", "unpriced_calls": 1, "is_estimated": True,
    }  # fmt: skip
    assert spend_of([good, good._replace(slot=Slot("lore", 2)), unpriced, refused]) == (
        Spend("governor", MODEL, replies=1, calls=0, input_tokens=0, cached_tokens=0, output_tokens=0, picodollars=0,
              unpriced_calls=0),
        Spend("lore", MODEL, replies=2, calls=2, input_tokens=2400, cached_tokens=2000, output_tokens=160,
              picodollars=2_500_000_000, unpriced_calls=0),
        Spend("risk", MODEL, replies=1, calls=1, input_tokens=10, cached_tokens=0, output_tokens=5, picodollars=0,
              unpriced_calls=1),
    )  # fmt: skip
