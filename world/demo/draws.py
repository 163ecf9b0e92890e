"""Waits as people wait, drawn by counter (domain.md C6)."""

from typing import Final

from policies.draws import Draws

_LOGNORMAL: Final = (
    91, 167, 235, 302, 371, 445, 525, 611, 707, 814, 934, 1_071, 1_229, 1_414, 1_636, 1_906, 2_247, 2_693, 3_313,
    4_258, 5_974, 11_029,
)  # fmt: skip
"""Quantiles of exp(1.2 N) at (k + 1/2) / 22, k = 0 to 21, permille of the median: human gaps between acts (domain.md C6)."""


def gap(draws: Draws, median: int, *what: object) -> int:
    """Return a wait as people wait, in the unit of its median: lognormal, sigma 1.2, read off its quantiles."""
    place = draws.below((len(_LOGNORMAL) - 1) * 1_000, *what)
    at, part = divmod(place, 1_000)
    permille = _LOGNORMAL[at] + (_LOGNORMAL[at + 1] - _LOGNORMAL[at]) * part // 1_000
    return max(1, median * permille // 1_000)
