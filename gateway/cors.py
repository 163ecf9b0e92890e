"""Which pages may call /api/* from a browser: none, unless the settings name their origins (issue 5, trust)."""

from collections.abc import Sequence
from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

METHODS: Final = ("GET", "POST")
SENT: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-Correlation-Id")
"""Request headers that a page may set."""
READ: Final = ("ETag", "Retry-After", "X-Correlation-Id", "Idempotent-Replayed")
"""Response headers that a page may read."""
MAX_AGE_S: Final = 600
"""How long a browser may remember what it is allowed, seconds."""


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of exact origins call the application; without origins no header of CORS is ever sent.

    Credentials stay off: callers send tokens, and no cookie is ever read. A preflight of /internal/* meets the edge first,
    which wants the service token that no browser has.
    """
    if not origins:
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=list(METHODS),
        allow_headers=list(SENT),
        expose_headers=list(READ),
        max_age=MAX_AGE_S,
    )
