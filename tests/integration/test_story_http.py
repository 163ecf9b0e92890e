"""A story over HTTP against the real council and world: told, closed, its deeds counted, its world changed, and told again.

Register rows S0-32, S0-70 to S0-76, S0-95, S0-117, S4-67; document 000 §9.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest

from gateway.app import build_app
from gateway.bootstrap import open_council
from gateway.settings import read_settings
from gateway.story_bootstrap import open_story
from gateway.world_bootstrap import LivingWorld, open_world
from story.errors import UnknownStoryError
from story.ledger.port import StoryStore
from story.service.deeds import deed_id
from tests.unit.gateway.identity_samples import write_key_set
from tests.unit.gateway.scripted import JSON, TOKEN
from tests.unit.gateway.world_served import TICK, user_token
from world.realm.sovereign import Proposal
from world.realm.state import Treasury
from world.service.realms import first_snapshot

REALM = "realm-1"
HOME = "contested-borderlands"
PLAN = "/internal/story/plan"
CLOSE = "/internal/story/s-1/chapters/{}/close"
READ = "/api/story/s-1/chapters"
TICK_MS = 900_000
ASKED: dict[str, Any] = {
    "story_id": "s-1",
    "realm_id": REALM,
    "user_id": "ana",
    "hero": {"name": "Linh", "place": HOME, "archetype": "seeker", "faction_id": "free_cities"},
}
PATROL = {"action_type": "patrol_complete", "faction_id": "free_cities", "territory_id": HOME, "risk": 3}


class Clock:
    """The world's clock, which tests turn."""

    def __init__(self) -> None:
        self.now = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return self.now


class Served(NamedTuple):
    """One running service."""

    world: LivingWorld
    clock: Clock
    client: httpx.AsyncClient
    stories: StoryStore

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.client.post(path, content=orjson.dumps(body), headers={**JSON, **headers})

    async def read(self, user: str, *roles: str, query: str = "", **headers: str) -> httpx.Response:
        return await self.client.get(READ + query, headers={**user_token(user, *roles), **headers})

    async def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.clock.now += TICK_MS
            answered = await self.post(TICK, {"realm_id": REALM})
            assert answered.status_code == 200, answered.text
            await self.world.verdicts.settle(REALM)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """Put the service together as `council serve` does, but for its socket."""
    environ = {
        "COUNCIL_SERVICE_TOKEN": TOKEN,
        "COUNCIL_DATABASE_URL": f"sqlite:///{tmp_path}/world.db",
        "COUNCIL_JWT_KEYS": str(write_key_set(tmp_path)),
        "COUNCIL_POLICY_WATCH": "false",
        "COUNCIL_RATE_PLAN_PER_MINUTE": "1",
    }
    settings, clock = read_settings(environ), Clock()
    council = await open_council(settings)
    world = await open_world(settings, council, clock)
    story = open_story(settings, council, world)
    app = build_app(replace(council.parts(), world=world.parts(), story=story.parts()), settings)
    rich = {faction: Treasury(5_000_000) for faction in world.world.seed.factions}
    await world.store.create(first_snapshot(replace(world.world.new_realm(REALM), treasuries=rich), clock()))
    try:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://story") as client:
            yield Served(world, clock, client, story.store)
    finally:
        await story.close()
        await world.close()
        await council.close()


async def test_a_verdict_of_the_real_council_becomes_the_next_chapter_and_deeds_become_the_next_world(
    served: Served,
) -> None:
    """Plan, close, deeds in the ledger under the chapter's correlation id, ticks, a verdict, and the chapter that rests on it."""
    first = await served.post(PLAN, ASKED, **{"X-Correlation-Id": "chapter-one"})
    assert first.status_code == 200, first.text
    assert first.json()["correlation_id"] == "chapter-one"
    proposal = Proposal("a-1", "annexation", "council_of_pillars", "a-lord", HOME)
    await served.world.sovereignty.propose(REALM, proposal)
    closed = await served.post(CLOSE.format(1), {"outcome": {"deeds": [PATROL], "tags": ["empire_encounter"]}})
    await served.tick(10)
    second = (await served.post(PLAN, {**ASKED, "hero": None})).json()

    row = await served.world.store.row(REALM, deed_id("s-1", 1, 0))
    assert row is not None
    assert (row.state, row.user_id, row.correlation_id) == ("accepted", "ana", "chapter-one")
    assert [each["state"] for each in closed.json()["deeds"]] == ["accepted", "accepted"]
    assert [each["about"] for each in closed.json()["recap"]["lines"]] == ["sent"]

    assert (second["chapter"], second["tick_number"]) == (2, 10)
    (verdict,) = second["world_context"]["verdicts"]
    assert (verdict["final_verdict"], verdict["subject"]) == ("approve", HOME)
    assert second["verdicts_cited"] == [verdict["decision_id"]]
    told = [each for each in second["plan"]["beats"] if each["decisions"]]
    assert [each["storylet"] for each in told] == ["verdict_approved"]
    assert second["world_context"]["contribution_recap"][0]["user_id"] == "ana"

    ended = (await served.post(CLOSE.format(2), {"outcome": {}})).json()
    assert {"deeds", "verdict"} <= {each["about"] for each in ended["recap"]["lines"]}
    assert {each.get("decision_id") for each in ended["recap"]["lines"]} >= {verdict["decision_id"]}


