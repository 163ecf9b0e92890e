"""The Fairness Judge: was this change earned, by many and honestly (register rows S0-52, S0-63)?

Its business: how the supporting points are spread over people, and whether they were made by duplicates, rings
of accounts or inflated scores. Not its business: what the change does to the realm (governor), to canon (lore) or to
the tale (narrative); nor odd rhythms and warnings that are not about points (risk). A hero who alone does one great
thing is no exploit, and one who is alone is no whale: there is nobody to be outvoted.

How it votes, strictest row first:

    exploit suspicion >= `exploit_quarantine`   quarantine: a person should also look at the accounts
    exploit suspicion >= `exploit_reject`       reject
    a whale: points within the caps are less    modify: influence is bounded to the part that the caps leave, and below
      than `supported_least` of all, of at        `transfer_majority` territories are not transferred; reject where
      least `least_events` events                 nothing would be left
    else                                        approve
"""

from collections.abc import Mapping
from typing import Final

from agents.scaling import hold_to_part
from policies.evidence import Evidence, Signal
from policies.verdicts import Verdict
from policies.votes import Modification, Reason, Vote
from world.anomaly import noisy_or
from world.case import Case
from world.contribution import Contribution, contribution_of

MAX_POINTERS: Final = 16
"""Places named per signal; the count itself is never cut."""
SOLO_LIMIT: Final = 300
"""Most that concentration alone can add to exploit suspicion, permille: a whale is bounded, not accused."""
SOLO_EVENTS: Final = 8
"""Events of the supporters up to which concentration adds nothing: one hero's one deed, or eight, is no exploit."""

_EVENTS: Final = ("/supporting_events",)
_PARTS: Final = ("duplicate_share", "sybil_ring", "inflated_share", "top_cluster_share")


