"""Voting power: how often a member is the one whose vote decides (Banzhaf 1965; Shapley and Shubik 1954).

For a decision type and a verdict x, the coalition that says "x or stricter" wins where its share of the weight reaches
the quota of x: a simple game. A member swings a coalition that loses without it and wins with it. Every enforced rule of
outcome x or stricter is a further player that wins alone: it fires or not, whatever the members say. All exact.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import factorial, lcm
from typing import Final, NamedTuple

from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, STRICTNESS, VERDICTS, DecisionType, Verdict

MOST_PLAYERS: Final = 18
"""Largest council whose coalitions are counted one by one: 262,144."""


class Power(NamedTuple):
    """The power of one player of one game."""

    player: str
    """A member, or a rule's id."""
    swings: int
    """Coalitions of the other players that the player turns from losing to winning."""
    banzhaf: Fraction
    """Absolute (Penrose-Banzhaf): swings / 2^(players - 1), the chance to decide where all others toss a coin."""
    banzhaf_share: Fraction
    """Normalised: the player's part of all swings; 0 where nobody swings anything."""
    shapley: Fraction
    """Shapley-Shubik: the chance to be the pivot where players join one after the other in random order."""


class LevelPower(NamedTuple):
    """Who can tighten a verdict of one decision type to a level, all five members seated."""

    decision_type: DecisionType
    verdict: Verdict
    quota: Fraction
    members: tuple[Power, ...]
    """The members among themselves, in seat order."""
    with_rules: tuple[Power, ...]
    """The same members, then every enforced rule of this outcome or a stricter one."""


def policy_power(policy: Policy) -> tuple[LevelPower, ...]:
    """Return the power of members and rules, per decision type and verdict stricter than approve."""
    return tuple(
        [_level(policy, decision_type, verdict) for decision_type in DECISION_TYPES for verdict in VERDICTS[1:]]
    )


def effective_quota(policy: Policy, decision_type: DecisionType, verdict: Verdict) -> Fraction:
    """Return the share of the weight that carries a verdict against members that all approve.

    Half for the rules `median` and `plurality` (ties go to the stricter), any member at all for `strictest`.
    """
    if policy.merge_rule == "quota":
        return policy.quotas[verdict]
    if policy.merge_rule == "strictest":
        weights = policy.weights[decision_type].values()
        return min(weights) / sum(weights)
    return Fraction(1, 2)


def power(weights: Mapping[str, Fraction], quota: Fraction, lone_winners: Sequence[str] = ()) -> tuple[Power, ...]:
    """Return the power of every player of a weighted game.

    Worked, for [3; 2, 1, 1] (weights 2, 1, 1 and a quota of 3 in 4): the first player swings {b}, {c} and {b, c}; b swings
    {a} only, and so does c. So Banzhaf is 3/4, 1/4, 1/4, normalised 3/5, 1/5, 1/5, and Shapley-Shubik 2/3, 1/6, 1/6.

    Args:
        weights: weight per player, above 0; at most `MOST_PLAYERS`.
        quota: share of all weight that wins, in (0, 1].
        lone_winners: further players without weight, each of whom wins alone.

    Raises:
        ValueError: for more players than can be counted.
    """
    if len(weights) > MOST_PLAYERS:
        raise ValueError(f"more than {MOST_PLAYERS} players")
    swings, losing = _swings(weights, quota)
    alone = len(lone_winners)
    orders = _Orders(len(weights) + alone)
    counted = [(player, by_size) for player, by_size in zip(weights, swings, strict=True)]
    counted += [(winner, losing) for winner in lone_winners]
    total = sum(sum(by_size) for _, by_size in counted)
    return tuple([orders.power(player, by_size, total) for player, by_size in counted])


class _Orders(NamedTuple):
    """Turns swings by the size of the coalition into indices, for a number of players."""

    players: int

    def power(self, player: str, by_size: Sequence[int], total: int) -> Power:
        swings = sum(by_size)
        pivots = sum(count * factorial(size) * factorial(self.players - size - 1) for size, count in enumerate(by_size))
        return Power(
            player,
            swings,
            Fraction(swings, 2 ** (self.players - 1)),
            Fraction(swings, total) if total else Fraction(0),
            Fraction(pivots, factorial(self.players)),
        )


def _level(policy: Policy, decision_type: DecisionType, verdict: Verdict) -> LevelPower:
    weights: dict[str, Fraction] = dict(policy.weights[decision_type].items())
    quota = effective_quota(policy, decision_type, verdict)
    enforced = [
        rule.rule_id
        for rule in policy.rules.rules
        if rule.mode == "enforce" and STRICTNESS[rule.outcome] >= STRICTNESS[verdict]
    ]
    return LevelPower(decision_type, verdict, quota, power(weights, quota), power(weights, quota, enforced))


def _swings(weights: Mapping[str, Fraction], quota: Fraction) -> tuple[list[list[int]], list[int]]:
    """Return, by size of the coalition, how many each player swings, and how many lose at all.

    A lone winner swings exactly the losing coalitions that hold no other lone winner: those of weighted players.
    """
    units = _whole(weights)
    needed = quota * sum(units)
    count = len(units)
    sums = [0] * (1 << count)
    swings = [[0] * count for _ in units]
    losing = [0] * (count + 1)
    for coalition in range(1 << count):
        if coalition:
            lowest = coalition & -coalition
            sums[coalition] = sums[coalition ^ lowest] + units[lowest.bit_length() - 1]
        held = sums[coalition]
        if held >= needed:
            continue
        size = coalition.bit_count()
        losing[size] += 1
        for player, unit in enumerate(units):
            if not coalition >> player & 1 and held + unit >= needed:
                swings[player][size] += 1
    return swings, losing


def _whole(weights: Mapping[str, Fraction]) -> list[int]:
    scale = lcm(*(Fraction(weight).denominator for weight in weights.values()))
    return [int(weight * scale) for weight in weights.values()]
