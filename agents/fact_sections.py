"""Sections of the facts: what each member's mandate is about. What is not in it, the member is not shown.

Identifiers are shortened, because senders choose them. People are numbered, not named: a model must know that two acts are one
account's, not whose.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from agents.payoff import STAKES
from agents.visible import shown_id
from policies.contracts.effects import Effect
from policies.numbers import scaled
from policies.verdicts import Member
from policies.votes import wire_number
from world.canon import examine
from world.canon_terms import plain
from world.case import Case

Facts = dict[str, Any]

MOST_EVENTS: Final = 24
"""Supporting events that are listed; signals count them all."""
MOST_LOCKS: Final = 32
"""Canon locks that are listed, those nearest to the change first."""
MOST_FLAGS: Final = 32


def touched_territories(case: Case) -> tuple[str, ...]:
    """Return the territories that the change speaks of, in the order of its effects."""
    known = case.request.world_snapshot.territories
    found: dict[str, None] = {}
    for effect in case.effects:
        name = effect.territory_id if effect.op == "territory_transfer" else None
        if effect.op == "canon_assert":
            name = effect.subject
        if name in known:
            found[name] = None
    return tuple(found)


def locks_shown(case: Case) -> tuple[int, ...]:
    """Return the constraints that are listed, as indices: touched ones first, then those about a thing of the change."""
    constraints = case.request.lore_constraints
    if len(constraints) <= MOST_LOCKS:
        return tuple(range(len(constraints)))
    touched = frozenset(examine(case).touched)
    spoken_of = {plain(name) for effect in case.effects for name in _subjects(effect)}

    def distance(at: int) -> tuple[int, int]:
        lock = constraints[at]
        if at in touched:
            return (0, at)
        if isinstance(lock, str):
            return (2, at)
        return (1 if plain(lock.subject) in spoken_of else 3, at)

    return tuple(sorted(sorted(range(len(constraints)), key=distance)[:MOST_LOCKS]))


def _subjects(effect: Effect) -> tuple[str, ...]:
    match effect.op:
        case "faction_delta":
            return (effect.faction_id,)
        case "territory_transfer":
            return (effect.territory_id, effect.to)
        case "trigger_fire":
            return (effect.trigger_id,)
        case "canon_assert":
            return (effect.subject,)
    return ()


def numbered_accounts(case: Case) -> dict[str, int]:
    """Number the accounts: the actor's is 0, the others in the order of their first event."""
    actor = case.request.proposed_change.actor
    who = None if actor is None else actor.user_id
    others = dict.fromkeys([event.user_id for event in case.request.supporting_events if event.user_id != who])
    numbers = {name: number for number, name in enumerate(others, 1)}
    return numbers if who is None else numbers | {who: 0}


def _with_factions(facts: Facts, case: Case, accounts: dict[str, int]) -> None:
    before, after = case.before.shares, case.after.shares
    facts["factions"] = [
        {
            "id": shown_id(name),
            "percent_before": wire_number(share, 10_000),
            "percent_after": wire_number(after[name], 10_000),
        }
        for name, share in before.items()
    ]


def _with_meters(facts: Facts, case: Case, accounts: dict[str, int]) -> None:
    before, after = case.before.meters, case.after.meters
    facts["meters"] = [
        {"id": shown_id(name), "before": wire_number(level, 1000), "after": wire_number(after[name], 1000)}
        for name, level in before.items()
    ]


def _with_territories(facts: Facts, case: Case, accounts: dict[str, int]) -> None:
    known = case.request.world_snapshot.territories
    facts["territories"] = [
        {
            "id": shown_id(name),
            "controller": None if known[name].controller is None else shown_id(str(known[name].controller)),
            "strategic_value": wire_number(scaled(known[name].strategic_value, 1000), 1000),
            "instability": wire_number(scaled(known[name].instability, 1000), 1000),
        }
        for name in touched_territories(case)
    ]


def _with_locks(facts: Facts, case: Case, accounts: dict[str, int]) -> None:
    constraints = case.request.lore_constraints
    chosen = locks_shown(case)
    shown = []
    for at in chosen:
        lock = constraints[at]
        if isinstance(lock, str):
            shown.append({"lock": at, "mode": "plain words"})
        else:
            names = {"id": shown_id(lock.id), "subject": shown_id(lock.subject), "predicate": shown_id(lock.predicate)}
            shown.append({"lock": at, "mode": lock.mode, **names})
    facts["locks"] = shown
    facts["locks_left_out"] = len(constraints) - len(chosen)


def _with_flags(facts: Facts, case: Case, accounts: dict[str, int]) -> None:
    flags = case.request.risk_flags
    shown: list[Facts] = []
    for at, flag in enumerate(flags[:MOST_FLAGS]):
        if isinstance(flag, str):
            shown.append({"flag": at, "severity": None})
        else:
            severity = wire_number(scaled(flag.severity, 1000), 1000)
            about = _about(flag.subject, case, accounts)
            shown.append({"flag": at, "code": shown_id(flag.code), "severity": severity, "about": about})
    facts["flags"] = shown
    facts["flags_left_out"] = max(0, len(flags) - MOST_FLAGS)


def _about(subject: str | None, case: Case, accounts: dict[str, int]) -> str | None:
    actor = case.request.proposed_change.actor
    if subject is None:
        return None
    if actor is not None and subject in (actor.user_id, actor.faction_id):
        return "actor"
    return f"account {accounts[subject]}" if subject in accounts else "something else"


def _with_events(facts: Facts, case: Case, accounts: dict[str, int]) -> None:
    events = case.request.supporting_events
    if not events:
        return
    first = min([event.created_at for event in events])
    devices: dict[str, int] = {}
    shown = []
    for at, event in enumerate(events[:MOST_EVENTS]):
        row: Facts = {
            "event": at,
            "account": accounts[event.user_id],
            "action": shown_id(event.action_type),
            "points": wire_number(scaled(event.base_points, 1000), 1000),
            "at_s": int((event.created_at - first).total_seconds()),
        }
        if event.device_id is not None:
            row["device"] = devices.setdefault(event.device_id, len(devices) + 1)
        for name, value in (("faction", event.faction_id), ("target", event.target_id), ("chapter", event.chapter_id)):
            if value is not None:
                row[name] = shown_id(value)
        if event.realm_id != case.request.realm_id:
            row["realm"] = shown_id(event.realm_id)
        shown.append(row | _drama(event.evidence))
    facts["events"] = shown
    facts["events_left_out"] = max(0, len(events) - MOST_EVENTS)


def _drama(evidence: dict[str, Any]) -> Facts:
    """Return the closed facts of an act: `stakes` of the known ladder, `risk` from 1 to 5 (domain.md C1)."""
    stakes, risk = evidence.get("stakes"), evidence.get("risk")
    shown: Facts = {"stakes": stakes} if isinstance(stakes, str) and stakes in STAKES else {}
    return shown | ({"risk": risk} if type(risk) is int and 1 <= risk <= 5 else {})


Section = Callable[[Facts, Case, dict[str, int]], None]
SECTIONS: Final[dict[Member, Sequence[Section]]] = {
    "governor": (_with_factions, _with_meters, _with_territories),
    "fairness": (_with_factions, _with_events),
    "lore": (_with_locks, _with_territories),
    "narrative": (_with_factions, _with_territories, _with_events),
    "risk": (_with_events, _with_flags),
}
"""Per member, in the order that they are added."""
