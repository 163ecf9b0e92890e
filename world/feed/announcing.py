"""A store that says at once what it has committed, so that readers of the same process need not wait for the next poll."""

from collections.abc import Callable
from typing import Any, cast

from world.persistence.port import Advance, Lease, WorldStore


def announcing(store: WorldStore, wake: Callable[[str], None]) -> WorldStore:
    """Return the store with `wake(realm_id)` called after each step that was committed."""
    return cast("WorldStore", _AnnouncingStore(store, wake))


class _AnnouncingStore:
    """Stands before a store; everything but steps, which alone write events, goes straight through."""

    def __init__(self, store: WorldStore, wake: Callable[[str], None]) -> None:
        self._store = store
        self._wake = wake

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def advance(self, step: Advance, lease: Lease | None, now: int) -> None:
        await self._store.advance(step, lease, now)
        self._wake(step.realm_id)
