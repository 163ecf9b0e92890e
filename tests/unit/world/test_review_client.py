"""The world's review client over HTTP: one key however often it asks, waits as told, and clear errors (S0-82, S1 to S5)."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from policies.contracts.reading import validate_request
from policies.contracts.request import DecisionRequest
from tests.unit.requests import small_document
from world.review.client import HttpReviewClient, Patience
from world.review.port import (
    ReviewPendingError,
    ReviewProtocolError,
    ReviewRefusedError,
    ReviewReply,
    ReviewUnavailableError,
)

TOKEN = "a-token-for-tests-only"
ANSWER: dict[str, Any] = {
    "final_verdict": "approve",
    "confidence": 1,
    "reasons": [],
    "required_modifications": [],
    "audit_tags": ["fast_path"],
    "decision_id": "d-1",
    "path": "fast",
    "votes": [],
    "vetoes": [],
    "policy": {"id": "p", "version": 1, "hash": "0"},
    "record": {"position": 1, "hash": "0"},
    "cost": {},
    "elapsed_ms": 1,
}
QUICK = Patience(total_s=2, connect_s=1, read_s=1, tries=4, wait_s=0.001, longest_wait_s=0.002, poll_s=0.001)
Reply = httpx.Response | Exception


class Council:
    """A server that gives the scripted replies one after another, and keeps what it was sent."""

    def __init__(self, *replies: Reply | Callable[[], Reply]) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(time.monotonic())
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        reply = reply() if callable(reply) else reply
        if isinstance(reply, Exception):
            raise reply
        return reply


def answered(**headers: str) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(200, json=ANSWER, headers=headers)


def problem(status: int, **headers: str) -> Callable[[], httpx.Response]:
    document = {
        "type": "urn:problem-type:council:x",
        "title": "it is so",
        "faults": [{"path": "/realm_id", "message": "wrong", "fix": "right it"}],
    }
    return lambda: httpx.Response(status, json=document, headers=headers)


def pending(location: str = "/internal/council/decisions/d-1") -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(202, json={}, headers={"Location": location})


def request_with(**changes: Any) -> DecisionRequest:
    return validate_request(small_document(**changes))


async def ask(council: Council, request: DecisionRequest | None = None, **more: Any) -> ReviewReply:
    patience = more.pop("patience", QUICK)
    client = HttpReviewClient("http://council", TOKEN, patience=patience, transport=httpx.MockTransport(council))
    try:
        return await client.review(request or request_with(), **more)
    finally:
        await client.close()


async def test_an_answer_comes_back_with_the_key_it_was_asked_under() -> None:
    council = Council(answered())

    reply = await ask(council, request_with(request_id="k-1", correlation_id="c-1"))

    assert (reply.answer.final_verdict, reply.request_key, reply.is_stored) == ("approve", "k-1", False)
    (sent,) = council.requests
    assert sent.url.path == "/internal/council/review"
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["idempotency-key"] == "k-1"
    assert sent.headers["x-correlation-id"] == "c-1"


async def test_the_body_is_the_request_as_it_was_written() -> None:
    council = Council(answered())
    document = small_document(request_id="k-1")

    await ask(council, validate_request(document))

    assert json.loads(council.requests[0].content) == document


async def test_an_answer_from_the_record_is_marked() -> None:
    assert (await ask(Council(answered(**{"Idempotent-Replayed": "true"})))).is_stored


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut off"),
        problem(408),
        problem(429),
        problem(500),
        problem(502),
        problem(503),
        problem(504),
        lambda: httpx.Response(502, text="<html>bad gateway</html>"),
    ],
)
async def test_what_can_pass_is_tried_again_with_the_same_key(failure: Reply) -> None:
    council = Council(failure, failure, answered())

    reply = await ask(council)

    keys = {request.headers["idempotency-key"] for request in council.requests}
    assert len(council.requests) == 3
    assert keys == {reply.request_key}


async def test_two_questions_without_a_key_have_two_keys() -> None:
    first, second = await ask(Council(answered())), await ask(Council(answered()))

    assert first.request_key != second.request_key


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422])
async def test_what_cannot_pass_is_asked_once_and_refused_with_its_reasons(status: int) -> None:
    council = Council(problem(status))

    with pytest.raises(ReviewRefusedError) as caught:
        await ask(council)

    assert len(council.requests) == 1
    assert caught.value.status == status
    assert caught.value.faults == ("/realm_id: wrong; right it",)
    assert str(caught.value) == f"the council refuses the request: it is so ({status}); /realm_id: wrong; right it"


async def test_it_gives_up_after_its_tries_and_says_under_which_key_to_ask_again() -> None:
    council = Council(problem(503))

    with pytest.raises(ReviewUnavailableError) as caught:
        await ask(council, request_key="k-9")

    assert len(council.requests) == QUICK.tries
    assert caught.value.request_key == "k-9"
    assert "k-9" in str(caught.value)


async def test_it_never_asks_again_sooner_than_the_server_says() -> None:
    council = Council(problem(503, **{"Retry-After": "1"}), answered())

    await ask(council, patience=QUICK._replace(total_s=5))

    assert council.times[1] - council.times[0] >= 1.0


async def test_a_wait_longer_than_its_patience_is_not_begun() -> None:
    council = Council(problem(503, **{"Retry-After": "3600"}))
    started = time.monotonic()

    with pytest.raises(ReviewUnavailableError) as caught:
        await ask(council)

    assert time.monotonic() - started < 1
    assert len(council.requests) == 1
    assert caught.value.retry_after_s == 3600


async def test_a_silent_server_ends_by_the_wall_clock() -> None:
    """Reliability.md, measured fact 2: a library's timeout does not bound a reply that drips."""

    async def drip(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError("unreachable")

    patience = Patience(total_s=0.2, connect_s=0.05, read_s=0.05, tries=50, wait_s=0.001, longest_wait_s=0.01)
    client = HttpReviewClient("http://council", TOKEN, patience=patience, transport=httpx.MockTransport(drip))
    started = time.monotonic()
    with pytest.raises(ReviewUnavailableError):
        await client.review(request_with())
    await client.close()

    assert time.monotonic() - started < 1


async def test_a_pending_decision_is_looked_up_until_it_is_on_record() -> None:
    council = Council(
        pending(), problem(404), problem(503), lambda: httpx.Response(200, json={"answer": ANSWER, "record": {}})
    )

    reply = await ask(council)

    assert reply.answer.decision_id == "d-1"
    assert [request.method for request in council.requests] == ["POST", "GET", "GET", "GET"]
    assert {request.url.path for request in council.requests[1:]} == {"/internal/council/decisions/d-1"}


async def test_a_decision_that_stays_pending_is_told_with_its_id_and_key() -> None:
    with pytest.raises(ReviewPendingError) as caught:
        await ask(Council(pending(), problem(404)), request_key="k-1", patience=QUICK._replace(total_s=0.1))

    assert (caught.value.decision_id, caught.value.request_key) == ("d-1", "k-1")


@pytest.mark.parametrize(
    "location",
    ["", "http://elsewhere/internal/council/decisions/d-1", "//elsewhere/internal/council/decisions/d-1", "/x"],
)
async def test_a_location_that_leads_elsewhere_is_not_followed(location: str) -> None:
    """It would be sent the token."""
    council = Council(pending(location))

    with pytest.raises(ReviewProtocolError):
        await ask(council)

    assert len(council.requests) == 1


async def test_a_redirect_is_not_followed() -> None:
    council = Council(lambda: httpx.Response(307, headers={"Location": "http://elsewhere/"}))

    with pytest.raises(ReviewProtocolError, match="status 307"):
        await ask(council)

    assert len(council.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        json.dumps({**ANSWER, "final_verdict": "perhaps"}).encode(),
        json.dumps({**ANSWER, "surprise": 1}).encode(),
        json.dumps(ANSWER)[:-1].encode() + b', "final_verdict": "reject"}',
    ],
)
async def test_a_reply_that_is_no_answer_is_never_taken_for_one(body: bytes) -> None:
    with pytest.raises(ReviewProtocolError):
        await ask(Council(lambda: httpx.Response(200, content=body)))
