"""One review as it moves through the graph: what is known so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from council.assessment import Assessment, assess
from council.conclusion import Conclusion, conclude, conclude_fast
from council.modifications import apply_modifications
from council.record import ShadowVerdict
from council.triage import Triage, triage
from policies.contracts.effects import Effect
from policies.policy import Policy, RealmPolicy
from policies.verdicts import STRICTNESS, Member
from policies.votes import Vote
from story.handoff import planner_brief
from world.case import Case

_NOTHING_FOUND = Triage((), {}, (), ())


@dataclass(slots=True)
class Review:
    """A case under review. Each step fills in its own part and reads those before it.

    Attributes:
        case: the digested request.
        policy: the policy that decides, the same from the first step to the last.
        realm: how the council acts in this realm.
        found: what triage found.
        assessed: evidence, rules and rule votes; None before assessment and on the fast path.
        model_votes: what members with a model said, abstentions included.
        concluded: the verdict; None before the merge.
        brief: what the planner receives; None before the hand-on.
    """

    case: Case
    policy: Policy
    realm: RealmPolicy
    found: Triage = _NOTHING_FOUND
    assessed: Assessment | None = None
    model_votes: dict[Member, Vote] = field(default_factory=dict)
    concluded: Conclusion | None = None
    brief: dict[str, Any] | None = None

    @property
    def is_fast(self) -> bool:
        """Whether triage found no reason to convene."""
        return not self.found.reasons

    def open(self) -> None:
        """Triage the case; where it needs no council, conclude at once."""
        self.found = triage(self.case, self.policy, self.realm)
        if self.is_fast:
            self.concluded = conclude_fast(self.found, self.realm)

    def assess(self) -> None:
        """Find evidence, evaluate the rules and let every seated member judge by rules."""
        self.assessed = assess(self.case, self.policy, self.found)

    def merge(self) -> None:
        """Merge the votes that count with the rules that fired."""
        assessed = self._assessed()
        votes = [self._counted(vote) for vote in assessed.rule_votes]
        self.concluded = conclude(self.case, self.policy, self.realm, self.found, assessed, votes)

    def hand_on(self) -> None:
        """Prepare what the story planner receives."""
        concluded = self._concluded()
        self.brief = planner_brief(self.case, concluded.final_verdict, self.effects_to_apply())

    def effects_to_apply(self) -> tuple[Effect, ...]:
        """Return the effects that the verdict lets happen."""
        concluded, asked = self._concluded(), self.case.request.proposed_change.effects
        if concluded.final_verdict == "approve":
            return asked
        if concluded.final_verdict == "modify" and concluded.combined is not None:
            conditions = [required.modification for required in concluded.combined.required]
            return apply_modifications(asked, conditions)[0]
        return ()

    def shadows(self) -> tuple[ShadowVerdict, ...]:
        """Decide the case under every shadow policy that knows the realm, by rules."""
        verdicts = []
        for policy in self.policy.shadows:
            realm = policy.realm(self.case.request.realm_id)
            if realm is not None:
                concluded = deliberate(self.case, policy, realm)._concluded()
                verdicts.append(ShadowVerdict(policy, concluded))
        return tuple(verdicts)

    def _counted(self, rule_vote: Vote) -> Vote:
        model_vote = self.model_votes.get(rule_vote.member)
        if model_vote is None:
            return rule_vote
        return counted_vote(rule_vote, model_vote, self.policy.members[rule_vote.member].models_may)

    def _assessed(self) -> Assessment:
        if self.assessed is None:
            raise RuntimeError("the review was not assessed")
        return self.assessed

    def _concluded(self) -> Conclusion:
        if self.concluded is None:
            raise RuntimeError("the review was not concluded")
        return self.concluded


def counted_vote(rule_vote: Vote, model_vote: Vote, models_may: str) -> Vote:
    """Return which of a member's two votes counts.

    With `tighten` a model can add objections, never remove one: where its vote is milder than the rule vote, the rule
    vote counts. An abstaining model has no vote, and neither has its member (council.md, vetoes and floors).
    """
    if model_vote.verdict is None or rule_vote.verdict is None or models_may == "relax":
        return model_vote
    is_milder = STRICTNESS[model_vote.verdict] < STRICTNESS[rule_vote.verdict]
    return rule_vote if is_milder else model_vote


def deliberate(
    case: Case, policy: Policy, realm: RealmPolicy, model_votes: Mapping[Member, Vote] | None = None
) -> Review:
    """Decide one case without a graph: what replay, shadows and backtests do.

    The graph takes the same steps in the same order; a test holds the two together.
    """
    review = Review(case, policy, realm)
    review.open()
    if not review.is_fast:
        review.assess()
        review.model_votes = dict(model_votes or {})
        review.merge()
    return review
