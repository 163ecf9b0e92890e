"""One submitted act on its way into the ledger: scored, looked at, and routed (000 §8; S0-65 to S0-69, S0-87, K17).

Steps run in the order of the document: schema and key (at the edge), rate limit (at the edge), duplicate, anomaly, route. Points
are the server's: an act that claims other base points than the catalogue's is refused. Pure.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, Literal, NamedTuple

from policies.contracts.request import ImpactCandidate
from policies.faults import did_you_mean
from policies.numbers import scaled
from world.anomaly import Act, Anomaly, anomaly_of
from world.influence.scoring import RISK, STAKES, Score, score, trust_of
from world.realm.rules import Action, WorldRules
from world.realm.state import Realm

State = Literal["accepted", "in_review", "quarantined", "rejected"]
Kind = Literal[
    "unknown_action", "foreign_points", "unknown_faction", "unknown_target", "bad_evidence", "too_old", "ahead_of_time",
    "duplicate", "replay", "user_cap", "source_cap", "faction_cap",
]  # fmt: skip
"""Why an act is rejected."""

REVIEW_FROM: Final = 400
"""Anomaly score from which the council is asked (domain.md C6)."""
QUARANTINE_FROM: Final = 700
OLDEST_MS: Final = 300_000
"""An act older than five minutes at its arrival is refused (domain.md C6)."""
AHEAD_MS: Final = 60_000
DEFAULT_RISK: Final = 3
DEFAULT_STAKES: Final = "regional"
_TOMORROW: Final = "come back tomorrow"


class Surroundings(NamedTuple):
    """What the ledger knows around an act, at its arrival."""

    recent: Sequence[Act]
    """What the same account, device and session did in the last 24 hours, oldest first."""
    moments: Sequence[int]
    """When each of them happened, and last the act itself, milliseconds since 1970."""
    is_known: bool
    """Whether its event id is in the ledger."""
    repeats: int
    """Accepted acts of the same account, type and faction in the last 96 ticks."""
    user_day: int
    """Normalised milli-points of the account in the day's bucket."""
    source_day: int
    """Of the account from the act's source."""
    faction_tick: int
    """Of the faction since the last tick."""
    account_ms: int
    """Age of the account, milliseconds."""
    now_ms: int
    """The server's clock."""
    refused: Collection[int] = ()
    """Places in `recent` of acts that were refused before they were scored."""


class Rejected(NamedTuple):
    """Why an act does not count."""

    kind: Kind
    told: str
    fix: str = ""
    within: str = ""
    """The field inside the one to blame, where that holds several."""


class Judged(NamedTuple):
    """What became of one act."""

    state: State
    score: Score | None
    """None where it was refused before it was scored."""
    territory_id: str | None
    """The territory that it counts in; None: wherever its faction is present."""
    is_against: bool
    """Whether it counts against its faction."""
    anomaly: int
    """0 to 1,000."""
    terms: dict[str, Any]
    """The anomaly's terms, as they are stored."""
    rejected: Rejected | None = None


def judge(candidate: ImpactCandidate, around: Surroundings, realm: Realm, rules: WorldRules) -> Judged:
    """Judge one act against the catalogue, the ledger and the realm."""
    action = rules.actions.get(candidate.action_type)
    refused = _refused(candidate, action, around, realm, rules)
    if refused is not None or action is None:
        return Judged("rejected", None, None, False, 0, {}, refused)
    risk, stakes = _evidence(candidate)
    found = score(abs(action.base), risk=risk, stakes=stakes, repeats=around.repeats, trust=trust_of(around.account_ms))
    territory = candidate.target_id if candidate.target_id in realm.territories else None
    capped = _capped(candidate, action, found, around, rules)
    if capped is not None:
        return Judged("rejected", found, territory, action.base < 0, 0, {}, capped)
    anomaly = anomaly_of([*around.recent, candidate], around.moments, around.refused)
    assert anomaly is not None
    if around.recent and _is_replay(anomaly, len(around.recent)):
        told = "the same act of the same account stands in the ledger already"
        return Judged("rejected", found, territory, action.base < 0, 1_000, _terms(anomaly), Rejected("replay", told))
    return Judged(route(anomaly.score), found, territory, action.base < 0, anomaly.score, _terms(anomaly))