async def test_both_steps_are_safe_to_send_twice_whatever_the_world_does(served: Served) -> None:
    first = await served.post(PLAN, ASKED)
    await served.tick()
    again = await served.post(PLAN, {**ASKED, "chapter": 1})
    assert again.content == first.content
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")

    outcome = {"outcome": {"deeds": [PATROL], "losses": 10}}
    closed = await served.post(CLOSE.format(1), outcome)
    repeated = await served.post(CLOSE.format(1), outcome)
    assert repeated.json() == closed.json()
    assert repeated.headers["idempotent-replayed"] == "true"
    assert len(await served.world.store.rows(REALM, user_id="ana")) == 2

    late = await served.post(PLAN, {**ASKED, "chapter": 1})
    assert late.json() == {**first.json(), "is_closed": True}
    assert (await served.post(PLAN, ASKED)).json()["chapter"] == 2


async def test_a_player_reads_the_story_and_nothing_that_it_keeps_to_itself(served: Served) -> None:
    """S4-67: no plan, no number, no reason; another's story is not there; game masters may ask why."""
    await served.post(PLAN, ASKED)
    await served.post(CLOSE.format(1), {"outcome": {"deeds": [PATROL]}})
    mine, others = await served.read("ana"), await served.read("binh")
    master = await served.read("gm", "game_master", query="?why=true")

    (chapter,) = mine.json()["chapters"]
    assert set(chapter) == {"chapter", "language", "title", "paragraphs", "is_closed", "recap"}
    assert "Linh" in " ".join(chapter["paragraphs"])
    assert mine.headers["cache-control"] == "private, no-cache"
    assert (await served.read("ana", **{"If-None-Match": mine.headers["etag"]})).status_code == 304
    assert (others.status_code, others.json()["type"]) == (404, "urn:problem-type:council:story-not-found")
    assert others.json()["detail"] == "check the story_id: players read the stories that are theirs"
    nowhere = await served.client.get("/api/story/s-9/chapters", headers=user_token("binh"))
    assert {**nowhere.json(), "correlation_id": ""} == {**others.json(), "correlation_id": ""}
    assert (await served.read("ana", query="?why=true")).status_code == 403
    why = master.json()["chapters"][0]["why"]
    assert why["plan"]["schema"] == "council.plan/1"
    assert why["outcome"]["deeds"][0]["action_type"] == "patrol_complete"
    assert {"beats", "context", "deeds", "objections", "world_context"} <= set(why)


async def test_chapters_are_read_in_pages(served: Served) -> None:
    for number in (1, 2, 3):
        await served.post(PLAN, ASKED)
        await served.post(CLOSE.format(number), {"outcome": {}})
    first = await served.read("ana", query="?limit=2")
    rest = await served.client.get(first.links["next"]["url"], headers=user_token("ana"))

    assert [each["chapter"] for each in first.json()["chapters"]] == [1, 2]
    assert [each["chapter"] for each in rest.json()["chapters"]] == [3]
    assert not rest.json()["has_more"]


@pytest.mark.parametrize(
    ("change", "status", "path"),
    [
        ({"hero": None}, 404, None),
        ({"realm_id": "nowhere"}, 422, None),
        ({"chapter": 2}, 409, None),
        ({"hero": {**ASKED["hero"], "place": "atlantis"}}, 422, "/hero/place"),
        ({"hero": {**ASKED["hero"], "name": "<b>"}}, 422, "/hero/name"),
        ({"mood": "grim"}, 422, "/mood"),
    ],
)
async def test_what_cannot_be_told_is_refused_with_its_place_and_fix(
    served: Served, change: dict[str, Any], status: int, path: str | None
) -> None:
    answered = await served.post(PLAN, {**ASKED, **change})

    assert answered.status_code == status, answered.text
    assert answered.headers["content-type"] == "application/problem+json"
    if path is not None:
        (fault,) = answered.json()["faults"]
        assert (fault["path"], bool(fault["fix"])) == (path, True)


