"""The Risk Sentinel: do the events, or the sim's own warnings, show a pattern that is not play (register row S0-55)?

Its business: rhythm, replays, foreign or stray events, risk flags. Not its business: how points are shared out and
which accounts belong together (fairness), balance (governor), canon (lore), drama (narrative). It judges patterns,
never people, and never the words of a player.

One concern, 0 to 1000, is the worst of three: the anomaly score; the gravest flag (one in plain words counts
`flag_text_severity`), raised by noisy-OR with `actor_flag_weight` where a flag names the actor; the dubious part of the
support. It is routed as domain.md C6 routes events:

    concern >= `quarantine_score`   quarantine
    concern >= `review_score`       modify: what can be taken back (influence, meters) is held to the trusted part,
                                      (1000 - concern) / 1000 of what was asked; what cannot (transfers, triggers,
                                      facts) is dropped. Where that leaves nothing, quarantine: a person looks first
    below                           approve
"""

from collections.abc import Mapping
from typing import Final

from agents.injection import injection_signal
from agents.scaling import hold_to_part
from policies.evidence import Evidence, Signal
from policies.numbers import scaled
from policies.votes import AMOUNT_SCALE, Modification, Reason, Vote
from world.anomaly import Anomaly, anomaly_of, noisy_or
from world.case import Case

MAX_POINTERS: Final = 16
"""Places named per signal; the count itself is never cut."""

_EVENTS: Final = ("/supporting_events",)
_FLAGS: Final = ("/risk_flags",)
_ACTOR: Final = ("/proposed_change/actor", "/risk_flags")


def find_evidence(case: Case) -> Evidence:
    """Return what is odd about the events, where there are any, and what the flags say.

    Texts that speak to a model are marked too (`agents.injection`), for people and for designers' rules: `judge` reads no words.
    """
    signals = _flags(case)
    found = anomaly_of(case.request.supporting_events)
    if found is not None:
        signals += _anomaly(found)
        signals += _dubious(case, found.strays)
    signals.append(injection_signal(case))
    return tuple(signals)


def judge(case: Case, values: Mapping[str, int], thresholds: Mapping[str, int]) -> Vote:
    """Return the vote of the table above.

    Confidence is the concern itself for an objection. For an approval it is 500 + 500 * n / (n + 8) permille of n
    events: the more there was to see, the more it means to have seen nothing.
    """
    concern, reason = _concern(values, thresholds)
    n = len(case.request.supporting_events)
    calm = 500 + 500 * n // (n + 8)
    if concern < thresholds["review_score"]:
        return Vote("risk", "approve", calm, (reason,))
    if concern >= thresholds["quarantine_score"]:
        return Vote("risk", "quarantine", concern, (reason,))
    held = _held_back(case, concern)
    if not held:
        kept = Reason("what the change asks for stays within what is trusted", reason.evidence)
        return Vote("risk", "approve", calm, (reason, kept))
    if sum([bound.drop for bound in held]) == len(case.effects):
        alone = Reason("nothing of it could be taken back, so a person looks first", reason.evidence)
        return Vote("risk", "quarantine", concern, (reason, alone))
    return Vote("risk", "modify", concern, (reason,), held)


def _flags(case: Case) -> list[Signal]:
    flags = case.request.risk_flags
    stated = [flag for flag in flags if not isinstance(flag, str)]
    gravest = max([scaled(flag.severity, 1000) for flag in stated], default=0)
    signals = [
        Signal("stated_severity", gravest, _FLAGS if stated else ()),
        Signal("text_flags", len(flags) - len(stated), _FLAGS if len(flags) > len(stated) else ()),
    ]
    actor = case.request.proposed_change.actor
    if actor is not None:
        names = {actor.user_id, actor.faction_id} - {None}
        is_named = any(flag.subject in names for flag in stated)
        signals.append(Signal("actor_flagged", int(is_named), _ACTOR if is_named else ()))
    return signals


def _anomaly(found: Anomaly) -> list[Signal]:
    signals = [
        Signal("event_velocity", found.velocity, _EVENTS),
        Signal("replay_count", len(found.replays), _places(found.replays)),
        Signal("anomaly_score", found.score, _EVENTS),
    ]
    measured = (
        ("entropy_deficit", found.entropy),
        ("timing_deficit", found.timing),
        ("action_deficit", found.actions),
        ("sequence_deficit", found.sequence),
    )
    if found.entropy is not None:
        signals += [Signal(name, value, _EVENTS) for name, value in measured if value is not None]
    return signals


def _dubious(case: Case, strays: tuple[int, ...]) -> list[Signal]:
    events, realm = case.request.supporting_events, case.request.realm_id
    foreign = tuple([index for index, event in enumerate(events) if event.realm_id != realm])
    share = min(1000, 1000 * (2 * len(foreign) + len(strays)) // len(events))
    return [
        Signal("foreign_realm_events", len(foreign), _places(foreign)),
        Signal("stray_events", len(strays), _places(strays)),
        Signal("dubious_support", share, _places((*foreign, *strays))),
    ]


def _concern(values: Mapping[str, int], thresholds: Mapping[str, int]) -> tuple[int, Reason]:
    """Return the worst of the three concerns and a reason that names it."""
    severity = values.get("stated_severity", 0)
    if values.get("text_flags", 0):
        severity = max(severity, thresholds["flag_text_severity"])
    if values.get("actor_flagged", 0):
        severity = noisy_or(severity, thresholds["actor_flag_weight"])
    anomaly, dubious = values.get("anomaly_score", 0), values.get("dubious_support", 0)
    concern = max(anomaly, severity, dubious)
    if concern == 0:
        return 0, Reason("no odd pattern and no warning")
    if concern == anomaly:
        parts = ("event_velocity", "entropy_deficit", "replay_count")
        cited = tuple([name for name in parts if values.get(name)])
        text = f"anomaly score {anomaly} permille: " + ", ".join([f"{name} {values[name]}" for name in cited])
        return concern, Reason(text, ("anomaly_score", *cited))
    if concern == severity:
        text = f"the sim's warnings weigh {severity} permille"
        return concern, Reason(text, ("stated_severity", "text_flags", "actor_flagged"))
    foreign, strays = values.get("foreign_realm_events", 0), values.get("stray_events", 0)
    text = f"{foreign} supporting events are of another realm, {strays} far from the others in time"
    return concern, Reason(text, ("dubious_support", "foreign_realm_events", "stray_events"))


def _held_back(case: Case, concern: int) -> tuple[Modification, ...]:
    trusted = 1000 - concern
    because = f"held to the {trusted} permille that is trusted"
    bounds = hold_to_part(case, trusted, 1000, AMOUNT_SCALE, because)
    drops = [
        Modification(origin, drop=True, because="cannot be taken back, and the events behind it are in doubt")
        for effect, origin in zip(case.effects, case.origins, strict=True)
        if effect.op not in AMOUNT_SCALE
    ]
    return (*bounds, *drops)


def _places(indices: tuple[int, ...]) -> tuple[str, ...]:
    return tuple([f"/supporting_events/{index}" for index in indices[:MAX_POINTERS]])
