"""The real council over real disputes: a burst of people is held to a part and then let go, scripts and rings are stopped."""

from functools import partial

import orjson
import pytest

from gateway.bootstrap import open_council
from gateway.in_process import InProcessReviewClient
from gateway.settings import read_settings
from policies.contracts.reading import validate_request
from policies.contracts.request import ImpactCandidate
from policies.verdicts import Verdict
from tests.unit.world.living_realm import REALM, WORLD
from tests.unit.world.test_influence_disputes import HOUR, SECOND, acts, human
from world.anomaly import anomaly_of
from world.influence.judging import Judged, route
from world.influence.scoring import score
from world.service.questions import dispute_question

question_of = partial(dispute_question, WORLD, WORLD.new_realm(REALM))


def asked_about(events: list[ImpactCandidate]) -> bytes:
    """Return the request about the last act, which the pipeline puts in review."""
    found = anomaly_of(events)
    assert found is not None
    assert route(found.score) == "in_review"
    terms = {"velocity": found.velocity, "entropy": found.entropy, "replays": len(found.replays)}
    worth = score(25_000, risk=3, stakes="regional", repeats=0, trust=1_000)
    judged = Judged("in_review", worth, None, False, found.score, terms)
    return question_of(events[-1], judged, events[:-1]).request


BURST = human(50, 45 * SECOND)
SHAKEN = [600 * SECOND * number + (number * 37 % 90) * SECOND for number in range(40)]


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        pytest.param(acts(BURST), "modify", id="in a raid"),
        pytest.param(acts([*BURST, BURST[-1] + HOUR]), "approve", id="after the raid"),
        pytest.param(acts(human(60, 45 * SECOND), users=4), "reject", id="four accounts of one person"),
        pytest.param(acts(SHAKEN, actions=4), "quarantine", id="a script that shakes"),
    ],
)
async def test_the_council_tells_people_from_scripts(events: list[ImpactCandidate], verdict: Verdict) -> None:
    council = await open_council(read_settings(database_url="memory://"))
    try:
        reply = await InProcessReviewClient(council.service).review(validate_request(orjson.loads(asked_about(events))))
    finally:
        await council.close()
    assert reply.answer.final_verdict == verdict, reply.answer.reasons
