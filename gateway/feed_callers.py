"""Who asks for a feed, and from where on: a token or a one-time ticket, `Last-Event-ID` or `?after=`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection

from gateway.body import RequestRefusedError
from gateway.feed_parts import WIRE, FeedParts
from gateway.identity import User
from gateway.identity_dependencies import optional_user
from gateway.problems import Problem, invalid_parameters
from gateway.roles import Permission
from gateway.world_problems import world_problem_of
from policies.faults import Fault
from world.errors import WorldError
from world.feed.feeds import FeedFullError
from world.feed.frames import Audience
from world.feed.reader import Reader
from world.feed.wire import Wire

_SEQUENCE: Final = re.compile(r"[0-9]{1,18}")
BAD_TICKET: Final = Problem(
    "invalid-ticket",
    401,
    "the ticket is unknown, used, too old, or for another realm",
    "a ticket is good once and for 30 seconds: POST /api/world/{realm}/stream/ticket gives a new one",
    {"WWW-Authenticate": 'Bearer realm="council"'},
)
TWICE: Final = Problem("invalid-ticket", 401, "a token and a ticket were sent", "send one of them")


class Asked(NamedTuple):
    """What a reader asks for."""

    realm_id: str
    audience: Audience
    after: int | None


async def asked_of(connection: HTTPConnection, parts: FeedParts) -> Asked:
    """Read what a connection asks for; a ticket that it brings is used up.

    Raises:
        RequestRefusedError: 401, 403 or 422, or 503 where tickets cannot be looked up now.
    """
    after = _after(connection.headers.get("last-event-id"), connection.query_params)
    return Asked(connection.path_params["realm"], await _audience(connection, parts), after)


async def opened(asked: Asked, parts: FeedParts, connection: HTTPConnection) -> Reader:
    """Let a reader in.

    Raises:
        RequestRefusedError: 404 without such a realm, 503 without a place or a store.
    """
    wire: Wire | None = connection.scope.get(WIRE)
    with refusing():
        return await parts.feeds.open(asked.realm_id, asked.audience, asked.after, wire)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the feed raises into refusals.

    Raises:
        RequestRefusedError: with what the caller can do about it.
    """
    try:
        yield
    except FeedFullError as error:
        raise RequestRefusedError(full(error.retry_s)) from error
    except WorldError as error:
        problem = world_problem_of(error)
        if problem is None:
            raise
        raise RequestRefusedError(problem) from error


def audience_of(user: User) -> Audience:
    """Return what a user sees of a feed."""
    user_id = user.user_id if user.may(Permission.READ_OWN) else None
    return Audience(user_id, user.may(Permission.READ_HIDDEN))


async def _audience(connection: HTTPConnection, parts: FeedParts) -> Audience:
    secret = connection.query_params.get("ticket")
    user = await optional_user(connection)
    if secret is None:
        return audience_of(user) if user is not None else Audience()
    if user is not None:
        raise RequestRefusedError(TWICE)
    with refusing():
        ticket = await parts.tickets.take(secret)
    if ticket is None or ticket.realm_id != connection.path_params["realm"]:
        raise RequestRefusedError(BAD_TICKET)
    return ticket.audience


def _after(header: str | None, query: QueryParams) -> int | None:
    """Return the place to go on from: a browser that connects again sends the header, beside the address it began with."""
    named = (("Last-Event-ID", header), ("after", query.get("after")))
    for name, value in named:
        if not value:
            continue
        if not _SEQUENCE.fullmatch(value):
            fault = Fault(
                f"/{name}",
                f"{name} is not a sequence number of this feed",
                "send the id of the last event, or leave it out",
            )
            raise RequestRefusedError(invalid_parameters([fault]))
        return int(value)
    return None


def full(retry_s: int) -> Problem:
    """Return the problem of a reader who finds no place."""
    return Problem(
        "feed-full",
        503,
        "there is no place for another reader now",
        "connect again later, with the last id to go on from there",
        {"Retry-After": str(retry_s)},
    )
