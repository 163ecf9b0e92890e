"""The cases that attacks are put into: one for each way in which a verdict comes about."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from policies.verdicts import Path as CasePath
from policies.verdicts import Verdict

_REQUESTS: Final = Path(__file__).parents[2] / "examples" / "requests"


class BaseCase(NamedTuple):
    """A request, and what the rules say of it."""

    name: str
    document: Mapping[str, Any]
    verdict: Verdict
    path: CasePath


@cache
def base_cases() -> tuple[BaseCase, ...]:
    """Return the cases, those first in which models are asked."""
    return (
        BaseCase("approved", _example("03"), "approve", "council"),
        BaseCase("bounded_by_a_floor", _example("13"), "modify", "council"),
        BaseCase("bounded_by_two_votes", _bounded_by_two_votes(), "modify", "council"),
        BaseCase("no_bound_helps", _no_bound_helps(), "reject", "council"),
        BaseCase("rejected_by_votes", _rejected_by_votes(), "reject", "council"),
        BaseCase("held_by_a_vote", _held_by_a_vote(), "quarantine", "council"),
        BaseCase("trigger_too_early", _example("18"), "modify", "council"),
        BaseCase("against_canon", _example("06"), "reject", "veto"),
        BaseCase("six_claims_one_device", _example("08"), "quarantine", "veto"),
    )


def _bounded_by_two_votes() -> dict[str, Any]:
    """Narrative and risk ask for bounds and no floor does: whoever wins one of the two wins the verdict."""
    document = _example("13")
    for effect, amount in zip(document["proposed_change"]["effects"], (12, -12, 6), strict=True):
        effect["amount"] = amount
    document["risk_flags"] = [{"code": "velocity_spike", "severity": 0.45}]
    return document


def _rejected_by_votes() -> dict[str, Any]:
    """The governor rejects, risk would hold it, and no veto fires: whoever wins one of the two wins the verdict."""
    return _no_bound_helps() | {"risk_flags": _two_flags()}


def _no_bound_helps() -> dict[str, Any]:
    """A floor wants bounds, and the governor, who alone objects, knows none that would do: whoever offers one wins."""
    document = _example("14")
    shares = {"empire": 68, "veil": 14, "council_of_pillars": 10, "free_cities": 8}
    document["world_snapshot"]["factions"] = {name: {"influence": share} for name, share in shares.items()}
    document["proposed_change"]["narrative"] = ""
    for event in document["supporting_events"]:
        event.pop("note", None)
    return document


def _held_by_a_vote() -> dict[str, Any]:
    """Three members sit, and the one vote of risk holds the case."""
    document = _example("09")
    document["risk_flags"] = _two_flags()
    return document


def _two_flags() -> list[dict[str, Any]]:
    return [{"code": "velocity_spike", "severity": 0.7}, {"code": "shared_device", "severity": 0.7}]


def _example(number: str) -> dict[str, Any]:
    """Return an example without what belongs to its sending: every review is a decision of its own and waits to the end."""
    path = next(_REQUESTS.glob(f"{number}-*.json"))
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name in ("request_id", "deadline_ms"):
        document.pop(name, None)
    document.setdefault("risk_flags", [])
    document.setdefault("lore_constraints", [])
    return copy.deepcopy(document)
