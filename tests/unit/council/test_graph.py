"""The graph: branches per member with a model, their failures, and one merge (S0-11, S0-56; reliability.md I6)."""

import asyncio
import json
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig

from council.graph import build_graph
from council.nodes import Judge
from council.review import Review, deliberate
from policies.contracts.reading import validate_request
from policies.evidence import Evidence
from policies.loading import default_policy_path, load_policy
from policies.verdicts import MEMBERS, STRICTNESS, Member, Verdict
from policies.votes import Reason, Vote
from tests.unit.requests import request_document, small_document
from world.case import Case, open_case

POLICY = load_policy(default_policy_path())


class Says:
    """A scripted judge."""

    def __init__(self, verdict: Verdict, delay_s: float = 0.0) -> None:
        self.verdict, self.delay_s, self.calls = verdict, delay_s, 0

    async def vote(self, case: Case, evidence: Evidence, rule_vote: Vote) -> Vote:
        self.calls += 1
        await asyncio.sleep(self.delay_s)
        return rule_vote._replace(
            verdict=self.verdict, reasons=(Reason("as scripted"),), modifications=(), source="scripted"
        )


class Raises:
    """A judge that breaks, whatever the exception."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def vote(self, case: Case, evidence: Evidence, rule_vote: Vote) -> Vote:
        raise self.error


class Hangs:
    async def vote(self, case: Case, evidence: Evidence, rule_vote: Vote) -> Vote:
        await asyncio.sleep(3600)
        raise AssertionError("unreachable")


def sound_document() -> dict[str, Any]:
    """A sovereign action that no veto stops, so that everyone is asked."""
    document = request_document(lore_constraints=[], risk_flags=[])
    document["proposed_change"]["effects"] = [{"op": "faction_delta", "faction_id": "free_cities", "amount": 2}]
    document["proposed_change"]["actor"]["faction_id"] = "free_cities"
    return document


def opened(document: dict[str, Any]) -> Review:
    case = open_case(validate_request(document))
    realm = POLICY.realm(case.request.realm_id)
    assert realm is not None
    review = Review(case, POLICY, realm)
    review.open()
    return review


async def run(document: dict[str, Any], judges: dict[Member, Judge], timeout_s: float = 30.0) -> Review:
    review = opened(document)
    graph = build_graph(lambda: POLICY, judges, member_timeout_s=timeout_s)
    await graph.ainvoke({"docket": (review,)})
    return review


async def test_the_graph_without_models_decides_as_the_pure_steps_do() -> None:
    for document in (request_document(), sound_document(), small_document()):
        review = opened(document)
        build_graph(lambda: POLICY).invoke({"docket": (review,)})
        alone = deliberate(review.case, POLICY, review.realm)
        assert review.concluded == alone.concluded


async def test_a_docket_of_several_cases_decides_each_as_if_alone() -> None:
    reviews = [opened(document) for document in (request_document(), sound_document(), small_document())]
    build_graph(lambda: POLICY).invoke({"docket": tuple(reviews)})
    assert [review.concluded for review in reviews] == [
        deliberate(review.case, POLICY, review.realm).concluded for review in reviews
    ]


async def test_every_seated_member_with_a_model_is_asked_once_and_in_parallel() -> None:
    judges = {member: Says("approve", delay_s=0.2) for member in MEMBERS}
    loop = asyncio.get_running_loop()
    started = loop.time()
    review = await run(sound_document(), dict(judges))
    assert loop.time() - started < 5 * 0.2
    assert {member for member, judge in judges.items() if judge.calls == 1} == set(review.found.seated)


async def test_a_model_may_tighten_its_members_vote() -> None:
    review = await run(sound_document(), {"governor": Says("reject"), "lore": Says("reject")})
    assert review.concluded is not None
    assert review.concluded.council_verdict == "reject"
    assert {vote.member: vote.source for vote in review.concluded.votes}["lore"] == "scripted"


async def test_a_model_that_is_milder_than_the_rules_does_not_count_under_tighten() -> None:
    strict = request_document(lore_constraints=[])
    rules = opened(strict)
    build_graph(lambda: POLICY).invoke({"docket": (rules,)})
    review = await run(strict, {member: Says("approve") for member in MEMBERS if member != "narrative"})
    assert review.concluded is not None
    assert rules.concluded is not None
    assert STRICTNESS[review.concluded.council_verdict] >= STRICTNESS[rules.concluded.council_verdict]


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("x"), IndexError(), TimeoutError(), RuntimeError()])
async def test_a_member_that_raises_abstains_and_never_makes_the_verdict_milder(error: Exception) -> None:
    whole = await run(sound_document(), {})
    review = await run(sound_document(), {"narrative": Raises(error)})
    assert review.concluded is not None
    assert whole.concluded is not None
    vote = next(vote for vote in review.concluded.votes if vote.member == "narrative")
    assert (vote.verdict, vote.abstained) == (None, "timeout" if isinstance(error, TimeoutError) else "unreachable")
    assert STRICTNESS[review.concluded.council_verdict] >= STRICTNESS[whole.concluded.council_verdict]


async def test_a_member_that_hangs_is_cut_off_at_its_limit() -> None:
    review = await run(sound_document(), {"narrative": Hangs()}, timeout_s=0.2)
    assert review.concluded is not None
    vote = next(vote for vote in review.concluded.votes if vote.member == "narrative")
    assert vote.abstained == "timeout"


async def test_a_total_outage_ends_in_quarantine_and_still_reaches_the_planner() -> None:
    """The trap: after handled errors LangGraph follows no edge of the failed nodes, and nothing would merge."""
    review = await run(sound_document(), {member: Raises(ConnectionError("down")) for member in MEMBERS})
    assert review.concluded is not None
    assert review.concluded.final_verdict == "quarantine"
    assert {"no_votes", "no_quorum"} <= set(review.concluded.tags)
    assert review.concluded.is_held
    assert review.brief is not None
    assert review.brief["final_verdict"] == "quarantine"


async def test_nobody_is_asked_once_a_veto_has_ended_the_review() -> None:
    judges = {member: Says("approve") for member in MEMBERS}
    review = await run(request_document(), dict(judges))
    assert review.concluded is not None
    assert review.concluded.path == "veto"
    assert all(judge.calls == 0 for judge in judges.values())


def test_a_bare_request_runs_as_in_a_graph_studio() -> None:
    """`langgraph.json` names a graph that takes {"request": {...}} and answers in plain JSON."""
    from council.studio import graph

    state = graph.invoke({"request": sound_document()})
    assert state["verdicts"][0]["final_verdict"] in ("approve", "modify")
    assert set(state["briefs"][0]["world_context"]) == {
        "faction_ranking",
        "local_territory_control",
        "active_triggers",
        "contribution_recap",
    }


async def test_the_graph_of_the_studio_has_schemas_and_runs_with_a_checkpointer() -> None:
    """What the development server does: it reads the schemas, and brings a checkpointer that must find plain data."""
    from langgraph.checkpoint.memory import InMemorySaver

    schema = build_graph(lambda: POLICY).get_input_jsonschema()
    assert "request" in schema["properties"]
    graph = build_graph(lambda: POLICY)
    graph.checkpointer = InMemorySaver()
    config: RunnableConfig = {"configurable": {"thread_id": "studio"}}
    await graph.ainvoke({"request": sound_document()}, config)
    kept = (await graph.aget_state(config)).values
    assert "docket" not in kept
    assert json.loads(json.dumps(kept)) == kept


def test_the_planner_never_receives_what_a_player_wrote() -> None:
    document = sound_document()
    document["proposed_change"]["narrative"] = "CANARY-narrative"
    document["supporting_events"][0]["note"] = "CANARY-note"
    review = opened(document)
    build_graph(lambda: POLICY).invoke({"docket": (review,)})
    assert "CANARY" not in repr(review.brief)
