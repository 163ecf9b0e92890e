"""What clients read: the same for everybody, more for the caller alone, and nothing hidden for players."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.world_conditional import has_tag, tag_of
from policies.contracts.reading import validate_request
from tests.unit.gateway.scripted import caller
from tests.unit.gateway.world_served import SUMMARY, ServedWorld, service_token, user_token
from tests.unit.world.living_realm import REALM, LivingRealm, ScriptedCouncil
from world.errors import StoreUnavailableError
from world.feed.frames import Audience, event_frame
from world.influence.judging import Judged
from world.persistence.acts import NewRow
from world.persistence.memory import MemoryStore
from world.persistence.messages import Question
from world.persistence.port import Advance, Snapshot
from world.realm.applying import revised
from world.realm.snapshots import world_snapshot
from world.service.realms import snapshot_of

AT = f"/api/world/{REALM}"


@pytest.fixture
async def served(tmp_path: Path) -> ServedWorld:
    """A realm of six ticks in which two players were busy."""
    world = ServedWorld(tmp_path)
    living = world.living
    await living.seed()

    async def play(_: int) -> None:
        await living.ingestion.submit(
            [living.act("ana", target_id="far-wilds"), living.act("binh", "empire", target_id="far-wilds")]
        )

    await living.ticks(6, play)
    return world


async def _get(world: ServedWorld, path: str, headers: dict[str, str] | None = None) -> Any:
    async with caller(world.app) as client:
        return await client.get(path, headers=headers or {})


async def test_two_clients_read_the_same_realm(served: ServedWorld) -> None:
    """S0-108."""
    one, other = await _get(served, SUMMARY), await _get(served, SUMMARY)

    assert one.content == other.content
    assert one.headers["etag"] == other.headers["etag"]
    assert (one.json()["tick_number"], one.json()["snapshot_id"]) == (6, "snap-6")
    assert one.headers["cache-control"] == "public, no-cache"
    assert one.headers["vary"] == "Authorization"


async def test_shares_are_told_with_their_change_per_tick_and_per_hour(served: ServedWorld) -> None:
    """A tick is 900 s, so an hour is four of them: the changes of the last four ticks sum up to the hour's."""
    factions = (await _get(served, f"{AT}/factions")).json()["factions"]
    ticks = (await _get(served, f"{AT}/history")).json()["ticks"]

    assert sum(each["share"] for each in factions) == pytest.approx(100)
    assert [each["rank"] for each in factions] == [1, 2, 3, 4]
    for each in factions:
        told = [tick["factions"][each["faction_id"]] for tick in ticks]
        assert each["share"] == told[6]["share"]
        assert each["change_per_tick"] == told[6]["change_per_tick"]
        assert each["change_per_hour"] == pytest.approx(told[6]["share"] - told[2]["share"], abs=1e-9)
        assert each["change_per_hour"] == pytest.approx(sum(one["change_per_tick"] for one in told[3:]), abs=1e-9)
        assert told[0]["change_per_tick"] is None
        assert told[3]["change_per_hour"] is None, "a realm of three ticks is younger than an hour"


async def test_a_players_contribution_is_in_the_players_summary_alone(served: ServedWorld) -> None:
    """S0-79, S0-109."""
    public = (await _get(served, SUMMARY)).json()
    mine = await _get(served, SUMMARY, user_token("ana"))
    own = (await _get(served, f"{AT}/contribution/me", user_token("ana"))).json()

    assert "you" not in public
    assert mine.json()["you"]["total_points"] > 0
    assert [each["faction_id"] for each in mine.json()["you"]["factions"]] == ["free_cities"]
    assert mine.headers["cache-control"] == "private, no-cache"
    assert own["total_points"] == mine.json()["you"]["total_points"]
    assert own["total_points"] == pytest.approx(sum(each["points"] for each in own["acts"]))
    assert {each["state"] for each in own["acts"]} == {"accepted"}


async def test_ones_own_part_needs_a_token(served: ServedWorld) -> None:
    for headers in ({}, {"Authorization": "Bearer nobody"}, user_token("ana", realm="realm-2")):
        assert (await _get(served, f"{AT}/contribution/me", headers)).status_code in (401, 403)
    # A token that is sent and not good is refused where none would do: the caller is told, and not shown another world.
    assert (await _get(served, SUMMARY, {"Authorization": "Bearer nobody"})).status_code == 401


