"""The factions' shares of a realm, from its territories and from what the council approved (domain.md C4)."""

from collections.abc import Mapping

from policies.numbers import PPM, apportion
from world.realm.state import Realm, Territory


def weight_of(territory: Territory) -> int:
    """Return what a territory counts in the realm: decades of its population times its strategic value."""
    return max(1, len(str(max(1, territory.population))) - 1) * territory.strategic_value


def realm_shares(realm: Realm) -> dict[str, int]:
    """Return every faction's share of the realm, ppm, in order of ids; they sum to 1,000,000.

    S_f = sum of w * s_f / sum of w over territories, and on top what approved changes gave or took.
    """
    held = dict.fromkeys(realm.factions, 0)
    for territory in realm.territories.values():
        weight = weight_of(territory)
        for faction, share in territory.shares.items():
            held[faction] = held.get(faction, 0) + weight * share
    base = apportion(held, PPM)
    return shifted(base, realm.standing)


def shifted(shares: Mapping[str, int], by: Mapping[str, int]) -> dict[str, int]:
    """Return shares with amounts added, nobody below nothing, brought back to the whole pro rata (council.md, the merge).

    >>> shifted({"a": 500_000, "b": 500_000}, {"a": 100_000})
    {'a': 545455, 'b': 454545}
    """
    added = {faction: max(0, share + by.get(faction, 0)) for faction, share in shares.items()}
    return apportion(added, PPM)