def find_evidence(case: Case) -> Evidence:
    """Return who contributed what; nothing where no event supports the change."""
    found = contribution_of(case)
    if found is None:
        return ()
    counted = [
        Signal("contributing_events", found.events, _EVENTS),
        Signal("user_count", found.users, _EVENTS),
        Signal("cluster_count", found.clusters, _EVENTS),
        Signal("linked_accounts", found.linked, _EVENTS),
        Signal("supporting_points", found.total, _EVENTS),
        Signal("effective_points", found.effective, _EVENTS),
        Signal("duplicate_count", len(found.duplicates), _places(found.duplicates)),
        Signal("duplicate_share", 1000 * len(found.duplicates) // found.events, _places(found.duplicates)),
        Signal("sybil_ring", found.ring, _EVENTS if found.ring else ()),
        Signal("exploit_suspicion", exploit_suspicion(found), _EVENTS),
    ]
    if found.total:
        counted += _shares(found)
    return tuple(counted)


def exploit_suspicion(found: Contribution) -> int:
    """Return how likely the support is contrived, permille: noisy-OR of four warnings.

        duplicates   2 * duplicate share: half of the events told twice is certain
        ring         (k - 2) / (k - 1) * min(1, 2 * share) of the worst cluster of k accounts
        inflation    part of the points beyond the worth of their action type
        solo volume  2 * (top cluster share - 1/2), at most `SOLO_LIMIT`, times (n - 8) / n beyond 8 events; only where
                     others contribute too

    The first three are multiplied by the weight of evidence of n events, n / (n + 2): one 333, eight 800, forty 952. So
    a few events never convict alone.
    Worked: one ring of six accounts with all points of twelve events: 800 * 12 / 14 = 685.
    """
    n = found.events
    duplicates = min(1000, 2000 * len(found.duplicates) // n)
    inflated = 1000 * found.inflated // found.total if found.total else 0
    weighed = [warning * n // (n + 2) for warning in (duplicates, found.ring, inflated)]
    return noisy_or(*weighed, _solo_volume(found))


def judge(case: Case, values: Mapping[str, int], thresholds: Mapping[str, int]) -> Vote:
    """Return the vote of the table above.

    Confidence is the suspicion itself where that is the objection, else 500 + 500 * n / (n + 2) permille of n events:
    half for a change that nothing supports, since then there is nothing to weigh.
    """
    suspicion = values.get("exploit_suspicion", 0)
    if suspicion >= thresholds["exploit_reject"]:
        return _exploit(suspicion, values, thresholds)
    n = values.get("contributing_events", 0)
    confidence = 500 + 500 * n // (n + 2)
    supported = values.get("supported_share", 1000)
    if supported >= thresholds["supported_least"] or n < thresholds["least_events"]:
        return Vote("fairness", "approve", confidence, (_approval(values),))
    bounds = _bounds(case, supported, thresholds)
    reason = Reason(
        f"only {supported} permille of the points stand within the caps per cluster and account: "
        f"the largest account has {values['top_user_share']}, the largest cluster {values['top_cluster_share']}",
        ("supported_share", "top_user_share", "top_cluster_share", "cluster_count"),
    )
    if not bounds:
        kept = Reason("what the change asks for stays within that part", ("supported_share",))
        return Vote("fairness", "approve", confidence, (reason, kept))
    verdict: Verdict = "modify"
    if sum([bound.drop for bound in bounds]) == len(case.effects):
        verdict, bounds = "reject", ()
    return Vote("fairness", verdict, confidence, (reason,), bounds)


def _shares(found: Contribution) -> list[Signal]:
    total = found.total
    shares = [
        Signal("top_user_share", 1000 * found.top_user // total, _EVENTS),
        Signal("top_cluster_share", 1000 * found.top_cluster // total, _EVENTS),
        Signal("top5_cluster_share", 1000 * found.top5 // total, _EVENTS),
        Signal("supported_share", 1000 * found.supported // total, _EVENTS),
        Signal("inflated_share", 1000 * found.inflated // total, _EVENTS),
    ]
    if found.gini is not None and found.clusters > 1:
        shares.append(Signal("contribution_gini", found.gini, _EVENTS))
    return shares


def _solo_volume(found: Contribution) -> int:
    if found.events <= SOLO_EVENTS or found.clusters < 2 or found.total == 0:
        return 0
    beyond_half = max(0, 2000 * found.top_cluster // found.total - 1000)
    return min(SOLO_LIMIT, beyond_half) * (found.events - SOLO_EVENTS) // found.events


def _exploit(suspicion: int, values: Mapping[str, int], thresholds: Mapping[str, int]) -> Vote:
    cited = tuple([name for name in _PARTS if values.get(name)])
    text = f"exploit suspicion {suspicion} permille: " + ", ".join([f"{name} {values[name]}" for name in cited])
    reasons = (Reason(text, ("exploit_suspicion", *cited)),)
    verdict: Verdict = "quarantine" if suspicion >= thresholds["exploit_quarantine"] else "reject"
    return Vote("fairness", verdict, suspicion, reasons)


def _bounds(case: Case, supported: int, thresholds: Mapping[str, int]) -> tuple[Modification, ...]:
    because = f"bounded to the {supported} permille of support within the caps"
    bounds = hold_to_part(case, supported, 1000, ("faction_delta",), because)
    if supported >= thresholds["transfer_majority"]:
        return bounds
    no_majority = f"only {supported} permille of support is within the caps: no majority for a transfer"
    drops = [
        Modification(origin, drop=True, because=no_majority)
        for effect, origin in zip(case.effects, case.origins, strict=True)
        if effect.op == "territory_transfer"
    ]
    return (*bounds, *drops)


def _approval(values: Mapping[str, int]) -> Reason:
    if "contributing_events" not in values:
        return Reason("no supporting event: there are no points to weigh")
    text = (
        f"{values['contributing_events']} events of {values['user_count']} accounts in {values['cluster_count']} "
        f"clusters, exploit suspicion {values['exploit_suspicion']} permille"
    )
    return Reason(text, ("contributing_events", "user_count", "cluster_count", "exploit_suspicion"))


def _places(indices: tuple[int, ...]) -> tuple[str, ...]:
    return tuple([f"/supporting_events/{index}" for index in indices[:MAX_POINTERS]])
