"""What waits for a person in a realm, and a game master's ruling on it (reliability.md, S18; K17).

A ruling is a transition of the act alone: decisions of the council and their records are not touched.
"""

from typing import Annotated, Any, Final, NamedTuple

import orjson
from fastapi import APIRouter, Query, Request, Response

from gateway.body import RequestRefusedError
from gateway.identity import STATIC
from gateway.identity_dependencies import check_realm, internal_caller
from gateway.world_asked import QueueQuery, RulingAsked
from gateway.world_bodies import body_of, read_asked
from gateway.world_declared import declared
from gateway.world_parts import WorldParts
from gateway.world_problems import IN_REVIEW, NO_ACT, UNKNOWN_REALM, already_ruled
from gateway.world_shown import HeldAct, QueueShown
from world.errors import UnknownRealmError
from world.influence.judging import State
from world.persistence.port import MAX_PAGE, LedgerRow, Transition, WorldStore
from world.service.expiry import is_open_to_appeal
from world.views.deeds import held_view, question_view

PATH: Final = "/internal/world/queue"
MOST_QUESTIONS: Final = 100
MOST_PAGES: Final = 20
"""Pages of rejected acts that one call looks through for expired ones: ten thousand acts."""
_TOLD: Final[dict[str, tuple[State, str]]] = {
    "release": ("accepted", "released"),
    "reject": ("rejected", "rejected"),
}


class _Page(NamedTuple):
    """One page of the queue."""

    acts: list[LedgerRow]
    next: int
    has_more: bool


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
        """Return acts that wait, with everything that judged them, and questions that are not settled."""
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
        """Say what becomes of an act in quarantine, or grant the appeal against one that expired, by name and with a reason.

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
    page = await _held(store, asked)
    open_ones = await store.questions(asked.realm_id, "open", MOST_QUESTIONS)
    answered_ones = await store.questions(asked.realm_id, "answered", MOST_QUESTIONS)
    return {
        "realm_id": asked.realm_id,
        "acts": [held_view(each) for each in page.acts],
        "questions": [question_view(each) for each in (*answered_ones, *open_ones)][:MOST_QUESTIONS],
        "next": page.next,
        "has_more": page.has_more,
    }


async def _held(store: WorldStore, asked: QueueQuery) -> _Page:
    if asked.state == "expired":
        return await _appealed(store, asked)
    found = await store.rows(asked.realm_id, state=asked.state, after=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    return _Page(list(page), page[-1].sequence if page else asked.after, len(found) > len(page))


async def _appealed(store: WorldStore, asked: QueueQuery) -> _Page:
    """Look for expired acts among the rejected ones: so many in one call, and the next call goes on behind them."""
    found: list[LedgerRow] = []
    after = asked.after
    for _ in range(MOST_PAGES):
        page = await store.rows(asked.realm_id, state="rejected", after=after, limit=MAX_PAGE)
        for row in page:
            if len(found) == asked.limit:
                return _Page(found, after, True)
            after = row.sequence
            found += [row] if is_open_to_appeal(row) else []
        if len(page) < MAX_PAGE:
            return _Page(found, after, False)
    return _Page(found, after, True)


async def _ruled(parts: WorldParts, asked: RulingAsked, by: str) -> LedgerRow:
    """Return the act after a ruling.

    Raises:
        RequestRefusedError: 404 where there is no such act; 409 where it does not wait for a person, or somebody was first.
    """
    state, told = _TOLD[asked.ruling]
    because = f"{told} by {by}: {asked.because}"
    row = await parts.store.row(asked.realm_id, asked.event_id)
    if row is None:
        raise RequestRefusedError(NO_ACT)
    if row.state == "in_review":
        raise RequestRefusedError(IN_REVIEW)
    # An appeal can be granted, and not refused: the act is rejected as it is. So of two rulings the first changes the state.
    if row.state == "quarantined" or (state == "accepted" and is_open_to_appeal(row)):
        transition = Transition(row.sequence, state, because, expected=row.state)
        await parts.store.move(asked.realm_id, [transition], parts.clock())
        row = await parts.store.row(asked.realm_id, asked.event_id)
        assert row is not None
    if (row.state, row.because) != (state, because):
        raise RequestRefusedError(already_ruled(row.state, row.because))
    return row


def _answered(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json", headers={"Cache-Control": "no-store"})
