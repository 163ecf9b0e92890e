"""The state of a realm after a tick: everything that the next tick starts from, in whole numbers (domain.md C0).

A snapshot is this state as canonical JSON with its hash, chained to the snapshot before it, so that any two machines that
applied the same rows say the same, and the first tick where they differ can be found (register rows S0-4, S0-7, S0-44).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from policies.canonical import canonical_json

SCHEMA: Final = "council.snapshot/1"
GENESIS: Final = "0" * 64
"""Hash before the first snapshot."""

Phase = Literal["stable", "contested", "conflict", "protected"]
"""stable: nobody is near; contested: a challenger is within three points; conflict: rounds are fought, shares are frozen;
protected: just decided."""


class Conflict(NamedTuple):
    """A fight over a territory: the first side with four rounds of seven has it (domain.md C3)."""

    challenger: str
    since: int
    """Tick in which it began."""
    won: int = 0
    """Rounds that the challenger has won."""
    held: int = 0
    """Rounds that the owner has won."""
    for_challenger: int = 0
    """Effective milli-points of the running round."""
    for_owner: int = 0
    asked_since: int | None = None
    """Tick in which the challenger had won and the council was asked, where so great a prize needs its word."""


@dataclass(frozen=True, slots=True)
class Territory:
    """One territory.

    Attributes:
        territory_id: its id.
        name: as players read it.
        controller: the faction that has it; None: nobody.
        strategic_value: weight in the realm, 1 or more.
        population: inhabitants.
        neighbors: ids of territories that touch it, sorted.
        shares: per faction that is present, ppm; they sum to 1,000,000.
        phase: where it stands between peace and war.
        conflict: the fight, where there is one.
        protected_until: last tick of its protection.
        instability: 0 to 100,000, milli.
        changed_at: tick in which it last changed hands.
    """

    territory_id: str
    name: str
    controller: str | None
    strategic_value: int
    population: int
    neighbors: tuple[str, ...]
    shares: Mapping[str, int]
    phase: Phase = "stable"
    conflict: Conflict | None = None
    protected_until: int = 0
    instability: int = 0
    changed_at: int = 0


class TriggerState(NamedTuple):
    """What is remembered of one trigger."""

    is_armed: bool = True
    """False from its firing until its measure falls below the disarm line."""
    held: int = 0
    """Ticks in a row that its condition has held."""
    last_fired: int | None = None
    fired_in_season: str | None = None
    pending_since: int | None = None
    """Tick from which it waits for the council's verdict."""


class Proposed(NamedTuple):
    """A sovereign action under way: counterplay first, then the council's word."""

    action_id: str
    kind: str
    faction_id: str
    user_id: str
    """Who speaks for the faction."""
    target: str | None
    """Territory or faction that it is done to."""
    since: int
    """Tick in which it was proposed."""
    closes: int
    """Last tick in which others may object; the next one asks the council."""
    objections: tuple[tuple[str, str], ...] = ()
    """Faction and account of whoever stood up against it, sorted."""
    is_asked: bool = False
    correlation_id: str | None = None
    """That of the proposal: what follows from it carries it (S0-95); None where it had none."""


class Treasury(NamedTuple):
    """What a faction may spend on sovereign actions, and what it did before."""

    points: int = 0
    """Milli-points: what its acts came to, less what was spent."""
    used: Mapping[str, tuple[str, int]] = {}
    """Per kind, the season in which it was last used and how often in it."""
    last: Mapping[str, int] = {}
    """Per kind, the tick in which it was last proposed."""


class Past(NamedTuple):
    """One earlier tick, as the council is shown it."""

    tick_number: int
    factions: Mapping[str, int]
    """Shares of the realm, ppm."""
    meters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm between two ticks.

    Attributes:
        realm_id: its id.
        season_id: the running season; once-per-season triggers count by it.
        tick_number: of the tick that made this state; 0 at its seeding.
        rules_hash: hash of the world's rules that made it.
        factions: ids, sorted.
        territories: by id, sorted.
        meters: 0 to 100,000, milli, by name, sorted.
        triggers: by id, sorted.
        facts: what is true beyond numbers: object by (subject, predicate).
        standing: what approved changes gave factions beyond territories, ppm of the realm; they sum to 0.
        past: the latest ticks, oldest first.
        watermark: highest ledger sequence that is in it.
        revision: how many decisions were applied to the tick's state; each is a snapshot of its own in the chain.
        previous: hash of the snapshot before.
        treasuries: by faction, sorted; one without an entry has nothing yet.
        proposed: sovereign actions under way, by id.
    """

    realm_id: str
    season_id: str
    tick_number: int
    rules_hash: str
    factions: tuple[str, ...]
    territories: Mapping[str, Territory]
    meters: Mapping[str, int]
    triggers: Mapping[str, TriggerState] = field(default_factory=dict)
    facts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    standing: Mapping[str, int] = field(default_factory=dict)
    past: tuple[Past, ...] = ()
    watermark: int = 0
    revision: int = 0
    previous: str = GENESIS
    treasuries: Mapping[str, Treasury] = field(default_factory=dict)
    proposed: tuple[Proposed, ...] = ()

    @property
    def snapshot_id(self) -> str:
        """Carries the tick's number, as 000 §5.2 shows it, and the revision where decisions were applied since."""
        return f"snap-{self.tick_number}" + (f".{self.revision}" if self.revision else "")