def route(anomaly: int) -> State:
    """Return where an act goes by its anomaly score: low counts, medium is reviewed, high is held.

    >>> route(399), route(400), route(700)
    ('accepted', 'in_review', 'quarantined')
    """
    if anomaly < REVIEW_FROM:
        return "accepted"
    return "in_review" if anomaly < QUARANTINE_FROM else "quarantined"


def _refused(
    candidate: ImpactCandidate, action: Action | None, around: Surroundings, realm: Realm, rules: WorldRules
) -> Rejected | None:
    if around.is_known:
        return Rejected("duplicate", "an event of this id stands in the ledger already")
    if action is None:
        near = did_you_mean(candidate.action_type, list(rules.actions))
        return Rejected("unknown_action", "the catalogue has no such action", near)
    sent = candidate.base_points
    if sent * 1_000 != action.base and scaled(sent, 1_000) != action.base:
        points = f"{action.base / 1_000:g}"
        told = "base_points is not what the catalogue says of this action"
        return Rejected("foreign_points", told, f"send {points}: only the server scores")
    if candidate.faction_id not in realm.factions:
        return Rejected("unknown_faction", "the realm has no such faction", f"known: {', '.join(realm.factions)}")
    if not action.is_relic_claim and candidate.target_id is not None and candidate.target_id not in realm.territories:
        return Rejected("unknown_target", "the realm has no such territory", f"known: {', '.join(realm.territories)}")
    return _evidence_fault(candidate) or _clock_fault(around.moments[-1], around.now_ms)


def _evidence_fault(candidate: ImpactCandidate) -> Rejected | None:
    risk, stakes = candidate.evidence.get("risk", DEFAULT_RISK), candidate.evidence.get("stakes", DEFAULT_STAKES)
    if not isinstance(risk, int) or isinstance(risk, bool) or risk not in RISK:
        return Rejected(
            "bad_evidence", "evidence.risk is not a whole number from 1 to 5", "send 1, 2, 3, 4 or 5", "risk"
        )
    if not isinstance(stakes, str) or stakes not in STAKES:
        return Rejected("bad_evidence", "evidence.stakes is not known", f"send one of {', '.join(STAKES)}", "stakes")
    return None


def _clock_fault(at: int, now_ms: int) -> Rejected | None:
    if now_ms - at > OLDEST_MS:
        return Rejected("too_old", "created_at lies more than five minutes back", "send acts as they happen")
    if at - now_ms > AHEAD_MS:
        return Rejected("ahead_of_time", "created_at lies more than a minute ahead", "set the sender's clock")
    return None


def _evidence(candidate: ImpactCandidate) -> tuple[int, str]:
    return candidate.evidence.get("risk", DEFAULT_RISK), candidate.evidence.get("stakes", DEFAULT_STAKES)


def _capped(
    candidate: ImpactCandidate, action: Action, found: Score, around: Surroundings, rules: WorldRules
) -> Rejected | None:
    caps, worth = rules.caps, found.normalized
    if around.user_day + worth > caps.user_day:
        return Rejected("user_cap", "the account has reached its points of the day", _TOMORROW)
    source = caps.source_day.get(action.source)
    if source is not None and around.source_day + worth > source:
        return Rejected(
            "source_cap", f"the account has reached its points of the day from {action.source!r}", _TOMORROW
        )
    if around.faction_tick + worth > caps.faction_tick:
        told = f"the faction {candidate.faction_id!r} has reached its points of this tick"
        return Rejected("faction_cap", told, "what it does after the next tick counts again")
    return None


def _is_replay(anomaly: Anomaly, last: int) -> bool:
    """Whether the newest event is among those that repeat an earlier one exactly."""
    return last in anomaly.replays


def _terms(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "velocity": anomaly.velocity,
        "timing": anomaly.timing,
        "actions": anomaly.actions,
        "sequence": anomaly.sequence,
        "entropy": anomaly.entropy,
        "replays": len(anomaly.replays),
        "strays": len(anomaly.strays),
        "score": anomaly.score,
    }
