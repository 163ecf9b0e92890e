"""What a tick leaves to the council's word beside triggers: sovereign actions after their counterplay, and great conquests."""

from typing import Any, Final

import orjson

from policies.contracts.request import ImpactCandidate
from world.persistence.acts import LedgerRow
from world.persistence.messages import NewQuestion
from world.persistence.port import MAX_PAGE, WorldStore
from world.realm.rules_document import World
from world.realm.sovereign import action_of
from world.realm.state import Proposed, Realm
from world.realm.tick import TickResult
from world.service.questions import MOST_EVENTS, action_question, conquest_question

MOST_PAGES: Final = 20
"""Pages of the ledger that are read for one question: ten thousand acts of its window."""


class Petitions:
    """Makes the questions of a tick, with the acts of the time in question behind them.

    Args:
        world: its rules and its canon locks.
        store: where the ledger is.
    """

    def __init__(self, world: World, store: WorldStore) -> None:
        self._world = world
        self._store = store

    async def of(self, result: TickResult) -> tuple[NewQuestion, ...]:
        """Return the questions that a tick raises, beside those about triggers."""
        realm = result.realm
        actions = [await self._action(realm, action_id) for action_id in result.closed]
        return (*actions, *[await self._conquest(realm, territory_id) for territory_id in result.won])

    async def _action(self, realm: Realm, action_id: str) -> NewQuestion:
        action = action_of(realm, action_id)
        assert action is not None
        rows = [row for row in await self._rows(realm, action.since) if _bears_on(row, action)]
        return action_question(self._world, realm, action, _events(rows), _held_back(rows, action))

    async def _conquest(self, realm: Realm, territory_id: str) -> NewQuestion:
        fight = realm.territories[territory_id].conflict
        assert fight is not None
        rows = [row for row in await self._rows(realm, fight.since) if row.territory_id == territory_id]
        return conquest_question(self._world, realm, territory_id, _events(rows))

    async def _rows(self, realm: Realm, since_tick: int) -> list[LedgerRow]:
        found: list[LedgerRow] = []
        for _ in range(MOST_PAGES):
            after = found[-1].sequence if found else 0
            page = await self._store.rows(realm.realm_id, since_tick=since_tick, after=after, limit=MAX_PAGE)
            found += page
            if len(page) < MAX_PAGE:
                break
        return found


def action_told(action: Proposed) -> dict[str, Any]:
    """Return a sovereign action as the feed tells it."""
    return {
        "action_id": action.action_id,
        "kind": action.kind,
        "faction_id": action.faction_id,
        "target": action.target,
        "closes": action.closes,
        "objections": sorted({faction for faction, _ in action.objections}),
    }


def _bears_on(row: LedgerRow, action: Proposed) -> bool:
    """Whether an act is for or against an action: of a side, or where or at whom it is aimed."""
    sides = {action.faction_id, action.target, *[faction for faction, _ in action.objections]}
    return row.faction_id in sides or (action.target is not None and row.territory_id == action.target)


def _events(rows: list[LedgerRow]) -> list[ImpactCandidate]:
    accepted = [row for row in rows if row.state == "accepted"]
    return [ImpactCandidate.model_validate(orjson.loads(row.candidate)) for row in accepted[-MOST_EVENTS:]]


def _held_back(rows: list[LedgerRow], action: Proposed) -> list[dict[str, Any]]:
    """Return which part of the acts of the acting faction is held for its odd pattern, as a warning."""
    mine = [row.state for row in rows if row.faction_id == action.faction_id and row.state != "rejected"]
    held = sum(1 for state in mine if state != "accepted")
    if not held:
        return []
    return [{"code": "held_acts", "severity": held * 1_000 // len(mine) / 1_000, "subject": action.faction_id}]
