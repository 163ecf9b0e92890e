"""One step of a realm in SQL, whole or not at all: a tick, or a decision that is applied (S0-111; S11, S12)."""

from typing import Final

from world.errors import MovedOnError
from world.persistence.port import Advance, Lease, Snapshot
from world.persistence.sql_engine import Sql, is_taken
from world.persistence.sql_ledger import move
from world.persistence.sql_messages import happen, raise_questions, settle
from world.persistence.sql_realms import add_snapshot, check_lease, keep_counts, locked
from world.persistence.sql_rows import SNAPSHOT, snapshot_from

_APPLIED: Final = (
    f"SELECT {', '.join(f's.{name}' for name in SNAPSHOT.split(', '))} FROM world_applied a JOIN world_snapshots s"
    " ON s.realm_id = a.realm_id AND s.snapshot_id = a.snapshot_id WHERE a.decision_id = :decision_id"
)
_APPLY: Final = (
    "INSERT INTO world_applied (decision_id, realm_id, snapshot_id) VALUES (:decision_id, :realm_id, :snapshot_id)"
)


async def advance(sql: Sql, step: Advance, lease: Lease | None, now: int) -> None:
    """Write one step; the realm's row and the lease's are locked to its end.

    Raises:
        LeaseLostError: where the lease's token is no longer the newest.
        MovedOnError: where the latest snapshot is not `expected`, or the decision was applied before.
    """
    realm_id = step.realm_id
    counts = await locked(sql, realm_id)
    if lease is not None:
        await check_lease(sql, lease)
    if counts.snapshot_id != step.expected:
        raise MovedOnError(realm_id, step.expected, counts.snapshot_id)
    if step.decision_id is not None:
        await _apply(sql, step, step.decision_id, counts.snapshot_id)
    await add_snapshot(sql, step.snapshot)
    happened = await happen(sql, step.snapshot, step.events, counts.happened, now)
    await raise_questions(sql, realm_id, [(each, step.snapshot.tick_number) for each in step.questions])
    await settle(sql, step.applied, step.expired)
    moved = await move(sql, realm_id, counts, step.transitions, now)
    consumed = counts.consumed if step.consumed is None else step.consumed
    await keep_counts(
        sql, realm_id, moved._replace(snapshot_id=step.snapshot.snapshot_id, happened=happened, consumed=consumed)
    )


async def applied(sql: Sql, decision_id: str) -> Snapshot | None:
    """Return the snapshot that a decision made."""
    row = await sql.row(_APPLIED, decision_id=decision_id)
    return snapshot_from(row) if row is not None else None


async def _apply(sql: Sql, step: Advance, decision_id: str, latest: str) -> None:
    if await sql.row("SELECT 1 FROM world_applied WHERE decision_id = :decision_id", decision_id=decision_id):
        raise MovedOnError(step.realm_id, step.expected, latest)
    try:
        await sql.run(_APPLY, decision_id=decision_id, realm_id=step.realm_id, snapshot_id=step.snapshot.snapshot_id)
    except Exception as error:
        if not is_taken(error):
            raise
        # Another realm applied the same decision at the same moment.
        raise MovedOnError(step.realm_id, step.expected, latest) from error
