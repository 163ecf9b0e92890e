"""What a policy says about models: which member asks which one, at what price, within which budgets.

Money is exact: integer picodollars, so that a dollar per million tokens is 1,000,000 picodollars per token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

Structured = Literal["auto", "json_schema", "function_calling", "prompt"]
"""How a reply's form is asked for. `auto` goes down the ladder from `json_schema` until the endpoint plays along."""
OnFailure = Literal["abstain", "rules"]
WhenSpent = Literal["rules", "quarantine"]

PICODOLLARS: Final = 1_000_000_000_000
"""Picodollars in a dollar."""
TOKENS_PRICED: Final = 1_000_000
"""Tokens that a price in the policy file is for."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where models answer: a server that speaks the OpenAI protocol.

    Attributes:
        name: the policy's name for it.
        base_url: URL up to and with the version, such as http://127.0.0.1:1234/v1.
        key: name of the environment variable that holds its key; None where it wants none.
        structured: how a reply's form is asked for.
        concurrency: most calls in flight at once, over all reviews of the process.
    """

    name: str
    base_url: str
    key: str | None
    structured: Structured
    concurrency: int


@dataclass(frozen=True, slots=True)
class Price:
    """Picodollars per token."""

    input: int
    cached: int
    """Input that the provider had in its prompt cache."""
    output: int

    def cost(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> int:
        """Return what a call costs, picodollars.

        2,000 tokens in, 1,500 of them cached, and 250 out, at 0.4, 0.1 and 1.6 dollars per million:

        >>> dollars(Price(400_000, 100_000, 1_600_000).cost(2_000, 1_500, 250))
        '0.00075'

        Args:
            input_tokens: tokens sent, cached ones included.
            cached_tokens: the part of them that the provider had in its prompt cache; more than were sent count as all.
            output_tokens: tokens of the reply, those of hidden reasoning included.
        """
        cached = min(cached_tokens, input_tokens)
        return (input_tokens - cached) * self.input + cached * self.cached + output_tokens * self.output


@dataclass(frozen=True, slots=True)
class ModelUse:
    """The model that one member asks, and how.

    Attributes:
        endpoint: where it answers.
        model: its name there.
        temperature: None: not sent, the endpoint's own default.
        timeout_ms: wall clock of one member's round, retries and waiting included, milliseconds.
        max_output_tokens: most tokens of one reply.
        price: None where the policy has no price for it.
        reads_player_text: whether texts that players wrote are shown to it.
    """

    endpoint: Endpoint
    model: str
    temperature: float | None
    timeout_ms: int
    max_output_tokens: int
    price: Price | None
    reads_player_text: bool

    @property
    def name(self) -> str:
        """Endpoint and model, as the policy file writes them."""
        return f"{self.endpoint.name}/{self.model}"


@dataclass(frozen=True, slots=True)
class Budgets:
    """Most that models may cost, picodollars; None: no limit.

    Attributes:
        review: one decision.
        realm_day: one realm in one day (UTC).
        day: all realms in one day (UTC).
        month: all realms in one calendar month (UTC); 000 §13 expects 100 to 800 dollars.
        when_spent: `rules`: the rule judges vote. `quarantine`: members abstain, and want of votes holds the case.
    """

    review: int | None
    realm_day: int | None
    day: int | None
    month: int | None
    when_spent: WhenSpent


@dataclass(frozen=True, slots=True)
class ModelsPolicy:
    """What holds for every member with a model.

    Attributes:
        retries: most calls after the first, per member and round.
        on_failure: a member whose model fails abstains, or its rule judge votes, tagged `degraded`.
        twin_from_impact: impact score, points, from which a member that reads players' texts and may be milder than its
            rules is asked a second time without them; None: never.
        rebuttal_margin: margin of the first round's merge below which a second round is held; None: never.
        budgets: most that models may cost.
        prices: price per "endpoint/model".
    """

    retries: int
    on_failure: OnFailure
    twin_from_impact: int | None
    rebuttal_margin: Fraction | None
    budgets: Budgets
    prices: Mapping[str, Price]


def dollars(picodollars: int) -> str:
    """Return an amount as a decimal string of dollars, exact and without trailing zeros.

    >>> dollars(1_250_000_000)
    '0.00125'
    """
    whole, rest = divmod(picodollars, PICODOLLARS)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".")
