"""Where a tick's events begin in a realm's one sequence."""

from world.persistence.port import WorldStore


async def before_tick(store: WorldStore, realm_id: str, tick: int, user_id: str | None = None) -> int:
    """Return the sequence behind which a tick's events begin: ticks never fall along the sequence, so halving finds it."""
    low, high = 0, await store.last_sequence(realm_id)
    while low < high:
        middle = (low + high) // 2
        found = await store.events(realm_id, middle, 1, user_id)
        if found and found[0].tick_number < tick:
            low = found[0].sequence
        else:
            high = middle
    return low
