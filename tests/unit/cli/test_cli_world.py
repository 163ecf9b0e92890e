"""`council world`: what people see of a realm, and what scripts read."""

import asyncio
import importlib
import json
import sqlite3
from pathlib import Path

import pytest
from typer.main import get_command

from cli.console import draw
from cli.exits import Exit
from cli.main import main
from cli.render_world import render_status
from cli.render_world_day import render_day
from cli.render_world_events import event_line, event_sentence
from cli.world import COMMANDS
from cli.world_status import status_of
from gateway.settings import read_settings
from tests.unit.cli.golden_files import assert_golden
from tests.unit.world.living_realm import REALM, START, LivingRealm
from world.demo.players import Player
from world.demo.tale import DayReport, Fight, Fired, Heard, Moved, Recap, Round, Tally
from world.persistence.messages import Event
from world.persistence.opening import open_world_store
from world.realm.state import Territory
from world.service.scheduling import TICK_MS


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'world.db'}"


def run(*arguments: str) -> int:
    return main(["world", *arguments])


async def lived(living: LivingRealm) -> None:
    """Let three people of two factions act for six ticks."""
    await living.seed()

    async def play(_: int) -> None:
        await living.ingestion.submit(
            [
                living.act("ana", target_id="contested-borderlands"),
                living.act("binh", "empire", target_id="bleeding-gate"),
                living.act("chi", "veil", target_id="mirror-gate"),
            ]
        )

    await living.ticks(6, play)


