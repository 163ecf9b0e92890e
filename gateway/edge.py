"""The one layer before every endpoint: correlation id, who calls, and no error without a problem document."""

import logging
from typing import Any, Final, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.correlation import HEADER, follow
from gateway.identity import Identities
from gateway.identity_problems import FORBIDDEN, refused
from gateway.identity_tokens import Refusal
from gateway.metrics import Metrics
from gateway.problems import DEFECT, MEDIA_TYPE, Problem
from gateway.roles import internal_permission

INTERNAL: Final = "/internal/"
PUBLIC: Final = "/api/"
IDENTITIES: Final = "council.identities"
"""Key of a scope: the `Identities` that tell who calls."""
SERVICE: Final = "council.service"
"""Key of a scope: the `Service` that calls /internal/*."""
USER: Final = "council.user"
"""Key of a scope: the `User` of a change below /api/, once the edge has found the token good."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONG_DIGITS: Final = 5
"""A Content-Length of more digits: 100,000 bytes or more."""
_log = logging.getLogger(__name__)


class Shortcut(NamedTuple):
    """One endpoint that needs nothing of the framework."""

    method: str
    path: str
    endpoint: ASGIApp


class Edge:
    """Wraps the application, as plain ASGI: this runs on every request.

    Args:
        shortcut: the endpoint that is called without the framework's own layers (0.1 ms of CPU a request).
        identities: tells who calls.
    """

    def __init__(self, app: ASGIApp, *, shortcut: Shortcut, identities: Identities, metrics: Metrics) -> None:
        self._app = app
        self._shortcut = shortcut
        self._identities = identities
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope[IDENTITIES] = self._identities
        headers = scope["council.headers"] = dict(scope["headers"])
        # Nothing is set back: the server runs each request in a task of its own, and the next one sets its own ids.
        correlation_id = scope["council.correlation_id"] = follow(scope["headers"], headers)
        if scope["type"] == "websocket":
            if scope["path"].startswith(INTERNAL):
                # Services call, they do not listen: a socket that somebody adds there must not be open by mistake.
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        echoed = (HEADER, correlation_id.encode("ascii"))
        is_started = is_whole = False

        async def echoing(message: Message) -> None:
            nonlocal is_started, is_whole
            if message["type"] == "http.response.start":
                is_started = True
                message["headers"] = [*message["headers"], echoed]
            await send(message)
            is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)

        problem = self._unmet(scope, headers)
        if problem is not None:
            await send_problem(problem, scope, echoing, self._metrics)
            return
        is_short = scope["path"] == self._shortcut.path and scope["method"] == self._shortcut.method
        try:
            await (self._shortcut.endpoint if is_short else self._app)(scope, receive, echoing)
        except Exception as error:
            _log.exception(
                "request failed", extra={"correlation_id": correlation_id, "error": type(error).__qualname__}
            )
            if is_whole:
                return  # the framework has answered with the problem, and passes the error on to whoever logs it
            if is_started:
                raise
            await send_problem(DEFECT, scope, echoing, self._metrics)

    def _unmet(self, scope: Scope, headers: dict[bytes, bytes]) -> Problem | None:
        """Return why a call is not let in; None where it is.

        Calls of /internal/* take a service that may do what they do; changes below /api/ take a user, whatever the endpoint asks
        for beyond that (S0-84, S0-85).
        """
        path: str = scope["path"]
        if path.startswith(INTERNAL):
            service = self._identities.service(authorization(scope, headers))
            if isinstance(service, Refusal):
                return refused(service.reason, is_internal=True)
            scope[SERVICE] = service
            return None if service.may(internal_permission(scope["method"], path)) else FORBIDDEN
        if path.startswith(PUBLIC) and scope["method"] not in _READING:
            user = self._identities.user(authorization(scope, headers))
            if isinstance(user, Refusal):
                return refused(user.reason)
            scope[USER] = user
        return None


def authorization(scope: Scope, headers: dict[bytes, bytes]) -> bytes | None:
    """Return the `Authorization` header; several make one that is malformed: no proxy may read another one than we.

    Args:
        headers: the last of each name.
    """
    if len(headers) == len(scope["headers"]):
        return headers.get(b"authorization")
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    return b",".join(sent) if sent else None


async def send_problem(problem: Problem, scope: Scope, send: Send, metrics: Metrics) -> None:
    """Send a problem document; where much of the request may still be on its way, the connection ends with it."""
    metrics.child(metrics.problems, problem.slug, str(problem.status)).inc()
    body = problem.document(scope["council.correlation_id"])
    headers = dict(problem.headers)
    if _is_long(scope["council.headers"]):
        headers["Connection"] = "close"
    await send_response(send, problem.status, MEDIA_TYPE.encode(), body, headers)


def _is_long(headers: dict[bytes, bytes]) -> bool:
    return b"transfer-encoding" in headers or len(headers.get(b"content-length", b"")) > _LONG_DIGITS


async def send_response(send: Send, status: int, media_type: bytes, body: bytes, headers: Any = None) -> None:
    """Send a whole response."""
    raw = [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    if headers:
        raw += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
