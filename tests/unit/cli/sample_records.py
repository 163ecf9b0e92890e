"""Hand-made records for the renderers: small, complete, and with every kind of row that they draw."""

from copy import deepcopy
from typing import Any

REQUEST: dict[str, Any] = {
    "decision_type": "sovereign_action",
    "realm_id": "aelvyndor",
    "request_id": "req-17",
    "proposed_change": {
        "summary": "The Empire annexes the Glass Harbor",
        "actor": {"user_id": "u-123", "faction_id": "empire", "sovereign": True},
        "effects": [
            {"op": "faction_delta", "faction_id": "empire", "amount": 12},
            {"op": "territory_transfer", "territory_id": "t-3", "from": "veil", "to": "empire"},
            {"op": "meter_delta", "meter": "stability", "amount": -8},
        ],
        "narrative": "The banners rise over the harbor.",
    },
    "world_snapshot": {
        "snapshot_id": "snap-1042",
        "tick_number": 1042,
        "factions": {"empire": {"influence": 41}, "veil": {"influence": 33}, "free_cities": {"influence": 26}},
        "territories": {"t-3": {"name": "Glass Harbor", "controller": "veil"}},
        "meters": {"stability": 62, "tension": 35},
    },
}
POLICY = {"id": "aelvyndor", "version": 3, "hash": "9f2c" * 16}


def _vote(member: str, verdict: str | None, text: str, evidence: list[str], **more: Any) -> dict[str, Any]:
    return {
        "member": member,
        "verdict": verdict,
        "confidence": 900,
        "source": "rules",
        "weight": "1",
        "reasons": [{"text": text, "evidence": evidence}],
        "modifications": [],
        **more,
    }


_VOTES = [
    _vote(
        "governor",
        "modify",
        "the empire would gain 12 points of influence at once, the bound is 5",
        ["hhi_star_rise"],
        modifications=[{"effect": 0, "field": "amount", "max": 5, "because": "keeps the balance"}],
    ),
    _vote("fairness", "approve", "support is spread over many contributors", ["top_cluster_share"]),
    _vote("lore", "approve", "no canon lock is touched", ["canon_derived_violations"]),
    _vote(
        "narrative",
        "modify",
        "the loss of stability has no setup",
        ["payoff_earned"],
        modifications=[{"effect": 2, "drop": True, "because": "nothing has led to it"}],
    ),
    _vote("risk", None, "", [], confidence=0, abstained="timeout", reasons=[]),
]

COUNCIL_RECORD: dict[str, Any] = {
    "schema": "council.record/1",
    "decision_id": "dec-council",
    "realm_id": "aelvyndor",
    "decision_type": "sovereign_action",
    "request_key": "req-17",
    "fingerprint": "ab" * 32,
    "recorded_at": "2026-11-03T10:12:05.123Z",
    "elapsed_ms": 4,
    "policy": POLICY,
    "mode": "enforce",
    "request": REQUEST,
    "path": "council",
    "invoked_by": ["sovereign_action", "world_impact"],
    "seated": ["governor", "fairness", "lore", "narrative", "risk"],
    "evidence": [
        {"name": "impact_score", "value": 86, "from": ["/proposed_change/effects"]},
        {"name": "impact_threshold", "value": 60, "from": []},
        {
            "name": "hhi_star_rise",
            "value": 61,
            "from": ["/proposed_change/effects/0/amount", "/world_snapshot/factions"],
        },
        {"name": "top_cluster_share", "value": 140, "from": ["/supporting_events"]},
        {"name": "canon_derived_violations", "value": 0, "from": ["/lore_constraints"]},
        {"name": "payoff_earned", "value": 120, "from": ["/supporting_events"]},
    ],
    "rules": [
        {"rule": "canon_lock", "outcome": "reject", "mode": "enforce", "fired": False},
        {"rule": "realm_collapse", "outcome": "quarantine", "mode": "enforce", "fired": False},
        {
            "rule": "watch_growth",
            "outcome": "modify",
            "mode": "log_only",
            "fired": True,
            "because": "influence grows faster than 10 points (hhi_star_rise 61)",
        },
    ],
    "merge": {
        "rule": "quota",
        "verdict": "modify",
        "decided_by": "votes",
        "confidence": "4/25",
        "coverage": "4/5",
        "quorum": "3/5",
        "shares": {"approve": "1", "modify": "3/5", "reject": "1/5", "quarantine": "1/5"},
        "quotas": {"modify": "1/3", "reject": "1/3", "quarantine": "1/3"},
        "tags": [],
        "votes_outcome": "modify",
        "rules_outcome": None,
        "terms": [
            {"member": "governor", "weight": "1", "unit": 1000, "counted_at": "modify", "voted": True},
            {"member": "fairness", "weight": "1", "unit": 1000, "counted_at": "approve", "voted": True},
            {"member": "lore", "weight": "1", "unit": 1000, "counted_at": "approve", "voted": True},
            {"member": "narrative", "weight": "1", "unit": 1000, "counted_at": "modify", "voted": True},
            {
                "member": "risk",
                "weight": "1",
                "unit": 1000,
                "counted_at": "quarantine",
                "voted": False,
                "abstained": "timeout",
            },
        ],
    },
    "modifications": {
        "required": [
            {"effect": 0, "field": "amount", "max": 5, "because": "keeps the balance", "asked_by": ["governor"]},
            {"effect": 2, "drop": True, "because": "nothing has led to it", "asked_by": ["narrative"]},
        ],
        "contradictions": [],
        "rules_on_modified": [],
    },
    "shadows": [
        {"id": "trial", "version": 4, "hash": "77" * 32, "verdict": "reject", "path": "council", "confidence": "1/5"}
    ],
    "held": False,
    "council_verdict": "modify",
    "answer": {
        "final_verdict": "modify",
        "confidence": 0.16,
        "reasons": [
            "governor: the empire would gain 12 points of influence at once, the bound is 5",
            "narrative: the loss of stability has no setup",
        ],
        "required_modifications": [
            {"effect": 0, "field": "amount", "max": 5, "because": "keeps the balance", "asked_by": ["governor"]},
            {"effect": 2, "drop": True, "because": "nothing has led to it", "asked_by": ["narrative"]},
        ],
        "audit_tags": ["fair", "canon_safe"],
        "decision_id": "dec-council",
        "path": "council",
        "votes": _VOTES,
        "vetoes": [],
        "policy": POLICY,
        "cost": {"model_calls": 0, "tokens": 0, "usd": "0"},
        "elapsed_ms": 4,
    },
}