@pytest.mark.parametrize(
    ("outcome", "path"),
    [
        ({"deeds": [{**PATROL, "action_type": "patrol"}]}, "/outcome/deeds/0/action_type"),
        ({"deaths": ["somebody"]}, "/outcome/deaths/0"),
        ({"deeds": [{**PATROL, "base_points": 99}]}, "/outcome/deeds/0/base_points"),
        ({"entered": [{"territory_id": "atlantis"}]}, "/outcome/entered/0/territory_id"),
    ],
)
async def test_an_outcome_that_nobody_knows_is_refused_before_anything_is_written(
    served: Served, outcome: dict[str, Any], path: str
) -> None:
    await served.post(PLAN, ASKED)
    answered = await served.post(CLOSE.format(1), {"outcome": outcome})

    assert answered.status_code == 422, answered.text
    assert [fault["path"] for fault in answered.json()["faults"]] == [path]
    assert not (await served.read("ana")).json()["chapters"][0]["is_closed"]


async def test_everything_wrong_with_an_outcome_is_told_at_once(served: Served) -> None:
    """World, plan and cast are three who know: an engine mends all in one go."""
    await served.post(PLAN, ASKED)
    wrong = {
        "deeds": [{**PATROL, "action_type": "patrol", "beat": 8}],
        "deaths": ["nobody-known"],
        "moved": [{"entity_id": "nobody-known", "territory_id": "atlantis"}],
    }
    answered = await served.post(CLOSE.format(1), {"outcome": wrong})

    assert {fault["path"] for fault in answered.json()["faults"]} == {
        "/outcome/deeds/0/action_type",
        "/outcome/deeds/0/beat",
        "/outcome/deaths/0",
        "/outcome/moved/0",
        "/outcome/moved/0/territory_id",
    }


async def test_tags_that_no_rule_reads_are_told_and_a_long_text_is_read(served: Served) -> None:
    """A slip in a tag would be an encounter that never counts, and nobody would know; 20,000 characters are a long evening."""
    await served.post(PLAN, ASKED)
    outcome = {"tags": ["empire_encountr", "duel", "my_own_tag"], "text": "x" * 20_000}
    closed = await served.post(CLOSE.format(1), {"outcome": outcome})

    assert closed.status_code == 200, closed.text
    unread = closed.json()["unread_tags"]
    assert [each["tag"] for each in unread] == ["empire_encountr", "my_own_tag"]
    assert unread[0]["meant"] == "did you mean 'empire_encounter'?"
    assert unread[1]["meant"].startswith("known: captive_rescued, combat, ")


async def test_one_users_chapters_are_limited_and_what_was_told_is_read_at_any_time(served: Served) -> None:
    """20 at once: the 21st new chapter of one user is 429, whatever story it is of; another user's is told (S0-66)."""
    begun = [await served.post(PLAN, {**ASKED, "story_id": f"s-{at}"}) for at in range(20)]
    limited = await served.post(PLAN, {**ASKED, "story_id": "s-20"})
    again = await served.post(PLAN, {**ASKED, "story_id": "s-7"})
    other = await served.post(PLAN, {**ASKED, "story_id": "s-21", "user_id": "binh"})

    assert {each.status_code for each in begun} == {200}
    assert limited.status_code == 429, limited.text
    document = limited.json()
    assert (document["type"], document["limit"]) == ("urn:problem-type:council:rate-limited", "plan")
    assert limited.headers["retry-after"] == str(document["retry_after_s"])
    assert 1 <= document["retry_after_s"] <= 60
    assert again.headers["idempotent-replayed"] == "true"
    assert other.status_code == 200
    metrics = (await served.client.get("/metrics")).text
    assert 'council_rate_limited_total{key="plan"} 1.0' in metrics
    with pytest.raises(UnknownStoryError):
        await served.stories.tale("s-20")


async def test_chapters_are_counted(served: Served) -> None:
    await served.post(PLAN, ASKED)
    await served.post(PLAN, ASKED)
    await served.post(CLOSE.format(1), {"outcome": {"deeds": [PATROL]}})
    metrics = (await served.client.get("/metrics")).text

    assert 'story_chapters_told_total{author="template",language="en"} 1.0' in metrics
    assert 'story_replayed_chapters_total{step="plan"} 1.0' in metrics
    assert 'story_deeds_sent_total{state="accepted"} 2.0' in metrics
    assert "story_planning_duration_seconds_count 1.0" in metrics
