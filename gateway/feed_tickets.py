"""POST /api/world/{realm}/stream/ticket: a one-time ticket for a browser, whose EventSource cannot send a token."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.body import RequestRefusedError
from gateway.feed_callers import audience_of, refusing
from gateway.feed_parts import FeedParts
from gateway.identity_dependencies import require
from gateway.problems import Problem
from gateway.roles import Permission
from gateway.world_problems import NO_REALM
from world.feed.tickets import TTL_S, Ticket

TOO_MANY = Problem(
    "tickets-exhausted", 503, "too many tickets wait for their use", "ask again later", {"Retry-After": str(TTL_S)}
)
_may_read = require(Permission.READ_OWN)


class TicketEndpoint:
    """Gives tickets."""

    def __init__(self, parts: FeedParts) -> None:
        self._parts = parts

    async def __call__(self, request: Request) -> Response:
        """Give the caller a ticket for one realm.

        Raises:
            RequestRefusedError: 401, 403, 404 or 503.
        """
        user = await _may_read(request)
        realm_id: str = request.path_params["realm"]
        await self._check(realm_id)
        secret = self._parts.secret()
        with refusing():
            is_kept = await self._parts.tickets.give(secret, Ticket(realm_id, audience_of(user)))
        if not is_kept:
            raise RequestRefusedError(TOO_MANY)
        told = {
            "ticket": secret,
            "expires_in_s": TTL_S,
            "stream": f"/api/world/{realm_id}/stream?ticket={secret}",
            "websocket": f"/api/world/{realm_id}/ws?ticket={secret}",
        }
        headers = {"Cache-Control": "no-store"}
        return Response(orjson.dumps(told), 201, headers, "application/json")

    async def _check(self, realm_id: str) -> None:
        with refusing():
            is_known = await self._parts.feeds.knows(realm_id)
        if not is_known:
            raise RequestRefusedError(NO_REALM)
