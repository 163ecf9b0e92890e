"""What an act is worth: base points of the catalogue times risk, stakes, repetition and trust (domain.md C1; row S0-87).

Only the server scores. Everything is in milli-points and permille, rounded down once, at the end of each product.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from policies.numbers import apportion
from world.contribution import SATURATION, saturated

RISK: Final = {1: 800, 2: 900, 3: 1_000, 4: 1_200, 5: 1_500}
"""Permille per risk of the evidence, 1 to 5."""
STAKES: Final = {"personal": 500, "local": 750, "regional": 1_000, "realm": 1_500, "sovereign": 2_000}
"""Permille per stakes of the evidence."""
REPEAT: Final = 4
"""n acts of one kind within a day count 4 / (4 + n): variety pays."""
NEW_TRUST: Final = 300
"""Trust of an account of less than a day, permille."""
FULL_TRUST: Final = 1_000


class Score(NamedTuple):
    """One act's worth with every factor, as the ledger keeps it: normalized = base * quality * anti_spam * fairness."""

    base: int
    """Milli-points of the catalogue."""
    quality: int
    """Permille: risk times stakes."""
    anti_spam: int
    """Permille: how new this kind of act is today."""
    fairness: int
    """Permille: trust in the account."""
    normalized: int
    """Milli-points before the cluster's saturation and the caps of the tick."""


def score(base: int, *, risk: int, stakes: str, repeats: int, trust: int) -> Score:
    """Score one act.

    Worked: 25 points at risk 4 and regional stakes, done once before today by a trusted account: 25,000 * 1.2 * 1.0 = 30,000,
    times 4/5 = 24,000 milli-points.

    >>> score(25_000, risk=4, stakes="regional", repeats=1, trust=1_000).normalized
    24000

    Args:
        base: milli-points of the action type.
        risk: 1 to 5.
        stakes: a key of `STAKES`.
        repeats: accepted acts of the same user, type and faction in the last 96 ticks.
        trust: permille, `NEW_TRUST` to `FULL_TRUST`.
    """
    quality = RISK[risk] * STAKES[stakes] // 1_000
    anti_spam = REPEAT * 1_000 // (REPEAT + repeats)
    raw = base * RISK[risk] * STAKES[stakes] * REPEAT * trust
    return Score(base, quality, anti_spam, trust, raw // ((REPEAT + repeats) * 1_000**3))


def trust_of(age_ms: int) -> int:
    """Return the trust in an account by its age: 300 in its first day, then rising to 1,000 at a week.

    >>> trust_of(0), trust_of(4 * 86_400_000), trust_of(30 * 86_400_000)
    (300, 650, 1000)
    """
    day = 86_400_000
    if age_ms < day:
        return NEW_TRUST
    return min(FULL_TRUST, NEW_TRUST + (FULL_TRUST - NEW_TRUST) * (age_ms - day) // (6 * day))


class Effective(NamedTuple):
    """What a tick's points for one faction in one territory come to."""

    by_user: Mapping[str, int]
    """Effective milli-points per account, in order of ids."""
    dropped: int
    """Milli-points beyond the caps, of those that saturation left."""

    @property
    def total(self) -> int:
        return sum(self.by_user.values())


def effective(points: Mapping[str, int], cluster_of: Mapping[str, str]) -> Effective:
    """Saturate per cluster, then cap clusters and accounts against the whole, so that nobody decides alone.

    eff(x) = x * C / (x + C) per cluster, shared among its accounts pro rata; then with n clusters a cluster counts at most
    max(8 %, 2/n) of the total before the caps, an account max(5 %, 1.5/n). Concave per account alone would be a gift to
    whoever splits up.

    Args:
        points: milli-points per account, each above 0.
        cluster_of: per account, what stands for its cluster; an account left out is its own.
    """
    counted = _saturated(points)
    linked = _linked(points, cluster_of)
    for users in linked:
        together = {user: points[user] for user in users}
        counted.update(apportion(together, saturated(sum(together.values()))))
    total = sum(counted.values())
    n = max(1, len(points) - sum([len(users) - 1 for users in linked]))
    cluster_cap, user_cap = max(80 * total // 1_000, 2 * total // n), max(50 * total // 1_000, 3 * total // (2 * n))
    if not linked and user_cap >= SATURATION:  # saturation leaves everybody less than that
        return Effective(counted, 0)
    if max(counted.values(), default=0) > user_cap:  # never below the cap of a cluster
        counted = {user: min(amount, user_cap) for user, amount in counted.items()}
    for users in linked:
        together = {user: counted[user] for user in users}
        if sum(together.values()) > cluster_cap:
            counted.update(apportion(together, cluster_cap))
    return Effective(counted, total - sum(counted.values()))


def _saturated(points: Mapping[str, int]) -> dict[str, int]:
    """Return `saturated` points per account, in order of ids: a tick has tens of thousands, so nothing is called for each."""
    users = sorted(points)
    in_order = points if list(points) == users else {user: points[user] for user in users}
    return {user: amount * SATURATION // (amount + SATURATION) for user, amount in in_order.items()}


def _linked(points: Mapping[str, int], cluster_of: Mapping[str, str]) -> list[list[str]]:
    """Return the accounts of every cluster of several, in order of ids; nearly all accounts stand alone."""
    found: dict[str, list[str]] = {}
    for user in sorted(points.keys() & cluster_of.keys()):
        found.setdefault(cluster_of[user], []).append(user)
    for root, users in found.items():
        if root in points and root not in cluster_of:
            users.append(root)
    return [sorted(users) for users in found.values() if len(users) > 1]
