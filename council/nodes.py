"""The nodes of the council's graph: thin shells over the steps of a `Review`.

One run carries a docket: a single case where members have models, or as many cases as arrived together where none has. A
run costs the graph a fixed millisecond, so cases that need nobody's model share it (docs/decisions/0003).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from langgraph.channels import UntrackedValue
from langgraph.errors import NodeError, NodeTimeoutError
from langgraph.types import Command
from typing_extensions import TypedDict

from council.review import Review
from policies.contracts.reading import validate_request
from policies.evidence import Evidence
from policies.policy import Policy
from policies.verdicts import Abstention, Member
from policies.votes import Vote, abstention, vote_from_wire, vote_to_wire
from world.case import Case, open_case

if TYPE_CHECKING:
    Reviews = tuple[Review, ...]
else:
    # Graph studios derive JSON Schemas from the state; a review has none, and none is typed in there.
    Reviews = Any


class Judge(Protocol):
    """A member's mind beyond its rules: a model, or a script in tests."""

    async def vote(self, case: Case, evidence: Evidence, rule_vote: Vote) -> Vote:
        """Judge a case. Whatever it raises, its member abstains."""
        ...


def _together(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    return {**left, **right}


class CouncilState(TypedDict, total=False):
    """State of one run.

    `request` is what a person types into a graph studio; the product itself puts reviews on the `docket`, which is never
    written to a checkpoint. Everything else is plain JSON.
    """

    request: dict[str, Any]
    docket: Annotated[Reviews, UntrackedValue]
    replies: Annotated[dict[str, Any], _together]
    """Votes of members with a model, by member."""
    verdicts: list[dict[str, Any]]
    held: list[str]
    briefs: list[dict[str, Any]]


class MemberNode(Protocol):
    """A node that asks one member's judge."""

    async def __call__(self, state: CouncilState) -> CouncilState: ...


class Nodes:
    """The graph's nodes over one policy source and the judges of members that have a model.

    Args:
        current_policy: returns the live policy; asked only where a run starts from a bare `request`.
        judges: per member with a model, its judge.
    """

    def __init__(self, current_policy: Callable[[], Policy], judges: Mapping[Member, Judge]) -> None:
        self._current_policy = current_policy
        self._judges = judges

    def assess(self, state: CouncilState) -> CouncilState:
        """Find the evidence of every case, evaluate the rules, take the rule votes."""
        docket = state.get("docket") or (self._from_request(state["request"]),)
        for review in docket:
            if not review.is_fast:
                review.assess()
        return {"docket": docket}

    def after_assess(self, state: CouncilState) -> list[str]:
        """Route to the seated members that have a model, or straight to the merge."""
        return [member_node(member) for review in state["docket"] for member in self.asked(review)] or ["merge"]

    def asked(self, review: Review) -> list[Member]:
        """Return the members whose model is asked about a case: nobody's where a veto has ended it."""
        if not self._judges or review.is_fast or review.assessed is None or review.assessed.is_vetoed:
            return []
        return [member for member in review.found.seated if member in self._judges]

    def member(self, member: Member) -> MemberNode:
        """Return the node that asks one member's judge."""

        async def ask(state: CouncilState) -> CouncilState:
            review = state["docket"][0]
            assessed = review.assessed
            assert assessed is not None
            rule_vote = next(vote for vote in assessed.rule_votes if vote.member == member)
            vote = await self._judges[member].vote(review.case, assessed.evidence, rule_vote)
            return {"replies": {member: vote_to_wire(vote, review.case.ops)}}

        return ask

    def failed(self, member: Member) -> Callable[..., Command[str]]:
        """Return the handler that turns any failure of a member's node into its abstention.

        It must name the merge itself: after a handled error LangGraph does not follow the failed node's edge, and with
        every member down the run would end without a verdict.
        """

        def abstain(state: CouncilState, error: NodeError) -> Command[str]:
            kind: Abstention = "timeout" if isinstance(error.error, TimeoutError | NodeTimeoutError) else "unreachable"
            vote = abstention(member, kind, source="model", because=f"{type(error.error).__name__} in its judge")
            return Command(update={"replies": {member: vote_to_wire(vote, ())}}, goto="merge")

        return abstain

    def merge(self, state: CouncilState) -> CouncilState:
        """Merge the votes of every case on the docket into its verdict."""
        verdicts = []
        for review in state["docket"]:
            if not review.is_fast:
                review.model_votes = {
                    member: vote_from_wire(reply, review.case.ops)
                    for member, reply in state.get("replies", {}).items()
                    if member in review.found.seated
                }
                review.merge()
            verdicts.append(_verdict(review))
        return {"verdicts": verdicts}

    def after_merge(self, state: CouncilState) -> str:
        """Route to the escalation where a case waits for a person."""
        return "escalate" if any(verdict["held"] for verdict in state["verdicts"]) else "plan"

    def escalate(self, state: CouncilState) -> CouncilState:
        """Name the cases that wait for a person; the record keeps them in the queue."""
        held = [verdict["snapshot_id"] for verdict in state["verdicts"] if verdict["held"]]
        return {"held": held}

    def plan(self, state: CouncilState) -> CouncilState:
        """Hand verdict and fresh world context on to the story planner."""
        for review in state["docket"]:
            review.hand_on()
        return {"briefs": [review.brief for review in state["docket"] if review.brief is not None]}

    def _from_request(self, request: dict[str, Any]) -> Review:
        policy = self._current_policy()
        case = open_case(validate_request(request))
        realm = policy.realm(case.request.realm_id)
        if realm is None:
            raise ValueError("the policy does not know this realm")
        review = Review(case, policy, realm)
        review.open()
        return review


def member_node(member: str) -> str:
    """Return the name of a member's node in the graph."""
    return f"ask_{member}"


def _verdict(review: Review) -> dict[str, Any]:
    concluded = review.concluded
    assert concluded is not None
    return {
        "snapshot_id": review.case.request.world_snapshot.snapshot_id,
        "final_verdict": concluded.final_verdict,
        "path": concluded.path,
        "confidence": str(concluded.confidence),
        "reasons": list(concluded.reasons),
        "held": concluded.is_held,
    }
