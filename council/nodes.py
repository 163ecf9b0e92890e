"""The nodes of the council's graph: thin shells over the steps of a `Review`.

One run carries a docket: a single case where members have models, or as many cases as arrived together where none has. A
run costs the graph a fixed millisecond, so cases that need nobody's model share it (docs/decisions/0003).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from langgraph.channels import UntrackedValue
from langgraph.errors import NodeError, NodeTimeoutError
from langgraph.types import Command
from typing_extensions import TypedDict

from agents.asking import reply_from_wire, reply_to_wire, unanswered
from agents.ports import Judge
from council.review import Review
from policies.contracts.reading import validate_request
from policies.policy import Policy
from policies.verdicts import Abstention, Member
from story.planner.port import StoryPlanner
from world.case import open_case

if TYPE_CHECKING:
    Reviews = tuple[Review, ...]
else:
    # Graph studios derive JSON Schemas from the state; a review has none, and none is typed in there.
    Reviews = Any


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
    """What members' models said, by "member/round/variant"."""
    verdicts: list[dict[str, Any]]
    held: list[str]
    briefs: list[dict[str, Any]]
    plans: list[dict[str, Any]]
    """Where a story planner is at the end of the graph: the next chapters that hear of the decisions."""


class MemberNode(Protocol):
    """A node that asks one member's model."""

    async def __call__(self, state: CouncilState) -> CouncilState: ...


class Nodes:
    """The graph's nodes over one policy source and the judge behind the members' models.

    Args:
        current_policy: returns the live policy; asked only where a run starts from a bare `request`.
        judge: asks members' models; None where every member votes by its rules.
        planner: plans the chapters that hear of a decision; None where stories are planned elsewhere.
    """

    def __init__(
        self, current_policy: Callable[[], Policy], judge: Judge | None, planner: StoryPlanner | None = None
    ) -> None:
        self._current_policy = current_policy
        self._judge = judge
        self._planner = planner

    def assess(self, state: CouncilState) -> CouncilState:
        """Find the evidence of every case, evaluate the rules, take the rule votes."""
        docket = state.get("docket") or (self._from_request(state["request"]),)
        for review in docket:
            if not review.is_fast:
                review.assess()
        return {"docket": docket}

    def after_assess(self, state: CouncilState) -> list[str]:
        """Route to the seated members that have a model, or straight to the merge."""
        return self._branches(state) or ["merge"]

    def member(self, member: Member) -> MemberNode:
        """Return the node that asks one member's model, and its twin question at the same time."""

        async def ask(state: CouncilState) -> CouncilState:
            judge, questions = self._judge, state["docket"][0].questions(member)
            assert judge is not None
            if len(questions) == 1:
                replies = [await judge.ask(questions[0])]
            else:
                replies = await asyncio.gather(*[judge.ask(question) for question in questions])
            return {"replies": {reply.slot.text: reply_to_wire(reply) for reply in replies}}

        return ask

    def failed(self, member: Member) -> Callable[..., Command[str]]:
        """Return the handler that turns any failure of a member's node into its abstention.

        It must name the merge itself: after a handled error LangGraph does not follow the failed node's edge, and with
        every member down the run would end without a verdict.
        """

        def abstain(state: CouncilState, error: NodeError) -> Command[str]:
            kind: Abstention = "timeout" if isinstance(error.error, TimeoutError | NodeTimeoutError) else "unreachable"
            because = f"{type(error.error).__name__} in its judge"
            review = state["docket"][0]
            use = review.policy.members[member].model
            slots = [question.slot for question in review.questions(member)]
            silent = [unanswered(slot, use.name if use else "", kind, because) for slot in slots]
            return Command(update={"replies": {one.slot.text: reply_to_wire(one) for one in silent}}, goto="merge")

        return abstain

    def merge(self, state: CouncilState) -> CouncilState:
        """Merge the votes of every case on the docket into its verdict, or into a split that asks for a rebuttal."""
        verdicts = []
        for review in state["docket"]:
            if not review.is_fast:
                for wire in state.get("replies", {}).values():
                    reply = reply_from_wire(wire)
                    review.replies.setdefault(reply.slot, reply)
                review.merge()
            verdicts.append(_verdict(review))
        return {"verdicts": verdicts}

    def after_merge(self, state: CouncilState) -> list[str]:
        """Route to the members once more where the round was split; else to the escalation of a held case, or the plan."""
        if self._judge is not None and any(review.wants_rebuttal for review in state["docket"]):
            return self._branches(state)
        return ["escalate" if any(verdict["held"] for verdict in state["verdicts"]) else "plan"]

    def escalate(self, state: CouncilState) -> CouncilState:
        """Name the cases that wait for a person; the record keeps them in the queue."""
        held = [verdict["snapshot_id"] for verdict in state["verdicts"] if verdict["held"]]
        return {"held": held}

    def plan(self, state: CouncilState) -> CouncilState:
        """Hand verdict and fresh world context on to the story planner."""
        for review in state["docket"]:
            review.hand_on()
        return {"briefs": [review.brief for review in state["docket"] if review.brief is not None]}

    async def story(self, state: CouncilState) -> CouncilState:
        """Let the story planner say what the next chapters make of the verdicts (000 §9)."""
        assert self._planner is not None
        plans = [dict(plan) for brief in state.get("briefs", []) for plan in await self._planner.plans(brief)]
        return {"plans": plans}

    def _branches(self, state: CouncilState) -> list[str]:
        if self._judge is None:
            return []
        return [member_node(member) for review in state["docket"] for member in review.asked]

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
