"""Which pages may call /api/* from a browser: none, unless the settings name their origins (issue 5, trust)."""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.edge import INTERNAL

METHODS: Final = ("GET", "POST")
SENT: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-Correlation-Id")
"""Request headers that a page may set."""
READ: Final = ("ETag", "Retry-After", "X-Correlation-Id", "Idempotent-Replayed")
"""Response headers that a page may read."""
MAX_AGE_S: Final = 600
"""How long a browser may remember what it is allowed, seconds."""


def allow_origins(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Return the application as pages of exact origins may call it; without origins no header of CORS is ever sent.

    This stands before the edge: a page must be able to read why its token was refused. Credentials stay off: callers send tokens,
    and no cookie is ever read. A preflight of /internal/* meets the edge, which wants the service token that no browser has.
    """
    if not origins:
        return app
    allowing = CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=list(METHODS),
        allow_headers=list(SENT),
        expose_headers=list(READ),
        max_age=MAX_AGE_S,
    )

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_closed = scope["type"] != "http" or scope["path"].startswith(INTERNAL)
        await (app if is_closed else allowing)(scope, receive, send)

    return serve
