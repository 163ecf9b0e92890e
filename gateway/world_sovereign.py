"""Sovereign actions: a faction's leader proposes, other factions object, the tick asks the council, everybody reads (S0-48).

Game servers say who leads a faction: players propose through them and have no way here of their own.
"""

from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Path, Request, Response

from gateway.body import RequestRefusedError
from gateway.identity_dependencies import check_realm, internal_caller
from gateway.world_asked import ObjectionAsked, SovereignAsked
from gateway.world_bodies import body_of, known_realm, read_asked
from gateway.world_conditional import PUBLIC, answered
from gateway.world_declared import KEPT, TAGGED, body_declared, declared
from gateway.world_parts import WorldParts
from gateway.world_problems import ACTION_KEY, sovereign_refused
from gateway.world_reads import MaybeUser, Realm
from gateway.world_sovereign_shown import ActionsShown, SovereignTaken
from policies.contracts.base import Id
from world.realm.sovereign import Proposal, Refusal
from world.service.sovereign import Taken
from world.views.actions import action_view, actions_view, sovereignty_view
from world.views.realm_view import heading

PATH: Final = "/internal/world/sovereign"
_BODY: Final = (400, 401, 403, 408, 409, 413, 415, 422, 503)
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "May be sent, and must be the action's id: it is the key.",
    "schema": {"type": "string"},
}


def sovereign_router(parts: WorldParts) -> APIRouter:
    """Return the endpoints of sovereign actions."""
    router = APIRouter(tags=["world"])

    @router.post(
        PATH,
        summary="Propose a sovereign action",
        response_model=SovereignTaken,
        responses=declared(*_BODY),
        openapi_extra={"parameters": [_KEY], **body_declared("SovereignAsked")},
    )
    async def propose(request: Request) -> Response:
        """Take up a sovereign action of a faction: its cost leaves the treasury, and others may object until its window closes.

        The tick after the window asks the council, whose verdict is applied by the world itself; refused, cost and use come back.
        The same `action_id` again is the same action and is paid for once.
        """
        asked = read_asked(await body_of(request, parts), SovereignAsked, parts.max_body_bytes)
        check_realm(await internal_caller(request), asked.realm_id)
        _check_key(request, asked.action_id)
        proposal = Proposal(asked.action_id, asked.kind, asked.faction_id, asked.user_id, asked.target)
        with known_realm():
            taken = await parts.sovereignty.propose(asked.realm_id, proposal, request.scope["council.correlation_id"])
        return await _taken(parts, asked.realm_id, taken)

    @router.post(
        f"{PATH}/{{action_id:path}}/objections",
        summary="Object to a sovereign action",
        response_model=SovereignTaken,
        responses=declared(*_BODY, 404),
        openapi_extra=body_declared("ObjectionAsked"),
    )
    async def object_to(request: Request, action_id: Annotated[Id, Path()]) -> Response:
        """Enter an objection of another faction while the window of counterplay is open; the council is shown who objected."""
        asked = read_asked(await body_of(request, parts), ObjectionAsked, parts.max_body_bytes)
        check_realm(await internal_caller(request), asked.realm_id)
        with known_realm():
            taken = await parts.sovereignty.object_to(
                asked.realm_id,
                action_id,
                faction_id=asked.faction_id,
                user_id=asked.user_id,
                correlation_id=request.scope["council.correlation_id"],
            )
        return await _taken(parts, asked.realm_id, taken)

    @router.get(
        "/api/world/{realm}/actions",
        summary="Sovereign actions of a realm",
        response_model=ActionsShown,
        responses={**KEPT, **declared(401, 403, 404, 422, 503)},
        openapi_extra=TAGGED,
    )
    async def read_actions(request: Request, realm: Realm, _: MaybeUser) -> Response:
        """Return the sovereign actions under way with who stands against them, and what each faction could do now."""
        moment, rules = (await parts.moments.now(realm)).moment, parts.world.rules
        actions, factions = actions_view(moment.realm, rules), sovereignty_view(moment.realm, rules)
        document = {**heading(moment), "actions": actions, "factions": factions}
        return answered(request, document, cache=PUBLIC, snapshot_hash=moment.hash)

    return router


def _check_key(request: Request, action_id: str) -> None:
    headers: dict[bytes, bytes] = request.scope["council.headers"]
    sent = headers.get(b"idempotency-key")
    if sent is not None and sent.strip(b'"') != action_id.encode():
        raise RequestRefusedError(ACTION_KEY)


async def _taken(parts: WorldParts, realm_id: str, taken: Taken | Refusal) -> Response:
    """Return an action as it stands.

    Raises:
        RequestRefusedError: where the rules refuse it.
    """
    if isinstance(taken, Refusal):
        raise RequestRefusedError(sovereign_refused(taken))
    realm = await parts.realms.current(realm_id)
    document = {
        "realm_id": realm_id,
        "snapshot_id": taken.snapshot_id,
        "is_repeat": taken.is_repeat,
        "action": action_view(taken.action, realm, parts.world.rules),
    }
    headers = {"Cache-Control": "no-store", **({"Idempotent-Replayed": "true"} if taken.is_repeat else {})}
    return Response(orjson.dumps(document), media_type="application/json", headers=headers)
