"""What moves a story over HTTP: a chapter is planned and told, then closed with what the player did (000 §9; K6).

Both are safe to send twice: a chapter that was told, and one that was closed with the same outcome, are answered from the ledger.
"""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Request, Response

from gateway.body import RequestRefusedError, read_body
from gateway.identity_dependencies import check_realm, internal_caller
from gateway.rate_limits import Limited, too_many_chapters
from gateway.story_asked import CloseAsked, PlanAsked
from gateway.story_declared import BEGUN, CLOSED, body, declared
from gateway.story_parts import StoryParts
from gateway.story_problems import below, conflict
from gateway.story_shown import ChapterClosed, ChapterPlanned
from gateway.story_views import closed_view, planned_view
from gateway.world_bodies import read_asked, refused
from gateway.world_problems import UNKNOWN_REALM
from policies.contracts.base import Id
from policies.faults import Fault, InvalidInputError, pointer
from story.errors import UnknownStoryError
from story.ledger.port import StoredTale
from story.service.beginning import Hero, hero_from
from story.service.telling import PlanAsk, Told
from world.errors import UnknownRealmError

PLAN_PATH: Final = "/internal/story/plan"
CLOSE_PATH: Final = "/internal/story/{story_id}/chapters/{number}/close"
_STATUSES: Final = (400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
_REPLAYED: Final = {"Idempotent-Replayed": "true"}
StoryName = Annotated[Id, Path()]
ChapterNumber = Annotated[int, Path(ge=1, le=10_000)]


def plans_router(parts: StoryParts) -> APIRouter:
    """Return the endpoints that story engines call."""
    router = APIRouter(tags=["story"])

    @router.post(
        PLAN_PATH,
        summary="Plan and tell a chapter",
        response_model=ChapterPlanned,
        responses=declared(*_STATUSES, 429),
        openapi_extra=body("PlanAsked", BEGUN, "A story begins"),
    )
    async def plan_chapter(request: Request) -> Response:
        """Tell the chapter after the last closed one, from the world as it stands for this player.

        The answer is the chapter's prose, its plan, what of the world went into it and what did not, with the reason. `hero`
        begins a story. The same chapter asked again is answered as it was told (`Idempotent-Replayed: true`), whatever the world
        has done since. Nothing here needs a model. Chapters that are planned now are counted per `user_id` (429).
        """
        asked = read_asked(await _body(request, parts), PlanAsked, parts.max_body_bytes)
        check_realm(await internal_caller(request), asked.realm_id)
        told = await planned(parts, asked, request.scope["council.correlation_id"])
        tale = await parts.store.tale(asked.story_id)
        return _answered(planned_view(told.chapter, tale), told)

    @router.post(
        CLOSE_PATH,
        summary="Close a chapter",
        response_model=ChapterClosed,
        responses=declared(*_STATUSES),
        openapi_extra=body("CloseAsked", CLOSED, "A patrol, and a meeting with the Empire"),
    )
    async def close_chapter(request: Request, story_id: StoryName, number: ChapterNumber) -> Response:
        """Close a chapter with what the player did, and send the player's deeds to the world under the chapter's correlation id.

        The answer is a recap for the player and what the world made of each deed; one that it cannot take now is pending, and is
        sent until it is taken. Points are the server's alone.
        """
        asked = read_asked(await _body(request, parts), CloseAsked, parts.max_body_bytes)
        check_realm(await internal_caller(request), (await parts.store.tale(story_id)).realm_id)
        try:
            told = await parts.teller.close(story_id, number, asked.outcome)
        except InvalidInputError as error:
            raise refused(below(error, "outcome")) from None
        await parts.sender.send(story_id)
        return _answered(closed_view(told.chapter, await parts.store.deeds(story_id, number)), told)

    return router


async def planned(parts: StoryParts, asked: PlanAsked, correlation_id: str) -> Told:
    """Return the chapter that is asked for: told now, or as it was told before.

    Raises:
        RequestRefusedError: 409 where another chapter is due; 422 with every fault and its place in the body; 429 where too many
            chapters were planned for this user.
        UnknownStoryError: where there is no such story, and no hero to begin one with.
    """
    known = await _known(parts, asked.story_id)
    due = known.chapter + 1 if known is not None else 1
    if asked.chapter is not None and asked.chapter > due:
        raise RequestRefusedError(conflict(f"chapter {due} is due; send its number, or none"))
    if known is not None and asked.chapter is not None and asked.chapter < due:
        return await _told_before(parts, asked, known, asked.chapter)
    try:
        ask = _ask(asked, correlation_id)
        await _limited(parts, asked, due)
        return await parts.teller.plan(ask)
    except InvalidInputError as error:
        raise refused(below(error, "hero")) from None
    except UnknownRealmError:
        raise RequestRefusedError(UNKNOWN_REALM) from None


async def _limited(parts: StoryParts, asked: PlanAsked, due: int) -> None:
    """Count a chapter that is planned now against its user's limit; one that is read back costs nothing.

    Raises:
        RequestRefusedError: 429 with Retry-After.
    """
    if parts.limits is None or await parts.store.chapter(asked.story_id, due) is not None:
        return
    outcome = await parts.limits.check(asked.user_id)
    if isinstance(outcome, Limited):
        raise RequestRefusedError(too_many_chapters(outcome))


async def _known(parts: StoryParts, story_id: str) -> StoredTale | None:
    try:
        return await parts.store.tale(story_id)
    except UnknownStoryError:
        return None


async def _told_before(parts: StoryParts, asked: PlanAsked, known: StoredTale, number: int) -> Told:
    faults = [
        Fault(pointer(name), "is not the story's", "send what the story was begun with")
        for name in ("realm_id", "user_id")
        if getattr(asked, name) != getattr(known, name)
    ]
    if faults:
        raise refused(InvalidInputError(faults))
    found = await parts.store.chapter(asked.story_id, number)
    assert found is not None, "a closed chapter was told"
    return Told(found, is_repeat=True)


def _ask(asked: PlanAsked, correlation_id: str) -> PlanAsk:
    return PlanAsk(asked.story_id, asked.realm_id, asked.user_id, _hero(asked), asked.seed, correlation_id)


def _hero(asked: PlanAsked) -> Hero | None:
    return hero_from(asked.hero.model_dump(mode="json", exclude_none=True)) if asked.hero is not None else None


async def _body(request: Request, parts: StoryParts) -> bytes:
    headers: dict[bytes, bytes] = request.scope["council.headers"]
    return await read_body(headers, request.receive, max_bytes=parts.max_body_bytes, timeout_s=parts.body_timeout_s)


def _answered(document: dict[str, Any], told: Told) -> Response:
    headers = {"Cache-Control": "no-store", **(_REPLAYED if told.is_repeat else {})}
    return Response(orjson.dumps(document), media_type="application/json", headers=headers)