def state_document(realm: Realm) -> dict[str, Any]:
    """Return a state as plain JSON: what a snapshot stores, and what its hash covers."""
    document = {
        "schema": SCHEMA,
        "realm_id": realm.realm_id,
        "season_id": realm.season_id,
        "tick_number": realm.tick_number,
        "rules_hash": realm.rules_hash,
        "factions": list(realm.factions),
        "territories": {name: _territory(each) for name, each in realm.territories.items()},
        "meters": dict(realm.meters),
        "triggers": {name: each._asdict() for name, each in realm.triggers.items()},
        "facts": [[*key, value] for key, value in sorted(realm.facts.items())],
        "standing": dict(realm.standing),
        "past": [[each.tick_number, dict(each.factions), dict(each.meters)] for each in realm.past],
        "watermark": realm.watermark,
        "revision": realm.revision,
        "previous": realm.previous,
    }
    # Left out where there are none, so that a state from before there were any keeps its hash.
    if realm.treasuries:
        document["treasuries"] = {name: each._asdict() for name, each in sorted(realm.treasuries.items())}
    if realm.proposed:
        document["proposed"] = [_proposed(each) for each in realm.proposed]
    return document


def state_bytes(realm: Realm) -> bytes:
    """Return the canonical bytes of a state."""
    return canonical_json(state_document(realm))


def state_hash(realm: Realm) -> str:
    """Return the hash of a snapshot, 64 hex digits: it covers the whole state, the hash before it included."""
    return hashlib.sha256(state_bytes(realm)).hexdigest()


def realm_from(document: Mapping[str, Any]) -> Realm:
    """Read a state back: the inverse of `state_document`."""
    return Realm(
        realm_id=document["realm_id"],
        season_id=document["season_id"],
        tick_number=document["tick_number"],
        rules_hash=document["rules_hash"],
        factions=tuple(document["factions"]),
        territories={name: _territory_from(name, each) for name, each in sorted(document["territories"].items())},
        meters=dict(sorted(document["meters"].items())),
        triggers={name: TriggerState(**each) for name, each in sorted(document["triggers"].items())},
        facts={(subject, predicate): value for subject, predicate, value in document["facts"]},
        standing=dict(document["standing"]),
        past=tuple([Past(number, factions, meters) for number, factions, meters in document["past"]]),
        watermark=document["watermark"],
        revision=document["revision"],
        previous=document["previous"],
        treasuries={name: _treasury_from(each) for name, each in sorted(document.get("treasuries", {}).items())},
        proposed=tuple([_proposed_from(each) for each in document.get("proposed", ())]),
    )


def _territory(each: Territory) -> dict[str, Any]:
    return {
        "name": each.name,
        "controller": each.controller,
        "strategic_value": each.strategic_value,
        "population": each.population,
        "neighbors": list(each.neighbors),
        "shares": dict(each.shares),
        "phase": each.phase,
        "conflict": None if each.conflict is None else _conflict(each.conflict),
        "protected_until": each.protected_until,
        "instability": each.instability,
        "changed_at": each.changed_at,
    }


def _conflict(fight: Conflict) -> dict[str, Any]:
    document = fight._asdict()
    if fight.asked_since is None:
        del document["asked_since"]
    return document


def _proposed(action: Proposed) -> dict[str, Any]:
    document = action._asdict()
    if action.correlation_id is None:
        del document["correlation_id"]
    return document


def _treasury_from(document: Mapping[str, Any]) -> Treasury:
    used = {kind: (season, count) for kind, (season, count) in sorted(document["used"].items())}
    return Treasury(document["points"], used, dict(sorted(document["last"].items())))


def _proposed_from(document: Mapping[str, Any]) -> Proposed:
    objections = tuple([(faction, user) for faction, user in document["objections"]])
    return Proposed(**{**document, "objections": objections})


def _territory_from(territory_id: str, document: Mapping[str, Any]) -> Territory:
    conflict = document["conflict"]
    return Territory(
        territory_id=territory_id,
        name=document["name"],
        controller=document["controller"],
        strategic_value=document["strategic_value"],
        population=document["population"],
        neighbors=tuple(document["neighbors"]),
        shares=dict(document["shares"]),
        phase=document["phase"],
        conflict=None if conflict is None else Conflict(**conflict),
        protected_until=document["protected_until"],
        instability=document["instability"],
        changed_at=document["changed_at"],
    )