async def test_what_is_held_is_for_game_masters(served: ServedWorld) -> None:
    """Players see neither anomaly terms nor other players' ids nor held cases."""
    await _hold(served, "ana", "quarantined")
    await _hold(served, "ana", "in_review")
    paths = (SUMMARY, f"{AT}/factions", f"{AT}/territories", f"{AT}/events", f"{AT}/history", f"{AT}/contribution/me")
    texts = [(await _get(served, path, user_token("ana"))).text for path in paths]
    master = (await _get(served, SUMMARY, user_token("gm", "game_master"))).json()
    acts = orjson.loads(texts[-1])["acts"]

    assert master["held"] == {"in_review": 1, "quarantined": 1, "questions": 0}
    for text in texts:
        for hidden in ("binh", "anomaly", "velocity", "quarantined", "in_review", '"held":{'):
            assert hidden not in text
    assert [each["state"] for each in acts if each["event_id"].startswith("held")] == ["pending", "pending"]


async def test_verdicts_over_single_acts_are_shown_alike_wherever_verdicts_are_read(served: ServedWorld) -> None:
    """One rule for summary, events, history and feed: a dispute over an act is for game masters, a conquest is for everybody."""
    for subject, kind in (("event:e-1", "impact_dispute"), ("", "impact_dispute"), ("move:a", "impact_dispute")):
        await _decided(served, subject, kind)
    audiences = [(user_token("gm", "game_master"), 3), (user_token("binh"), 1), ({}, 1)]
    for headers, count in audiences:
        summary = (await _get(served, SUMMARY, headers)).json()
        events = (await _get(served, f"{AT}/events?limit=500", headers)).json()["events"]
        history = await _get(served, f"{AT}/history?from=6&to=6", headers)
        seen = [each["decision_id"] for each in summary["verdicts"]][::-1]
        told = [each["payload"]["decision_id"] for each in events if each["kind"] == "decision_applied"]

        assert seen == told == [each["decision_id"] for each in history.json()["ticks"][0]["decisions"]]
        assert len(seen) == count
        assert history.headers["cache-control"].startswith("private" if count == 3 else "public")
    feed = [
        event_frame(each) for each in await served.living.store.all_events(REALM) if each.kind == "decision_applied"
    ]
    assert [[Audience("binh", sees).may_see(each) for each in feed] for sees in (True, False)] == [
        [True, True, True],
        [False, False, True],
    ]


async def test_a_summary_tells_the_realms_verdicts_behind_any_number_over_single_acts(served: ServedWorld) -> None:
    """A bot that is held sixty times in a row must not leave everybody without the realm's own verdicts."""
    await _decided(served, "move:a", "impact_dispute")
    for _ in range(60):
        await _decided(served, "event:e-1", "impact_dispute")
    told = (await _get(served, SUMMARY)).json()["verdicts"]
    masters = (await _get(served, SUMMARY, user_token("gm", "game_master"))).json()["verdicts"]

    assert len(told) == 1
    assert len(masters) == 5
    assert told[0]["sequence"] < masters[-1]["sequence"]


async def test_pages_of_events_join_over_those_that_are_hidden(served: ServedWorld) -> None:
    for _ in range(3):
        await _decided(served, "event:e-1", "impact_dispute")
    await served.living.ticks(1)
    whole = (await _get(served, f"{AT}/events?limit=500")).json()["events"]
    found: list[Any] = []
    after, has_more = 0, True
    while has_more:
        page = (await _get(served, f"{AT}/events?limit=2&after={after}")).json()
        found, after, has_more = [*found, *page["events"]], page["next"], page["has_more"]

    assert found == whole
    assert "decision_applied" not in {each["kind"] for each in found}
    assert after == await served.living.store.last_sequence(REALM)


async def test_what_is_no_decision_is_none_of_the_historys(served: ServedWorld) -> None:
    """A sovereign action's steps are revisions too, and no verdict."""
    realm = await served.living.realms.current(REALM)
    step = revised(realm, realm)
    proposed = snapshot_of(step, orjson.dumps({"made_by": "proposal", "proposal": {}}), served.living.now)
    await served.living.store.advance(Advance(REALM, realm.snapshot_id, proposed), None, served.living.now)

    for headers in ({}, user_token("gm", "game_master")):
        assert (await _get(served, f"{AT}/history?from=6&to=6", headers)).json()["ticks"][0]["decisions"] == []


