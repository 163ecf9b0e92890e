"""Acts that name no territory count wherever their faction is present, by how much it holds there. Pure."""

from collections.abc import Mapping

from policies.numbers import apportion
from world.realm.shares import weight_of
from world.realm.state import Realm
from world.realm.tick import Points


def spread(points: Points, realm: Realm) -> dict[str, dict[str, dict[str, int]]]:
    """Return points with those of no territory ("") divided over the territories; no milli-point is lost.

    A faction that is present nowhere has nowhere to count: its points are divided over all territories by their weight.
    """
    found = {name: {faction: dict(users) for faction, users in of.items()} for name, of in points.items() if name}
    for faction, users in sorted(points.get("", {}).items()):
        held = _held(realm, faction)
        for user, amount in sorted(users.items()):
            for territory_id, part in apportion(held, amount).items():
                if part:
                    here = found.setdefault(territory_id, {}).setdefault(faction, {})
                    here[user] = here.get(user, 0) + part
    return found


def _held(realm: Realm, faction: str) -> dict[str, int]:
    weights: Mapping[str, int] = {name: weight_of(each) for name, each in realm.territories.items()}
    held = {name: weights[name] * each.shares.get(faction, 0) for name, each in realm.territories.items()}
    return held if any(held.values()) else dict(weights)
