"""A small valid policy that tests change one thing of."""

import copy
import json
from pathlib import Path
from typing import Any

from policies.loading import load_policy
from policies.policy import Policy

_POLICY: dict[str, Any] = {
    "schema": "council.policy/1",
    "id": "small",
    "version": 1,
    "members": {"governor": {}, "fairness": {}, "lore": {}, "narrative": {}, "risk": {}},
    "invocation": [{"id": "always", "when": "impact_score >= impact_threshold", "because": "score {impact_score}"}],
    "rules": [
        {
            "id": "canon_lock",
            "outcome": "reject",
            "threshold": 0,
            "when": "canon_direct_violations > threshold",
            "because": "{canon_direct_violations} violations, more than {threshold}",
            "when_missing": "quarantine",
        },
        {"id": "exploit_suspicion", "outcome": "reject", "when": "exploit_suspicion >= 500", "because": "exploit"},
        {"id": "realm_collapse", "outcome": "reject", "when": "collapse_risk >= 700", "because": "collapse"},
    ],
    "realms": {"realm-1": {"mode": "enforce"}},
}


def policy_document(**changes: Any) -> dict[str, Any]:
    """Return the policy with some of its top-level keys replaced."""
    return {**copy.deepcopy(_POLICY), **changes}


def write_policy(path: Path, **changes: Any) -> Path:
    """Write it as a file; JSON is YAML."""
    path.write_text(json.dumps(policy_document(**changes), indent=1), encoding="utf-8")
    return path


def small_policy(folder: Path, **changes: Any) -> Policy:
    """Return it loaded."""
    return load_policy(write_policy(folder / "small.yaml", **changes))
