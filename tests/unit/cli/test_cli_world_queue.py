"""`council world queue` and `council world dead-letters`, as people and programs read them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from cli.main import main
from cli.render_world_queue import render_letter, render_letters, render_queue
from council.ledger.opening import migrate
from tests.unit.cli.golden_files import assert_golden
from tests.unit.world.living_realm import REALM, LivingRealm
from world.bus.opening import open_bus
from world.bus.port import Bus, BusConfigError, DeadLetter, Message, Terms
from world.influence.judging import Judged
from world.persistence.acts import NewRow
from world.persistence.opening import open_world_store
from world.service.expiry import PATIENCE

NOW = 1_772_359_200_000
LETTER = DeadLetter(
    "7",
    "analytics",
    Message("world-41", "territory_changed", REALM, b'{"to":"free_cities","from":null}', "c-9", f"{REALM}/12"),
    5,
    "KeyError: 'territory_id'",
    NOW,
)


def _drawn(*parts: Any) -> str:
    console = Console(width=100, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return "\n".join(line.rstrip() for line in captured.get().split("\n"))


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'council.db'}"
    migrate(url)
    return url


def _letters(database: str, count: int) -> None:
    """Let a consumer fail on so many messages."""

    async def fail() -> None:
        bus = open_bus(None, database, Terms(max_tries=1))

        async def handler(message: Message) -> None:
            raise KeyError(message.message_id)

        consumer = await bus.subscribe("analytics", (), handler, consumer="a-1")
        await bus.publish([Message(f"world-{number}", "tick", REALM, b"{}") for number in range(count)], NOW)
        await consumer.step()
        await bus.close()

    asyncio.run(fail())


def _waiting(database: str) -> int:
    """Return how many messages a consumer that has learned takes now."""

    async def take() -> int:
        bus: Bus = open_bus(None, database)

        async def handler(_: Message) -> None:
            return None

        taken = await (await bus.subscribe("analytics", (), handler, consumer="a-2")).step()
        await bus.close()
        return taken

    return asyncio.run(take())


def test_a_queue_is_drawn_with_what_made_each_act_stand_out() -> None:
    act = {
        "sequence": 41, "event_id": "e-41", "user_id": "mallory\x1b[31m", "action_type": "faction_quest_complete",
        "faction_id": "free_cities", "territory_id": None, "is_against": False, "state": "quarantined", "because": "",
        "points": 2.5, "anomaly": {"score": 912, "terms": {"velocity": 880, "timing": 40, "replays": 3, "score": 912}},
        "tick_number": 4, "received_at": "2026-03-01T10:00:00.000Z", "correlation_id": None,
    }  # fmt: skip
    question = {
        "question_id": "trigger-age_of_iron-4", "subject": "trigger:age_of_iron", "decision_type": "major_trigger",
        "summary": "The Age of Iron begins", "state": "open", "tick_number": 4, "decision_id": None, "correlation_id": None,
    }  # fmt: skip
    reviewed = {
        **act,
        "sequence": 42,
        "user_id": "bo",
        "state": "in_review",
        "because": "asked the council",
        "points": None,
    }
    document = {
        "realm_id": REALM, "acts": [act, reviewed], "questions": [question], "more_acts": True, "more_questions": False,
    }  # fmt: skip
    assert_golden("world_queue", _drawn(*render_queue(document)))


def test_dead_letters_are_drawn_as_a_list_and_whole() -> None:
    assert_golden("world_dead_letters", _drawn(render_letters([LETTER]), *render_letter(LETTER)))


def test_a_payload_that_is_no_json_is_shown_with_its_control_characters_written_out() -> None:
    broken = LETTER._replace(message=LETTER.message._replace(payload=b"oops \x1b[31m\xff"))
    assert "oops \\x1b[31m\\xff" in _drawn(*render_letter(broken))


def test_a_queue_names_the_acts_that_wait(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'council.db'}"
    migrate(url)

    async def live() -> None:
        store = open_world_store(url)
        realm = LivingRealm(store)
        await realm.seed()
        for _ in range(40):  # a bot: the same act every second
            await realm.ingestion.submit([realm.act(user="bot")])
            realm.now += 1_000
        await store.close()

    asyncio.run(live())
    assert main(["world", "queue", "--database", url, "--limit", "3", "--json"]) == 0
    document = orjson.loads(capsys.readouterr().out)
    assert document["realm_id"] == REALM
    assert len(document["acts"]) == 3
    assert document["more_acts"] is True
    assert {act["user_id"] for act in document["acts"]} == {"bot"}
    assert main(["world", "queue", "--database", url, "--state", "in_reveiw"]) == 2
    assert "in_review" in capsys.readouterr().err


def _quarantined(database: str, events: Sequence[str]) -> None:
    """Make a realm with one act in review, and behind it acts in quarantine."""

    async def live() -> None:
        store = open_world_store(database)
        realm = LivingRealm(store)
        await realm.seed()
        for _ in range(60):
            realm.now += 1_000
            (taken,) = await realm.ingestion.submit([realm.act("bot")])
            if taken.row.state == "in_review":
                break
        judged = Judged("quarantined", taken.row.score, "far-wilds", False, 812, {"velocity": 812})
        for event_id in events:
            act = realm.act("bot", target_id="far-wilds")
            body = orjson.dumps({**act.model_dump(mode="json", exclude_none=True), "event_id": event_id})
            row = NewRow(
                REALM, event_id, body, "bot", None, None, "free_cities", act.action_type, "quest", judged, realm.now,
                realm.now, 0, None,
            )  # fmt: skip
            await store.submit([row], {})
        await store.close()

    asyncio.run(live())


def _queued(database: str, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["world", "queue", *arguments, "--database", database, "--json"]) == 0
    return orjson.loads(capsys.readouterr().out)


def test_a_held_act_is_ruled_on_once_by_name(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """S18, K17: as over HTTP, and the same word again changes nothing."""
    _quarantined(database, ["q-1", "q-2"])
    said = ["--by", "mira", "--because", "seen in the replay", "--database", database]
    assert main(["world", "queue", "rule", "q-1", "release", *said]) == 0
    assert capsys.readouterr().out == (
        "✓ q-1, bot's faction_quest_complete: released by mira (terminal): seen in the replay\n"
    )
    number = str(_queued(database, capsys, "--state", "quarantined")["acts"][0]["sequence"])
    rejected = [_queued(database, capsys, "rule", named, "reject", *said[:4]) for named in (number, "q-2")]
    assert [(each["event_id"], each["state"]) for each in rejected] == [("q-2", "rejected")] * 2
    assert rejected[0] == rejected[1], "the same ruling again is the act as it stands"
    assert _queued(database, capsys, "--state", "quarantined")["acts"] == []


def test_who_was_first_is_told_and_the_code_is_1(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    _quarantined(database, ["q-1"])
    rule = ["world", "queue", "rule", "q-1", "--because", "seen", "--database", database]
    assert main([*rule, "reject", "--by", "mira"]) == 0
    capsys.readouterr()
    assert main([*rule, "release", "--by", "tomas"]) == 1
    told = capsys.readouterr()
    assert (told.out, "the act 'q-1' is rejected: rejected by mira (terminal): seen" in told.err) == ("", True)
    assert main([*rule, "release", "--by", "tomas", "--json"]) == 1
    assert orjson.loads(capsys.readouterr().out)["because"] == "rejected by mira (terminal): seen"


def test_an_act_that_is_named_by_what_may_mean_another_is_not_ruled_on(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _quarantined(database, ["q-1", "1", "987654321"])
    said = ["release", "--by", "mira", "--because", "seen", "--database", database]
    assert main(["world", "queue", "rule", "1", *said]) == 2
    assert "'1' is the event id of one act and the number of another" in capsys.readouterr().err
    assert main(["world", "queue", "rule", "987654321", *said]) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["q-9", "release"], "no act 'q-9' stands in the realm's ledger"),
        (["9" * 40, "release"], "stands in the realm's ledger"),
        (["a b", "release"], "EVENT 'a b' is no id"),
        (["q-1", "accept"], "unknown ruling 'accept'"),
        (["q-1", "release", "--by", "a b"], "--by 'a b' is no id"),
        (["q-1", "release", "--because", "two\nlines"], "--because is no line of text"),
        (["q-1", "release", "--realm", "nowhere"], "there is no realm 'nowhere'"),
    ],
)
def test_rulings_that_cannot_be_say_what_to_do(
    database: str, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    _quarantined(database, ["q-1"])
    said = ["--by", "mira", "--because", "seen"]
    assert main(["world", "queue", "rule", *said, *arguments, "--database", database]) == 2
    complaint = capsys.readouterr().err
    assert told in complaint
    assert len(complaint.splitlines()) > 1, "what to do stands below"
    assert [each["state"] for each in _queued(database, capsys, "--state", "quarantined")["acts"]] == ["quarantined"]


def test_an_act_in_review_is_the_councils(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    _quarantined(database, [])
    (act,) = _queued(database, capsys)["acts"]
    rule = ["world", "queue", "rule", act["event_id"], "release", "--by", "m", "--because", "x", "--database", database]
    assert main(rule) == 2
    assert "the council decides about the act" in capsys.readouterr().err


def test_an_act_that_expired_is_listed_and_its_appeal_granted(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _quarantined(database, [])

    async def wait() -> None:
        store = open_world_store(database)
        await LivingRealm(store).ticks(PATIENCE + 1)
        await store.close()

    asyncio.run(wait())
    assert main(["world", "queue", "--state", "expired", "--database", database]) == 0
    assert "1 act open to appeal" in capsys.readouterr().out
    (act,) = _queued(database, capsys, "--state", "expired")["acts"]
    released = _queued(database, capsys, "rule", act["event_id"], "release", "--by", "mira", "--because", "a festival")
    assert released["state"] == "accepted"
    assert _queued(database, capsys, "list", "--state", "expired")["acts"] == []


def test_dead_letters_are_listed_shown_and_sent_again(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    _letters(database, 2)
    assert main(["world", "dead-letters", "--database", database, "--json"]) == 0
    listed = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["message_id"] for each in listed] == ["world-0", "world-1"]
    assert main(["world", "dead-letters", "show", listed[0]["letter_id"], "--database", database, "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out) == {**listed[0], "payload": {}}
    assert (
        main(["world", "dead-letters", "resend", listed[0]["letter_id"], "99", "--database", database, "--json"]) == 1
    )
    assert orjson.loads(capsys.readouterr().out) == {"sent": [listed[0]["letter_id"]], "missing": ["99"]}
    assert main(["world", "dead-letters", "resend", "--all", "--database", database]) == 0
    assert "1 message sent again" in capsys.readouterr().out
    assert _waiting(database) == 2
    assert main(["world", "dead-letters", "--database", database]) == 0
    captured = capsys.readouterr()
    assert (captured.out, "no dead letters" in captured.err) == ("", True)


def test_a_world_that_no_worker_has_run_has_no_dead_letters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'fresh.db'}"
    assert main(["world", "seed", "--database", url]) == 0
    capsys.readouterr()
    assert main(["world", "dead-letters", "--database", url]) == 0
    assert "no dead letters" in capsys.readouterr().err


def test_bad_uses_say_what_to_do(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        (["resend"], "name dead letters, or say --all"),
        (["resend", "1", "--all"], "name dead letters, or say --all"),
        (["show", "1"], "there is no dead letter '1'"),
        (["list", "--bus", "ftp://x"], "the scheme 'ftp' is not known"),
        (["list", "--bus", "redis://127.0.0.1:1"], "Redis does not answer"),
    ):
        assert main(["world", "dead-letters", *arguments, "--database", database]) == 2
        assert said in capsys.readouterr().err
    missing = tmp_path / "missing.db"
    assert main(["world", "dead-letters", "--database", f"sqlite:///{missing}"]) == 2
    assert not missing.exists()


@pytest.mark.parametrize("url", ["ftp://x", "redis://", "nats", "redis://host:port/x"])
def test_a_bus_url_that_cannot_be_used_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(BusConfigError, match="COUNCIL_BUS_URL") as refused:
        open_bus(url, "memory://")
    assert "host:port" not in str(refused.value)
