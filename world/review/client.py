"""The review client over HTTP: one key per question, however often it has to be asked.

Only what can pass is retried: connections, timeouts, 408, 429 and 5xx. Every try carries the same key, so that the council
decides once (reliability.md, S1 to S5). A server's Retry-After is always waited out, or the client gives up at once.
"""

import asyncio
import uuid
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from policies.contracts.answer import Answer
from policies.contracts.request import DecisionRequest
from policies.faults import InvalidInputError
from policies.strict_json import parse_strict
from world.review.port import (
    ReviewError,
    ReviewPendingError,
    ReviewProtocolError,
    ReviewRefusedError,
    ReviewReply,
    ReviewUnavailableError,
)

REVIEW_PATH: Final = "/internal/council/review"
MAX_ANSWER_BYTES: Final = 4 * 1_048_576
RECORD_DEPTH: Final = 64
"""A record holds a request, which may itself be nested to the limit of requests."""
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S: Final = 3_600.0


class Patience(NamedTuple):
    """How long a question is worth asking."""

    total_s: float = 30.0
    """From the first try until the client gives up, seconds."""
    connect_s: float = 2.0
    """For one connection, seconds."""
    read_s: float = 15.0
    """For one reply, seconds; more than the council's own deadline."""
    tries: int = 5
    """Most times the question is sent."""
    wait_s: float = 0.1
    """First wait between tries, seconds; doubled from try to try, with jitter."""
    longest_wait_s: float = 5.0
    """Longest wait between tries where the server names none, seconds."""
    poll_s: float = 0.2
    """Shortest wait between looks for a pending decision, seconds."""


class _TransientError(ReviewError):
    """this try failed in a way that may pass"""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class HttpReviewClient:
    """Asks a council over HTTP.

    Args:
        base_url: where the council serves, such as http://127.0.0.1:8080.
        token: the service token (`COUNCIL_SERVICE_TOKEN` of the council).
        patience: how long a question is worth asking.
        transport: stands in for the network.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        patience: Patience = Patience(),  # noqa: B008 - immutable
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._patience = patience
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json, application/problem+json"},
            timeout=httpx.Timeout(patience.read_s, connect=patience.connect_s),
            transport=transport,
            follow_redirects=False,  # a redirect would carry the token elsewhere
            trust_env=False,
        )

    async def review(
        self, request: DecisionRequest, *, request_key: str | None = None, correlation_id: str | None = None
    ) -> ReviewReply:
        """Ask the council; see the port."""
        key = request_key or request.request_id or str(uuid.uuid4())
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if (correlation := correlation_id or request.correlation_id) is not None:
            headers["X-Correlation-Id"] = correlation
        body = request.model_dump_json(by_alias=True, exclude_unset=True).encode()
        return await _Question(self._http, self._patience, key, body, headers).answered()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class _Question:
    """One question, from its first try to its answer."""

    def __init__(
        self, http: httpx.AsyncClient, patience: Patience, key: str, body: bytes, headers: dict[str, str]
    ) -> None:
        self._http = http
        self._patience = patience
        self._key = key
        self._body = body
        self._headers = headers
        self._pending: str | None = None
        """Id of the decision that the council said it is making."""
        self._jitter = wait_random_exponential(multiplier=patience.wait_s, max=patience.longest_wait_s)

    async def answered(self) -> ReviewReply:
        """Ask until there is an answer or patience ends."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TransientError), wait=self._wait, stop=self._is_over, reraise=True
        )
        try:
            async with asyncio.timeout(self._patience.total_s):
                return await retrying(self._ask)
        except TimeoutError as error:
            if self._pending is not None:
                raise ReviewPendingError(self._pending, self._key) from error
            raise ReviewUnavailableError("patience has ended", self._key) from error
        except _TransientError as error:
            raise ReviewUnavailableError(str(error), self._key, retry_after_s=error.retry_after_s) from error

    def _wait(self, state: RetryCallState) -> float:
        """Return the wait before the next try, seconds: never less than the server asks for."""
        asked = _retry_after(state)
        jitter = self._jitter(state)
        return jitter if asked is None else asked + jitter

    def _is_over(self, state: RetryCallState) -> bool:
        spent = state.seconds_since_start or 0.0
        asked = _retry_after(state) or 0.0
        return state.attempt_number >= self._patience.tries or spent + asked >= self._patience.total_s

    async def _ask(self) -> ReviewReply:
        response = await self._sent("POST", REVIEW_PATH, content=self._body, headers=self._headers)
        if response.status_code == 200:
            is_stored = response.headers.get("Idempotent-Replayed") == "true"
            return ReviewReply(_answer(response.content), self._key, is_stored)
        if response.status_code == 202:
            return await self._looked_up(response)
        raise self._refusal(response)

    async def _sent(self, method: str, url: str, **more: Any) -> httpx.Response:
        try:
            # Timeouts of the library bound one read; a reply that drips would never end by them.
            async with asyncio.timeout(self._patience.connect_s + self._patience.read_s):
                response = await self._http.request(method, url, **more)
        except TimeoutError as error:
            raise _TransientError("the council took too long to reply") from error
        except httpx.TransportError as error:
            raise _TransientError(f"{type(error).__name__} on the way to the council") from error
        if response.status_code in _RETRIED:
            raise _TransientError(_told(response), _seconds(response.headers.get("Retry-After")))
        return response

    async def _looked_up(self, pending: httpx.Response) -> ReviewReply:
        """Look for a decision that outlived its deadline until it is on record."""
        location = self._same_origin(pending.headers.get("Location"))
        decision_id = self._pending = location.rpartition("/")[2]
        headers = {name: value for name, value in self._headers.items() if name == "X-Correlation-Id"}
        pause = max(_seconds(pending.headers.get("Retry-After")) or 0.0, self._patience.poll_s)
        looking = AsyncRetrying(
            retry=retry_if_exception_type(_TransientError),
            wait=lambda state: max(_retry_after(state) or 0.0, pause),
            stop=lambda state: (state.seconds_since_start or 0.0) + pause >= self._patience.total_s,
            reraise=True,
        )

        async def look() -> ReviewReply:
            response = await self._sent("GET", location, headers=headers)
            if response.status_code == 404:
                raise _TransientError(f"decision {decision_id} is not on record yet")
            if response.status_code != 200:
                raise self._refusal(response)
            return ReviewReply(_answer_in(response.content), self._key, False)

        try:
            return await looking(look)
        except _TransientError as error:
            raise ReviewPendingError(decision_id, self._key) from error

    def _same_origin(self, location: str | None) -> str:
        """Return the path of a Location; one that leads elsewhere is refused, for it would be sent the token."""
        parts = urlsplit(location or "")
        own = self._http.base_url
        elsewhere = parts.netloc and parts.netloc != own.netloc.decode("ascii")
        if elsewhere or not parts.path.startswith("/internal/council/decisions/"):
            raise ReviewProtocolError("202 without a Location that leads to a decision of this council")
        return parts.path

    def _refusal(self, response: httpx.Response) -> ReviewError:
        problem = _problem(response)
        if 400 <= response.status_code < 500 and problem is not None:
            faults = [_fault_line(fault) for fault in problem.get("faults", []) if isinstance(fault, dict)]
            title = f"{problem.get('title', 'no reason given')} ({response.status_code})"
            return ReviewRefusedError(str(problem.get("type", "")), title, faults, status=response.status_code)
        return ReviewProtocolError(f"unexpected reply with status {response.status_code}; is this a council?")


