"""The council as a LangGraph graph: edges only (council.md, procedure; register rows S0-11, S0-56).

assess --> ask_<member> (one branch per seated member with a model) --> merge --> [escalate] --> plan
   \\-------------------------- nobody has a model ---------------------/
"""

from collections.abc import Callable, Mapping
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from council.nodes import CouncilState, Judge, Nodes, member_node
from policies.policy import Policy
from policies.verdicts import Member

CouncilGraph = CompiledStateGraph[Any, Any, Any, Any]


def build_graph(
    current_policy: Callable[[], Policy],
    judges: Mapping[Member, Judge] | None = None,
    *,
    member_timeout_s: float = 30.0,
) -> CouncilGraph:
    """Compile the graph, once per process.

    Args:
        current_policy: returns the live policy, for runs that start from a bare request.
        judges: judges of members that have a model; every other member votes by its rules.
        member_timeout_s: wall-clock limit of one member's branch, seconds.
    """
    nodes = Nodes(current_policy, judges or {})
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(CouncilState)
    graph.add_node("assess", nodes.assess)
    graph.add_node("merge", nodes.merge)
    graph.add_node("escalate", nodes.escalate)
    graph.add_node("plan", nodes.plan)
    branches = {member_node(member): member for member in judges or {}}
    for name, member in branches.items():
        graph.add_node(name, nodes.member(member), timeout=member_timeout_s, error_handler=nodes.failed(member))
        graph.add_edge(name, "merge")
    graph.add_edge(START, "assess")
    graph.add_conditional_edges("assess", nodes.after_assess, [*branches, "merge"])
    graph.add_conditional_edges("merge", nodes.after_merge, ["escalate", "plan"])
    graph.add_edge("escalate", "plan")
    graph.add_edge("plan", END)
    return graph.compile(name="council")
