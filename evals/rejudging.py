"""One recorded decision under another policy: exact, or a reason why it cannot be known. Never a guess. Pure.

Everything that rules say is computed again from the recorded request; what models said is taken from the record. Where the
new policy would have asked what nobody asked, the decision cannot be judged (council.md, replay and what-if).
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from agents.asking import Reply, Slot
from council.replay import recorded_replies
from council.review import Review, deliberate
from council.rounds import FIRST, REBUTTAL, slots_of
from evals.decisions import Decision
from policies.contracts.reading import validate_request
from policies.faults import InvalidInputError
from policies.policy import Policy
from policies.verdicts import Member, Path, Verdict
from world.case import open_case

Why = Literal["not_asked", "other_model", "rebuttal_not_held", "unknown_realm", "invalid_request", "unknown_policy"]
WHY: Mapping[Why, str] = {
    "not_asked": "the new policy asks a model that was not asked",
    "other_model": "the new policy asks another model than the one on record",
    "rebuttal_not_held": "the new policy holds a second round that was not held",
    "unknown_realm": "the new policy does not know the realm",
    "invalid_request": "the recorded request is not valid",
    "unknown_policy": "the policy that decided is not at hand, so it is not known who would have been asked",
}


class Rejudged(NamedTuple):
    """A decision under another policy."""

    verdict: Verdict
    """The council's verdict, whatever the realm's mode."""
    path: Path
    review: Review
    """The whole review: votes, rules, merge, conditions."""


class Unjudged(NamedTuple):
    """Why a decision cannot be judged under another policy."""

    why: Why
    told: str
    """In a sentence, naming who or what."""


def rejudge(decision: Decision, old: Policy | None, new: Policy) -> Rejudged | Unjudged:
    """Decide a recorded case under another policy, with the replies of models that the record holds.

    Args:
        old: the policy that decided; None where it is not at hand, which is enough where no model is concerned.
        new: the policy to decide by. A member of it with `judge: model` and no model of its own hears what the model on
            record has said, as a shadow policy does.
    """
    record = decision.record
    realm = new.realm(decision.realm_id)
    if realm is None:
        return Unjudged("unknown_realm", f"the new policy does not know the realm {decision.realm_id!r}")
    try:
        case = open_case(validate_request(record["request"]))
    except InvalidInputError as error:
        return Unjudged("invalid_request", f"the recorded request is not valid: {error.faults[0]}")
    replies = recorded_replies(record)
    review = deliberate(case, new, realm, replies)
    unknown = _unknown(record, review, replies, old)
    if unknown is not None:
        return unknown
    concluded = review.concluded
    assert concluded is not None
    return Rejudged(concluded.council_verdict, concluded.path, review)


def _unknown(
    record: Mapping[str, Any], review: Review, replies: Mapping[Slot, Reply], old: Policy | None
) -> Unjudged | None:
    """Return what the new policy would need to know and nobody asked."""
    if review.is_fast or (review.assessed is not None and review.assessed.is_vetoed):
        return None
    rounds = {slot.round for slot in replies}
    for member in review.found.seated:
        missing = _missing(member, record, review, replies, old)
        if missing is not None:
            return missing
    if review.policy.models.rebuttal_margin is not None and REBUTTAL not in rounds and len(review.rounds) > 1:
        return Unjudged(
            "rebuttal_not_held", "the first round is split under the new policy, and no second one was held"
        )
    return None


def _missing(
    member: Member, record: Mapping[str, Any], review: Review, replies: Mapping[Slot, Reply], old: Policy | None
) -> Unjudged | None:
    mine, first = review.policy.members[member], replies.get(Slot(member, FIRST))
    if mine.judge == "rules":
        return None
    if mine.model is not None and first is not None and first.model != mine.model.name:
        told = f"{member} asks {mine.model.name!r} under the new policy, the record has {first.model!r}"
        return Unjudged("other_model", told)
    if mine.model is None and first is None:
        # It hears the model that its council had then: if there was one, it would have been asked.
        was_heard = record["path"] == "council" and not replies
        if old is None and not was_heard:
            return Unjudged("unknown_policy", f"{WHY['unknown_policy']}: {member}")
        if old is None or old.members[member].model is None:
            return None
    wanted = slots_of(member, FIRST, review.case, review.policy, review.found)
    missing = next((slot for slot in wanted if slot not in replies), None)
    return Unjudged("not_asked", f"nobody asked the model of {missing.text}") if missing is not None else None
