"""Which accounts belong together: union-find over what their events share (domain.md C1; register row S0-52).

Accounts that share a device or a session are one cluster. So are accounts whose evidence names the same household or
payment; but evidence may be claimed by a player, so that kind of link is kept apart and may only ever count against the
claimant.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from policies.contracts.request import ImpactCandidate

HOUSEHOLD_KEYS: Final = frozenset(["household_id", "payment_id"])
"""Keys of an event's evidence whose equal values join accounts."""


def link(events: Sequence[ImpactCandidate]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return, per account, the account that stands for its cluster: by device and session, and by every link.

    Union-find; the two mappings are one and the same object where no evidence links accounts.
    """
    parent: dict[str, str] = {event.user_id: event.user_id for event in events}
    devices: dict[str, str] = {}
    sessions: dict[str, str] = {}
    claims: list[tuple[str, str, str]] = []
    is_joined = False
    for event in events:
        user, device, session = event.user_id, event.device_id, event.session_id
        if device is not None and (first := devices.setdefault(device, user)) != user:
            is_joined = _join(parent, first, user)
        if session is not None and (first := sessions.setdefault(session, user)) != user:
            is_joined = _join(parent, first, user)
        evidence = event.evidence
        if evidence and not HOUSEHOLD_KEYS.isdisjoint(evidence):
            for key in HOUSEHOLD_KEYS:
                value = evidence.get(key)
                if isinstance(value, str):
                    claims.append((key, value, user))
    hard = {user: _root(parent, user) for user in parent} if is_joined else parent
    if not claims:
        return hard, hard
    joined = dict(hard)
    homes: dict[tuple[str, str], str] = {}
    for key, value, user in claims:
        _join(joined, homes.setdefault((key, value), user), user)
    return hard, {user: _root(joined, user) for user in joined}


def joined(shared: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return, per account that another one stands for, the smallest account of its cluster.

    >>> joined([("device:d", "binh"), ("device:d", "ana"), ("session:s", "binh"), ("session:s", "chi"), ("device:e", "dao")])
    {'binh': 'ana', 'chi': 'ana'}

    Args:
        shared: pairs of what is shared and an account that has it.
    """
    parent: dict[str, str] = {}
    first: dict[str, str] = {}
    for what, user in shared:
        parent.setdefault(user, user)
        _join(parent, first.setdefault(what, user), user)
    return {user: root for user in parent if (root := _root(parent, user)) != user}


def _join(parent: dict[str, str], first: str, second: str) -> bool:
    one, other = _root(parent, first), _root(parent, second)
    if one != other:
        parent[max(one, other)] = min(one, other)
    return True


def _root(parent: dict[str, str], user: str) -> str:
    while parent[user] != user:
        parent[user] = parent[parent[user]]
        user = parent[user]
    return user
