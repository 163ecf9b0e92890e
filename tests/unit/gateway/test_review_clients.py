"""One contract for both ways to the council: over HTTP and in the same process."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from council.errors import DecisionPendingError, KeyConflictError, UnknownRealmError
from council.ledger.port import LedgerUnavailableError
from council.service import Reviewed
from gateway.in_process import InProcessReviewClient
from policies.contracts.reading import validate_request
from policies.contracts.request import DecisionRequest
from policies.faults import Fault, InvalidInputError
from tests.unit.gateway.scripted import TOKEN, ScriptedCouncil, application
from tests.unit.requests import small_document
from tests.unit.world.test_review_client import ANSWER, QUICK
from world.review.client import HttpReviewClient
from world.review.port import ReviewClient, ReviewPendingError, ReviewRefusedError, ReviewUnavailableError

Opened = Callable[[ScriptedCouncil], ReviewClient]


class Answering(ScriptedCouncil):
    """Answers with a whole answer."""

    async def review(
        self, raw: bytes | str, *, idempotency_key: str | None = None, correlation_id: str | None = None
    ) -> Reviewed:
        import orjson

        reviewed = await super().review(raw, idempotency_key=idempotency_key, correlation_id=correlation_id)
        return reviewed._replace(answer=orjson.dumps(ANSWER))


@pytest.fixture(params=["http", "in_process"])
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    clients: list[ReviewClient] = []

    def over_http(council: ScriptedCouncil) -> ReviewClient:
        transport = httpx.ASGITransport(application(council), raise_app_exceptions=False)
        client = HttpReviewClient(
            "http://council", TOKEN, patience=QUICK._replace(total_s=0.1, tries=1), transport=transport
        )
        clients.append(client)
        return client

    def in_process(council: ScriptedCouncil) -> ReviewClient:
        clients.append(InProcessReviewClient(council))
        return clients[-1]

    yield over_http if request.param == "http" else in_process
    for client in clients:
        await client.close()


def asked(**changes: str) -> DecisionRequest:
    return validate_request(small_document(**changes))


async def test_the_answer_and_the_key_come_back(opened: Opened) -> None:
    council = Answering(is_stored=True)

    reply = await opened(council).review(asked(request_id="k-1"), correlation_id="c-1")

    assert reply.answer.decision_id == "d-1"
    assert (reply.request_key, reply.is_stored) == ("k-1", True)
    assert (council.asked[0]["key"], council.asked[0]["correlation_id"]) == ("k-1", "c-1")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidInputError([Fault("/realm_id", "wrong", "right it")]), "invalid-request"),
        (UnknownRealmError("x", ["aelvyndor"]), "unknown-realm"),
        (KeyConflictError("k", "d-1"), "key-conflict"),
    ],
)
async def test_a_refusal_is_told_the_same_either_way(opened: Opened, error: Exception, kind: str) -> None:
    with pytest.raises(ReviewRefusedError) as caught:
        await opened(ScriptedCouncil(error)).review(asked())

    assert caught.value.problem == f"urn:problem-type:council:{kind}"
    assert caught.value.status == 422
    assert caught.value.faults == (("/realm_id: wrong; right it",) if kind == "invalid-request" else ())


async def test_a_store_that_is_away_is_told_with_the_wait(opened: Opened) -> None:
    with pytest.raises(ReviewUnavailableError) as caught:
        await opened(ScriptedCouncil(LedgerUnavailableError("away", retry_after_s=7))).review(asked(request_id="k-1"))

    assert (caught.value.request_key, caught.value.retry_after_s) == ("k-1", 7)


async def test_a_decision_that_is_still_being_made_is_told_with_its_id(opened: Opened) -> None:
    with pytest.raises(ReviewPendingError) as caught:
        await opened(ScriptedCouncil(DecisionPendingError("d-7"))).review(asked(request_id="k-1"))

    assert (caught.value.decision_id, caught.value.request_key) == ("d-7", "k-1")
