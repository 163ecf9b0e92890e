"""The writing of a chapter as a LangGraph graph: edges only.

plan --> simulate --> write --> critique --> end
                        ^----------/   at most two rewrites, of the beats that did not pass
"""

from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from story.writing.nodes import Nodes, WritingState
from story.writing.port import Scribe

WritingGraph = CompiledStateGraph[Any, Any, Any, Any]


def build_writing(scribe: Scribe, *, has_critic: bool = False) -> WritingGraph:
    """Compile the graph, once per process.

    Args:
        scribe: asks the models.
        has_critic: whether a model reads what the lint has passed.
    """
    nodes = Nodes(scribe, has_critic=has_critic)
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(WritingState)
    graph.add_node("plan", nodes.plan)
    graph.add_node("simulate", nodes.simulate)
    graph.add_node("write", nodes.write)
    graph.add_node("critique", nodes.critique)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "simulate")
    graph.add_edge("simulate", "write")
    graph.add_edge("write", "critique")
    graph.add_conditional_edges("critique", nodes.after_critique, {"write": "write", "end": END})
    return graph.compile(name="writing")
