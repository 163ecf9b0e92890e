"""Questions to models for the tests of prompts and replies: the request of `tests.unit.requests`, put to one member."""

import json
from collections.abc import Mapping
from typing import Any

from agents.asking import Question, Slot, Variant
from agents.roster import ROSTER
from policies.contracts.reading import validate_request
from policies.evidence import Evidence, Signal, values_of
from policies.models import Budgets, Endpoint, ModelsPolicy, ModelUse
from policies.signals.catalogue import THRESHOLDS
from policies.verdicts import Member
from policies.votes import Vote
from tests.unit.requests import request_document
from world.case import Case, open_case

Json = dict[str, Any]

RULES = ("canon_lock", "exploit_suspicion")
ENDPOINT = Endpoint("local", "http://127.0.0.1:1234/v1", None, "auto", 4)
MODELS = ModelsPolicy(1, "abstain", 60, None, Budgets(None, None, None, None, "rules"), {})


def case_from(document: Mapping[str, Any]) -> Case:
    return open_case(validate_request(document))


def evidence_of(case: Case) -> Evidence:
    """Every member's signals, and one of triage."""
    found = [Signal("impact_score", 71), Signal("is_sovereign_action", 1)]
    for member in ROSTER.values():
        found += member.find_evidence(case)
    return tuple(found)


def rule_vote_of(case: Case, member: Member, evidence: Evidence) -> Vote:
    limits = {name: spec.default for name, spec in THRESHOLDS[member].items()}
    return ROSTER[member].judge(case, values_of(evidence), limits)


def question_about(
    document: Mapping[str, Any] | None = None,
    member: Member = "lore",
    *,
    round_number: int = 1,
    variant: Variant = "full",
    reads_player_text: bool = True,
    others: tuple[Vote, ...] = (),
) -> Question:
    """Put a request to one member."""
    case = case_from(request_document() if document is None else document)
    evidence = evidence_of(case)
    use = ModelUse(ENDPOINT, "m-1", 0.0, 8_000, 800, None, reads_player_text)
    slot = Slot(member, round_number, variant)
    rule_vote = rule_vote_of(case, member, evidence)
    return Question(slot, case, evidence, rule_vote, RULES, use, MODELS, "d-1", others)


def told_document(text: str) -> Json:
    """The request with one text in every place where somebody can write freely: players, and the simulation."""
    document = request_document()
    change = document["proposed_change"]
    change["narrative"] = text
    change["effects"][4]["object"] = one_line(text)
    change["summary"] = one_line(text)
    document["world_snapshot"]["territories"]["t-3"]["name"] = one_line(text)
    event = document["supporting_events"][0]
    event["note"] = text
    event["evidence"]["said"] = text
    document["risk_flags"] = [one_line(text), {"code": "c", "severity": 0.3, "subject": "u-123", "note": text}]
    document["lore_constraints"][0] = one_line(text)
    document["lore_constraints"][1] |= {"object": one_line(text), "until": one_line(text), "statement": text}
    return document


def one_line(text: str) -> str:
    """What the contract lets through as one line: no controls, 1 to 500 characters."""
    return "".join([char for char in text if char >= " " and char != "\x7f"])[:500] or "-"


def finding(name: str = "canon_locks", says: str = "one lock is there") -> Json:
    return {"evidence": name, "says": says}


def drop(effect: int = 0) -> Json:
    return {"effect": effect, "action": "drop", "field": None, "bound": None, "value": None, "because": "too much"}


def bound(effect: int, action: str, at: float) -> Json:
    return drop(effect) | {"action": action, "field": "amount", "bound": at}


def set_to(effect: int, field: str, value: str) -> Json:
    return drop(effect) | {"action": "set", "field": field, "value": value}


def reply(**changes: Any) -> Json:
    """A reply that is read into an approval, with fields replaced."""
    return {
        "findings": [finding()],
        "reasoning": "Nothing in my mandate speaks against it.",
        "modifications": [],
        "claims": [],
        "verdict": "approve",
        "confidence": 0.75,
    } | changes


def raw_reply(**changes: Any) -> str:
    return json.dumps(reply(**changes))
