"""The graph for LangGraph's own tools: `langgraph dev` reads `langgraph.json`, which names `graph` here.

It takes {"request": {...}} with the shipped policy, judges by rules, and records nothing.
"""

from council.graph import build_graph
from policies.loading import default_policy_path, load_policy

_POLICY = load_policy(default_policy_path())

graph = build_graph(lambda: _POLICY)
"""The compiled council, without a checkpointer: the development server brings its own."""
