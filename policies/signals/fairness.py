"""Signals and thresholds of the Fairness Judge: who is behind a change, and how it was earned (register row S0-52)."""

from typing import Final

from policies.evidence import SignalSpec, ThresholdSpec, Unit

_C1: Final = "S0-52; domain.md C1"
_C4: Final = "S0-52; domain.md C4"
_VETO: Final = "S0-63; domain.md C1"


def _spec(name: str, unit: Unit, high: int, meaning: str, source: str) -> SignalSpec:
    return SignalSpec(name, "fairness", unit, 0, high, meaning, source)


SIGNALS: Final[tuple[SignalSpec, ...]] = (
    _spec("contributing_events", "count", 512, "Supporting events that speak for the side that gains.", _C1),
    _spec("user_count", "count", 512, "Accounts among them.", _C1),
    _spec(
        "cluster_count", "count", 512, "Clusters of accounts that share a device, session, household or payment.", _C1
    ),
    _spec("linked_accounts", "count", 511, "Accounts beyond the first of each cluster.", _C1),
    _spec("supporting_points", "milli", 512_000_000_000, "Their points; negative ones support nothing.", _C1),
    _spec(
        "effective_points", "milli", 512_000_000, "The points after saturation x * 120 / (x + 120) per cluster.", _C1
    ),
    _spec("top_user_share", "permille", 1000, "The largest account's part of the points.", _C4),
    _spec("top_cluster_share", "permille", 1000, "The largest cluster's part of the points.", _C4),
    _spec("top5_cluster_share", "permille", 1000, "The five largest clusters' part of the points.", _C4),
    _spec(
        "contribution_gini", "permille", 1000, "Gini coefficient of points over clusters: 0 where all gave alike.", _C4
    ),
    _spec("supported_share", "permille", 1000, "Part of the points within the caps per cluster and account.", _C1),
    _spec("duplicate_count", "count", 512, "Events that tell an earlier one again.", "S0-52; reliability.md S8"),
    _spec("duplicate_share", "permille", 1000, "Their part of the events.", "S0-52; reliability.md S8"),
    _spec("inflated_share", "permille", 1000, "Part of the points beyond what the action type is worth.", _C1),
    _spec("sybil_ring", "permille", 1000, "How much of a ring the most suspicious cluster is.", _C1),
    _spec("exploit_suspicion", "permille", 1000, "Noisy-OR of duplicates, ring, inflation and solo volume.", _VETO),
)

THRESHOLDS: Final[dict[str, ThresholdSpec]] = {
    "exploit_reject": ThresholdSpec(
        500,
        "permille",
        200,
        1000,
        "Exploit suspicion from which the change is rejected: more likely contrived than earned.",
        "S0-63; even odds",
    ),
    "exploit_quarantine": ThresholdSpec(
        750,
        "permille",
        200,
        1000,
        "Exploit suspicion from which the case is also held for a person, who can act against the accounts.",
        "S0-63; halfway from even odds to certainty",
    ),
    "supported_least": ThresholdSpec(
        850,
        "permille",
        500,
        1000,
        "Part of the points within the caps below which someone outweighs the others, and amounts are bounded to it.",
        "domain.md C1; an uneven but honest ten (largest 25 percent) keeps 900",
    ),
    "transfer_majority": ThresholdSpec(
        500,
        "permille",
        0,
        1000,
        "Part of the points within the caps below which a territory does not change hands: no majority is behind it.",
        "domain.md C1; a transfer cannot be made smaller, so it needs more than half",
    ),
    "least_events": ThresholdSpec(
        5,
        "count",
        1,
        100,
        "Events below which shares say nothing about a whale.",
        "three clusters are the first that caps bind; five events leave one to be outvoted twice",
    ),
}
