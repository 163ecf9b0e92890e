"""`council graph`: the LangGraph graph of a review, drawn."""

from typing import Annotated, Any, NoReturn

import typer

from agents.asking import Question, Reply
from cli.errors import CliError
from cli.options import AsJson
from cli.output import write_json, write_line
from cli.running import new_app
from policies.verdicts import MEMBERS, Member

app = new_app()


@app.command()
def graph(
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Mermaid text, as GitHub draws it.")] = False,
    models: Annotated[
        str, typer.Option("--models", metavar="MEMBERS", help="Members with a model, comma-separated, or 'all'.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Draw the graph of a review.

    Members without a model vote by their rules inside `assess`; each member that has one becomes a branch of its own. A
    dotted line is a choice made at run time.
    """
    drawn = _graph(_members(models))
    if mermaid:
        write_line(drawn.draw_mermaid().rstrip())
    elif as_json:
        edges = [{"from": edge.source, "to": edge.target, "choice": edge.conditional} for edge in drawn.edges]
        write_json({"nodes": list(drawn.nodes), "edges": edges})
    else:
        for line in tree(drawn):
            write_line(line)


def tree(drawn: Any) -> list[str]:
    """Return a graph as an indented tree; a node met again is named and not unfolded."""
    after: dict[str, list[Any]] = {}
    for edge in drawn.edges:
        after.setdefault(edge.source, []).append(edge)
    seen: set[str] = set()

    def below(node: str, indent: str) -> list[str]:
        found: list[str] = []
        edges = sorted(after.get(node, []), key=lambda edge: str(edge.target))
        for edge in edges:
            is_last = edge is edges[-1]
            corner = "└" if is_last else "├"
            again = edge.target in seen and edge.target in after
            line = "┄┄" if edge.conditional else "──"
            found.append(f"{indent}{corner}{line} {_name(edge.target)}{' (above)' if again else ''}")
            if not again:
                seen.add(edge.target)
                found += below(edge.target, indent + ("    " if is_last else "│   "))
        return found

    return [_name("__start__"), *below("__start__", "")]


def _name(node: str) -> str:
    return node.strip("_")


def _members(models: str) -> tuple[Member, ...]:
    if models == "all":
        return MEMBERS
    wanted = [name.strip() for name in models.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in MEMBERS]
    if unknown:
        raise CliError(f"unknown member {unknown[0]!r}", f"members are: {', '.join(MEMBERS)}")
    return tuple(member for member in MEMBERS if member in wanted)


def _graph(members: tuple[Member, ...]) -> Any:
    # Late: LangGraph takes seconds to load where it is cold.
    from council.graph import build_graph  # noqa: PLC0415

    return build_graph(_no_policy, _NoMind() if members else None, members=members).get_graph()


def _no_policy() -> NoReturn:
    raise AssertionError("a graph that is only drawn asks for no policy")


class _NoMind:
    """Stands for the members' models: the drawing never asks them."""

    async def ask(self, question: Question) -> Reply:
        raise AssertionError("a graph that is only drawn asks nobody")
