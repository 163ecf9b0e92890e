"""Realms, their snapshots and their leases in SQL."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from world.errors import LeaseLostError, UnknownRealmError
from world.persistence.port import Lease, Snapshot
from world.persistence.sql_engine import Sql
from world.persistence.sql_rows import SNAPSHOT, snapshot_from

PAGE: Final = 100
_NEW_REALM = (
    "INSERT INTO world_realms (realm_id, snapshot_id, arrived, counted, opened, consumed, happened)"
    " VALUES (:realm_id, :snapshot_id, 0, 0, 0, 0, 0) ON CONFLICT (realm_id) DO NOTHING"
    " RETURNING realm_id"
)
_NEW_LEASE = "INSERT INTO world_leases (realm_id, holder, token, until) VALUES (:realm_id, NULL, 0, 0)"
_NEW_SNAPSHOT = (
    f"INSERT INTO world_snapshots ({SNAPSHOT}) VALUES (:realm_id, :tick_number, :revision, :snapshot_id, :hash,"
    " :previous, :state, :result, :made_at)"
)
_SNAPSHOT = f"SELECT {SNAPSHOT} FROM world_snapshots WHERE realm_id = :realm_id"
_NEWEST = " ORDER BY tick_number DESC, revision DESC LIMIT 1"
_RANGE = (
    " AND tick_number >= :first AND tick_number <= :last AND (tick_number, revision) > (:tick_number, :revision)"
    f" ORDER BY tick_number, revision LIMIT {PAGE}"
)
_LEASE = "SELECT holder, token, until FROM world_leases WHERE realm_id = :realm_id"
_SET_LEASE = "UPDATE world_leases SET holder = :holder, token = :token, until = :until WHERE realm_id = :realm_id"


class Counts(NamedTuple):
    """A realm's counters, read under its lock."""

    snapshot_id: str
    arrived: int
    counted: int
    opened: int
    consumed: int
    happened: int


_COUNTS: Final = f"SELECT {', '.join(Counts._fields)} FROM world_realms WHERE realm_id = :realm_id"


async def create(sql: Sql, snapshot: Snapshot) -> bool:
    """Write a realm, its lease and its first snapshot; False where it exists."""
    if not await sql.rows(_NEW_REALM, realm_id=snapshot.realm_id, snapshot_id=snapshot.snapshot_id):
        return False
    await sql.run(_NEW_LEASE, realm_id=snapshot.realm_id)
    await add_snapshot(sql, snapshot)
    return True


async def realms(sql: Sql) -> tuple[str, ...]:
    """Return the realms, sorted here so that every database gives the same order."""
    return tuple(sorted([row[0] for row in await sql.rows("SELECT realm_id FROM world_realms")]))


async def locked(sql: Sql, realm_id: str) -> Counts:
    """Lock a realm for this transaction and return its counters.

    Raises:
        UnknownRealmError: where there is no such realm.
    """
    return await _counts(sql, _COUNTS + sql.for_update, realm_id)


async def counted(sql: Sql, realm_id: str) -> Counts:
    """Return a realm's counters as they are now, without a lock; raise what `locked` raises."""
    return await _counts(sql, _COUNTS, realm_id)


async def keep_counts(sql: Sql, realm_id: str, counts: Counts) -> None:
    """Write a locked realm's counters back."""
    sets = ", ".join(f"{name} = :{name}" for name in Counts._fields)
    await sql.run(f"UPDATE world_realms SET {sets} WHERE realm_id = :realm_id", realm_id=realm_id, **counts._asdict())


async def check_realm(sql: Sql, realm_id: str) -> None:
    """Do nothing where a realm exists.

    Raises:
        UnknownRealmError: where there is no such realm.
    """
    if await sql.row("SELECT 1 FROM world_realms WHERE realm_id = :realm_id", realm_id=realm_id) is None:
        raise UnknownRealmError(realm_id)


async def add_snapshot(sql: Sql, snapshot: Snapshot) -> None:
    """Write one snapshot."""
    await sql.run(_NEW_SNAPSHOT, **snapshot._asdict())


async def latest(sql: Sql, realm_id: str) -> Snapshot:
    """Return the latest snapshot; raise `UnknownRealmError` where there is no such realm."""
    row = await sql.row(_SNAPSHOT + _NEWEST, realm_id=realm_id)
    if row is None:
        raise UnknownRealmError(realm_id)
    return snapshot_from(row)


async def snapshot(sql: Sql, realm_id: str, snapshot_id: str) -> Snapshot | None:
    """Return one snapshot of a realm that exists."""
    row = await sql.row(_SNAPSHOT + " AND snapshot_id = :snapshot_id", realm_id=realm_id, snapshot_id=snapshot_id)
    if row is None:
        await check_realm(sql, realm_id)
    return snapshot_from(row) if row is not None else None


async def page(sql: Sql, realm_id: str, first: int, last: int, behind: Snapshot | None) -> Sequence[Snapshot]:
    """Return the next snapshots of a range of ticks, in order of the chain."""
    at, revision = (behind.tick_number, behind.revision) if behind is not None else (-1, 0)
    rows = await sql.rows(
        _SNAPSHOT + _RANGE, realm_id=realm_id, first=first, last=last, tick_number=at, revision=revision
    )
    return [snapshot_from(row) for row in rows]


async def take_lease(sql: Sql, realm_id: str, holder: str, now: int, ttl_ms: int) -> Lease | None:
    """Take or renew the lease of a realm; the token rises unless its holder still held it."""
    row = await sql.row(_LEASE + sql.for_update, realm_id=realm_id)
    if row is None:
        raise UnknownRealmError(realm_id)
    held_by, token, until = row
    is_held = held_by is not None and until > now
    if is_held and held_by != holder:
        return None
    lease = Lease(realm_id, holder, token if is_held else token + 1, now + ttl_ms)
    await sql.run(_SET_LEASE, **lease._asdict())
    return lease


async def give_lease(sql: Sql, lease: Lease) -> None:
    """Give a lease back where it is still the newest."""
    await sql.run(
        "UPDATE world_leases SET holder = NULL, until = 0 WHERE realm_id = :realm_id AND token = :token",
        realm_id=lease.realm_id,
        token=lease.token,
    )


async def check_lease(sql: Sql, lease: Lease) -> None:
    """Hold the lease's row to the end of the transaction.

    Raises:
        LeaseLostError: where another has taken the realm over since.
    """
    row = await sql.row(_LEASE + sql.for_update, realm_id=lease.realm_id)
    if row is None or row[1] != lease.token:
        raise LeaseLostError(lease.realm_id)


async def _counts(sql: Sql, statement: str, realm_id: str) -> Counts:
    row = await sql.row(statement, realm_id=realm_id)
    if row is None:
        raise UnknownRealmError(realm_id)
    return Counts(*row)
