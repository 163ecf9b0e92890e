"""The council as a LangGraph graph: edges only (council.md, procedure; register rows S0-11, S0-56).

assess --> ask_<member> (one branch per seated member with a model) --> merge --> [escalate] --> plan [--> story]
   \\-------------------------- nobody has a model ---------------------/  |
              ask_<member> <-- a split first round, where the policy wants a rebuttal: at most once
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.ports import Judge
from council.nodes import CouncilState, Nodes, member_node
from policies.policy import Policy
from policies.verdicts import MEMBERS, Member
from story.planner.port import StoryPlanner

CouncilGraph = CompiledStateGraph[Any, Any, Any, Any]
LAST_RESORT_S: Final = 130.0
"""Wall clock of one member's branch, seconds: just above the longest `timeout_s` that a policy may give a member. The judge
keeps the member's own limit; this one ends a judge that does not."""


def build_graph(
    current_policy: Callable[[], Policy],
    judge: Judge | None = None,
    *,
    members: Sequence[Member] = MEMBERS,
    member_timeout_s: float = LAST_RESORT_S,
    planner: StoryPlanner | None = None,
) -> CouncilGraph:
    """Compile the graph, once per process.

    Args:
        current_policy: returns the live policy, for runs that start from a bare request.
        judge: asks the models of members that have one; None: every member votes by its rules.
        members: who has a branch; whether a member's model is asked is the policy's choice, case by case.
        member_timeout_s: wall-clock limit of one member's branch, seconds.
        planner: plans the chapters that hear of a decision, in a node of its own; None: stories are planned elsewhere.
    """
    nodes = Nodes(current_policy, judge, planner)
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(CouncilState)
    graph.add_node("assess", nodes.assess)
    graph.add_node("merge", nodes.merge)
    graph.add_node("escalate", nodes.escalate)
    graph.add_node("plan", nodes.plan)
    branches = {member_node(member): member for member in members} if judge is not None else {}
    for name, member in branches.items():
        graph.add_node(name, nodes.member(member), timeout=member_timeout_s, error_handler=nodes.failed(member))
        graph.add_edge(name, "merge")
    graph.add_edge(START, "assess")
    graph.add_conditional_edges("assess", nodes.after_assess, [*branches, "merge"])
    graph.add_conditional_edges("merge", nodes.after_merge, [*branches, "escalate", "plan"])
    graph.add_edge("escalate", "plan")
    if planner is not None:
        graph.add_node("story", nodes.story)
        graph.add_edge("plan", "story")
    graph.add_edge("story" if planner is not None else "plan", END)
    return graph.compile(name="council")