def changed(record: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a copy of a record with some of its top-level fields replaced."""
    return {**deepcopy(record), **fields}


_VETO = {
    "rule": "canon_lock",
    "outcome": "reject",
    "mode": "enforce",
    "because": "the change breaks a canon lock (canon_derived_violations 1)",
    "evidence": ["canon_derived_violations"],
}
VETO_RECORD = changed(
    COUNCIL_RECORD,
    decision_id="dec-veto",
    path="veto",
    council_verdict="reject",
    modifications=None,
    shadows=[],
    evidence=[
        {"name": "impact_score", "value": 71, "from": ["/proposed_change/effects"]},
        {"name": "canon_derived_violations", "value": 1, "from": ["/lore_constraints/0"]},
    ],
    rules=[
        {
            "rule": "canon_lock",
            "outcome": "reject",
            "mode": "enforce",
            "fired": True,
            "because": "the change breaks a canon lock (canon_derived_violations 1)",
        },
        {"rule": "realm_collapse", "outcome": "quarantine", "mode": "enforce", "fired": False},
    ],
    merge={
        **COUNCIL_RECORD["merge"],
        "verdict": "reject",
        "decided_by": "veto",
        "confidence": "1",
        "coverage": "0",
        "votes_outcome": None,
        "rules_outcome": "reject",
        "tags": [],
        "shares": {"approve": "1", "modify": "1", "reject": "1", "quarantine": "1"},
        "terms": [{**term, "counted_at": "quarantine", "voted": False} for term in COUNCIL_RECORD["merge"]["terms"]],
    },
    answer={
        **COUNCIL_RECORD["answer"],
        "final_verdict": "reject",
        "confidence": 1,
        "reasons": ["canon_lock: the change breaks a canon lock (canon_derived_violations 1)"],
        "required_modifications": [],
        "audit_tags": [],
        "decision_id": "dec-veto",
        "path": "veto",
        "votes": [],
        "vetoes": [_VETO],
    },
)
FAST_RECORD = changed(
    COUNCIL_RECORD,
    decision_id="dec-fast",
    path="fast",
    invoked_by=[],
    seated=[],
    council_verdict="approve",
    evidence=[{"name": "impact_score", "value": 12, "from": ["/proposed_change/effects"]}],
    rules=[],
    merge=None,
    modifications=None,
    shadows=[],
    answer={
        **COUNCIL_RECORD["answer"],
        "final_verdict": "approve",
        "confidence": 1,
        "reasons": ["no reason to convene: world impact 12 is below the threshold of 60"],
        "required_modifications": [],
        "audit_tags": ["fast_path"],
        "decision_id": "dec-fast",
        "path": "fast",
        "votes": [],
        "vetoes": [],
    },
)
