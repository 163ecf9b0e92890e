"""The world's endpoints, and what its errors become."""

from fastapi import FastAPI, Request, Response

from council.errors import CouncilError
from gateway.body import GoneError
from gateway.feed_routes import feed_routes
from gateway.metrics import Metrics
from gateway.routes import problem_response
from gateway.world_influence import influence_router
from gateway.world_parts import WorldParts
from gateway.world_problems import world_problem_of
from gateway.world_queue import queue_router
from gateway.world_reads import reads_router
from gateway.world_sovereign import sovereign_router
from gateway.world_steps import steps_router
from world.errors import WorldError
from world.review.port import ReviewError


def add_world(app: FastAPI, parts: WorldParts, metrics: Metrics) -> None:
    """Add the world's endpoints to an application."""
    for router in (influence_router, steps_router, sovereign_router, reads_router, queue_router):
        app.include_router(router(parts))
    if parts.feed is not None:
        app.router.routes.extend(feed_routes(parts.feed))

    async def failed(request: Request, error: Exception) -> Response:
        problem = world_problem_of(error)
        if problem is None:
            raise error
        return problem_response(problem, request, metrics)

    async def gone(_: Request, __: Exception) -> Response:
        # Nobody reads it: the caller hung up before its body was complete.
        return Response(status_code=400)

    for kind in (WorldError, ReviewError, CouncilError):
        app.add_exception_handler(kind, failed)
    app.add_exception_handler(GoneError, gone)
