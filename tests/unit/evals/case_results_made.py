"""Results made by hand, for tests of what is computed from them."""

from typing import Any

from evals.results import CaseResult, Check, VoteCast
from policies.verdicts import Verdict


def result(case: str, verdict: Verdict | None = "approve", label: Verdict | None = None, **fields: Any) -> CaseResult:
    """Return one result; `passed=False` gives it a check that failed, `votes` are verdicts of as many members."""
    passed = fields.pop("passed", True)
    votes = tuple(VoteCast(f"m{at}", vote, 1000, "model") for at, vote in enumerate(fields.pop("votes", ())))
    checks = () if passed else (Check("verdict", False, "modify", verdict),)
    values: dict[str, Any] = {
        "repeat": 0, "decision_type": "sovereign_action", "axis": None, "tags": (), "path": "council",
        "decided_by": "votes", "confidence": 1.0, "vetoes": (), "reasons": (), "modifications": (), "picodollars": 0,
        "model_calls": 0, "tokens": 0, "latency_ms": 0, **fields,
    }  # fmt: skip
    return CaseResult(case=case, verdict=verdict, label=label, votes=votes, checks=checks, **values)
