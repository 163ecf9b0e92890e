"""The HTTP application: endpoints, error handling, and the one layer before them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.body import RequestRefusedError
from gateway.cors import allow_origins
from gateway.edge import Edge, Shortcut
from gateway.feed_routes import FeedShortcut
from gateway.identity_opening import open_identities
from gateway.metrics import Metrics
from gateway.openapi import openapi_document
from gateway.parts import Parts
from gateway.problems import DEFECT, http_problem, invalid_parameters
from gateway.review_endpoint import PATH, ReviewEndpoint
from gateway.routes import build_router, problem_response
from gateway.settings import Settings
from gateway.story_routes import add_story
from gateway.world_routes import add_world
from policies.contracts.reading import describe
from policies.faults import Fault

_OFF: Final[Any] = {"tracing": False, "metrics": False, "logs": False}
"""Our own metrics and logs say it; asking for theirs on every request would only cost time."""
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class CouncilApp(FastAPI):
    """FastAPI behind our own edge, which is all that stands before the hot endpoint."""

    edge: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        await self.edge(scope, receive, send)


def build_app(parts: Parts, settings: Settings, lifespan: Lifespan | None = None) -> CouncilApp:
    """Return the application.

    Interactive documentation pages are off: they would load scripts from elsewhere.

    Raises:
        SettingsError: where no service token is set.
        InvalidFileError: where the key set of users' tokens cannot be used.
    """
    settings.required_token()
    identities = open_identities(settings, parts.metrics)
    endpoint = ReviewEndpoint(
        parts.service,
        parts.metrics,
        max_body_bytes=settings.max_body_bytes,
        body_timeout_s=settings.body_timeout_s,
        max_in_flight=settings.max_in_flight,
    )
    app = CouncilApp(
        title="World Council", docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan, telemetry=_OFF
    )
    # The route answers other methods and is what the edge's short way leads to.
    app.router.routes.insert(0, Route(PATH, endpoint, methods=["POST"], name="review"))
    app.include_router(build_router(parts))
    if parts.world is not None:
        add_world(app, parts.world, parts.metrics)
    if parts.story is not None:
        add_story(app, parts.story, parts.metrics)
    within: ASGIApp = partial(FastAPI.__call__, app)
    if parts.world is not None and parts.world.feed is not None:
        within = FeedShortcut(within, parts.world.feed)
    edge = Edge(
        within,
        shortcut=Shortcut("POST", PATH, endpoint),
        identities=identities,
        metrics=parts.metrics,
    )
    app.edge = allow_origins(edge, settings.allowed_origins())
    _handle_errors(app, parts.metrics)
    _describe(app)
    return app


def _handle_errors(app: FastAPI, metrics: Metrics) -> None:
    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(http_problem(error.status_code, error.headers), request, metrics)

    async def turned_away(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestRefusedError)
        return problem_response(error.problem, request, metrics)

    async def bad_parameters(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [_fault(detail) for detail in error.errors()]
        return problem_response(invalid_parameters(faults), request, metrics)

    async def defect(request: Request, _: Exception) -> Response:
        return problem_response(DEFECT, request, metrics)

    app.add_exception_handler(Exception, defect)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestRefusedError, turned_away)
    app.add_exception_handler(RequestValidationError, bad_parameters)


def _fault(detail: Any) -> Fault:
    # The first part of its place says whether it stands in the path, the query or a header.
    return describe(detail["type"], detail["loc"][1:], detail["msg"], detail.get("ctx", {}), {})


def _describe(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi_document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # how FastAPI wants it extended
