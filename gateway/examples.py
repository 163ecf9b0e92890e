"""Examples of the OpenAPI document. Tests send the request and compare: they are what the service really says."""

from typing import Any, Final

import orjson

from council.errors import KeyConflictError, UnknownRealmError
from council.ledger.port import LedgerUnavailableError
from gateway.identity_problems import FORBIDDEN, FOREIGN_REALM, refused
from gateway.identity_tokens import Reason
from gateway.problems import (
    BAD_KEY,
    DEFECT,
    NO_DECISION,
    NOT_JSON,
    OVERLOADED,
    SLOW_BODY,
    UNAUTHORIZED,
    Problem,
    problem_of,
    too_large,
)
from policies.faults import Fault, InvalidInputError

CORRELATION_ID: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
REQUEST: Final[dict[str, Any]] = {
    "decision_type": "sovereign_action",
    "realm_id": "aelvyndor",
    "request_id": "annex-glass-harbor-1",
    "proposed_change": {
        "summary": "The Empire annexes the Glass Harbor",
        "actor": {"user_id": "u-123", "faction_id": "empire", "sovereign": True},
        "effects": [
            {"op": "faction_delta", "faction_id": "empire", "amount": 12},
            {"op": "territory_transfer", "territory_id": "t-3", "from": "veil", "to": "empire"},
            {"op": "canon_assert", "subject": "gate-of-ash", "predicate": "status", "object": "open"},
        ],
        "narrative": "Our ships have waited long enough.",
    },
    "world_snapshot": {
        "snapshot_id": "snap-1042",
        "tick_number": 1042,
        "factions": {"empire": {"influence": 41}, "veil": {"influence": 33}, "free_cities": {"influence": 26}},
        "territories": {
            "t-3": {"name": "Glass Harbor", "controller": "veil", "strategic_value": 3, "neighbors": ["t-1"]}
        },
        "meters": {"stability": 62, "tension": 35, "chaos": 18},
    },
    "lore_constraints": [
        {
            "id": "lock:gate-of-ash",
            "mode": "immutable",
            "subject": "gate-of-ash",
            "predicate": "status",
            "object": "sealed",
            "statement": "The Gate of Ash stays sealed until season 2.",
        }
    ],
    "deadline_ms": 8000,
}
"""A change that breaks a canon lock."""
DECISION_ID: Final = "d-d41d5bf2fe285fe34e0e047a"
_BECAUSE: Final = "canon is broken: 1 direct and 0 derived violations"
ANSWER: Final[dict[str, Any]] = {
    "final_verdict": "reject",
    "confidence": 1,
    "reasons": [f"canon_lock: {_BECAUSE}"],
    "required_modifications": [],
    "audit_tags": [],
    "decision_id": DECISION_ID,
    "path": "veto",
    "votes": [],
    "vetoes": [
        {
            "rule": "canon_lock",
            "outcome": "reject",
            "mode": "enforce",
            "because": _BECAUSE,
            "evidence": ["canon_derived_violations", "canon_direct_violations"],
        }
    ],
    "policy": {
        "id": "aelvyndor",
        "version": 1,
        "hash": "574eebb3a419ded8b6cc2e4db7c63263bf12b38cb5e6e9ff06c4f82401cb1617",
    },
    "record": {"position": 1, "hash": "b5235f335ce1914e60599ad845f796f41693e268665d54dc245c52b7d1e492a7"},
    "cost": {"model_calls": 0, "tokens": 0, "usd": "0"},
    "elapsed_ms": 4,
}
"""What it is answered; the hashes depend on the policy and the moment."""


def _of(error: Exception) -> Problem:
    problem = problem_of(error)
    assert problem is not None
    return problem


_PROBLEMS: Final[dict[int, tuple[Problem, ...]]] = {
    400: (
        _of(InvalidInputError([Fault("", "an object repeats a key", "give every key once")])),
        BAD_KEY,
    ),
    401: (UNAUTHORIZED, refused(Reason.EXPIRED)),
    403: (FORBIDDEN, FOREIGN_REALM),
    404: (NO_DECISION,),
    408: (SLOW_BODY,),
    413: (too_large(1_048_576),),
    415: (NOT_JSON,),
    422: (
        _of(InvalidInputError([Fault("/proposed_change/effects/0/faction_id", "faction is not in the snapshot",
                                     "name one that /world_snapshot/factions has")])),
        _of(UnknownRealmError("", ["aelvyndor"])),
        _of(KeyConflictError("", DECISION_ID)),
    ),
    500: (DEFECT,),
    503: (_of(LedgerUnavailableError("locked", retry_after_s=1)), OVERLOADED),
}  # fmt: skip


def problem_examples(status: int) -> dict[str, Any]:
    """Return the problems that a status stands for, in the form of OpenAPI `examples`."""
    return {
        problem.slug: {"summary": problem.title, "value": orjson.loads(problem.document(CORRELATION_ID))}
        for problem in _PROBLEMS[status]
    }
