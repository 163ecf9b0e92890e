"""The stock way to serve such a council: FastAPI, a LangGraph fan-out with the SQLite checkpointer, SQLAlchemy rows.

It does less than ours: its five members do nothing, nothing is explained or chained. It is what one gets by following the
three projects' own guides, and both of its databases are as durable as ours (WAL, synchronous FULL).
"""

import operator
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypedDict

from fastapi import FastAPI, Header, HTTPException, Request
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from sqlalchemy import JSON, event
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from policies.contracts.request import DecisionRequest

FOLDER = "COUNCIL_BENCH_FOLDER"
"""Variable that names the folder of the peer's databases."""
TOKEN = "COUNCIL_BENCH_TOKEN"


class Base(DeclarativeBase):
    """Tables of the peer."""


class Decision(Base):
    """One recorded decision."""

    __tablename__ = "decisions"
    key: Mapped[str] = mapped_column(primary_key=True)
    realm_id: Mapped[str]
    verdict: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    votes: Mapped[list[str]] = mapped_column(JSON)


class State(TypedDict, total=False):
    """State of the graph."""

    request: dict[str, Any]
    votes: Annotated[list[str], operator.add]
    verdict: str


def build_graph(checkpointer: AsyncSqliteSaver) -> Any:
    """Return five members in parallel and a join."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(State)

    async def join(state: State) -> State:
        return {"verdict": max(state["votes"])}

    graph.add_node("join", join)
    for index in range(5):

        async def member(state: State) -> State:
            return {"votes": ["approve"]}

        graph.add_node(f"member_{index}", member)
        graph.add_edge(START, f"member_{index}")
    graph.add_edge([f"member_{index}" for index in range(5)], "join")
    graph.add_edge("join", END)
    return graph.compile(checkpointer=checkpointer)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open both databases."""
    folder = os.environ[FOLDER]
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/decisions.db")

    @event.listens_for(engine.sync_engine, "connect")
    def durable(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSqliteSaver.from_conn_string(f"{folder}/checkpoints.db") as checkpointer:
        app.state.graph = build_graph(checkpointer)
        app.state.sessions = async_sessionmaker(engine)
        yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.post("/review")
async def review(
    decision: DecisionRequest,
    request: Request,
    idempotency_key: Annotated[str, Header()],
    authorization: Annotated[str, Header()],
) -> dict[str, Any]:
    """Decide one request and record it."""
    if authorization != f"Bearer {os.environ[TOKEN]}":
        raise HTTPException(401)
    document = decision.model_dump(mode="json", by_alias=True)
    config = {"configurable": {"thread_id": idempotency_key}}
    final = await request.app.state.graph.ainvoke({"request": document, "votes": []}, config)
    row = Decision(
        key=idempotency_key,
        realm_id=decision.realm_id,
        verdict=final["verdict"],
        request=document,
        votes=final["votes"],
    )
    async with request.app.state.sessions() as session, session.begin():
        session.add(row)
    return {"final_verdict": final["verdict"], "votes": final["votes"], "decision_id": idempotency_key}
