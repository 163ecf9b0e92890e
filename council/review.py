"""One review as it moves through the graph: what is known so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.asking import Question, Reply, Slot
from council.assessment import Assessment, assess
from council.conclusion import Conclusion, Hold, conclude, conclude_fast
from council.modifications import covers
from council.opinions import Opinion, opinion, second_opinion, votes_said
from council.record import Heard, ShadowVerdict
from council.rounds import FIRST, REBUTTAL, asked_members, bounds_of, is_split, others_said, slots_of
from council.triage import Triage, triage
from policies.conditions import apply_modifications
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
        decision_id: id of the decision that comes of it; empty where none is recorded.
        replies: what came back from models, by slot; those found in a journal stand here before anybody is asked.
        rounds: per round held, the opinion of every seated member.
        concluded: the verdict; None before the merge.
        brief: what the planner receives; None before the hand-on.
    """

    case: Case
    policy: Policy
    realm: RealmPolicy
    decision_id: str = ""
    found: Triage = _NOTHING_FOUND
    assessed: Assessment | None = None
    replies: dict[Slot, Reply] = field(default_factory=dict)
    rounds: list[tuple[Opinion, ...]] = field(default_factory=list)
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

    @property
    def asked(self) -> tuple[Member, ...]:
        """Seated members whose model is asked; nobody where a veto has ended the review."""
        if self.is_fast or (self.assessed is not None and self.assessed.is_vetoed):
            return ()
        return asked_members(self.found.seated, self.policy)

    @property
    def round(self) -> int:
        """The round that is under way: 1, or 2 once the first is merged."""
        return REBUTTAL if self.rounds else FIRST

    @property
    def wants_rebuttal(self) -> bool:
        """Whether a second round is to be held: the policy wants one, models were asked, and the first was split."""
        margin, concluded = self.policy.models.rebuttal_margin, self._concluded()
        if margin is None or len(self.rounds) != 1 or not self.replies or concluded.merged is None:
            return False
        return is_split(concluded.merged, margin)

    def questions(self, member: Member) -> list[Question]:
        """Return what a member's model is to be asked in this round; what a journal holds is not asked again."""
        assessed, use = self._assessed(), self.policy.members[member].model
        if use is None:
            return []
        rule_vote = next(vote for vote in assessed.rule_votes if vote.member == member)
        rules = tuple([result.rule.rule_id for result in assessed.rules])
        return [
            Question(
                slot=slot,
                case=self.case,
                evidence=assessed.evidence,
                rule_vote=rule_vote,
                rules=rules,
                use=use,
                models=self.policy.models,
                decision_id=self.decision_id,
                others=others_said(self.rounds[0], slot, self.policy) if self.rounds else (),
            )
            for slot in slots_of(member, self.round, self.case, self.policy, self.found)
            if slot not in self.replies
        ]

    def merge(self) -> None:
        """Merge the votes that count in this round with the rules that fired."""
        if not self.replies:
            self.concluded = self._conclude(self._assessed().rule_votes)
            return
        opinions = self._opinions()
        self.rounds.append(opinions)
        counted = [formed.counted for formed in opinions]
        concluded = self._conclude(counted)
        hold = self._hold(concluded, opinions)
        self.concluded = concluded if hold is None else self._conclude(counted, hold)

    def _hold(self, concluded: Conclusion, opinions: Sequence[Opinion]) -> Hold | None:
        """Return why a case is held for a person, whatever its votes say: it ended milder than it may.

        Votes are bounded one by one, but a verdict is not monotone in what members ask for: a rejection because nobody had
        said what to modify turns into a modification as soon as anybody does.
        """
        without = [formed.counted_without_text for formed in opinions]
        is_other = any(formed.counted_without_text != formed.counted for formed in opinions)
        if is_other and (told := _milder(concluded, self._conclude(without))) is not None:
            return Hold("text_made_milder", f"players' text made the verdict milder: {told} without it")
        if (told := _milder(concluded, self._conclude([self._bound(formed) for formed in opinions]))) is not None:
            return Hold("milder_than_rules", f"models made the verdict milder than they may: {told} by the rules")
        return None

    def _bound(self, formed: Opinion) -> Vote:
        """Return the mildest that a member may vote: its rules' vote, or its model's where that may relax."""
        is_relaxed = formed.why == "model" and self.policy.members[formed.member].models_may == "relax"
        return formed.counted if is_relaxed else formed.rule_vote

    def heard(self) -> Heard | None:
        """Return what models said in all rounds, for the record; None where none was asked."""
        return Heard(tuple(self.replies.values()), tuple(self.rounds)) if self.replies else None

    def hand_on(self) -> None:
        """Prepare what the story planner receives."""
        concluded = self._concluded()
        combined = concluded.combined
        self.brief = planner_brief(
            self.case,
            concluded.final_verdict,
            self.effects_to_apply(),
            decision_id=self.decision_id,
            conditions=[each.modification for each in combined.required] if combined is not None else (),
            stood_against=self._stood_against(),
        )

    def _stood_against(self) -> str:
        """Return the first rule that acted on the verdict; "votes" where members did, "" where nothing stood against it."""
        if self._concluded().final_verdict == "approve" or self.assessed is None:
            return ""
        acted = [each for each in self.assessed.rules if each.fired and each.rule.mode == "enforce"]
        return acted[0].rule.rule_id if acted else "votes"

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
        """Decide the case under every shadow policy that knows the realm, with what models have said."""
        verdicts = []
        for policy in self.policy.shadows:
            realm = policy.realm(self.case.request.realm_id)
            if realm is not None:
                concluded = deliberate(self.case, policy, realm, self.replies)._concluded()
                verdicts.append(ShadowVerdict(policy, concluded))
        return tuple(verdicts)

    def _opinions(self) -> tuple[Opinion, ...]:
        assessed, number = self._assessed(), self.round
        said = votes_said(self.replies, self.case, assessed.evidence, assessed.rules)
        formed = []
        for at, rule_vote in enumerate(assessed.rule_votes):
            member = rule_vote.member
            bounds = bounds_of(member, self.case, self.policy, self.found)
            listens = bounds.member.judge == "model"  # a policy of rules re-decides without what models said
            full = said.get(Slot(member, number)) if listens else None
            mine = opinion(rule_vote, full, said.get(Slot(member, number, "twin")), bounds)
            formed.append(second_opinion(self.rounds[0][at], mine) if self.rounds else mine)
        return tuple(formed)

    def _conclude(self, votes: Sequence[Vote], hold: Hold | None = None) -> Conclusion:
        return conclude(self.case, self.policy, self.realm, self.found, self._assessed(), votes, hold)

    def _assessed(self) -> Assessment:
        if self.assessed is None:
            raise RuntimeError("the review was not assessed")
        return self.assessed

    def _concluded(self) -> Conclusion:
        if self.concluded is None:
            raise RuntimeError("the review was not concluded")
        return self.concluded


def _milder(mild: Conclusion, strict: Conclusion) -> str | None:
    """Say how one outcome is milder than another; None where it is not."""
    verdict, bound = mild.council_verdict, strict.council_verdict
    if STRICTNESS[verdict] < STRICTNESS[bound]:
        return f"{verdict}, {bound}"
    is_looser = mild.combined and strict.combined and not covers(mild.combined, strict.combined)
    return "modify, on stricter conditions" if verdict == bound == "modify" and is_looser else None


def deliberate(case: Case, policy: Policy, realm: RealmPolicy, replies: Mapping[Slot, Reply] | None = None) -> Review:
    """Decide one case without a graph: what replay, shadows and backtests do.

    The graph takes the same steps in the same order; a test holds the two together.

    Args:
        replies: what models said when the case was decided.
    """
    review = Review(case, policy, realm)
    review.open()
    if not review.is_fast:
        review.replies = dict(replies or {})
        review.assess()
        review.merge()
        if review.wants_rebuttal:
            review.merge()
    return review
