"""What waits for a person in a realm, and a game master's ruling on it (reliability.md, S18; K17).

A ruling is a transition of the act alone: decisions of the council and their records are not touched.
"""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from gateway.body import RequestRefusedError
from gateway.identity import STATIC
from gateway.identity_dependencies import check_realm, internal_caller
from gateway.world_asked import QueueQuery, RulingAsked
from gateway.world_bodies import body_of, read_asked
from gateway.world_declared import declared
from gateway.world_parts import WorldParts
from gateway.world_problems import NO_ACT, UNKNOWN_REALM, already_ruled
from gateway.world_shown import HeldAct, QueueShown
from world.errors import UnknownRealmError
from world.influence.judging import State
from world.persistence.port import LedgerRow, Transition
from world.views.deeds import held_view, question_view

PATH: Final = "/internal/world/queue"
MOST_QUESTIONS: Final = 100
_TOLD: Final[dict[str, tuple[State, str]]] = {
    "release": ("accepted", "released"),
    "reject": ("rejected", "rejected"),
}


def queue_router(parts: WorldParts) -> APIRouter:
    """Return the endpoints of the queue."""
    router = APIRouter(tags=["queue"])

    @router.get(
        PATH,
        summary="What waits in a realm",
        response_model=QueueShown,
        responses=declared(401, 403, 422, 503),
    )
    async def read_queue(request: Request, asked: Annotated[QueueQuery, Query()]) -> Response:
        """Return acts in quarantine or in review, with everything that judged them, and questions that are not settled."""
        check_realm(await internal_caller(request), asked.realm_id)
        try:
            document = await _queue(parts, asked)
        except UnknownRealmError:
            raise RequestRefusedError(UNKNOWN_REALM) from None
        return _answered(document)

    @router.post(
        f"{PATH}/rulings",
        summary="Release or reject a held act",
        response_model=HeldAct,
        responses=declared(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
        openapi_extra=_ASKED,
    )
    async def rule(request: Request) -> Response:
        """Say what becomes of an act in quarantine, by name and with a reason.

        A released act counts in the next tick. Of two rulings one wins, the other is told whose; the same one sent again
        returns the act as it stands.
        """
        asked = read_asked(await body_of(request, parts), RulingAsked, parts.max_body_bytes)
        caller = await internal_caller(request)
        check_realm(caller, asked.realm_id)
        through = "" if caller.name == STATIC else f" ({caller.name})"
        try:
            return _answered(held_view(await _ruled(parts, asked, f"{asked.by}{through}")))
        except UnknownRealmError:
            raise RequestRefusedError(UNKNOWN_REALM) from None

    return router


_ASKED: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RulingAsked"}}},
    }
}


async def _queue(parts: WorldParts, asked: QueueQuery) -> dict[str, Any]:
    store = parts.store
    found = await store.rows(asked.realm_id, state=asked.state, after=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    open_ones = await store.questions(asked.realm_id, "open", MOST_QUESTIONS)
    answered_ones = await store.questions(asked.realm_id, "answered", MOST_QUESTIONS)
    return {
        "realm_id": asked.realm_id,
        "acts": [held_view(each) for each in page],
        "questions": [question_view(each) for each in (*answered_ones, *open_ones)][:MOST_QUESTIONS],
        "next": page[-1].sequence if page else asked.after,
        "has_more": len(found) > len(page),
    }


async def _ruled(parts: WorldParts, asked: RulingAsked, by: str) -> LedgerRow:
    """Return the act after a ruling.

    Raises:
        RequestRefusedError: 404 where there is no such act; 409 where it is not in quarantine, or somebody else was first.
    """
    state, told = _TOLD[asked.ruling]
    because = f"{told} by {by}: {asked.because}"
    row = await parts.store.row(asked.realm_id, asked.event_id)
    if row is None:
        raise RequestRefusedError(NO_ACT)
    if row.state == "quarantined":
        transition = Transition(row.sequence, state, because, expected="quarantined")
        await parts.store.move(asked.realm_id, [transition], parts.clock())
        row = await parts.store.row(asked.realm_id, asked.event_id)
        assert row is not None
    if (row.state, row.because) != (state, because):
        raise RequestRefusedError(already_ruled(row.state, row.because))
    return row


def _answered(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json", headers={"Cache-Control": "no-store"})
