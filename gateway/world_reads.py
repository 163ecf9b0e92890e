"""What clients read of the shared world: summary, factions, territories, events, history, and one's own part in it (000 §10).

Everybody may read a realm. A player's token adds the player's own contribution and personal events; only those who may read
what is hidden see what is held, and verdicts over single acts. Every answer carries a strong tag.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from gateway.feed_callers import audience_of
from gateway.identity import User
from gateway.identity_dependencies import optional_user, require
from gateway.roles import Permission
from gateway.shown import Shown
from gateway.world_acts_shown import MineShown
from gateway.world_asked import EventsQuery, HistoryQuery, PageQuery, TerritoriesQuery
from gateway.world_conditional import PRIVATE, PUBLIC, SETTLED, answered
from gateway.world_declared import KEPT, TAGGED, declared
from gateway.world_paging import events_page, history_page, mine_page
from gateway.world_parts import WorldParts
from gateway.world_past_shown import EventsShown, HistoryShown
from gateway.world_shown import FactionsShown, SummaryShown, TerritoriesShown
from policies.contracts.base import Id
from world.feed.frames import Audience
from world.persistence.port import WorldStore
from world.service.moments import Now
from world.views.realm_view import factions_view, heading, territories_view
from world.views.summary import Held, summary_view

MOST_HELD: Final = 500
"""Up to which what waits is counted."""
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Realm = Annotated[Id, Path()]
MaybeUser = Annotated[User | None, Depends(optional_user)]
Player = Annotated[User, Depends(require(Permission.READ_OWN))]
_READ: Final = {**KEPT, **declared(401, 403, 404, 422, 503)}


def reads_router(parts: WorldParts) -> APIRouter:
    """Return the endpoints that read."""
    router = APIRouter(prefix="/api/world", tags=["world"])
    summaries = _Summaries(parts)

    def get(path: str, summary: str, model: type[Shown]) -> Callable[[Endpoint], Endpoint]:
        return router.get(path, summary=summary, response_model=model, responses=_READ, openapi_extra=TAGGED)

    @get("/{realm}/summary", "A realm at once", SummaryShown)
    async def read_summary(request: Request, realm: Realm, user: MaybeUser) -> Response:
        """Return factions, territories, meters, triggers, campaigns and the latest verdicts, and the caller's own part in it."""
        now = await parts.moments.now(realm)
        if user is None:
            return answered(request, summaries.of_everybody(now), cache=PUBLIC, snapshot_hash=now.moment.hash)
        document = await summaries.of_user(now, user)
        return answered(request, document, cache=PRIVATE, snapshot_hash=now.moment.hash)

    @get("/{realm}/factions", "The factions of a realm", FactionsShown)
    async def read_factions(request: Request, realm: Realm, _: MaybeUser) -> Response:
        """Return the factions, strongest first, with their shares and how these have changed."""
        moment = (await parts.moments.now(realm)).moment
        document = {**heading(moment), "factions": factions_view(moment)}
        return answered(request, document, cache=PUBLIC, snapshot_hash=moment.hash)

    @get("/{realm}/territories", "The territories of a realm", TerritoriesShown)
    async def read_territories(
        request: Request, realm: Realm, _: MaybeUser, asked: Annotated[TerritoriesQuery, Query()]
    ) -> Response:
        """Return territories in order of ids: who has them, who contests them, and when they would change hands."""
        moment = (await parts.moments.now(realm)).moment
        found = [each for each in territories_view(moment) if asked.after is None or each["territory_id"] > asked.after]
        page, has_more = found[: asked.limit], len(found) > asked.limit
        behind = page[-1]["territory_id"] if page and has_more else None
        document = {**heading(moment), "territories": page, "next": behind, "has_more": has_more}
        url = f"{request.url.path}?after={behind}&limit={asked.limit}" if has_more else None
        return answered(request, document, cache=PUBLIC, snapshot_hash=moment.hash, next_url=url)

    @get("/{realm}/events", "What happened in a realm", EventsShown)
    async def read_events(
        request: Request, realm: Realm, user: MaybeUser, asked: Annotated[EventsQuery, Query()]
    ) -> Response:
        """Return events in the one order of the realm's sequence, the caller's personal ones among them.

        `next` is where to go on: at once while `has_more`, later for what has happened since. A page may hold fewer than `limit`
        events while there are more: those that others alone may read are left out.
        """
        page = await events_page(parts.store, realm, asked, _audience(user))
        cache = PRIVATE if user is not None else SETTLED if page["has_more"] else PUBLIC
        url = f"{request.url.path}?after={page['next']}&limit={asked.limit}" if page["has_more"] else None
        return answered(request, page, cache=cache, next_url=url)

    @get("/{realm}/history", "A realm's past by ticks", HistoryShown)
    async def read_history(
        request: Request, realm: Realm, user: MaybeUser, asked: Annotated[HistoryQuery, Query()]
    ) -> Response:
        """Return a range of ticks: shares and meters with their change per tick and per hour, and where territories headed."""
        shows_disputes = _audience(user).sees_hidden
        page = await history_page(parts, realm, asked, shows_disputes=shows_disputes)
        url = None
        if page.document["has_more"]:
            url = f"{request.url.path}?from={page.document['next']}&to={page.last}&limit={asked.limit}"
        cache = PRIVATE if shows_disputes else SETTLED if page.is_closed else PUBLIC
        return answered(request, page.document, cache=cache, next_url=url)

    @get("/{realm}/contribution/me", "The caller's own part", MineShown)
    async def read_mine(request: Request, realm: Realm, user: Player, asked: Annotated[PageQuery, Query()]) -> Response:
        """Return what the caller's acts came to, and the acts themselves, oldest first; what is looked at is pending."""
        document = await mine_page(parts.store, realm, user.user_id, asked)
        url = f"{request.url.path}?after={document['next']}&limit={asked.limit}" if document["has_more"] else None
        return answered(request, document, cache=PRIVATE, next_url=url)

    return router


class _Summaries:
    """Makes summaries; that of everybody once per snapshot."""

    def __init__(self, parts: WorldParts) -> None:
        self._parts = parts
        self._known: dict[str, tuple[str, bytes]] = {}

    def of_everybody(self, now: Now) -> bytes:
        """Return what callers without a name read."""
        realm_id = now.moment.realm.realm_id
        known = self._known.get(realm_id)
        if known is None or known[0] != now.moment.hash:
            body = orjson.dumps(summary_view(now.moment, self._parts.world.rules, now.public))
            known = self._known[realm_id] = (now.moment.hash, body)
        return known[1]

    async def of_user(self, now: Now, user: User) -> dict[str, Any]:
        """Return what one user reads."""
        store, realm_id = self._parts.store, now.moment.realm.realm_id
        you = await store.contribution(realm_id, user.user_id)
        held = await _held(store, realm_id) if user.may(Permission.READ_HIDDEN) else None
        verdicts = now.public if held is None else now.verdicts
        return summary_view(now.moment, self._parts.world.rules, verdicts, you=you, held=held)


def _audience(user: User | None) -> Audience:
    """Return who reads, as the feed knows readers: one rule says what is shown to whom."""
    return audience_of(user) if user is not None else Audience()


async def _held(store: WorldStore, realm_id: str) -> Held:
    return Held(
        len(await store.rows(realm_id, state="in_review", limit=MOST_HELD)),
        len(await store.rows(realm_id, state="quarantined", limit=MOST_HELD)),
        len(await store.questions(realm_id, "open", MOST_HELD)),
    )
