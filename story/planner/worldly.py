"""World storylets: what of the world may be told in a chapter, and what must be (issue 6, items 2 and 3; S0-74 to S0-76).

Only what `world_context` chose is told. What a verdict does to the plan:

    approve      it may be told, and its effects are facts
    modify       the same, with every modification as a slot and a fact
    reject       nothing happened; the reason is a fact that the world knows
    quarantine   nothing at all: no beat, no fact, no mention, not cited

A verdict is told once. A fresh one that touches the player must be told, and so must what the context says must be: two in one
chapter at most, because eight beats hold no more beside the hero's own story; what is left waits for the next chapter.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from story.context.items import Candidate, Chosen, HeardVerdict, WorldContext
from story.planner.scene import Filling, Setting
from story.tale.contradictions import contradictions
from story.tale.tale import Fact, Tale

NOBODY: Final = "nobody"
"""Stands in a slot where no faction holds a place, or none asked for a change."""
MOST_MUST: Final = 2
"""World beats that eight beats have room for."""
_UNKNOWN_REASON: Final = "votes"


class News(NamedTuple):
    """A world beat that could be played."""

    storylet: str
    filling: Filling
    is_must: bool
    criteria: int
    """How many of the hero's matters it touches."""
    relevance: int
    """0 to 1,000."""
    is_global: bool


def news(setting: Setting, context: WorldContext, verdicts: Sequence[HeardVerdict]) -> tuple[News, ...]:
    """Return what may be told, what must be first, then by relevance; of one decision or subject once."""
    heard = {each.decision_id: each for each in verdicts}
    made = [_news(setting, chosen, heard) for chosen in context.items]
    found: list[News] = []
    told: set[str] = set()
    for each in sorted([each for each in made if each is not None and not _is_objected(setting, each)], key=_rank):
        if not told & {*each.filling.decisions, *each.filling.items}:
            found.append(each)
            told |= {*each.filling.decisions, *each.filling.items}
    return tuple(found)


def musts(told: Sequence[News]) -> tuple[News, ...]:
    """Return what a chapter must tell of its news."""
    return tuple([each for each in told if each.is_must][:MOST_MUST])


def touches(tale: Tale, verdict: HeardVerdict, candidate: Candidate) -> int:
    """Return how many of the hero's matters a verdict touches: own deed, thread, place, faction; 0 to 4."""
    threads = {entity for thread in tale.open_threads if thread.is_personal for entity in thread.entities}
    named = {verdict.subject, *candidate.entities, *candidate.places}
    own_faction = tale.faction_id is not None and tale.faction_id in {verdict.faction_id, verdict.subject}
    return candidate.is_must + bool(threads & named) + (tale.player.place in named) + own_faction


def _is_objected(setting: Setting, each: News) -> bool:
    facts = [name for fact in each.filling.facts for name in (fact.fact_id, fact.subject)]
    return not setting.taboo.isdisjoint({each.storylet, *each.filling.slots.values(), *facts})


def _rank(each: News) -> tuple[bool, int, int, tuple[str, ...]]:
    return (not each.is_must, -each.criteria, -each.relevance, each.filling.items)


def _news(setting: Setting, chosen: Chosen, heard: Mapping[str, HeardVerdict]) -> News | None:
    candidate = chosen.candidate
    if setting.taboo & {candidate.item_id, candidate.subject, *candidate.entities, candidate.decision_id or ""}:
        return None
    verdict = heard.get(candidate.decision_id or "")
    if verdict is None:
        return None if candidate.kind == "verdict" else _of_world(setting, chosen, None)
    is_fresh = verdict.decision_id not in setting.tale.decisions
    if verdict.verdict == "quarantine" or (candidate.kind == "verdict" and not is_fresh):
        return None
    if candidate.kind == "verdict" or (is_fresh and verdict.verdict == "modify"):
        return _of_verdict(setting, chosen, verdict)
    return None if verdict.verdict == "reject" else _of_world(setting, chosen, verdict if is_fresh else None)


def _of_verdict(setting: Setting, chosen: Chosen, verdict: HeardVerdict) -> News | None:
    decision = verdict.decision_id
    slots = {"subject": verdict.subject, "faction": verdict.faction_id or NOBODY}
    facts = [_said(setting, verdict, "verdict", verdict.verdict)]
    if verdict.verdict == "reject":
        known = setting.pools.reasons
        slots["reason"] = verdict.reason if verdict.reason in known else _UNKNOWN_REASON
        facts.append(_said(setting, verdict, "rejected_for", slots["reason"]))
        storylet = "verdict_rejected"
    elif verdict.verdict == "modify":
        if not verdict.modifications:
            return None
        for at, condition in enumerate(verdict.modifications, start=1):
            slots["condition" if at == 1 else f"condition_{at}"] = condition
            facts.append(_said(setting, verdict, f"condition-{at}", condition))
        storylet = "verdict_modified"
    else:
        storylet = "verdict_approved"
    if verdict.verdict != "reject":
        facts += _happened(setting, verdict)
    touched = touches(setting.tale, verdict, chosen.candidate)
    filling = Filling(slots, facts=tuple(facts), items=(chosen.candidate.item_id,), decisions=(decision,))
    return _as_news(storylet, filling, chosen, touched, is_must=touched > 0)


