"""Counter-based draws: every number follows from the seed and what it is for; one more draw shifts no other (domain.md C0)."""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")
_LOGNORMAL: Final = (
    91, 167, 235, 302, 371, 445, 525, 611, 707, 814, 934, 1_071, 1_229, 1_414, 1_636, 1_906, 2_247, 2_693, 3_313,
    4_258, 5_974, 11_029,
)  # fmt: skip
"""Quantiles of exp(1.2 N) at (k + 1/2) / 22, k = 0 to 21, permille of the median: human gaps between acts (domain.md C6)."""


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

    def gap(self, median: int, *what: object) -> int:
        """Return a wait as people wait, in the unit of its median: lognormal, sigma 1.2, read off its quantiles."""
        place = self.below((len(_LOGNORMAL) - 1) * 1_000, *what)
        at, part = divmod(place, 1_000)
        permille = _LOGNORMAL[at] + (_LOGNORMAL[at + 1] - _LOGNORMAL[at]) * part // 1_000
        return max(1, median * permille // 1_000)
