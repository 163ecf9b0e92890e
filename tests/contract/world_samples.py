"""Acts, snapshots and steps for the suite of the world's stores."""

from typing import Any

from policies.canonical import canonical_json
from policies.contracts.request import ImpactCandidate
from world.influence.judging import Judged, Rejected, State
from world.influence.scoring import Score
from world.persistence.acts import Asked, NewRow
from world.persistence.messages import NewQuestion
from world.persistence.port import Advance, Snapshot, WorldStore

REALM = "realm-1"
NOW = 1_772_359_200_000  # 2026-03-01T10:00:00Z


def act_sample(event_id: str, user_id: str = "ana", **keys: Any) -> ImpactCandidate:
    """Return an act as the contract reads it."""
    document = {
        "realm_id": REALM,
        "action_type": "relic_defended",
        "faction_id": "free_cities",
        "base_points": 25,
        "created_at": "2026-03-01T10:00:00Z",
        **keys,
        "event_id": event_id,
        "user_id": user_id,
    }
    return ImpactCandidate.model_validate(document)


def row_sample(
    event_id: str,
    user_id: str = "ana",
    *,
    state: State = "accepted",
    points: int = 1_000,
    territory: str | None = "far-wilds",
    is_against: bool = False,
    received_at: int = NOW,
    tick: int = 0,
    source: str = "quest",
    relic_id: str | None = None,
    **keys: Any,
) -> NewRow:
    """Return a judged act that is about to enter the ledger."""
    act = act_sample(event_id, user_id, **keys)
    score = Score(25_000, 1_200, 800, 1_000, points)
    rejected = Rejected("user_cap", "the account has reached its points of the day") if state == "rejected" else None
    judged = Judged(state, score, territory, is_against, 120, {"velocity": 120, "timing": None}, rejected)
    return NewRow(
        realm_id=act.realm_id, event_id=event_id, user_id=user_id, device_id=act.device_id, session_id=act.session_id,
        candidate=canonical_json(act.model_dump(mode="json", exclude_none=True)), faction_id=act.faction_id,
        action_type=act.action_type, source=source, judged=judged, created_at=NOW, received_at=received_at, tick=tick,
        correlation_id=f"c-{event_id}", relic_id=relic_id,
    )  # fmt: skip


def asked_sample(event_id: str, user_id: str = "ana", source: str = "quest", **keys: Any) -> Asked:
    """Return an act that the ledger is asked about."""
    return Asked(act_sample(event_id, user_id, **keys), source)


def snapshot_sample(tick_number: int = 0, revision: int = 0, realm_id: str = REALM) -> Snapshot:
    """Return a snapshot whose id is that of its place in the chain."""
    snapshot_id = f"snap-{tick_number}.{revision}" if revision else f"snap-{tick_number}"
    state = b'{"tick":%d}' % tick_number
    return Snapshot(realm_id, tick_number, revision, snapshot_id, f"h-{snapshot_id}", "h-before", state, b"{}", NOW)


def step_sample(expected: str, tick_number: int, revision: int = 0, realm_id: str = REALM, **keys: Any) -> Advance:
    """Return a step from one snapshot to another."""
    return Advance(realm_id, expected, snapshot_sample(tick_number, revision, realm_id), **keys)


def question_sample(number: int) -> NewQuestion:
    """Return a question to the council."""
    return NewQuestion(f"q-{number}", f"event:e-{number}", b'{"number":%d}' % number, f"c-{number}")


async def seeded(store: WorldStore) -> WorldStore:
    """Give a store the samples' realm."""
    await store.create(snapshot_sample())
    return store
