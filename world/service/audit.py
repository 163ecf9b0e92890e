"""Does the realm's record hold together? Chain, totals, ledger, decisions and events, checked from the first row (I1 to I8).

The audit only reads. It says everything that it finds wrong, each with its place, and how much it looked at.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from world.persistence.acts import LedgerRow
from world.persistence.messages import Event
from world.persistence.port import MAX_PAGE, Snapshot, WorldStore
from world.realm.pot import is_whole
from world.realm.state import realm_from
from world.review.book import DecisionBook
from world.service.chain import Link, faults_of, link_of
from world.service.questions import dispute_key

_SUMS: Final = ("watermark", "gained", "opposed", "clusters", "relics")


class Finding(NamedTuple):
    """One thing that is wrong."""

    check: str
    """chain, totals, ledger, decisions or events."""
    where: str
    told: str


class Audit(NamedTuple):
    """What an audit found."""

    realm_id: str
    counted: Mapping[str, int]
    """How many snapshots, ticks, decisions, acts and events were looked at."""
    findings: tuple[Finding, ...]


class _Chain(NamedTuple):
    """What the walk along the chain leaves for the other checks."""

    ticks: int
    snapshots: int
    watermark: int
    decided: Mapping[str, str]
    """Verdict by decision id, of those applied."""


async def audit(store: WorldStore, realm_id: str, decisions: DecisionBook | None = None) -> Audit:
    """Audit one realm.

    Args:
        decisions: the council's record; None: that the decisions applied are on it is not checked.

    Raises:
        UnknownRealmError: where there is no such realm.
    """
    findings: list[Finding] = []
    chain = await _check_chain(store, realm_id, findings)
    await _check_totals(store, realm_id, chain, findings)
    acts = await _check_ledger(store, realm_id, findings)
    events = await _check_events(store, realm_id, chain, findings)
    await _check_decisions(store, realm_id, chain, decisions, findings)
    counted = {
        "snapshots": chain.snapshots, "ticks": chain.ticks, "decisions": len(chain.decided), "acts": acts,
        "events": events,
    }  # fmt: skip
    return Audit(realm_id, counted, tuple(findings))


async def _check_chain(store: WorldStore, realm_id: str, findings: list[Finding]) -> _Chain:
    before, snapshots, watermark = Link(), 0, 0
    decided: dict[str, str] = {}
    async for snapshot in store.snapshots(realm_id):
        findings += [Finding("chain", snapshot.snapshot_id, told) for told in faults_of(snapshot, before)]
        findings += _state_faults(snapshot, watermark)
        watermark = orjson.loads(snapshot.state)["watermark"]
        record = orjson.loads(snapshot.result)
        if (decision_id := record.get("decision_id")) is not None:
            if decision_id in decided:
                findings.append(Finding("decisions", snapshot.snapshot_id, f"{decision_id} was applied before"))
            decided[decision_id] = record["verdict"]
        before, snapshots = link_of(snapshot), snapshots + 1
    return _Chain(max(0, before.tick_number), snapshots, watermark, decided)


def _state_faults(snapshot: Snapshot, watermark: int) -> list[Finding]:
    realm = realm_from(orjson.loads(snapshot.state))
    found = [
        Finding("chain", snapshot.snapshot_id, f"the shares of {name} are not whole")
        for name, territory in realm.territories.items()
        if not is_whole(territory.shares)
    ]
    if realm.watermark < watermark:
        found.append(Finding("chain", snapshot.snapshot_id, f"it counts up to {realm.watermark}, behind {watermark}"))
    return found


async def _check_totals(store: WorldStore, realm_id: str, chain: _Chain, findings: list[Finding]) -> None:
    totals = await store.totals(realm_id)
    again = await store.recount(realm_id, after=chain.watermark, upto=totals.watermark)
    findings += [
        Finding("totals", name, "what is kept for the next tick is not what the ledger says")
        for name in _SUMS
        if getattr(totals, name) != getattr(again, name)
    ]


async def _check_ledger(store: WorldStore, realm_id: str, findings: list[Finding]) -> int:
    acts, after = 0, 0
    counts: list[int] = []
    while page := await store.rows(realm_id, after=after, limit=MAX_PAGE):
        for row in page:
            acts += 1
            findings += [Finding("ledger", row.event_id, told) for told in await _row_faults(store, row, acts)]
            counts += [row.counted_at] if row.counted_at is not None else []
        after = page[-1].sequence
    if sorted(counts) != list(range(1, len(counts) + 1)):
        findings.append(Finding("ledger", realm_id, "the places in the count have a gap or a double"))
    return acts


async def _row_faults(store: WorldStore, row: LedgerRow, place: int) -> list[str]:
    found = []
    if row.sequence != place:
        found.append(f"it stands at {row.sequence}, not at {place}: an act is missing")
    if (row.state == "accepted") != (row.counted_at is not None):
        found.append(f"it is {row.state}, and {'counts' if row.counted_at is not None else 'does not count'}")
    if row.state == "in_review":
        question = await store.question(dispute_key(row.realm_id, row.event_id))
        if question is None or question.state in ("applied", "expired"):
            found.append("it is in review, and nobody is asked about it")
    return found


async def _check_events(store: WorldStore, realm_id: str, chain: _Chain, findings: list[Finding]) -> int:
    last, events, ticks = 0, 0, 0
    told: dict[str, int] = {}
    while page := await store.events(realm_id, after=last, limit=MAX_PAGE):
        for event in page:
            if event.sequence <= last:
                findings.append(Finding("events", str(event.sequence), "it comes twice, or out of order"))
            last, events = event.sequence, events + 1
            if event.kind == "tick":
                ticks += 1
                findings += _tick_faults(event, ticks)
            if event.kind == "decision_applied":
                decision_id = orjson.loads(event.payload)["decision_id"]
                told[decision_id] = told.get(decision_id, 0) + 1
    if ticks != chain.ticks:
        findings.append(Finding("events", realm_id, f"{ticks} ticks are told, {chain.ticks} were made"))
    if told != dict.fromkeys(chain.decided, 1):
        findings.append(Finding("events", realm_id, "the decisions told are not those applied, each once"))
    return events


def _tick_faults(event: Event, number: int) -> list[Finding]:
    told = orjson.loads(event.payload)["tick_number"]
    if told == number == event.tick_number:
        return []
    return [Finding("events", str(event.sequence), f"tick {told} is told where {number} follows")]


async def _check_decisions(
    store: WorldStore, realm_id: str, chain: _Chain, decisions: DecisionBook | None, findings: list[Finding]
) -> None:
    for decision_id, verdict in chain.decided.items():
        if await store.applied(decision_id) is None:
            findings.append(
                Finding("decisions", decision_id, "its snapshot is there, and it does not count as applied")
            )
        if decisions is None:
            continue
        recorded = await decisions.verdict(realm_id, decision_id)
        if recorded is None:
            findings.append(Finding("decisions", decision_id, "it was applied, and the council has no record of it"))
        elif recorded != verdict:
            findings.append(
                Finding("decisions", decision_id, f"it was applied as {verdict}; the council said {recorded}")
            )
