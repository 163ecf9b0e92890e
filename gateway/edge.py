"""The one layer before every endpoint: correlation id, service token, and no error without a problem document."""

import logging
from typing import Any, Final, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.auth import ServiceToken
from gateway.correlation import HEADER, follow
from gateway.metrics import Metrics
from gateway.problems import DEFECT, MEDIA_TYPE, UNAUTHORIZED, Problem

INTERNAL: Final = "/internal/"
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
        token: what callers of /internal/* must send.
    """

    def __init__(self, app: ASGIApp, *, shortcut: Shortcut, token: ServiceToken, metrics: Metrics) -> None:
        self._app = app
        self._shortcut = shortcut
        self._token = token
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["council.headers"] = dict(scope["headers"])
        # Nothing is set back: the server runs each request in a task of its own, and the next one sets its own ids.
        correlation_id = scope["council.correlation_id"] = follow(scope["headers"], headers)
        echoed = (HEADER, correlation_id.encode("ascii"))
        is_started = False

        async def echoing(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                message["headers"] = [*message["headers"], echoed]
            await send(message)

        if scope["path"].startswith(INTERNAL) and not self._token.admits(headers.get(b"authorization")):
            await send_problem(UNAUTHORIZED, scope, echoing, self._metrics)
            return
        is_short = scope["path"] == self._shortcut.path and scope["method"] == self._shortcut.method
        try:
            await (self._shortcut.endpoint if is_short else self._app)(scope, receive, echoing)
        except Exception as error:
            _log.exception(
                "request failed", extra={"correlation_id": correlation_id, "error": type(error).__qualname__}
            )
            if is_started:
                raise
            await send_problem(DEFECT, scope, echoing, self._metrics)


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
