"""A realm's chain of snapshots, link by link: each names the hash before it, and ticks follow each other without a gap (I8)."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from world.persistence.port import Snapshot
from world.realm.state import GENESIS


class Link(NamedTuple):
    """What a snapshot has to build on."""

    tick_number: int = -1
    revision: int = 0
    hash: str = GENESIS


def faults_of(snapshot: Snapshot, before: Link) -> list[str]:
    """Return what is wrong with a snapshot as the next link; nothing where it is sound."""
    state: Mapping[str, Any] = orjson.loads(snapshot.state)
    found = []
    if hashlib.sha256(snapshot.state).hexdigest() != snapshot.hash:
        found.append("its state is not what its hash says")
    if snapshot.previous != before.hash or state["previous"] != before.hash:
        found.append(f"it names {snapshot.previous[:12]} as the hash before it, which is {before.hash[:12]}")
    told = (state["tick_number"], state["revision"], state["realm_id"])
    if told != (snapshot.tick_number, snapshot.revision, snapshot.realm_id):
        found.append("its row names another tick, revision or realm than its state")
    place = (snapshot.tick_number, snapshot.revision)
    if place not in ((before.tick_number + 1, 0), (before.tick_number, before.revision + 1)):
        found.append(
            f"it follows tick {before.tick_number}, revision {before.revision}: one is missing, doubled or late"
        )
    return found


def link_of(snapshot: Snapshot) -> Link:
    """Return what the next snapshot has to build on."""
    return Link(snapshot.tick_number, snapshot.revision, snapshot.hash)
