"""Decisions on record, as the world reads them before it applies one: from this process's ledger, or from a council over HTTP.

A change is applied on the council's record alone, never on a caller's word for it (council.md, what must never happen).
"""

from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote

import httpx

from council.ledger.port import Ledger, answer_bytes
from council.record import read_record
from policies.contracts.answer import Answer
from policies.contracts.reading import validate_request
from policies.contracts.request import DecisionRequest
from policies.strict_json import parse_strict
from world.review.port import ReviewUnavailableError

MAX_RECORD_BYTES: Final = 8 * 1_048_576
RECORD_DEPTH: Final = 64
"""A record holds a request, which may itself be nested to the limit of requests."""


class DecisionOnRecord(NamedTuple):
    """What was asked, and what the council answered."""

    request: DecisionRequest
    answer: Answer


class Decisions(Protocol):
    """Where decisions stand on record."""

    async def find(self, decision_id: str) -> DecisionOnRecord | None:
        """Return a decision; None where none of this id is on record.

        Raises:
            LedgerUnavailableError: where the record store in this process cannot be read now.
            ReviewUnavailableError: where the council does not answer.
        """
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...


class LedgerDecisions:
    """Decisions of the ledger in this process.

    Args:
        ledger: it stays open when this closes.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def find(self, decision_id: str) -> DecisionOnRecord | None:
        stored = await self._ledger.get(decision_id)
        if stored is None:
            return None
        answer = Answer.model_validate_json(answer_bytes(stored))
        return DecisionOnRecord(validate_request(read_record(stored.body)["request"]), answer)

    async def close(self) -> None:
        """Do nothing: the ledger belongs to the council."""


class HttpDecisions:
    """Decisions of a council elsewhere.

    Args:
        base_url: where it serves.
        token: its service token.
        transport: stands in for the network.
    """

    def __init__(self, base_url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10.0, connect=2.0),
            transport=transport,
            follow_redirects=False,  # a redirect would carry the token elsewhere
            trust_env=False,
        )

    async def find(self, decision_id: str) -> DecisionOnRecord | None:
        document = await self._read(decision_id)
        if document is None:
            return None
        return DecisionOnRecord(
            validate_request(document["record"]["request"]), Answer.model_validate(document["answer"])
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def _read(self, decision_id: str) -> dict[str, Any] | None:
        try:
            reply = await self._http.get(f"/internal/council/decisions/{quote(decision_id, safe='')}")
        except httpx.HTTPError as error:
            raise ReviewUnavailableError(type(error).__name__, decision_id) from error
        if reply.status_code == 404:
            return None
        if reply.status_code != 200:
            raise ReviewUnavailableError(f"the council answered {reply.status_code}", decision_id)
        found: dict[str, Any] = parse_strict(reply.content, max_bytes=MAX_RECORD_BYTES, max_depth=RECORD_DEPTH).value
        return found