def _retry_after(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error.retry_after_s if isinstance(error, _TransientError) else None


def _seconds(header: str | None) -> float | None:
    """Return a Retry-After in seconds; None where there is none or it is a date (the council sends seconds)."""
    if header is None or not header.isascii() or not header.isdecimal():
        return None
    return min(float(header), _LONGEST_WAIT_S)


def _answer(body: bytes) -> Answer:
    try:
        return Answer.model_validate(parse_strict(body, max_bytes=MAX_ANSWER_BYTES).value)
    except (InvalidInputError, ValidationError) as error:
        raise ReviewProtocolError("the reply is not an answer of the council") from error


def _answer_in(body: bytes) -> Answer:
    try:
        document = parse_strict(body, max_bytes=MAX_ANSWER_BYTES, max_depth=RECORD_DEPTH).value
        return Answer.model_validate(document["answer"])
    except (InvalidInputError, ValidationError, KeyError, TypeError) as error:
        raise ReviewProtocolError("the reply is not a decision of the council") from error


def _problem(response: httpx.Response) -> dict[str, Any] | None:
    try:
        problem = parse_strict(response.content, max_bytes=MAX_ANSWER_BYTES).value
    except InvalidInputError:
        return None
    return problem if isinstance(problem, dict) else None


def _told(response: httpx.Response) -> str:
    problem = _problem(response)
    title = problem.get("title") if problem else None
    return f"{title or 'the council cannot answer now'} ({response.status_code})"


def _fault_line(fault: dict[str, Any]) -> str:
    fix = f"; {fault['fix']}" if fault.get("fix") else ""
    return f"{fault.get('path') or '(document)'}: {fault.get('message')}{fix}"
