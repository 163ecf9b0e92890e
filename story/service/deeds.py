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
from story.ledger.port import DeedState, NewDeed, Postponed, StoryStore, Waiting
from world.errors import WorldError
from world.service.clock import Clock

logger = logging.getLogger(__name__)
_NAMESPACE: Final = uuid.UUID("6f7f4c2e-2f0f-5f52-9d6b-0f4a5c1f7a51")
"""Of this package's event ids: version 5 of a name that only this package uses."""
CLOSED: Final = "chapter_complete"
"""The act that closing a chapter is, whatever else was done in it."""
LONGEST_GAP_MS: Final = 20_000
SPAN_MS: Final = 240_000
"""Time within which a chapter's deeds were done: the world refuses acts that are older than five minutes (C6)."""
FIRST_PAUSE_MS: Final = 2_000
LONGEST_PAUSE_MS: Final = 60_000
MOST_TRIES: Final = 12
"""2 + 4 + 8 + 16 + 32 + 6 * 60 = 422 seconds of pauses."""
BATCH: Final = 100
"""Chapters that one look fetches."""
MOST_ROUNDS: Final = 10
"""Looks of one sending: a worker has other duties."""
Settled = tuple[str, DeedState, str]
"""Event id, state, why."""


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
    """Sends deeds that wait, a story's chapters one behind the other, realms in turns.

    What the world cannot take waits twice as long after each try, up to a minute, and is given up after the twelfth, some seven
    minutes: acts that are older than five the world refuses anyway (C6). What is given up stays in the ledger with the reason,
    and the story's later chapters go on.

    Args:
        store: the story ledger.
        world: takes them.
        clock: milliseconds since 1970.
    """

    def __init__(self, store: StoryStore, world: World, clock: Clock) -> None:
        self._store = store
        self._world = world
        self._clock = clock

    async def send(self, story_id: str | None = None) -> int:
        """Send what is due; return how many deeds the world has taken.

        Args:
            story_id: only this story's.
        """
        taken = 0
        for _ in range(MOST_ROUNDS):
            batch = await self._store.waiting(self._clock(), story_id=story_id, limit=BATCH)
            if not batch:
                break
            taken += await self._round(batch)
        return taken

    async def _round(self, batch: Sequence[Waiting]) -> int:
        """Send chapters; where a realm cannot take one, its others wait too, so that it costs the rest one try."""
        failing: dict[str, str] = {}
        taken, postponed = list[Settled](), list[Postponed]()
        for chapter in batch:
            told = failing.get(chapter.realm_id)
            if told is None:
                try:
                    taken += await self._take(chapter)
                    continue
                except WorldError as error:
                    told = failing[chapter.realm_id] = str(error)
                except Exception as error:  # a deed that nobody can send must not stand before all others
                    logger.exception("deeds_unsendable", extra=_named(chapter))
                    told = f"it cannot be sent ({type(error).__name__})"
            postponed.append(self._postponed(chapter, told))
        if taken:
            await self._store.settle(taken)
        if postponed:
            await self._store.postpone(postponed)
        return len(taken)

    async def _take(self, chapter: Waiting) -> list[Settled]:
        """Send one chapter's deeds, in the order in which they were done.

        Raises:
            WorldError: where the world cannot take them now.
            Exception: where they cannot be read, or the world does not answer for each.
        """
        acts = [ImpactCandidate.model_validate(orjson.loads(deed.candidate)) for deed in chapter.deeds]
        told = await self._store.chapter(chapter.story_id, chapter.chapter)
        correlation_id = told.told.correlation_id if told is not None else None
        answers = await self._world.take(sorted(acts, key=lambda act: act.created_at), correlation_id or None)
        found = {each.event_id: each for each in answers}
        return [(deed.event_id, (answer := found[deed.event_id]).state, answer.told) for deed in chapter.deeds]

    def _postponed(self, chapter: Waiting, told: str) -> Postponed:
        tries = chapter.tries + 1
        if tries < MOST_TRIES:
            pause_ms = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1))
            logger.warning("deeds_wait", extra={**_named(chapter), "attempt": tries, "wait_s": pause_ms / 1_000})
            return Postponed(chapter.story_id, chapter.chapter, tries, self._clock() + pause_ms, told)
        logger.error("deeds_given_up", extra={**_named(chapter), "attempt": tries})
        return Postponed(chapter.story_id, chapter.chapter, tries, None, f"given up after {tries} tries: {told}")


def _named(chapter: Waiting) -> dict[str, Any]:
    return {"realm_id": chapter.realm_id, "story_id": chapter.story_id, "chapter": chapter.chapter}
