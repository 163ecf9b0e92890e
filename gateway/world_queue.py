"""What waits for a person in a realm, and a game master's ruling on it (reliability.md, S18; K17)."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from gateway.body import RequestRefusedError
from gateway.identity import STATIC
from gateway.identity_dependencies import check_realm, internal_caller
from gateway.world_acts_shown import HeldAct, QueueShown
from gateway.world_asked import QueueQuery, RulingAsked
from gateway.world_bodies import body_of, known_realm, read_asked
from gateway.world_declared import body_declared, declared
from gateway.world_parts import WorldParts
from gateway.world_problems import unruled
from world.persistence.port import WorldStore
from world.service.rulings import Ruling, Rulings, Unruled
from world.views.deeds import held_view, question_view

PATH: Final = "/internal/world/queue"
MOST_QUESTIONS: Final = 100


def queue_router(parts: WorldParts) -> APIRouter:
    """Return the endpoints of the queue."""
    router = APIRouter(tags=["queue"])
    rulings = Rulings(parts.store, parts.clock)

    @router.get(
        PATH,
        summary="What waits in a realm",
        response_model=QueueShown,
        responses=declared(401, 403, 422, 503),
    )
    async def read_queue(request: Request, asked: Annotated[QueueQuery, Query()]) -> Response:
        """Return acts that wait, with everything that judged them, and questions that are not settled."""
        check_realm(await internal_caller(request), asked.realm_id)
        with known_realm():
            document = await _queue(parts.store, rulings, asked)
        return _answered(document)

    @router.post(
        f"{PATH}/rulings",
        summary="Release or reject a held act",
        response_model=HeldAct,
        responses=declared(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        openapi_extra=body_declared("RulingAsked"),
    )
    async def rule(request: Request) -> Response:
        """Say what becomes of an act in quarantine, or grant the appeal against one that expired, by name and with a reason.

        A released act counts in the next tick. Of two rulings one wins, the other is told whose; the same one sent again
        returns the act as it stands.
        """
        asked = read_asked(await body_of(request, parts), RulingAsked, parts.max_body_bytes)
        caller = await internal_caller(request)
        check_realm(caller, asked.realm_id)
        by = asked.by if caller.name == STATIC else f"{asked.by} ({caller.name})"
        with known_realm():
            found = await rulings.rule(Ruling(asked.realm_id, asked.event_id, asked.ruling, by, asked.because))
        if isinstance(found, Unruled):
            raise RequestRefusedError(unruled(found))
        return _answered(held_view(found))

    return router


async def _queue(store: WorldStore, rulings: Rulings, asked: QueueQuery) -> dict[str, Any]:
    page = await rulings.held(asked.realm_id, asked.state, after=asked.after, limit=asked.limit)
    open_ones = await store.questions(asked.realm_id, "open", MOST_QUESTIONS)
    answered_ones = await store.questions(asked.realm_id, "answered", MOST_QUESTIONS)
    return {
        "realm_id": asked.realm_id,
        "acts": [held_view(each) for each in page.acts],
        "questions": [question_view(each) for each in (*answered_ones, *open_ones)][:MOST_QUESTIONS],
        "next": page.next,
        "has_more": page.has_more,
    }


def _answered(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json", headers={"Cache-Control": "no-store"})
