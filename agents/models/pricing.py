"""What calls cost: before they are made, the most; afterwards, exactly by price, or by an estimate of their tokens. Pure.

Money is integer picodollars (`policies.models`), so a price per million tokens has no rounding anywhere.
"""

from collections.abc import Sequence
from typing import Final

from agents.asking import Usage
from agents.models.calls import Message
from policies.models import Price

CHARACTERS_PER_TOKEN: Final = 4
"""What an estimate reckons with: about the mean of English text under today's tokenizers."""
SAFE_CHARACTERS_PER_TOKEN: Final = 3
"""What a reservation reckons with: on the dear side, because money that was not set aside cannot be refused."""


def characters(messages: Sequence[Message]) -> int:
    """Return the length of a prompt, characters."""
    return sum([len(message["content"]) for message in messages])


def most_cost(price: Price | None, prompt_characters: int, max_output_tokens: int) -> int:
    """Return what a call may cost at most, picodollars: nothing of it cached, and every output token used.

    4,000 characters and 800 tokens at 0.4 and 1.6 dollars per million, that is 1,334 x 400,000 + 800 x 1,600,000:

    >>> most_cost(Price(400_000, 100_000, 1_600_000), 4_000, 800)
    1813600000
    >>> most_cost(None, 4_000, 800)
    0
    """
    return cost(price, Usage(_tokens(prompt_characters, SAFE_CHARACTERS_PER_TOKEN), 0, max_output_tokens))


def estimated(prompt_characters: int, reply_characters: int) -> Usage:
    """Return the tokens of a call whose endpoint left them out (reliability.md, L18).

    >>> estimated(4_001, 3)
    Usage(input=1001, cached=0, output=1, is_estimated=True)
    """
    given = _tokens(prompt_characters, CHARACTERS_PER_TOKEN)
    return Usage(given, 0, _tokens(reply_characters, CHARACTERS_PER_TOKEN), is_estimated=True)


def cut_off(prompt_characters: int, max_output_tokens: int) -> Usage:
    """Return the tokens of a call that was given up before its reply came: as if it had used all that it might.

    Nobody knows how far the model got, and most providers bill what it wrote. A budget must not be overrun by calls that
    always come too late.

    >>> cut_off(4_000, 800)
    Usage(input=1000, cached=0, output=800, is_estimated=True)
    """
    return Usage(_tokens(prompt_characters, CHARACTERS_PER_TOKEN), 0, max_output_tokens, is_estimated=True)


def total(one: Usage, other: Usage) -> Usage:
    """Return the tokens of both; estimated where either is.

    >>> total(Usage(100, 60, 20), Usage(100, 0, 5, is_estimated=True))
    Usage(input=200, cached=60, output=25, is_estimated=True)
    """
    return Usage(
        one.input + other.input,
        one.cached + other.cached,
        one.output + other.output,
        one.is_estimated or other.is_estimated,
    )


def cost(price: Price | None, usage: Usage) -> int:
    """Return what tokens cost, picodollars; 0 where the price is not known.

    2,000 tokens in, 1,500 of them cached, and 250 out, at 0.4, 0.1 and 1.6 dollars per million:

    >>> cost(Price(400_000, 100_000, 1_600_000), Usage(2_000, 1_500, 250))
    750000000
    """
    return 0 if price is None else price.cost(usage.input, usage.cached, usage.output)


def _tokens(count: int, per_token: int) -> int:
    """Return tokens of a text by its length, rounded up."""
    return -(-count // per_token)
