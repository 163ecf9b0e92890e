"""What decisions cost, as the ledger keeps it beside their records, and how much was decided (000 §13; S0-98, S0-101).

A period is given by two texts of the form of `recorded_at`, or the beginnings of such: `since` is included, `until` is not.
"""

from typing import Final, NamedTuple, Protocol

MAX_AMOUNT: Final = 2**63 - 1
"""Most that one amount of a decision may be: a signed integer of 64 bits."""


class Spend(NamedTuple):
    """What one model of one member cost in one decision."""

    member: str
    model: str
    calls: int
    input_tokens: int
    cached_tokens: int
    """Those of `input_tokens` that the provider had in its cache."""
    output_tokens: int
    picodollars: int
    unpriced_calls: int
    """Those of `calls` whose price is not known; `picodollars` leaves them out."""
    replies: int


class SpendLine(NamedTuple):
    """What one model of one member cost in the decisions of one realm and type."""

    realm_id: str
    decision_type: str
    member: str
    model: str
    decisions: int
    """Decisions that the model was asked for; one decision counts in the line of each of its models."""
    replies: int
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    picodollars: int
    unpriced_calls: int


class Decided(NamedTuple):
    """How many decisions of one realm and type took one path."""

    realm_id: str
    decision_type: str
    path: str
    decisions: int


class Accounts(Protocol):
    """The part of a ledger that adds up what is on record."""

    async def spending(self, since: str, until: str, realm_id: str | None = None) -> tuple[SpendLine, ...]:
        """Return what models cost over a period, sorted by realm, decision type, member and model.

        Args:
            realm_id: one realm, or None for all of them.
        """
        ...

    async def spent(self, since: str, until: str) -> dict[str, int]:
        """Return the picodollars of a period by realm, in order of their ids; a realm that asked no model is left out."""
        ...

    async def spent_by_day(self, since: str, until: str, realm_id: str | None = None) -> dict[str, int]:
        """Return the picodollars of a period by UTC day ("2026-11-21"), in order; a day that asked no model is left out."""
        ...

    async def decided(self, since: str, until: str, realm_id: str | None = None) -> tuple[Decided, ...]:
        """Return how many decisions are on record for a period, sorted by realm, decision type and path."""
        ...
