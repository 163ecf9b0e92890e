"""The world's way to the council: one question, one answer, whatever transport carries it.

`world.review.client` asks over HTTP; the gateway ships an adapter for a council in the same process. `world` never imports the
council (register rows S0-82, S0-83).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from policies.contracts.answer import Answer
from policies.contracts.request import DecisionRequest


class ReviewReply(NamedTuple):
    """What the council answered."""

    answer: Answer
    request_key: str
    """Idempotency key that the question was asked under: asking again with it returns the same answer."""
    is_stored: bool
    """Whether the answer was on record before this question."""


class ReviewError(Exception):
    """Base of everything a review client raises."""


class ReviewRefusedError(ReviewError):
    """the council refuses the request as it is; asking again does not help"""

    def __init__(self, problem: str, title: str, faults: Sequence[str] = (), *, status: int | None = None) -> None:
        self.problem = problem
        self.faults = tuple(faults)
        self.status = status
        super().__init__("; ".join([f"the council refuses the request: {title}", *self.faults]))


class ReviewUnavailableError(ReviewError):
    """no answer could be had in time; the same request with the same key is safe to send again"""

    def __init__(self, reason: str, request_key: str, *, retry_after_s: float | None = None) -> None:
        self.request_key = request_key
        self.retry_after_s = retry_after_s
        super().__init__(f"no verdict yet: {reason}; ask again with the key {request_key!r}")


class ReviewPendingError(ReviewUnavailableError):
    """the council is still deciding"""

    def __init__(self, decision_id: str, request_key: str) -> None:
        self.decision_id = decision_id
        super().__init__(f"decision {decision_id} is still being made", request_key)


class ReviewProtocolError(ReviewError):
    """what came back is not an answer of the council"""


class ReviewClient(Protocol):
    """Asks the council. Whatever fails, a change is applied only on an answer."""

    async def review(
        self, request: DecisionRequest, *, request_key: str | None = None, correlation_id: str | None = None
    ) -> ReviewReply:
        """Ask whether a change may happen.

        Args:
            request_key: idempotency key; without it the request's own `request_id`, else a new one.
            correlation_id: follows the question through logs and records.

        Raises:
            ReviewRefusedError: where the council refuses the request; it never will accept it.
            ReviewUnavailableError: where no answer came in time; ask again with the same key.
            ReviewPendingError: where the verdict is still being made; ask again with the same key.
            ReviewProtocolError: where something else than the council answered.
        """
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...
