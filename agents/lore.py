"""The Lore Consistency judge: does this change break what is true of the world (register rows S0-53, S0-62)?

Its business: canon locks and the facts that follow from them. Not its business: whether the change is balanced
(governor), fairly earned (fairness), a good story (narrative) or honestly made (risk); nor the words of a player, which
assert nothing.

How it votes, strictest row first:

    a lock that only a person may open              quarantine
    an immutable fact or a forbidden one            reject (`direct_reject`), naming lock and effect; the change was
                                                    made against canon, so no part of it is waved through
    any other violation, and the rest stands alone  modify: the violating effects are dropped
    any other violation, and nothing is left, the   reject
      rest breaks canon too, or the actor is dead
    nothing                                         approve

"The rest stands alone" means that the change without those effects, compared once more, breaks nothing.
"""

from collections.abc import Mapping
from typing import Final

from policies.evidence import Evidence, Signal
from policies.verdicts import Verdict
from policies.votes import Modification, Reason, Vote
from world.canon import NEVER_MOVE, Canon, examine
from world.canon_terms import Breach
from world.case import Case, with_effects

MAX_POINTERS: Final = 16
"""Places named per signal; the count itself is never cut."""
MAX_REASONS: Final = 8
"""Violations told in words; the rest are counted in the last reason."""

_LOCKS: Final = ("/lore_constraints",)
_SIGNAL: Final = {
    "direct": "canon_direct_violations",
    "derived": "canon_derived_violations",
    "human": "canon_needs_human",
}
_NONE: Final = {severity: Signal(name, 0) for severity, name in _SIGNAL.items()}
_WHY: Final = {
    "locked": "says otherwise than",
    "contradiction": "contradicts another effect of the same change",
    "repeated": "transfers a territory a second time",
    "not_controller": "names a controller that the snapshot, with the change applied, does not have",
    "dead_acts": "lets the dead act, against",
    "exclusive": "gives to a second subject what belongs to one",
    "sealed_way": "passes through what is sealed by",
}


def find_evidence(case: Case) -> Evidence:
    """Return how many locks there are, how many the change touches, and how many it breaks."""
    canon = examine(case)
    touched = tuple([f"/lore_constraints/{lock}" for lock in canon.touched[:MAX_POINTERS]])
    return (
        Signal("canon_locks", canon.locks, _LOCKS if canon.locks else ()),
        Signal("canon_text_locks", canon.texts, _LOCKS if canon.texts else ()),
        Signal("canon_locks_touched", len(canon.touched), touched),
        _counted("direct", case, canon),
        _counted("derived", case, canon),
        _counted("human", case, canon),
    )


def judge(case: Case, values: Mapping[str, int], thresholds: Mapping[str, int]) -> Vote:
    """Return the vote of the table above.

    Confidence is 1,000 permille for an objection: what was compared was compared exactly. For an approval it is the
    share of constraints that code could compare, (s + 1) / (s + d * t + 1) of s structured ones and t in plain words,
    with d the threshold `text_lock_doubt`.
    """
    signals = ("canon_direct_violations", "canon_derived_violations", "canon_needs_human")
    if not any(values.get(name, 0) for name in signals):
        return _approval(values, thresholds)
    canon = examine(case)
    verdict, modifications = _verdict(case, canon, thresholds)
    return Vote("lore", verdict, 1000, _reasons(case, canon), modifications)


def _approval(values: Mapping[str, int], thresholds: Mapping[str, int]) -> Vote:
    structured, texts = values.get("canon_locks", 0), values.get("canon_text_locks", 0)
    touched = values.get("canon_locks_touched", 0)
    reasons = [Reason(f"canon holds: {touched} of {structured} locks touched, none broken", _APPROVED)]
    if texts:
        plural = "constraint in plain words was" if texts == 1 else "constraints in plain words were"
        reasons.append(Reason(f"{texts} {plural} not judged by rules", ("canon_text_locks",)))
    doubt = thresholds["text_lock_doubt"] * texts
    return Vote("lore", "approve", 1000 * (structured + 1) // (structured + doubt + 1), tuple(reasons))


_APPROVED: Final = ("canon_locks", "canon_locks_touched", "canon_direct_violations", "canon_derived_violations")


def _verdict(case: Case, canon: Canon, thresholds: Mapping[str, int]) -> tuple[Verdict, tuple[Modification, ...]]:
    if any(breach.severity == "human" for breach in canon.breaches):
        return "quarantine", ()
    hard = [breach for breach in canon.breaches if breach.severity == "direct" and breach.mode in NEVER_MOVE]
    if len(hard) >= thresholds["direct_reject"] or not _rest_stands(case, canon):
        return "reject", ()
    because: dict[int, str] = {}
    for breach in canon.breaches:
        if breach.effect is not None:
            because.setdefault(breach.effect, _told(case, breach))
    return "modify", tuple([Modification(case.origins[at], drop=True, because=because[at]) for at in sorted(because)])


def _rest_stands(case: Case, canon: Canon) -> bool:
    """Tell whether something is left without the violating effects, and breaks nothing."""
    guilty = {breach.effect for breach in canon.breaches}
    left = [at for at in range(len(case.effects)) if at not in guilty]
    if None in guilty or not left:
        return False
    rest = with_effects(case, tuple([case.effects[at] for at in left]), tuple([case.origins[at] for at in left]))
    return not examine(rest).breaches


def _counted(severity: str, case: Case, canon: Canon) -> Signal:
    found = [breach for breach in canon.breaches if breach.severity == severity]
    if not found:
        return _NONE[severity]
    places: dict[str, None] = {}
    for breach in found[:MAX_POINTERS]:
        places[_place(case, breach)] = None
        if breach.lock is not None:
            places[f"/lore_constraints/{breach.lock}"] = None
    return Signal(_SIGNAL[severity], len(found), tuple(places)[:MAX_POINTERS])


def _place(case: Case, breach: Breach) -> str:
    if breach.effect is None:
        return "/proposed_change/actor"
    return f"/proposed_change/effects/{case.origins[breach.effect]}"


def _reasons(case: Case, canon: Canon) -> tuple[Reason, ...]:
    told = [Reason(_told(case, breach), (_SIGNAL[breach.severity],)) for breach in canon.breaches[:MAX_REASONS]]
    more = len(canon.breaches) - len(told)
    if more:
        told.append(Reason(f"and {more} more", tuple(dict.fromkeys([_SIGNAL[b.severity] for b in canon.breaches]))))
    return tuple(told)


def _told(case: Case, breach: Breach) -> str:
    """Return a violation as a sentence: who, what, and the id of the lock."""
    who = "the actor" if breach.effect is None else f"effect {case.origins[breach.effect]}"
    text = f"{who} {_WHY[breach.kind]}"
    if breach.lock is not None:
        lock = case.request.lore_constraints[breach.lock]
        name = lock if isinstance(lock, str) else lock.id
        text += f" lock {name!r} ({breach.mode})"
    return f"{text}; only a person may allow it" if breach.severity == "human" else text