def _said(setting: Setting, verdict: HeardVerdict, predicate: str, value: str) -> Fact:
    decision = verdict.decision_id
    return Fact(f"{decision}/{predicate}", decision, predicate, value, setting.chapter, "realm", decision)


def _happened(setting: Setting, verdict: HeardVerdict) -> list[Fact]:
    """Return what a verdict made true and is still true: what has changed since is not told as if it were."""
    facts = [
        Fact(f"{subject}/{predicate}", subject, predicate, value, setting.chapter, "realm", verdict.decision_id)
        for effect in verdict.effects
        for subject, predicate, value in _claims(effect)
    ]
    latest = {fact.fact_id: fact for fact in facts}
    return [fact for fact in latest.values() if _holds(setting, fact)]


def _claims(effect: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Yield what one effect says; deltas are quantities, and nothing that a story could contradict."""
    match effect.get("op"):
        case "territory_transfer":
            yield str(effect["territory_id"]), "controller", str(effect["to"] or NOBODY)
        case "trigger_fire":
            yield str(effect["trigger_id"]), "status", "fired"
        case "canon_assert":
            yield str(effect["subject"]), str(effect["predicate"]), str(effect["object"])
        case _:
            return


def _holds(setting: Setting, fact: Fact) -> bool:
    return not contradictions(setting.tale, [fact], setting.realm_facts, setting.locks)


def _of_world(setting: Setting, chosen: Chosen, verdict: HeardVerdict | None) -> News | None:
    told = _TOLD[chosen.candidate.kind](setting, chosen.candidate)
    if told is None:
        return None
    storylet, slots = told
    decisions = () if verdict is None else (verdict.decision_id,)
    facts = [_said(setting, verdict, "verdict", verdict.verdict), *_happened(setting, verdict)] if verdict else []
    if "controller" in slots:
        place, controller = slots["territory"], slots["controller"]
        source = None if verdict is None else verdict.decision_id
        fact = Fact(f"{place}/controller", place, "controller", controller, setting.chapter, "realm", source)
        if not _holds(setting, fact):
            return None
        facts = [each for each in facts if each.fact_id != fact.fact_id] + [fact]
    touched = 0 if verdict is None else touches(setting.tale, verdict, chosen.candidate)
    filling = Filling(slots, facts=tuple(facts), items=(chosen.candidate.item_id,), decisions=decisions)
    return _as_news(storylet, filling, chosen, touched, is_must=False)


def _as_news(storylet: str, filling: Filling, chosen: Chosen, touched: int, *, is_must: bool) -> News:
    candidate, terms = chosen.candidate, chosen.terms
    criteria = touched + (terms.thread_match > 0) + (terms.involvement > 0)
    is_global = candidate.scope == "global"
    return News(storylet, filling, is_must or candidate.is_must, criteria, terms.relevance, is_global)


Told = tuple[str, dict[str, str]] | None


def _word(candidate: Candidate, name: str) -> str:
    value = candidate.facts.get(name)
    return value if isinstance(value, str) and value else NOBODY


def _control(setting: Setting, candidate: Candidate) -> Told:
    slots = {
        "territory": _word(candidate, "territory"), "controller": _word(candidate, "controller"),
        "change": _word(candidate, "change"),
    }  # fmt: skip
    if slots["territory"] == NOBODY:
        slots["territory"] = candidate.subject
    if slots["change"] == "taken" or "former" in candidate.facts:
        return "control_changed", {**slots, "former": _word(candidate, "former")}
    if "rival" in candidate.facts:
        return "territory_contested", {**slots, "rival": _word(candidate, "rival")}
    return None


def _ranking(setting: Setting, candidate: Candidate) -> Told:
    direction = _word(candidate, "direction")
    if direction not in setting.pools.directions:
        return None
    return "ranking_told", {"faction": _word(candidate, "faction"), "direction": direction}


def _trigger(setting: Setting, candidate: Candidate) -> Told:
    return "trigger_felt", {"trigger": candidate.subject, "phase": _word(candidate, "phase")}


def _campaign(setting: Setting, candidate: Candidate) -> Told:
    if _word(candidate, "campaign") == NOBODY:
        return None
    slots = {"faction": _word(candidate, "faction"), "campaign": _word(candidate, "campaign")}
    return "campaign_heard", {**slots, "target": _word(candidate, "target")}


def _recap(setting: Setting, candidate: Candidate) -> Told:
    """Tell own deeds where they were done; of those that have no place, people speak where the hero is."""
    territory = _word(candidate, "territory")
    place = setting.tale.player.place if territory == NOBODY else territory
    outcome = _word(candidate, "outcome")
    return "deeds_told", {"territory": place, "faction": _word(candidate, "faction"), "outcome": outcome}


def _no_verdict(setting: Setting, candidate: Candidate) -> Told:
    return None


_TOLD: Final = {
    "control": _control, "ranking": _ranking, "trigger": _trigger, "campaign": _campaign, "recap": _recap,
    "verdict": _no_verdict,
}  # fmt: skip
