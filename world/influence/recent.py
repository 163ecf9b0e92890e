"""An act as the ledger keeps it: its canonical JSON, and what the search for odd patterns reads of it again."""

from datetime import datetime
from typing import Final, NamedTuple

import orjson

from policies.canonical import canonical_json, plain_canonical_json
from policies.contracts.request import ImpactCandidate
from world.contribution import epoch_ms

_EXACT: Final = 2**53


class Recent(NamedTuple):
    """One act of the last day; fields as in `ImpactCandidate`."""

    event_id: str
    realm_id: str
    user_id: str
    device_id: str | None
    session_id: str | None
    action_type: str
    faction_id: str | None
    base_points: float
    target_id: str | None
    story_id: str | None
    chapter_id: str | None
    created_at: datetime
    candidate: bytes
    """Canonical JSON of the act as it came."""
    moment: int
    """`created_at` in milliseconds since 1970."""

    def act(self) -> ImpactCandidate:
        """Return the whole act, read as the contract has it."""
        return ImpactCandidate.model_validate(orjson.loads(self.candidate))


def canonical_act(candidate: ImpactCandidate) -> bytes:
    """Return the RFC 8785 bytes of an act as the ledger keeps it; what it does not say is left out."""
    points = candidate.base_points
    if points.is_integer() and all(_is_plain(value) and key.isascii() for key, value in candidate.evidence.items()):
        # Nearly every act, without the contract's own serializer: a test holds the two together.
        document = {name: value for name, value in candidate.__dict__.items() if value is not None}
        document["base_points"] = int(points)  # RFC 8785 writes 25.0 as 25
        at = candidate.created_at.isoformat()
        document["created_at"] = f"{at[:-6]}Z" if at.endswith("+00:00") else at
        return plain_canonical_json(document)
    document = candidate.model_dump(mode="json", exclude_none=True)
    document["base_points"] = int(points) if points.is_integer() else points
    return canonical_json(document)


def recent_from(candidate: bytes) -> Recent:
    """Return an act of the ledger's canonical JSON."""
    document = orjson.loads(candidate)
    get, at = document.get, datetime.fromisoformat(document["created_at"])
    return Recent(
        document["event_id"], document["realm_id"], document["user_id"], get("device_id"), get("session_id"),
        document["action_type"], get("faction_id"), document["base_points"], get("target_id"), get("story_id"),
        get("chapter_id"), at, candidate, epoch_ms(at),
    )  # fmt: skip


def _is_plain(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and -_EXACT < value < _EXACT)