async def test_events_are_in_one_order_and_personal_ones_reach_their_player(served: ServedWorld) -> None:
    """S0-108: two clients see the same changes in the same order; a player's own stand among them, in the same sequence."""
    everybody = (await _get(served, f"{AT}/events?limit=500")).json()["events"]
    ana, binh = [
        (await _get(served, f"{AT}/events?limit=500", user_token(user))).json()["events"] for user in ("ana", "binh")
    ]
    public = [each["sequence"] for each in everybody]

    assert public == sorted(public)
    for seen in (ana, binh):
        assert [each["sequence"] for each in seen if not each["is_personal"]] == public
        assert sum(each["is_personal"] for each in seen) == 6
    assert not {each["sequence"] for each in ana if each["is_personal"]} & {
        each["sequence"] for each in binh if each["is_personal"]
    }


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_pages_of_events_join_without_gap_or_repeat(served: ServedWorld, limit: int) -> None:
    whole = (await _get(served, f"{AT}/events?limit=500", user_token("ana"))).json()["events"]
    found, url = [], f"{AT}/events?limit={limit}"
    while url:
        page = await _get(served, url, user_token("ana"))
        found += page.json()["events"]
        link = page.headers.get("link", "")
        assert bool(link) == page.json()["has_more"]
        url = link.removeprefix("<").split(">")[0]
    assert found == whole


@pytest.mark.parametrize("tick", [0, 1, 3, 6, 7, 99])
@pytest.mark.parametrize("user", [None, "ana"])
async def test_events_since_a_tick_are_exactly_those(served: ServedWorld, tick: int, user: str | None) -> None:
    headers = user_token(user) if user else {}
    whole = (await _get(served, f"{AT}/events?limit=500", headers)).json()["events"]
    found = (await _get(served, f"{AT}/events?since_tick={tick}&limit=500", headers)).json()["events"]

    assert found == [each for each in whole if each["tick_number"] >= tick]


async def test_what_a_caller_has_is_not_sent_again(served: ServedWorld) -> None:
    """RFC 9110: the tag is strong, and compared weakly for If-None-Match, as a compressing proxy makes it weak."""
    for path in (SUMMARY, f"{AT}/factions", f"{AT}/territories", f"{AT}/events", f"{AT}/history"):
        tag = (await _get(served, path)).headers["etag"]
        for sent in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            held = await _get(served, path, {"If-None-Match": sent})
            assert (held.status_code, held.content, held.headers["etag"]) == (304, b"", tag)
        assert (await _get(served, path, {"If-None-Match": '"x"'})).status_code == 200
    before = (await _get(served, SUMMARY)).headers["etag"]
    await served.living.ticks(1)
    assert (await _get(served, SUMMARY, {"If-None-Match": before})).status_code == 200


async def test_a_tag_is_of_what_its_reader_sees(served: ServedWorld) -> None:
    public = (await _get(served, SUMMARY)).headers["etag"]
    answered = await _get(served, SUMMARY, {**user_token("ana"), "If-None-Match": public})

    assert answered.status_code == 200
    assert public.startswith(f'"{(await _get(served, SUMMARY)).json()["hash"][:16]}-')


async def test_what_is_closed_may_be_kept_for_ever_and_what_runs_may_not(served: ServedWorld) -> None:
    closed = await _get(served, f"{AT}/history?from=1&to=5")
    running = await _get(served, f"{AT}/history?from=1&to=6")
    full = await _get(served, f"{AT}/events?limit=2")

    assert "immutable" in closed.headers["cache-control"]
    assert "immutable" in full.headers["cache-control"]
    assert running.headers["cache-control"] == "public, no-cache"
    await served.living.ticks(1)
    assert (await _get(served, f"{AT}/history?from=1&to=5")).content == closed.content
    assert (await _get(served, f"{AT}/events?limit=2")).content == full.content


async def test_history_is_paged_by_ticks(served: ServedWorld) -> None:
    whole = (await _get(served, f"{AT}/history?from=0&to=6")).json()["ticks"]
    found, url = [], f"{AT}/history?from=0&to=6&limit=2"
    while url:
        page = await _get(served, url)
        found += page.json()["ticks"]
        url = page.headers.get("link", "").removeprefix("<").split(">")[0]
    latest = (await _get(served, f"{AT}/history?limit=2")).json()["ticks"]

    assert [each["tick_number"] for each in whole] == [0, 1, 2, 3, 4, 5, 6]
    assert found == whole
    assert [each["tick_number"] for each in latest] == [5, 6]
    assert (await _get(served, f"{AT}/history?from=90")).json()["ticks"] == []


async def test_territories_are_paged_by_id(served: ServedWorld) -> None:
    whole = (await _get(served, f"{AT}/territories")).json()["territories"]
    first = await _get(served, f"{AT}/territories?limit=4")
    rest = await _get(served, first.headers["link"].removeprefix("<").split(">")[0])

    assert len(whole) == 9
    assert first.json()["territories"] == whole[:4]
    assert rest.json()["territories"] == whole[4:8]


