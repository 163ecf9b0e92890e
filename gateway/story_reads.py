"""What players read of their own stories: chapters as prose with their recaps, and nothing that a story keeps to itself.

Whoever may read what is hidden reads every story, and may ask why: the plan, the numbers, what was left out (S4-67).
"""

from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from gateway.body import RequestRefusedError
from gateway.identity import User
from gateway.identity_dependencies import check_realm, require
from gateway.identity_problems import FORBIDDEN
from gateway.roles import Permission
from gateway.story_asked import ChaptersQuery
from gateway.story_declared import declared, not_found
from gateway.story_parts import StoryParts
from gateway.story_plans import StoryName
from gateway.story_problems import NOT_YOURS
from gateway.story_shown import ChaptersShown
from gateway.story_views import chapter_view
from gateway.world_conditional import PRIVATE, answered
from gateway.world_declared import KEPT, TAGGED
from story.errors import UnknownStoryError
from story.ledger.port import StoredTale

CHAPTERS_PATH: Final = "/api/story/{story_id}/chapters"
Player = Annotated[User, Depends(require(Permission.READ_OWN))]
_READ: Final = {
    **KEPT,
    200: {**KEPT[200], "description": "The story as far as it is told."},
    **declared(401, 403, 422, 503),
    **not_found(NOT_YOURS),
}


def story_reads_router(parts: StoryParts) -> APIRouter:
    """Return the endpoint that players read."""
    router = APIRouter(tags=["story"])

    @router.get(
        CHAPTERS_PATH,
        summary="A story's chapters",
        response_model=ChaptersShown,
        responses=_READ,
        openapi_extra=TAGGED,
    )
    async def read_chapters(
        request: Request, story_id: StoryName, user: Player, asked: Annotated[ChaptersQuery, Query()]
    ) -> Response:
        """Return chapters in their order, each with its prose and, once it is closed, its recap.

        A player reads own stories; another's is not there. Game masters and designers read all, with `why` also what a chapter
        was made from.
        """
        tale = await _readable(parts, story_id, user, is_why=asked.why)
        found = await parts.store.chapters(story_id, after=asked.after, limit=asked.limit + 1)
        page = found[: asked.limit]
        shown = [
            chapter_view(each, await parts.store.deeds(story_id, each.told.number) if asked.why else None)
            for each in page
        ]
        document = {
            "story_id": story_id,
            "realm_id": tale.realm_id,
            "hero": orjson.loads(tale.tale)["hero_name"],
            "chapters": shown,
            "next": page[-1].told.number if page else asked.after,
            "has_more": len(found) > len(page),
        }
        why = "&why=true" if asked.why else ""
        url = f"{request.url.path}?after={document['next']}&limit={asked.limit}{why}" if document["has_more"] else None
        return answered(request, document, cache=PRIVATE, next_url=url)

    return router


async def _readable(parts: StoryParts, story_id: str, user: User, *, is_why: bool) -> StoredTale:
    """Return a tale that a user may read.

    Raises:
        RequestRefusedError: 403 for `why` without the right to it or another realm's token; 404 for another player's story,
            which is told like one that there is not.
    """
    may_all = user.may(Permission.READ_HIDDEN)
    if is_why and not may_all:
        raise RequestRefusedError(FORBIDDEN)
    try:
        tale = await parts.store.tale(story_id)
    except UnknownStoryError:
        raise RequestRefusedError(NOT_YOURS) from None
    if tale.user_id != user.user_id and not may_all:
        raise RequestRefusedError(NOT_YOURS)
    check_realm(user, tale.realm_id)
    return tale
