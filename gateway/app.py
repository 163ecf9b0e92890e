"""The HTTP application: endpoints, error handling, and the one layer before them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from gateway.auth import ServiceToken
from gateway.edge import Edge
from gateway.metrics import Metrics
from gateway.openapi import openapi_document
from gateway.parts import Parts
from gateway.problems import http_problem, invalid_parameters
from gateway.review_endpoint import PATH, ReviewEndpoint
from gateway.routes import build_router, problem_response
from gateway.settings import Settings
from policies.faults import Fault, pointer

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_app(parts: Parts, settings: Settings, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the application.

    Interactive documentation pages are off: they would load scripts from elsewhere.

    Raises:
        SettingsError: where no service token is set.
    """
    token = ServiceToken(settings.required_token())
    app = FastAPI(title="World Council", docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    endpoint = ReviewEndpoint(
        parts.service,
        parts.metrics,
        max_body_bytes=settings.max_body_bytes,
        body_timeout_s=settings.body_timeout_s,
        max_in_flight=settings.max_in_flight,
    )
    # First, so that the hot path is matched first; plain ASGI, so that no framework work is done for it.
    app.router.routes.insert(0, Route(PATH, endpoint, methods=["POST"], name="review"))
    app.include_router(build_router(parts))
    _handle_errors(app, parts.metrics)
    app.add_middleware(Edge, token=token, metrics=parts.metrics)
    _describe(app)
    return app


def _handle_errors(app: FastAPI, metrics: Metrics) -> None:
    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(http_problem(error.status_code, error.headers), request, metrics)

    async def bad_parameters(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [_fault(detail) for detail in error.errors()]
        return problem_response(invalid_parameters(faults), request, metrics)

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, bad_parameters)


def _fault(detail: Any) -> Fault:
    message: str = detail["msg"]
    return Fault(pointer(*detail["loc"][1:]), message[0].lower() + message[1:])


def _describe(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi_document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # how FastAPI wants it extended


