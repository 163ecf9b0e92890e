"""Pages of a realm's lists, each ordered by a sequence that never changes: what was read once stays where it was."""

from typing import Any, NamedTuple

from gateway.body import RequestRefusedError
from gateway.problems import invalid_parameters
from gateway.world_asked import EventsQuery, HistoryQuery, PageQuery
from gateway.world_parts import WorldParts
from policies.faults import Fault
from world.feed.frames import Audience
from world.persistence.port import WorldStore
from world.persistence.verdicts_told import is_hidden
from world.service.since import before_tick
from world.views.deeds import contribution_view, deed_view
from world.views.happened import event_view


async def events_page(store: WorldStore, realm_id: str, asked: EventsQuery, audience: Audience) -> dict[str, Any]:
    """Return one page of events that a caller may see; what is hidden is passed over, and the page is shorter.

    Raises:
        RequestRefusedError: where both `after` and `since_tick` are asked.
        UnknownRealmError: where there is no such realm.
    """
    if asked.after is not None and asked.since_tick is not None:
        fault = Fault("/since_tick", "is given beside after", "send one of the two")
        raise RequestRefusedError(invalid_parameters([fault]))
    after = asked.after or 0
    if asked.since_tick is not None:
        after = await before_tick(store, realm_id, asked.since_tick, audience.user_id)
    found = await store.events(realm_id, after, asked.limit + 1, audience.user_id)
    page = found[: asked.limit]
    shown = [event_view(each) for each in page]
    return {
        "realm_id": realm_id,
        "events": [each for each in shown if audience.sees_hidden or not is_hidden(each["kind"], each["payload"])],
        "next": page[-1].sequence if page else after,
        "has_more": len(found) > len(page),
    }


async def mine_page(store: WorldStore, realm_id: str, user_id: str, asked: PageQuery) -> dict[str, Any]:
    """Return a player's contribution with one page of the acts behind it.

    Raises:
        UnknownRealmError: where there is no such realm.
    """
    found = await store.rows(realm_id, user_id=user_id, after=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    return {
        "realm_id": realm_id,
        "user_id": user_id,
        **contribution_view(await store.contribution(realm_id, user_id)),
        "acts": [deed_view(each) for each in page],
        "next": page[-1].sequence if page else asked.after,
        "has_more": len(found) > len(page),
    }


class HistoryPage(NamedTuple):
    """One page of a realm's past."""

    document: dict[str, Any]
    last: int
    """Last tick of the whole range."""
    is_closed: bool
    """Whether nothing on it can change any more: every tick on it has one after it, and the caller named the range."""


async def history_page(parts: WorldParts, realm_id: str, asked: HistoryQuery, *, shows_disputes: bool) -> HistoryPage:
    """Return one page of ticks.

    Args:
        shows_disputes: whether verdicts over single acts are shown: to game masters only.

    Raises:
        RequestRefusedError: where `from` lies behind `to`.
        UnknownRealmError: where there is no such realm.
    """
    latest = (await parts.store.latest(realm_id)).tick_number
    last = latest if asked.last is None else min(asked.last, latest)
    first = max(0, last - asked.limit + 1) if asked.first is None else asked.first
    if asked.last is not None and first > asked.last:
        raise RequestRefusedError(invalid_parameters([Fault("/from", "lies behind to", "send the earlier tick first")]))
    end = min(last, first + asked.limit - 1)
    ticks = await parts.moments.history(realm_id, first, end, shows_disputes=shows_disputes) if first <= end else []
    has_more = end < last
    document = {"realm_id": realm_id, "ticks": ticks, "next": end + 1 if has_more else None, "has_more": has_more}
    is_named = asked.first is not None and asked.last is not None and asked.last <= latest
    return HistoryPage(document, last, is_named and end < latest)
