"""Two ways to a verdict: a council in this process, or one that answers over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cli.ledger import Stored
from cli.output import note
from gateway.bootstrap import open_council
from gateway.settings import read_settings, unknown_variables
from policies.contracts.reading import read_request
from policies.diversity import diversity_warning
from world.review.client import HttpReviewClient

if TYPE_CHECKING:
    from agents.ports import Observer


class Answered(NamedTuple):
    """A request with its verdict."""

    request: bytes
    answer: bytes
    """JSON of the `Answer` contract."""
    was_on_record: bool
    stored: Stored | None
    """The record; None where a server keeps it."""


class Decider(Protocol):
    """Whatever answers a request."""

    async def review(self, raw: bytes) -> Answered:
        """Review one request."""
        ...


@asynccontextmanager
async def here(database: str | None, policy: str | None, observer: "Observer | None" = None) -> AsyncIterator[Decider]:
    """Open a council in this process; its database is made where there is none.

    Args:
        database: URL, or None for that of the settings.
        policy: policy file, or None for the one in force.
        observer: sees votes of members' models as they arrive.

    Raises:
        InvalidPolicyError: for a policy file that is not valid.
        LedgerError: where the database cannot be used.
    """
    for line in unknown_variables():
        note(f"council: {line}")
    council = await open_council(read_settings(database_url=database, policy_path=policy), observer)

    if (warning := diversity_warning(council.policies.current)) is not None:
        note(f"council: {warning}")

    class Here:
        async def review(self, raw: bytes) -> Answered:
            reviewed = await council.service.review(raw)
            stored = await council.ledger.get(reviewed.decision_id)
            return Answered(raw, reviewed.answer, reviewed.is_stored, stored)

    try:
        yield Here()
    finally:
        await council.close()
        if council.cassette is not None and council.cassette.misses:
            told = f"{council.cassette.misses} calls to models are not on the cassette, and their members have no vote"
            note(f"{told}; council explain says which field of each differs first")


@asynccontextmanager
async def there(url: str) -> AsyncIterator[Decider]:
    """Open the way to a council that serves at a URL; the token is COUNCIL_SERVICE_TOKEN.

    Raises:
        SettingsError: where no token is set.
    """
    client = HttpReviewClient(url, read_settings().required_token())

    class There:
        async def review(self, raw: bytes) -> Answered:
            reply = await client.review(read_request(raw).request)
            answer = reply.answer.model_dump_json(by_alias=True, exclude_unset=True).encode()
            return Answered(raw, answer, reply.is_stored, None)

    try:
        yield There()
    finally:
        await client.close()
