"""A realm played again from its first snapshot: the same acts and the same decisions give the same chain (S0-9; I8, S0-112).

Per tick the acts that were counted in it, by their places in the count; per revision what its snapshot recorded. The chain makes
the first difference the one that matters: everything behind it differs because of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import orjson

from world.errors import RulesUnknownError
from world.persistence.port import Snapshot, WorldStore
from world.realm.revising import redo
from world.realm.rules import WorldRules
from world.realm.state import Realm, realm_from, state_document, state_hash
from world.realm.tick import tick
from world.service.chain import Link, faults_of, link_of
from world.service.tellings import tick_input


class Difference(NamedTuple):
    """The first place where a replay comes to something else than what is stored."""

    snapshot_id: str
    tick_number: int
    stored: str
    """Hash as stored."""
    replayed: str
    """Hash as it came out; empty where nothing could be made."""
    parts: tuple[str, ...]
    """Parts of the state that differ, such as meters or territories.far-wilds."""
    told: str


class Replayed(NamedTuple):
    """What a replay found."""

    realm_id: str
    ticks: int
    """Ticks that came out the same."""
    decisions: int
    """Verdicts that came out the same."""
    steps: int
    """Of sovereign actions, proposals and objections that did; of questions, those that were given up."""
    last: str
    """Hash of the last snapshot that came out the same."""
    difference: Difference | None


async def replay(
    store: WorldStore,
    realm_id: str,
    rules: Sequence[WorldRules],
    *,
    until: int | None = None,
    told: Callable[[int], None] = lambda number: None,
) -> Replayed:
    """Play a realm again; stop at the first difference.

    Args:
        rules: versions of the world's rules; each tick takes the one that its snapshot names.
        until: last tick; None: all.
        told: is called with the number of every tick that came out the same.

    Raises:
        UnknownRealmError: where there is no such realm.
        RulesUnknownError: where a snapshot was made by rules that are not among those given.
    """
    known = {each.content_hash: each for each in rules}
    realm: Realm | None = None
    before, ticks, decisions, steps = Link(), 0, 0, 0
    async for snapshot in store.snapshots(realm_id, 0, until):
        made = await _made(store, realm, snapshot, known)
        difference = _compared(snapshot, before, made)
        if difference is not None:
            return Replayed(realm_id, ticks, decisions, steps, before.hash, difference)
        ticks += realm is not None and snapshot.revision == 0
        is_decision = snapshot.revision > 0 and orjson.loads(snapshot.result).get("decision_id") is not None
        decisions += is_decision
        steps += snapshot.revision > 0 and not is_decision
        realm, before = made.realm, link_of(snapshot)
        if snapshot.revision == 0:
            told(snapshot.tick_number)
    return Replayed(realm_id, ticks, decisions, steps, before.hash, None)


class _Made(NamedTuple):
    realm: Realm | None
    told: str = ""


async def _made(store: WorldStore, realm: Realm | None, snapshot: Snapshot, known: Mapping[str, WorldRules]) -> _Made:
    document = orjson.loads(snapshot.state)
    if realm is None:
        return _Made(realm_from(document))
    rules = known.get(document["rules_hash"])
    if rules is None:
        raise RulesUnknownError(snapshot.snapshot_id, document["rules_hash"])
    if snapshot.revision == 0:
        counted = await store.recount(realm.realm_id, after=realm.watermark, upto=document["watermark"])
        return _Made(tick(realm, tick_input(counted, realm), rules).realm)
    try:
        return _Made(redo(realm, orjson.loads(snapshot.result), rules))
    except (ValueError, KeyError, TypeError) as error:
        return _Made(None, f"its record makes no revision: {error}")


def _compared(snapshot: Snapshot, before: Link, made: _Made) -> Difference | None:
    faults = faults_of(snapshot, before)
    replayed = state_hash(made.realm) if made.realm is not None else ""
    if not faults and replayed == snapshot.hash:
        return None
    parts = _parts(orjson.loads(snapshot.state), state_document(made.realm)) if made.realm is not None else ()
    told = "; ".join([*faults, *([made.told] if made.told else [])]) or "the same inputs come to another state"
    return Difference(snapshot.snapshot_id, snapshot.tick_number, snapshot.hash, replayed, parts, told)


def _parts(stored: Mapping[str, object], replayed: Mapping[str, object]) -> tuple[str, ...]:
    """Name the parts of a state that differ, those of mappings one level down."""
    again = orjson.loads(orjson.dumps(replayed))
    found = []
    for name in sorted({*stored, *again}):
        one, other = stored.get(name), again.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            found += [f"{name}.{key}" for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
        elif one != other:
            found.append(name)
    return tuple(found)
