"""The story's endpoints, and what its errors become."""

from fastapi import FastAPI, Request, Response

from gateway.metrics import Metrics
from gateway.routes import problem_response
from gateway.story_parts import StoryParts
from gateway.story_plans import plans_router
from gateway.story_problems import story_problem_of
from gateway.story_reads import story_reads_router
from story.errors import StoryError


def add_story(app: FastAPI, parts: StoryParts, metrics: Metrics) -> None:
    """Add the story's endpoints to an application."""
    app.include_router(plans_router(parts))
    app.include_router(story_reads_router(parts))

    async def failed(request: Request, error: Exception) -> Response:
        problem = story_problem_of(error)
        if problem is None:
            raise error
        return problem_response(problem, request, metrics)

    # What the world's store raises beneath the story, the world's endpoints tell.
    app.add_exception_handler(StoryError, failed)
