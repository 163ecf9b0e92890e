"""The review client of a world that lives in the council's own process: no socket, the same answers and errors."""

import uuid
from typing import NoReturn

from council.errors import CouncilError, DecisionPendingError
from council.ledger.port import LedgerUnavailableError
from gateway.problems import problem_of
from gateway.review_endpoint import Reviewer
from policies.contracts.answer import Answer
from policies.contracts.request import DecisionRequest
from policies.faults import InvalidInputError
from world.review.port import (
    ReviewPendingError,
    ReviewRefusedError,
    ReviewReply,
    ReviewUnavailableError,
)


class InProcessReviewClient:
    """Asks the council's service directly.

    Args:
        service: what decides; it stays open when the client closes.
    """

    def __init__(self, service: Reviewer) -> None:
        self._service = service

    async def review(
        self, request: DecisionRequest, *, request_key: str | None = None, correlation_id: str | None = None
    ) -> ReviewReply:
        """Ask the council; see the port."""
        key = request_key or request.request_id or str(uuid.uuid4())
        body = request.model_dump_json(by_alias=True, exclude_unset=True).encode()
        try:
            reviewed = await self._service.review(body, idempotency_key=key, correlation_id=correlation_id)
        except DecisionPendingError as error:
            raise ReviewPendingError(error.decision_id, key) from error
        except LedgerUnavailableError as error:
            raise ReviewUnavailableError(error.reason, key, retry_after_s=error.retry_after_s) from error
        except (InvalidInputError, CouncilError) as error:
            _refuse(error)
        return ReviewReply(Answer.model_validate_json(reviewed.answer), key, reviewed.is_stored)

    async def close(self) -> None:
        """Do nothing: the service belongs to whoever opened it."""


def _refuse(error: InvalidInputError | CouncilError) -> NoReturn:
    problem = problem_of(error)
    if problem is None:
        raise error
    faults = [str(fault) for fault in error.faults] if isinstance(error, InvalidInputError) else []
    slug = f"urn:problem-type:council:{problem.slug}"
    raise ReviewRefusedError(slug, f"{problem.title} ({problem.status})", faults, status=problem.status) from error
