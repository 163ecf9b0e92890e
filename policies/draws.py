"""Counter-based draws: each number follows from the seed and what it is for; one more draw shifts no other (C0, K13)."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Draws(NamedTuple):
    """Draws of one seed."""

    seed: int

    def number(self, *what: object) -> int:
        """Return 64 bits for one purpose: blake2b keyed by the seed over the words that name it."""
        key = self.seed.to_bytes(16, "big", signed=True)
        message = "|".join(map(str, what)).encode()
        return int.from_bytes(hashlib.blake2b(message, key=key, digest_size=8).digest(), "big")

    def below(self, limit: int, *what: object) -> int:
        """Return a whole number from 0 up to, but not, a limit."""
        return self.number(*what) * limit >> 64

    def between(self, low: int, high: int, *what: object) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1, *what)

    def one_of(self, choices: Sequence[T], *what: object) -> T:
        """Return one of several; one that is listed twice is twice as likely."""
        return choices[self.below(len(choices), *what)]
