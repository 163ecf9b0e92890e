"""POST /internal/council/review as plain ASGI: the hot path (register row S0-82; performance.md, over HTTP)."""

import re
import time
from typing import Final, Protocol

from starlette.types import Receive, Scope, Send

from council.errors import DecisionPendingError
from council.service import Reviewed
from gateway.body import GoneError, RequestRefusedError, read_body
from gateway.edge import SERVICE, send_problem, send_response
from gateway.identity import Service
from gateway.identity_problems import FOREIGN_REALM
from gateway.metrics import Metrics
from gateway.problems import BAD_KEY, OVERLOADED, pending, problem_of
from policies.faults import InvalidInputError
from policies.strict_json import parse_strict

PATH: Final = "/internal/council/review"
PENDING_RETRY_S: Final = "1"
_JSON: Final = b"application/json"
_KEY = re.compile(rb'(")?([A-Za-z0-9_.:@/+\-]{1,128})(?(1)")')


class Reviewer(Protocol):
    """What decides: the council's service."""

    async def review(
        self, raw: bytes | str, *, idempotency_key: str | None = None, correlation_id: str | None = None
    ) -> Reviewed:
        """Review one request and record the decision."""
        ...


class ReviewEndpoint:
    """Reads a body within its caps, asks the council, and answers with the recorded bytes.

    Args:
        max_body_bytes: largest body accepted.
        body_timeout_s: how long a caller may take to send it, seconds.
        max_in_flight: reviews under way at once.
    """

    def __init__(
        self, service: Reviewer, metrics: Metrics, *, max_body_bytes: int, body_timeout_s: float, max_in_flight: int
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        metrics.in_flight.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._in_flight >= self._max_in_flight:
            await send_problem(OVERLOADED, scope, send, self._metrics)
            return
        self._in_flight += 1
        try:
            await self._serve(scope, receive, send)
        except GoneError:
            return
        except RequestRefusedError as refused:
            await send_problem(refused.problem, scope, send, self._metrics)
        except DecisionPendingError as error:
            await self._send_pending(error, send)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            await send_problem(problem, scope, send, self._metrics)
        finally:
            self._in_flight -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = scope["council.headers"]
        key, sent_key = None, headers.get(b"idempotency-key")
        if sent_key is not None:
            found = _KEY.fullmatch(sent_key)
            if found is None:
                raise RequestRefusedError(BAD_KEY)
            key = found[2].decode("ascii")
        raw = await read_body(headers, receive, max_bytes=self._max_body_bytes, timeout_s=self._body_timeout_s)
        _check_realm(scope.get(SERVICE), raw)
        started = time.perf_counter()
        reviewed = await self._service.review(raw, idempotency_key=key, correlation_id=scope["council.correlation_id"])
        metrics = self._metrics
        metrics.child(metrics.review_seconds, reviewed.path).observe(time.perf_counter() - started)
        if reviewed.is_stored:
            metrics.replayed.inc()
        await send_response(send, 200, _JSON, reviewed.answer, _told_beside(reviewed))

    async def _send_pending(self, error: DecisionPendingError, send: Send) -> None:
        self._metrics.pending.inc()
        told = pending(error)
        headers = {"Location": told.location, "Retry-After": PENDING_RETRY_S}
        await send_response(send, 202, _JSON, told.body, headers)


def _check_realm(caller: Service | None, raw: bytes) -> None:
    """Refuse a caller whose token is for another realm than the body's; other faults of a body are told by its reader."""
    if caller is None or caller.realm_id is None:
        return
    try:
        body = parse_strict(raw, max_bytes=len(raw)).value
    except InvalidInputError:
        return
    if isinstance(body, dict) and body.get("realm_id") != caller.realm_id:
        raise RequestRefusedError(FOREIGN_REALM)


def _told_beside(reviewed: Reviewed) -> dict[str, str] | None:
    """Headers of an answer: whether it was on record, and when an outage of models may be over."""
    if reviewed.is_stored:
        return _REPLAYED
    return None if reviewed.retry_after_s is None else {"Retry-After": str(reviewed.retry_after_s)}


_REPLAYED: Final = {"Idempotent-Replayed": "true"}
