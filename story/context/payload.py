"""The wire shape of a world context: the four fields of 000 §9, the verdicts, and what was left out and why (S0-70 to S0-73).

A field is always there, and empty where nothing of its kind was chosen. Rows have the shapes of `story.context.rows`, which the
council's own brief to the planner shares.
"""

from typing import Any

from story.context.items import Candidate, ItemKind, Omitted, WorldContext
from story.context.rows import control_row, ranking_row, trigger_row


def payload(context: WorldContext, *, most_omitted: int | None = None) -> dict[str, Any]:
    """Return a context as the planner's input carries it.

    Args:
        most_omitted: most rows of `omitted`, nearest misses first; None: all. `omitted_count` says how many there are.
    """
    verdicts = _of(context, "verdict")
    moved = [each for each in verdicts if "territory" in each.facts]
    fired = [each for each in verdicts if "trigger" in each.facts]
    omitted = context.omitted[: most_omitted if most_omitted is not None else len(context.omitted)]
    return {
        "snapshot_id": context.snapshot_id,
        "tick_number": context.tick,
        "faction_ranking": [_ranking(each) for each in _of(context, "ranking")],
        "local_territory_control": [_control(each) for each in [*_of(context, "control"), *moved]],
        "active_triggers": [_trigger(each) for each in [*_of(context, "trigger"), *fired]],
        "contribution_recap": [_recap(each) for each in _of(context, "recap")],
        "campaigns": [{"item_id": each.item_id, **each.facts} for each in _of(context, "campaign")],
        "verdicts": [_verdict(each) for each in verdicts],
        "budget": {"tokens": context.budget, "used": context.used},
        "omitted": [_omitted(each) for each in omitted],
        "omitted_count": len(context.omitted),
    }


def explained(context: WorldContext) -> dict[str, Any]:
    """Return why each item was chosen and each other one was not, with the numbers: for `--why`, never for prose."""
    return {
        "chosen": [
            {
                "item_id": each.candidate.item_id,
                "kind": each.candidate.kind,
                "terms": each.terms._asdict(),
                "tokens": each.tokens,
                "why": each.why,
            }
            for each in context.items
        ],
        "omitted": [{**_omitted(each), "terms": each.terms and each.terms._asdict()} for each in context.omitted],
        "budget": {"tokens": context.budget, "used": context.used},
    }


def _of(context: WorldContext, kind: ItemKind) -> list[Candidate]:
    return [each.candidate for each in context.items if each.candidate.kind == kind]


def _ranking(item: Candidate) -> dict[str, Any]:
    facts: Any = item.facts
    row = ranking_row(facts["rank"], facts["faction"], facts["share_ppm"], facts["change_ppm"])
    return {"item_id": item.item_id, **row, "direction": facts["direction"]}


def _control(item: Candidate) -> dict[str, Any]:
    facts: Any = item.facts
    change = facts.get("change", "taken")
    row = control_row(facts["territory"], facts["controller"], is_changed=change == "taken")
    others = {key: facts[key] for key in ("former", "rival") if key in facts}
    return {"item_id": item.item_id, **row, "change": change, **others}


def _trigger(item: Candidate) -> dict[str, Any]:
    facts: Any = item.facts
    return {"item_id": item.item_id, **trigger_row(facts["trigger"], facts.get("phase", "fired"))}


def _recap(item: Candidate) -> dict[str, Any]:
    facts = {key: value for key, value in item.facts.items() if key not in ("territory", "faction")}
    whose = {"user_id": item.subject, "territory_id": item.facts["territory"], "faction_id": item.facts["faction"]}
    return {"item_id": item.item_id, **whose, **facts}


def _verdict(item: Candidate) -> dict[str, Any]:
    facts: Any = item.facts
    return {
        "item_id": item.item_id,
        "decision_id": item.decision_id,
        "final_verdict": facts["verdict"],
        "decision_type": facts["decision_type"],
        "subject": facts["subject"],
        "faction_id": facts["faction"],
        "conditions": facts.get("conditions", []),
        "reason": facts.get("reason"),
    }


def _omitted(each: Omitted) -> dict[str, Any]:
    relevance = each.terms.relevance if each.terms is not None else None
    return {
        "item_id": each.item_id,
        "kind": each.kind,
        "why": each.why,
        "told": each.told,
        "relevance": relevance,
    }
