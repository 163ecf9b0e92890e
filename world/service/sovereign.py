"""Sovereign actions on their way: proposed by a faction's leader, objected to by others, told in the feed (S0-48; companions.md).

Each step is a revision of the realm, chained and replayable like a verdict; the tick closes the window and asks the council
(`world.service.petitions`), and the verdict is applied like any other.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from world.errors import MovedOnError
from world.persistence.messages import NewEvent
from world.persistence.port import Advance, WorldStore
from world.realm.applying import revised
from world.realm.rules import WorldRules
from world.realm.sovereign import Proposal, Refusal, action_of, object_to, propose
from world.realm.state import Proposed, Realm
from world.service.clock import Clock
from world.service.petitions import action_told
from world.service.questions import action_key
from world.service.realms import RealmReader, snapshot_of

TRIES: Final = 5


class Taken(NamedTuple):
    """A sovereign action as it stands after a step."""

    action: Proposed
    snapshot_id: str
    is_repeat: bool
    """Whether the same step had been taken before."""


class _Told(NamedTuple):
    """What the feed tells of a step."""

    kind: str
    action_id: str
    correlation_id: str | None


class Sovereignty:
    """Takes up proposals and objections.

    Args:
        store: where the world is.
        realms: reads the latest state.
        rules: the world's rules.
        clock: milliseconds since 1970.
    """

    def __init__(self, store: WorldStore, realms: RealmReader, rules: WorldRules, clock: Clock) -> None:
        self._store = store
        self._realms = realms
        self._rules = rules
        self._clock = clock

    async def propose(self, realm_id: str, proposal: Proposal, correlation_id: str | None = None) -> Taken | Refusal:
        """Take up an action; the same id again is the same action, and is paid for once.

        Args:
            correlation_id: stays with the action: its events, its question and its verdict carry it (S0-95).

        Raises:
            UnknownRealmError: where there is no such realm.
            MovedOnError: where the realm moved on at every try; nothing was written.
        """
        for attempt in range(TRIES):
            realm = await self._realms.current(realm_id)
            known = action_of(realm, proposal.action_id)
            if known is not None:
                if _proposed_as(known) != proposal:
                    told = f"the id {proposal.action_id!r} is that of another action"
                    return Refusal("conflict", told, "propose under a new id, or send the same proposal as before")
                return Taken(known, realm.snapshot_id, is_repeat=True)
            if await self._store.question(action_key(realm_id, proposal.action_id)) is not None:
                told = f"the action {proposal.action_id!r} has been decided"
                return Refusal("decided", told, "propose under a new id")
            after = propose(realm, proposal, self._rules, correlation_id=correlation_id)
            if isinstance(after, Refusal):
                return after
            record = {"made_by": "proposal", "proposal": proposal._asdict(), "correlation_id": correlation_id}
            event = _Told("sovereign_proposed", proposal.action_id, correlation_id)
            taken = await self._write(realm, after, record, event, attempt)
            if taken is not None:
                return taken
        raise AssertionError("the last try raises")

    async def object_to(
        self, realm_id: str, action_id: str, *, faction_id: str, user_id: str, correlation_id: str | None = None
    ) -> Taken | Refusal:
        """Enter an objection of another faction; a second one of the same player says no more.

        Args:
            correlation_id: follows the event that tells of it (S0-95).

        Raises:
            UnknownRealmError: where there is no such realm.
            MovedOnError: where the realm moved on at every try; nothing was written.
        """
        for attempt in range(TRIES):
            realm = await self._realms.current(realm_id)
            known = action_of(realm, action_id)
            if known is not None and (faction_id, user_id) in known.objections:
                return Taken(known, realm.snapshot_id, is_repeat=True)
            after = object_to(realm, action_id, faction_id=faction_id, user_id=user_id)
            if isinstance(after, Refusal):
                return after
            record = {"made_by": "objection", "action_id": action_id, "faction_id": faction_id, "user_id": user_id}
            event = _Told("sovereign_objected", action_id, correlation_id)
            taken = await self._write(realm, after, record, event, attempt)
            if taken is not None:
                return taken
        raise AssertionError("the last try raises")

    async def _write(
        self, before: Realm, after: Realm, record: Mapping[str, Any], event: _Told, attempt: int
    ) -> Taken | None:
        """Write one step; None where the realm moved on meanwhile and the step is to be tried again."""
        changed, now = revised(before, after), self._clock()
        action = action_of(changed, event.action_id)
        assert action is not None
        step = Advance(
            realm_id=before.realm_id,
            expected=before.snapshot_id,
            snapshot=snapshot_of(changed, orjson.dumps(record), now),
            events=(NewEvent(event.kind, orjson.dumps(action_told(action)), correlation_id=event.correlation_id),),
        )
        try:
            await self._store.advance(step, None, now)
        except MovedOnError:
            if attempt == TRIES - 1:
                raise
            return None
        return Taken(action, changed.snapshot_id, is_repeat=False)


def _proposed_as(action: Proposed) -> Proposal:
    return Proposal(action.action_id, action.kind, action.faction_id, action.user_id, action.target)
