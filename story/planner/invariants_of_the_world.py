"""Laws of a plan about the world's news and the council's verdicts (`story.planner.invariants` lists them)."""

from collections.abc import Iterator

from story.context.items import Candidate, HeardVerdict
from story.planner.objections import read_objections, subjects_of
from story.planner.plan import Beat
from story.planner.plan_case import Case, PlanFault
from story.planner.worldly import MOST_MUST, touches


def items(case: Case) -> Iterator[PlanFault]:
    """Yield world items that were not chosen, or are told out of place."""
    chosen = {each.candidate.item_id: each.candidate for each in case.context.items}
    told = [item for beat in case.plan.beats for item in beat.items]
    for beat in case.plan.beats:
        if (beat.kind == "world") != bool(beat.items):
            yield PlanFault("item", beat.number, "world beats tell world items, and no other beats do")
        for item in beat.items:
            if item not in chosen:
                yield PlanFault("item", beat.number, f"{item!r} is not in the chapter's world_context")
    if list(case.plan.world_changes_used) != told or len(set(told)) != len(told):
        yield PlanFault("item", None, "world_changes_used is not what the beats tell, once each and in their order")
    spans = tuple([item for item in told if item in chosen and chosen[item].scope == "global"])
    if case.plan.globals_used != spans:
        yield PlanFault("item", None, "globals_used is not the global ones of world_changes_used")


def verdicts(case: Case) -> Iterator[PlanFault]:
    """Yield verdicts that are cited or told wrongly."""
    cited = list(dict.fromkeys([name for beat in case.plan.beats for name in beat.decisions]))
    if list(case.plan.verdicts_cited) != cited:
        yield PlanFault("verdict", None, "verdicts_cited is not what the beats rest on, in their order")
    for name in case.plan.verdicts_cited:
        if name not in case.verdicts:
            yield PlanFault("verdict", None, f"nobody heard of {name!r}")
    facts = {fact.fact_id: fact for fact in case.plan.facts}
    for fact in facts.values():
        if fact.decision_id is not None and fact.decision_id not in cited:
            yield PlanFault("verdict", None, f"{fact.fact_id!r} rests on {fact.decision_id!r}, which no beat cites")
    for beat in case.plan.beats:
        for name in beat.decisions:
            verdict = case.verdicts.get(name)
            if verdict is not None:
                yield from _effect_on(case, beat, verdict)


def _effect_on(case: Case, beat: Beat, verdict: HeardVerdict) -> Iterator[PlanFault]:
    """Yield what is wrong with how a beat tells a verdict."""
    said = {fact.predicate: fact.value for fact in case.plan.facts if fact.subject == verdict.decision_id}
    if verdict.verdict == "modify":
        slots = [value for name, value in beat.slots.items() if name.startswith("condition")]
        for each in verdict.modifications:
            if each not in slots or each not in said.values():
                yield PlanFault("modifications", beat.number, f"{each!r} does not stand in the beat and its facts")
    if verdict.verdict == "reject":
        if "reason" not in beat.slots or said.get("rejected_for") != beat.slots["reason"]:
            yield PlanFault("reason", beat.number, f"{verdict.decision_id!r} is told without its reason")
        came_true = [fact for fact in case.plan.facts if fact.decision_id == verdict.decision_id]
        if any(fact.subject != verdict.decision_id for fact in came_true):
            yield PlanFault("reason", beat.number, f"something of the rejected {verdict.decision_id!r} is told as done")


def quarantine(case: Case) -> Iterator[PlanFault]:
    """Yield whatever comes from a quarantined case."""
    held = {name for name, each in case.verdicts.items() if each.verdict == "quarantine"}
    items = {each.candidate.item_id for each in case.context.items if each.candidate.decision_id in held}
    for beat in case.plan.beats:
        if held & {*beat.decisions} or items & {*beat.items} or held & {*beat.slots.values()}:
            yield PlanFault("quarantine", beat.number, "tells of what is held for a person")
    if held & {*case.plan.verdicts_cited} or items & {*case.plan.world_changes_used}:
        yield PlanFault("quarantine", None, "cites what is held for a person")
    for fact in case.plan.facts:
        if fact.decision_id in held or fact.subject in held:
            yield PlanFault("quarantine", None, f"{fact.fact_id!r} comes from what is held for a person")


def unheard(case: Case) -> Iterator[PlanFault]:
    """Yield what had to be told: as far as two beats hold it, and nobody objected to it."""
    taboo = subjects_of(read_objections(case.plan.attempt, case.plan.objections))
    due = {
        _told_as(case, each.candidate)
        for each in case.context.items
        if _must_be_told(case, each.candidate) and taboo.isdisjoint(_named(case, each.candidate))
    }
    told = due & {*case.plan.world_changes_used, *case.plan.verdicts_cited}
    if len(told) < min(MOST_MUST, len(due)):
        yield PlanFault("unheard", None, f"{', '.join(sorted(due - told))} had to be told")


def _told_as(case: Case, candidate: Candidate) -> str:
    """Return what shows that an item was told: its decision, which is told once, or itself."""
    name = candidate.decision_id
    return candidate.item_id if name not in case.verdicts or name in case.tale.decisions or name is None else name


def _must_be_told(case: Case, candidate: Candidate) -> bool:
    verdict = case.verdicts.get(candidate.decision_id or "")
    if verdict is None:
        return candidate.kind == "recap" and candidate.is_must
    is_fresh = verdict.decision_id not in case.tale.decisions
    if verdict.verdict == "quarantine" or (is_fresh and verdict.verdict == "modify" and not verdict.modifications):
        return False
    if candidate.kind == "recap" and candidate.is_must:
        return verdict.verdict != "reject"
    if candidate.kind != "verdict" and verdict.verdict != "modify":
        return False
    return is_fresh and touches(case.tale, verdict, candidate) > 0


def _named(case: Case, candidate: Candidate) -> set[str]:
    """Return every id that telling of an item would use."""
    verdict = case.verdicts.get(candidate.decision_id or "")
    told = {value for value in candidate.facts.values() if isinstance(value, str)}
    effects = [] if verdict is None else [value for each in verdict.effects for value in each.values()]
    of_verdict = set() if verdict is None else {verdict.subject, verdict.faction_id or "", verdict.reason}
    storylets = {"deeds_told", "verdict_approved", "verdict_modified", "verdict_rejected"}
    own = {candidate.item_id, candidate.subject, candidate.decision_id or "", *candidate.entities, *candidate.places}
    return own | told | of_verdict | storylets | {value for value in effects if isinstance(value, str)}
