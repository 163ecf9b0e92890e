"""Where the recorded votes can be merged anew instead of judging the case anew: what two policies must have in common.

A decision goes: triage, evidence, rules, votes by rules, what models said, merge, conditions, mode of the realm. The merge comes
so late that most of what designers change is read by nothing before it:

    members.M.weight, weights     the mass of a vote                            (council.seating, read by council.merge alone)
    members.M.confidence,         the unit of a vote; where a model spoke, the first also says which confidence counts
    members.M.calibration         (council.opinions)
    merge.*                       quotas, quorum, absent members, floor, rule   (council.seating)
    required                      want of votes; and triage seats who is required, so seats must not change by it
    id, version, shadow           nothing of this verdict
    realms.R.mode                 what is answered, not what the council decides, unless it is "off" (council.triage)

Everything else must be the same to the letter. Then the recorded votes and fired rules are what the new policy would have had
before it, and a merge to `modify` meets the conditions that the record already has: they are combined from votes without
weights, and put to the same rules.

Where models were heard, a case is also held if it ends milder than the votes of the rules would (`council.review`), so those are
merged as well; a second round hangs on the first one's margin and a twin's vote on the case, so such cases are judged anew.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from policies.canonical import canonical_json
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, MEMBERS, DecisionType, Member

MERGE_KEYS: Final = ("weights", "merge", "required", "id", "version", "shadow", "realms")
"""Top-level keys that differ without harm; `realms` is compared realm by realm."""
MEMBER_KEYS: Final = ("weight", "confidence", "calibration")


class Common(NamedTuple):
    """What two policies that differ in merge numbers alone mean for recorded decisions."""

    newly_required: Mapping[DecisionType, frozenset[Member]]
    """Per decision type, members that the new policy requires and the old one did not."""
    no_more_required: Mapping[DecisionType, frozenset[Member]]
    """Per decision type, members that may have sat only because the old policy required them."""
    is_confidence_kept: bool
    """Whether confidence weighs for the same members: else models' votes have to be formed again."""
    models_vote_once: bool
    """Whether each model is heard once and bound by its rules: no second round, and none that may relax."""


def common(old: Policy, new: Policy) -> Common | None:
    """Return what follows where two policies differ in merge numbers alone; None where they differ in more."""
    if _rest(old.document) != _rest(new.document):
        return None
    added, dropped = {}, {}
    for decision_type in DECISION_TYPES:
        before, after = frozenset(old.required[decision_type]), frozenset(new.required[decision_type])
        added[decision_type] = after - before
        dropped[decision_type] = frozenset(m for m in before - after if not _always_sits(m, new))
    is_kept = all(old.members[m].use_confidence == new.members[m].use_confidence for m in MEMBERS)
    may_relax = any(new.members[m].judge == "model" and new.members[m].models_may == "relax" for m in MEMBERS)
    return Common(added, dropped, is_kept, new.models.rebuttal_margin is None and not may_relax)


def is_same_realm(old: Policy, new: Policy, realm_id: str) -> bool:
    """Whether triage reads the same of a realm under both policies."""
    before, after = old.realm(realm_id), new.realm(realm_id)
    if before is None or after is None:
        return False
    is_off = {before.mode == "off", after.mode == "off"}
    return before.impact_threshold == after.impact_threshold and len(is_off) == 1


def _always_sits(member: Member, policy: Policy) -> bool:
    rule = next(rule for rule in policy.seating.rules if rule.rule_id == member)
    return rule.when.strip() == "true"


def _rest(document: Mapping[str, Any]) -> bytes:
    """Return everything of a policy that something other than the merge reads, as bytes that compare."""
    rest = {key: value for key, value in document.items() if key not in MERGE_KEYS}
    members = {
        name: {key: value for key, value in member.items() if key not in MEMBER_KEYS}
        for name, member in document["members"].items()
    }
    return canonical_json({**rest, "members": members})
