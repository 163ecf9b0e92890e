"""Verdicts of the council as something to tell, and the player's own deeds (S0-73; issue 6, items 2, 3 and 7).

    verdict   approve, modify   800 for a sovereign action, 700 for a major trigger, 500 else; its biggest effect at least
              reject            three quarters of that: nothing happened, and the world knows why
              quarantine        no candidate: to the story it is as if it had never been asked
    recap     of new deeds      one per 100 milli-points, so that a hundred points are all of it

A verdict over a single act of somebody else is nobody's business; over an own act it is told for certain, as is the recap.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from policies.verdicts import DecisionType
from story.context.control import scope_of, taken_magnitude
from story.context.happened import Span
from story.context.items import Candidate, HeardVerdict, Scope
from story.context.own import Own
from world.realm.state import Realm, Territory

BIG: Final[Mapping[DecisionType, int]] = {"sovereign_action": 800, "major_trigger": 700, "impact_dispute": 500}
FIRED: Final = 900
"""Magnitude of a trigger that a verdict fired."""
MILLI_PER_POINT_OF_MAGNITUDE: Final = 100
_GRANTED: Final = ("approve", "modify")


def verdict_candidates(verdicts: Sequence[HeardVerdict], own: Own, realm: Realm) -> Iterator[Candidate]:
    """Yield the verdicts that can be told, in order of ids."""
    for heard in sorted(verdicts, key=lambda each: each.decision_id):
        if heard.verdict != "quarantine":
            yield _verdict(heard, own, realm)


def is_explained(candidate: Candidate, verdicts: Sequence[HeardVerdict]) -> bool:
    """Whether a verdict did what a candidate tells: then the verdict tells of it, and no item beside it."""
    facts = candidate.facts
    effects = [effect for each in verdicts if each.verdict in _GRANTED for effect in each.effects]
    if candidate.kind == "control" and facts["change"] == "taken":
        moved = [(each.get("territory_id"), each.get("to")) for each in effects]
        return (candidate.subject, facts["controller"]) in moved
    is_fired = candidate.kind == "trigger" and facts["phase"] == "fired"
    return is_fired and any(each.get("trigger_id") == candidate.subject for each in effects)


def recap_candidate(own: Own, span: Span) -> Candidate | None:
    """Return the recap of what the player did since the last chapter; None where there was nothing: old deeds are no news."""
    since = own.since
    if not since:
        return None
    order = sorted(since, key=lambda key: (not key[0], -abs(since[key]), key))
    territory, faction = order[0]
    places = tuple(dict.fromkeys([place for place, _ in order if place in span.now.territories]))
    factions = tuple(dict.fromkeys([name for _, name in order]))
    return Candidate(
        item_id=f"recap/{own.user_id}",
        kind="recap",
        subject=own.user_id,
        scope="personal",
        magnitude=min(1_000, sum(map(abs, since.values())) // MILLI_PER_POINT_OF_MAGNITUDE),
        tick=span.now.tick_number,
        places=places,
        factions=factions,
        entities=tuple(dict.fromkeys([own.user_id, *places, *factions])),
        is_must=True,
        facts={
            "territory": territory or None,
            "faction": faction,
            "outcome": _outcome(span, territory, faction),
            "is_against": since[order[0]] < 0,
        },
        correlation_id=own.correlation_id,
    )


def _outcome(span: Span, territory: str, faction: str) -> str:
    """Return what became of the place where most was done, as the faction in question sees it."""
    before, now = span.before.territories.get(territory), span.now.territories.get(territory)
    if before is None or now is None:
        return "unmoved"
    if before.controller != now.controller and faction in (before.controller, now.controller):
        return "taken" if now.controller == faction else "lost"
    if now.conflict is not None:
        return "fought_over"
    change = now.shares.get(faction, 0) - before.shares.get(faction, 0)
    return "risen" if change > 0 else "fallen" if change < 0 else "unmoved"


def _verdict(heard: HeardVerdict, own: Own, realm: Realm) -> Candidate:
    happened = heard.effects if heard.verdict in _GRANTED else ()
    subject = [realm.territories[heard.subject]] if heard.subject in realm.territories else []
    told = [each["territory_id"] for each in happened if each.get("territory_id") in realm.territories]
    territories = [*subject, *[realm.territories[str(name)] for name in told]]
    places = tuple(dict.fromkeys([each.territory_id for each in territories]))
    factions = _factions(heard, happened, realm)
    is_own = heard.decision_id in own.decisions
    fired = _first(happened, "trigger_id")
    things = [name for name in (heard.subject, fired) if name]
    return Candidate(
        item_id=f"verdict/{heard.decision_id}",
        kind="verdict",
        subject=heard.decision_id,
        scope=_scope(heard, territories),
        magnitude=_magnitude(heard, territories if told else [], is_fired=fired is not None),
        tick=heard.tick,
        places=places,
        factions=factions,
        entities=tuple(dict.fromkeys([*things, *places, *factions, heard.decision_id])),
        seen_by=() if _is_private(heard, territories) and not is_own else None,
        is_must=is_own,
        facts=_facts(heard, happened, fired),
        decision_id=heard.decision_id,
    )


def _factions(heard: HeardVerdict, happened: Iterable[Mapping[str, Any]], realm: Realm) -> tuple[str, ...]:
    named = [each.get(key) for each in happened for key in ("faction_id", "from", "to")]
    return tuple(sorted({name for name in (heard.faction_id, *named) if name in realm.factions}))


def _is_private(heard: HeardVerdict, territories: Sequence[Territory]) -> bool:
    """Whether a verdict is over a single act: what is held of it is nobody else's business (`world.views.happened`)."""
    return heard.decision_type == "impact_dispute" and not territories


def _scope(heard: HeardVerdict, territories: Sequence[Territory]) -> Scope:
    if territories:
        return "regional" if any(scope_of(each) == "regional" for each in territories) else "local"
    return "personal" if heard.decision_type == "impact_dispute" else "global"


def _magnitude(heard: HeardVerdict, taken: Sequence[Territory], *, is_fired: bool) -> int:
    base = BIG[heard.decision_type]
    if heard.verdict == "reject":
        return base * 3 // 4
    return max([base, FIRED * is_fired, *[taken_magnitude(each) for each in taken]])


def _facts(heard: HeardVerdict, happened: Sequence[Mapping[str, Any]], fired: str | None) -> dict[str, object]:
    facts: dict[str, object] = {
        "verdict": heard.verdict,
        "decision_type": heard.decision_type,
        "subject": heard.subject,
        "faction": heard.faction_id,
    }
    if heard.verdict == "modify" and heard.modifications:
        facts.update(condition=heard.modifications[0], conditions=list(heard.modifications))
    if heard.verdict == "reject":
        facts["reason"] = heard.reason
    transfer = next((each for each in happened if each.get("op") == "territory_transfer"), None)
    if transfer is not None:
        facts.update(territory=transfer["territory_id"], controller=transfer["to"], former=transfer.get("from"))
    if fired is not None:
        facts["trigger"] = fired
    return facts


def _first(happened: Iterable[Mapping[str, Any]], key: str) -> str | None:
    return next((str(each[key]) for each in happened if each.get(key) is not None), None)
