"""Realms as the services read them: the latest state, parsed once per snapshot."""

import orjson

from policies.canonical import sha256_hex
from world.persistence.port import Snapshot, WorldStore
from world.realm.state import GENESIS, Realm, realm_from, state_bytes


class RealmReader:
    """Reads the latest state of realms; a state that was read once is not parsed again."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        self._known: dict[str, tuple[str, Realm]] = {}

    async def current(self, realm_id: str) -> Realm:
        """Return the latest state.

        Raises:
            UnknownRealmError: where there is no such realm.
        """
        snapshot = await self._store.latest(realm_id)
        known = self._known.get(realm_id)
        if known is not None and known[0] == snapshot.hash:
            return known[1]
        realm = realm_from(orjson.loads(snapshot.state))
        self._known[realm_id] = (snapshot.hash, realm)
        return realm


def snapshot_of(realm: Realm, result: bytes, made_at: int) -> Snapshot:
    """Return a state as the store keeps it."""
    state = state_bytes(realm)
    return Snapshot(
        realm.realm_id, realm.tick_number, realm.revision, realm.snapshot_id, sha256_hex(state), realm.previous, state,
        result, made_at,
    )  # fmt: skip


def first_snapshot(realm: Realm, made_at: int) -> Snapshot:
    """Return the snapshot of a realm before its first tick."""
    assert realm.previous == GENESIS
    return snapshot_of(realm, b"{}", made_at)