@pytest.mark.parametrize(
    "query",
    ["events?limit=0", "events?limit=501", "events?after=-1", "events?after=1&since_tick=1", "events?x=1",
     "history?from=5&to=2", "history?limit=97", "territories?after=a%20b", "contribution/me?after=x"],
)  # fmt: skip
async def test_a_question_that_cannot_be_is_refused(served: ServedWorld, query: str) -> None:
    answered = await _get(served, f"{AT}/{query}", user_token("ana"))

    assert (answered.status_code, answered.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("path", ["summary", "factions", "territories", "events", "history", "contribution/me"])
async def test_a_realm_that_is_not_there_is_404(served: ServedWorld, path: str) -> None:
    answered = await _get(served, f"/api/world/nowhere/{path}", user_token("ana"))

    assert (answered.status_code, answered.json()["type"]) == (404, "urn:problem-type:council:realm-not-found")


@pytest.mark.parametrize("path", ["summary", "events", "history"])
async def test_a_store_that_is_away_is_503_and_says_when_to_come_back(tmp_path: Path, path: str) -> None:
    """reliability.md, S2: nothing of the call was committed, and nothing of the database is told."""
    living = LivingRealm(AwayStore())
    answered = await _get(ServedWorld(tmp_path, living), f"{AT}/{path}")

    assert (answered.status_code, answered.headers["retry-after"]) == (503, "3")
    assert "secret-host" not in answered.text


class AwayStore(MemoryStore):
    """A store whose database is away."""

    async def latest(self, realm_id: str) -> Snapshot:
        raise StoreUnavailableError("secret-host does not answer", retry_after_s=3)

    async def last_sequence(self, realm_id: str) -> int:
        raise StoreUnavailableError("secret-host does not answer", retry_after_s=3)

    async def events(self, *args: Any, **keys: Any) -> Any:
        raise StoreUnavailableError("secret-host does not answer", retry_after_s=3)


def test_a_tag_changes_with_the_bytes_and_with_the_snapshot() -> None:
    tags = {tag_of(b"a"), tag_of(b"b"), tag_of(b"a", "f" * 64), tag_of(b"a", "e" * 64)}

    assert len(tags) == 4
    assert all(has_tag(tag, tag) and has_tag(f"W/{tag}", tag) for tag in tags)
    assert not has_tag('"', '"a"')


async def test_a_service_token_is_no_users(served: ServedWorld) -> None:
    assert (await _get(served, f"{AT}/contribution/me", service_token("sim-1", "sim"))).status_code == 401


@pytest.mark.parametrize(
    ("path", "field", "fix"),
    [
        ("events?after=x", "/after", "send a whole number"),
        ("events?limit=0", "/limit", "send a value within the bound"),
        ("events?befor=3", "/befor", "remove it, or correct its name"),
        ("events?after=1&since_tick=2", "/since_tick", "send one of the two"),
        ("history?limit=1000", "/limit", "send a value within the bound"),
        ("history?from=5&to=2", "/from", "send the earlier tick first"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named_with_its_fix(
    served: ServedWorld, path: str, field: str, fix: str
) -> None:
    (fault,) = (await _get(served, f"{AT}/{path}")).json()["faults"]

    assert (fault["path"], fault["fix"]) == (field, fix)


async def _decided(world: ServedWorld, subject: str, decision_type: str) -> None:
    """Let the council say about a subject: nothing of it happens."""
    realm = await world.living.realms.current(REALM)
    request = validate_request(
        {
            "decision_type": decision_type,
            "realm_id": REALM,
            "proposed_change": {
                "summary": "s", "effects": [{"op": "meter_delta", "meter": "tension", "amount": 1}],
            },
            "world_snapshot": world_snapshot(realm),
        }
    )  # fmt: skip
    key = f"q-{realm.snapshot_id}"
    answer = (await ScriptedCouncil("reject").review(request, request_key=key)).answer
    question = Question(REALM, key, subject, b"{}", "answered", 6, None, None, None) if subject else None
    await world.living.verdicts.apply_decision(request, answer, question)


async def _hold(world: ServedWorld, user: str, state: Any) -> None:
    act = world.living.act(user, target_id="far-wilds")
    judged = Judged(state, None, "far-wilds", False, 600, {"velocity": 600, "score": 600})
    row = NewRow(
        REALM, f"held-{state[:2]}", orjson.dumps(act.model_dump(mode="json", exclude_none=True)), user, None, None,
        "free_cities", act.action_type, "quest", judged, world.living.now, world.living.now, 6, None,
    )  # fmt: skip
    await world.living.store.submit([row], {})
