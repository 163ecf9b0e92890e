"""A chapter's deeds on their way to the world: acts with the chapter's correlation id, sent until the world took them (S0-32).

The event id follows from story, chapter and place in the outcome, so that a deed that is sent twice counts once.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

import orjson

from policies.canonical import canonical_json
from policies.contracts.request import ImpactCandidate
from policies.draws import Draws
from story.ledger.port import Deed, DeedState, NewDeed, StoryStore
from world.errors import WorldError

logger = logging.getLogger(__name__)
_NAMESPACE: Final = uuid.UUID("6f7f4c2e-2f0f-5f52-9d6b-0f4a5c1f7a51")
"""Of this package's event ids: version 5 of a name that only this package uses."""
CLOSED: Final = "chapter_complete"
"""The act that closing a chapter is, whatever else was done in it."""


LONGEST_GAP_MS: Final = 20_000
SPAN_MS: Final = 240_000
"""Time within which a chapter's deeds were done: the world refuses acts that are older than five minutes (C6)."""


class Taken(NamedTuple):
    """What the world made of one act."""

    event_id: str
    state: DeedState
    told: str


class World(Protocol):
    """Takes acts in."""

    async def take(self, candidates: Sequence[ImpactCandidate], correlation_id: str | None) -> Sequence[Taken]:
        """Submit acts of one realm, in order.

        Raises:
            WorldError: where the world cannot take them now; they are sent again later.
        """
        ...


class Done(NamedTuple):
    """One deed of a chapter, as its outcome names it."""

    action_type: str
    faction_id: str | None
    target_id: str | None
    evidence: Mapping[str, Any]


def new_deeds(
    deeds: Sequence[Done],
    *,
    story_id: str,
    chapter: int,
    realm_id: str,
    user_id: str,
    base_points: Mapping[str, int],
    closed_ms: int,
    faction_id: str | None = None,
) -> tuple[NewDeed, ...]:
    """Return the acts that a chapter's outcome comes to; the chapter's own end is the last of them.

    Args:
        base_points: the catalogue's points by action type: nobody but the server says them.
        closed_ms: when the chapter was closed, milliseconds since 1970. Its deeds were done one after another before that, each
            at a moment of its own: two that are alike are two deeds, and not one that is sent again.
        faction_id: whom the hero stands with: whose the chapter's end is where no deed was done for anybody.
    """
    # An act against a faction does not end in its favour; the world counts no act that is done for nobody.
    helped = [each.faction_id for each in deeds if each.faction_id is not None and base_points[each.action_type] > 0]
    for_whom = helped[0] if helped else faction_id
    closing = Done(CLOSED, for_whom, None, {"risk": 1, "stakes": "personal"})
    done = [*deeds, *([closing] if CLOSED in base_points and for_whom is not None else [])]
    moments = _moments(closed_ms, len(done), Draws(0), story_id, chapter)
    return tuple(
        [
            NewDeed(
                event_id=(event_id := deed_id(story_id, chapter, at)),
                candidate=canonical_json(
                    {
                        "event_id": event_id,
                        "realm_id": realm_id,
                        "user_id": user_id,
                        "story_id": story_id,
                        "chapter_id": f"c-{chapter}",
                        "action_type": deed.action_type,
                        "base_points": base_points[deed.action_type],
                        "evidence": dict(deed.evidence),
                        "created_at": moments[at],
                        **({"faction_id": deed.faction_id} if deed.faction_id is not None else {}),
                        **({"target_id": deed.target_id} if deed.target_id is not None else {}),
                    }
                ),
            )
            for at, deed in enumerate(done)
        ]
    )


def _moments(closed_ms: int, count: int, draws: Draws, *what: object) -> list[str]:
    """Return when each deed was done, RFC 3339, rising: seconds apart, unevenly, the last as the chapter was closed."""
    longest = min(LONGEST_GAP_MS, SPAN_MS // max(1, count))
    gaps = [draws.between(longest // 2, longest, "deed", at, *what) for at in range(1, count)]
    behind = [sum(gaps[at:]) for at in range(count)]
    return [
        datetime.fromtimestamp((closed_ms - each) // 1_000, UTC)
        .replace(microsecond=(closed_ms - each) % 1_000 * 1_000)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
        for each in behind
    ]


def deed_id(story_id: str, chapter: int, at: int) -> str:
    """Return the event id of a chapter's deed."""
    return str(uuid.uuid5(_NAMESPACE, f"{story_id}|{chapter}|{at}"))


class Sender:
    """Sends deeds that wait.

    Args:
        store: the story ledger.
        world: takes them.
    """

    def __init__(self, store: StoryStore, world: World) -> None:
        self._store = store
        self._world = world

    async def send(self, limit: int = 100) -> int:
        """Send what waits; return how many the world has taken. What it cannot take now waits on."""
        taken: list[tuple[str, DeedState, str]] = []
        for story in _by_chapter(await self._store.pending(limit)):
            candidates = [ImpactCandidate.model_validate(orjson.loads(deed.candidate)) for deed in story]
            correlation_id = (await self._correlation(story[0])) or None
            try:
                answers = await self._world.take(candidates, correlation_id)
            except WorldError:
                logger.warning("deeds_wait", extra={"story_id": story[0].story_id, "chapter": story[0].chapter})
                continue
            taken += [(each.event_id, each.state, each.told) for each in answers]
        if taken:
            await self._store.settle(taken)
        return len(taken)

    async def _correlation(self, deed: Deed) -> str | None:
        chapter = await self._store.chapter(deed.story_id, deed.chapter)
        return chapter.told.correlation_id if chapter is not None else None


def _by_chapter(deeds: Sequence[Deed]) -> list[list[Deed]]:
    found: dict[tuple[str, int], list[Deed]] = {}
    for deed in deeds:
        found.setdefault((deed.story_id, deed.chapter), []).append(deed)
    return list(found.values())
