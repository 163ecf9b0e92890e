"""What models cost over a period, against what 000 §13 expects: the invocation band and the monthly envelope. Pure."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from council.ledger.port import Decided, SpendLine
from policies.models import PICODOLLARS

BAND: Final = (Fraction(5, 100), Fraction(15, 100))
"""Share of decisions that should need the council (register row S0-98; 000 §13)."""
ENVELOPE: Final = (100 * PICODOLLARS, 800 * PICODOLLARS)
"""What a month of models is expected to cost (register row S0-101)."""
Grouping = Literal["realm", "type", "member", "model"]
GROUPINGS: Final[Mapping[Grouping, Callable[[SpendLine], str]]] = {
    "realm": lambda line: line.realm_id,
    "type": lambda line: line.decision_type,
    "member": lambda line: line.member,
    "model": lambda line: line.model,
}


class Sum(NamedTuple):
    """Spending of one group."""

    name: str
    replies: int = 0
    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    picodollars: int = 0
    unpriced_calls: int = 0


class Invocation(NamedTuple):
    """How often the council was needed."""

    decisions: int
    convened: int
    """Decisions that did not take the fast path."""

    @property
    def rate(self) -> Fraction:
        """Share of decisions put to the council; 0 where nothing was decided."""
        return Fraction(self.convened, self.decisions) if self.decisions else Fraction(0)

    @property
    def verdict(self) -> Literal["none", "below", "within", "above"]:
        """Where the rate lies against the band."""
        if not self.decisions:
            return "none"
        low, high = BAND
        return "below" if self.rate < low else "above" if self.rate > high else "within"


def summed(lines: Iterable[SpendLine], by: Grouping) -> list[Sum]:
    """Return spending per group, dearest first, then by name."""
    name_of = GROUPINGS[by]
    sums: dict[str, Sum] = {}
    for line in lines:
        before = sums.get(name_of(line), Sum(name_of(line)))
        sums[before.name] = Sum(
            before.name,
            before.replies + line.replies,
            before.calls + line.calls,
            before.input_tokens + line.input_tokens,
            before.cached_tokens + line.cached_tokens,
            before.output_tokens + line.output_tokens,
            before.picodollars + line.picodollars,
            before.unpriced_calls + line.unpriced_calls,
        )
    return sorted(sums.values(), key=lambda each: (-each.picodollars, -each.calls, each.name))


def invocation(decided: Sequence[Decided]) -> Invocation:
    """Return how often the council was needed."""
    convened = sum(each.decisions for each in decided if each.path != "fast")
    return Invocation(sum(each.decisions for each in decided), convened)


def month_at_this_rate(picodollars: int, since: datetime, until: datetime) -> int | None:
    """Return what the month of `until` costs at the rate of a period, picodollars; None for a period without length.

    >>> from datetime import UTC
    >>> month_at_this_rate(10, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC))
    100
    """
    seconds = int((until - since).total_seconds())
    if seconds <= 0:
        return None
    _, days = monthrange(until.year, until.month)
    return picodollars * days * 86_400 // seconds
