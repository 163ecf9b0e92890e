"""Recorded decisions for tests: real requests, really decided, as a ledger would hand them out."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.asking import Reply, Slot
from council.ledger.chain import GENESIS, link_hash
from council.review import deliberate
from evals.decisions import Decision, Label
from evals.records import record_of
from policies.canonical import plain_canonical_json
from policies.contracts.reading import ReadRequest, read_request
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from policies.verdicts import Verdict
from world.case import open_case

EXAMPLES = Path(__file__).parents[3] / "examples" / "requests"
AT = "2026-03-01T10:00:00.000Z"
Said = Callable[[ReadRequest], Mapping[Slot, Reply]]


def shipped() -> Policy:
    """Return the policy that ships."""
    return load_policy(default_policy_path())


def example_requests() -> dict[str, dict[str, Any]]:
    """Return the shipped example requests by file name, without the ids that would make them one decision for ever."""
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(EXAMPLES.glob("*.json"))}
    for request in found.values():
        request.pop("request_id", None)
    return found


def recorded(
    requests: Mapping[str, Mapping[str, Any]] | None = None,
    policy: Policy | None = None,
    labels: Mapping[str, Sequence[Label]] | None = None,
    said: Said | None = None,
) -> list[Decision]:
    """Decide requests in order and return them as one realm chain after another would hold them.

    Args:
        requests: by key; the shipped examples unless given.
        policy: the shipped one unless given.
        labels: per key.
        said: what models said, by slot.
    """
    policy = policy or shipped()
    heads: dict[str, tuple[int, str]] = {}
    decisions = []
    for key, request in (example_requests() if requests is None else requests).items():
        read = read_request(json.dumps(request))
        realm = policy.realm(read.request.realm_id)
        assert realm is not None
        review = deliberate(open_case(read.request), policy, realm, said(read) if said else None)
        record = record_of(review, read, key, AT)
        last = heads.get(read.request.realm_id, (0, GENESIS))
        body = plain_canonical_json(record)
        position, previous = last[0] + 1, last[1]
        hashed = link_hash(body, position, previous, read.request.realm_id)
        heads[read.request.realm_id] = (position, hashed)
        decisions.append(Decision(record, position, hashed, previous, tuple((labels or {}).get(key, ()))))
    return decisions


def label(verdict: Verdict, labeller: str = "ana") -> Label:
    """Return one person's label."""
    return Label(labeller, verdict, AT)
