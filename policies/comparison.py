"""What changed between two policies: every key with its old and new value, and what the votes are worth with it."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from policies.diversity import votes_worth
from policies.policy import Policy
from policies.power import Power, policy_power
from policies.verdicts import DecisionType, Verdict

ABSENT: Final = None
"""Value of a key that one of the two policies does not have."""


class Change(NamedTuple):
    """One key that differs."""

    key: str
    """Dotted path; rules and reasons to convene are named by their id: `rules.canon_lock.threshold`."""
    old: Any
    """None where the old policy lacks the key."""
    new: Any
    """None where the new policy lacks the key."""


class PowerChange(NamedTuple):
    """A player whose power differs, at one level of one decision type."""

    decision_type: DecisionType
    verdict: Verdict
    player: str
    old: Power | None
    """None where the player is new."""
    new: Power | None
    """None where the player is gone."""


class WorthChange(NamedTuple):
    """How many independent votes those of members with models are worth, per correlation of `diversity.ILLUSTRATED`."""

    old: tuple[Fraction, ...]
    new: tuple[Fraction, ...]


class Comparison(NamedTuple):
    """Two policies side by side."""

    old_hash: str
    new_hash: str
    changes: tuple[Change, ...]
    power: tuple[PowerChange, ...]
    """Members among themselves; rules and their effect on members are left out unless `with_rules` was asked for."""
    worth: WorthChange | None
    """None where members share models as before."""


def compare(old: Policy, new: Policy, *, with_rules: bool = False) -> Comparison:
    """Compare two policies.

    Args:
        old: the policy as it was.
        new: the policy as it is to be.
        with_rules: whether power is that of members and enforced rules together, instead of the members' alone.
    """
    changes = tuple(_changes(_keyed(old.document), _keyed(new.document), ""))
    worth = WorthChange(votes_worth(old), votes_worth(new))
    power = _power_changes(old, new, with_rules)
    return Comparison(old.content_hash, new.content_hash, changes, power, worth if worth.old != worth.new else None)


def _changes(old: Any, new: Any, key: str) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            at = f"{key}.{name}" if key else name
            if name not in new:
                yield Change(at, old[name], ABSENT)
            elif name not in old:
                yield Change(at, ABSENT, new[name])
            else:
                yield from _changes(old[name], new[name], at)
    elif old != new or type(old) is not type(new):
        yield Change(key, old, new)


def _keyed(value: Any) -> Any:
    """Return a document with lists of rules turned into mappings by their id: their order decides nothing."""
    if isinstance(value, Mapping):
        return {key: _keyed(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and all(isinstance(item, Mapping) and "id" in item for item in value):
            return {item["id"]: {key: part for key, part in item.items() if key != "id"} for item in value}
        return list(value)
    return value


def _power_changes(old: Policy, new: Policy, with_rules: bool) -> tuple[PowerChange, ...]:
    changes: list[PowerChange] = []
    for before, after in zip(policy_power(old), policy_power(new), strict=True):
        olds = {power.player: power for power in (before.with_rules if with_rules else before.members)}
        news = {power.player: power for power in (after.with_rules if with_rules else after.members)}
        changes += [
            PowerChange(before.decision_type, before.verdict, player, olds.get(player), news.get(player))
            for player in dict.fromkeys([*olds, *news])
            if olds.get(player) != news.get(player)
        ]
    return tuple(changes)