def test_a_realm_is_made_once(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("seed", "--database", url) == Exit.GOOD
    assert "realm aelvyndor made from aelvyndor v1: 4 factions, 9 territories" in capsys.readouterr().out
    assert run("seed", "--database", url, "--json") == Exit.GOOD
    again = json.loads(capsys.readouterr().out)
    assert (again["is_new"], again["tick_number"], again["snapshot_id"]) == (False, 0, "snap-0")
    assert run("seed", "--database", url) == Exit.GOOD
    assert capsys.readouterr().out == "realm aelvyndor exists and stands at snap-0; nothing was changed\n"


@pytest.mark.parametrize("name", ["", "bad realm!", "a\nb", "x" * 129])
def test_a_realm_in_which_nobody_could_act_is_not_made(
    url: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An act that names it would not be an impact candidate (S0-32): its realm_id is an id."""
    assert run("seed", "--realm", name, "--database", url, "--json") == Exit.UNJUDGED
    told = json.loads(capsys.readouterr().err)
    assert "cannot be called" in told["error"]
    assert "--realm" in told["fix"]
    assert list(tmp_path.iterdir()) == []


async def test_status_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    living = LivingRealm()
    await lived(living)
    document = await status_of(living.store, read_settings({}), REALM, None, now=START + 6 * TICK_MS + 61_000)
    assert document["next_tick_in_s"] == 839, "14 minutes less a second: 900 - 61"
    draw(*render_status({**document, "hash": "0" * 64}))
    assert_golden("world_status", capsys.readouterr().out)


async def test_a_tick_that_is_late_is_said_to_be_due(capsys: pytest.CaptureFixture[str]) -> None:
    living = LivingRealm()
    await lived(living)
    document = await status_of(living.store, read_settings({}), REALM, None, now=START + 9 * TICK_MS)
    assert document["next_tick_in_s"] == 0
    draw(*render_status(document))
    assert "the next tick is due: council worker runs it" in capsys.readouterr().out


async def test_events_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    living = LivingRealm()
    await lived(living)
    for event in await living.store.events(REALM, user_id="ana"):
        draw(event_line(event))
    assert_golden("world_events", capsys.readouterr().out)


def test_an_event_of_another_version_is_shown_as_it_is() -> None:
    assert event_sentence("comet", {"tail": 3}) == '{"tail":3}'
    assert event_sentence("contributed", {"points": 1}) == '{"points":1}'


def test_text_of_events_cannot_move_the_cursor() -> None:
    event = Event("r", 1, 1, "trigger_fired", json.dumps({"told": "a\x1b[2Jb"}).encode(), None, 0, None)
    assert "\x1b" not in event_line(event).plain


def test_ticks_are_run_listed_and_replayed(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("seed", "--database", url)
    capsys.readouterr()
    assert run("tick", "2", "--database", url) == Exit.GOOD
    drawn = capsys.readouterr().out
    assert "snap-1" in drawn
    assert "snap-2" in drawn
    assert run("tick", "--database", url, "--json") == Exit.GOOD
    wire = json.loads(capsys.readouterr().out)
    assert (wire["tick_number"], wire["snapshot_id"], wire["settled"]) == (3, "snap-3", 0)
    assert run("events", "--database", url, "--json") == Exit.GOOD
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["sequence"], event["kind"]) for event in events] == [(1, "tick"), (2, "tick"), (3, "tick")]
    assert run("events", "--after", "2", "--database", url) == Exit.GOOD
    assert capsys.readouterr().out.count("\n") == 1
    assert run("replay", "--database", url) == Exit.GOOD
    assert f"3 ticks and 0 decisions came out the same, last hash {wire['hash'][:12]}" in capsys.readouterr().out


def test_status_of_a_realm_is_json_for_scripts(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("seed", "--database", url)
    capsys.readouterr()
    assert run("status", "--json", "--database", url) == Exit.GOOD
    found = json.loads(capsys.readouterr().out)
    assert (found["realm_id"], found["tick_number"], len(found["factions"])) == ("aelvyndor", 0, 4)
    assert 0 <= found["next_tick_in_s"] <= 900


def test_a_realm_that_was_tampered_with_is_found(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A meter of tick 2 is changed by hand: the replay names that tick, and exits with 1."""
    run("seed", "--database", url)
    run("tick", "3", "--database", url)
    _tamper(url)
    capsys.readouterr()
    assert run("replay", "--database", url, "--json") == Exit.MISMATCH
    found = json.loads(capsys.readouterr().out)
    assert found["is_same"] is False
    assert found["difference"]["tick_number"] == 2
    assert run("replay", "--database", url) == Exit.MISMATCH
    assert "differs at snap-2 (tick 2)" in capsys.readouterr().out


def test_a_realm_that_is_not_there_is_told_with_those_that_are(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("seed", "--database", url, "--realm", "north")
    run("seed", "--database", url, "--realm", "south")
    for command in ("status", "events", "replay"):
        capsys.readouterr()
        assert run(command, "--database", url, "--realm", "west") == Exit.UNJUDGED
        assert "there is no realm 'west'" in capsys.readouterr().err
        assert run(command, "--database", url) == Exit.UNJUDGED
        assert "name one with --realm: north, south" in capsys.readouterr().err


def test_a_database_that_is_not_there_is_told_with_the_way_to_make_one(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("status", "--database", url) == Exit.UNJUDGED
    assert "'council world seed' makes a world" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_day_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    draw(*render_day(small_day()))
    assert_golden("world_day", capsys.readouterr().out)


def test_a_day_in_which_nothing_happened_is_drawn_too(capsys: pytest.CaptureFixture[str]) -> None:
    draw(*render_day(small_day()._replace(fights=(), moves=(), fired=(), heard=(), recaps=())))
    out = capsys.readouterr().out
    assert "nothing was fought over" in out
    assert "nobody asked" in out


def test_a_day_is_played_with_the_real_council(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("demo", "--ticks", "2", "--seed", "5", "--json") == Exit.GOOD
    found = json.loads(capsys.readouterr().out)
    assert (found["seed"], found["ticks"], len(found["shares"])) == (5, 2, 3)
    assert run("demo", "--ticks", "2", "--seed", "5", "--json") == Exit.GOOD
    assert json.loads(capsys.readouterr().out)["hash"] == found["hash"]


def small_day() -> DayReport:
    """A day of four ticks that was made up, one of everything in it."""
    gate = Territory("gate", "The Gate", "veil", 2, 1_000, (), {"empire": 400_000, "veil": 600_000})
    honest = Player("ana", "casual", "empire", "device-ana", True, None, False)
    bot = Player("hara", "bot", "veil", "device-hara", True, None, True, "a loop of four acts")
    slow = Player("rimir", "bot", "veil", "device-rimir", True, None, True, "the gaps of a person")
    rounds = (Round(2, 5_000, 9_000, False), Round(3, 9_000, 5_000, True))
    vorn = ("canon_lock: broken",)
    return DayReport(
        realm_id="aelvyndor",
        seed=7,
        ticks=4,
        shares=tuple([{"empire": 600_000 - 50_000 * tick, "veil": 400_000 + 50_000 * tick} for tick in range(5)]),
        meters={"chaos": 15_000},
        territories=(gate,),
        first={"gate": gate},
        fights=(
            Fight("gate", "The Gate", "empire", "veil", 1, rounds, 4, "taken"),
            Fight("gate", "The Gate", "veil", "empire", 4, (), None, "undecided"),
        ),
        moves=(Moved(4, "gate", "The Gate", "empire", "veil"), Moved(4, "gate", "The Gate", None, "veil", by_council=True)),
        fired=(Fired(2, "storm", "A storm.", False), Fired(3, "age", "An age begins.", True)),
        heard=(
            Heard(3, "trigger:age", "major_trigger", "An age begins.", None, "approve", (), ("lore: canon holds",), "d-1"),
            Heard(3, "action:a", "sovereign_action", "A call.", "speaker", "quarantine", ("canon_lock",), vorn, "d-2"),
            Heard(4, "event:e", "impact_dispute", "An act", "hara", "reject", (), ("risk: warnings weigh 700 permille",), "d-3"),
        ),
        tallies=(
            Tally(honest, 12, 2, {"accepted": 10}, {}, 0, 90_000, 80_000),
            Tally(bot, 40, 0, {"accepted": 20, "quarantined": 20}, {}, 20, 60_000, 40_000),
            Tally(slow, 30, 0, {"accepted": 30}, {}, 0, 70_000, 60_000),
        ),
        recaps=(Recap("ana", "empire", {"gate": 80_000}, 1),),
        hash="ab" * 32,
    )  # fmt: skip


def _tamper(url: str) -> None:
    path = url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        (state,) = connection.execute("SELECT state FROM world_snapshots WHERE tick_number = 2").fetchone()
        changed = bytes(state).replace(b'"chaos":', b'"chaos":1', 1)
        assert changed != bytes(state)
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')  # they keep everybody out who has less than the file itself
        connection.execute("UPDATE world_snapshots SET state = ? WHERE tick_number = 2", (changed,))
    connection.close()


def test_a_store_in_a_file_holds_what_the_commands_wrote(url: str) -> None:
    run("seed", "--database", url)

    async def realms() -> tuple[str, ...]:
        store = open_world_store(url)
        try:
            return await store.realms()
        finally:
            await store.close()

    assert asyncio.run(realms()) == ("aelvyndor",)


def test_the_list_of_commands_says_what_the_commands_say_of_themselves() -> None:
    for name, command in COMMANDS.items():
        found = get_command(importlib.import_module(command.module).app)
        assert (found.help or "").splitlines()[0] == command.summary, name
