"""What a shared realm adds to one player's threats: how far the Empire reaches, and how strong it is (K14)."""

from typing import Final

from story.threat.triggers import EMPIRE
from world.realm.shares import realm_shares
from world.realm.state import Realm

STRONGHOLD_PPM: Final = 200_000
"""Share of a territory from which the Empire has eyes there, though somebody else holds it."""


def is_in_influence(realm: Realm, place: str) -> bool:
    """Whether the Empire reaches a place: it holds it or a neighbour, or has a fifth of it."""
    territory = realm.territories.get(place)
    if territory is None:
        return True
    if territory.controller == EMPIRE or territory.shares.get(EMPIRE, 0) >= STRONGHOLD_PPM:
        return True
    return any(
        realm.territories[near].controller == EMPIRE for near in territory.neighbors if near in realm.territories
    )


def empire_permille(realm: Realm) -> int:
    """Return how much the Empire's strength in the realm weighs its encounters: 1,000 at half of the realm."""
    return 500 + realm_shares(realm).get(EMPIRE, 0) // 1_000
