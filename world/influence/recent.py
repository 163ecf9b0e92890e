"""An act as the ledger keeps it: its canonical JSON, and what the search for odd patterns reads of it again."""

from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from policies.canonical import canonical_json, plain_canonical_json
from policies.contracts.request import ImpactCandidate
from world.contribution import epoch_ms

_EXACT: Final = 2**53
_READ_AGAIN: Final = 1_024
"""Acts whose JSON is kept parsed: more than are near any one."""


class Recent(NamedTuple):
    """One act of the last day: what is compared of every act, and the JSON of what is seldom looked at.

    Fields and properties are those of `ImpactCandidate`.
    """

    event_id: str
    realm_id: str
    user_id: str
    device_id: str | None
    session_id: str | None
    action_type: str
    faction_id: str | None
    moment: int
    """`created_at` in milliseconds since 1970."""
    candidate: bytes
    """Canonical JSON of the act as it came."""
    is_refused: bool = False
    """Whether it was refused before it was scored: sent again in a better form, it is no replay."""

    @property
    def base_points(self) -> float:
        points: float = _document(self.candidate)["base_points"]
        return points

    @property
    def target_id(self) -> str | None:
        return _text(self.candidate, "target_id")

    @property
    def story_id(self) -> str | None:
        return _text(self.candidate, "story_id")

    @property
    def chapter_id(self) -> str | None:
        return _text(self.candidate, "chapter_id")

    @property
    def created_at(self) -> datetime:
        return datetime.fromisoformat(_document(self.candidate)["created_at"])

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


def recent_from(candidate: bytes, *, is_refused: bool = False) -> Recent:
    """Return an act of the ledger's canonical JSON."""
    document = orjson.loads(candidate)
    get = document.get
    return Recent(
        document["event_id"], document["realm_id"], document["user_id"], get("device_id"), get("session_id"),
        document["action_type"], get("faction_id"), epoch_ms(datetime.fromisoformat(document["created_at"])), candidate,
        is_refused,
    )  # fmt: skip


def _text(candidate: bytes, name: str) -> str | None:
    said: str | None = _document(candidate).get(name)
    return said


def _is_plain(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and -_EXACT < value < _EXACT)


@lru_cache(_READ_AGAIN)
def _document(candidate: bytes) -> Any:
    return orjson.loads(candidate)
