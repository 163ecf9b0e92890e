"""`council story`: what people read of stories at the command line, and what scripts read."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli.console import draw
from cli.exits import Exit
from cli.main import main
from cli.render_story import render_chapter, render_close, render_list, render_unsent
from cli.render_story_demo import render_story_demo
from cli.render_story_why import render_context, render_quality, render_threat, render_why
from cli.story import COMMANDS
from cli.story_demo import story_of
from cli.story_demo_play import SEED, STORY
from cli.story_quality import quality_document
from cli.story_threat import threat_document
from gateway.story_views import closed_view, planned_view, why_view
from story.context.payload import explained, payload
from story.context.quality import Share, measure
from story.ledger.port import Postponed
from tests.unit.cli.golden_files import assert_golden
from tests.unit.story.told_stories import TellingRealm

PATROL = {"action_type": "patrol_complete", "faction_id": "free_cities", "territory_id": "contested-borderlands"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'world.db'}"


def run(*arguments: str) -> int:
    return main(["story", *arguments])


async def lived() -> tuple[TellingRealm, Any, Any]:
    """Return a realm in which a first chapter was closed, the world moved, and a second one told."""
    realm = await TellingRealm().seed()
    await realm.plan(correlation_id="c-1")
    closed = await realm.close(1, deeds=[PATROL], tags=["empire_encounter"])
    await realm.sender.send()
    await realm.living.ticks(1)
    return realm, closed, await realm.plan(correlation_id="c-2")


async def test_a_chapter_is_drawn_as_a_page_with_its_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    realm, _, second = await lived()
    draw(*render_chapter(planned_view(second.chapter, await realm.stories.tale("s-1"))))
    draw(*render_why(why_view(second.chapter, await realm.stories.deeds("s-1", 1))))

    drawn = capsys.readouterr().out
    assert second.chapter.told.title in drawn
    assert "recap/ana" in drawn
    assert "✓ accepted" in drawn
    assert "council story close s-1" in drawn
    assert max(map(len, drawn.splitlines())) <= 100


async def test_a_close_is_drawn_with_its_recap_and_deeds(capsys: pytest.CaptureFixture[str]) -> None:
    realm, closed, _ = await lived()
    document = closed_view(closed.chapter, await realm.stories.deeds("s-1", 1))
    draw(*render_close({**document, "is_repeat": False}))
    assert_golden("story_close", capsys.readouterr().out)


async def test_what_a_chapter_would_hear_is_drawn_with_what_it_would_not(capsys: pytest.CaptureFixture[str]) -> None:
    realm, _, _ = await lived()
    tale, heard = await realm.teller.context("s-1")
    document = {"story_id": "s-1", "chapter": tale.chapter + 1, **payload(heard)}
    draw(*render_context({**document, "chosen": explained(heard)["chosen"]}))
    draw(*render_context({**document, "why": explained(heard)}))
    assert_golden("story_context", capsys.readouterr().out)


async def test_threats_are_told_in_words_and_numbers_only_when_asked_why(capsys: pytest.CaptureFixture[str]) -> None:
    """S4-67."""
    realm, _, _ = await lived()
    tale = await realm.tale()
    draw(*render_threat(threat_document(tale, is_why=False)))
    told = capsys.readouterr().out
    draw(*render_threat(threat_document(tale, is_why=True)))

    assert "soldiers of the Empire are about" in told
    assert not any(letter.isdigit() for letter in told)
    assert "enforcement intensity" in capsys.readouterr().out


def test_text_of_stories_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"story_id": "a\x1b[2Jb", "hero": "L", "language": "en", "user_id": "u", "realm_id": "r"}
    draw(*render_list([{**row, "chapters_closed": 0, "is_chapter_open": True, "last_title": "\x1b[31m"}]))
    assert "\x1b" not in capsys.readouterr().out


async def test_deeds_that_wait_or_were_given_up_are_listed_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    realm = await TellingRealm().seed()
    for story in ("s-1", "s-2", "s-3"):
        await realm.plan(story)
        await realm.close(1, story, deeds=[PATROL])
    now = realm.living.now
    await realm.stories.postpone([Postponed("s-1", 1, 3, now + 8_000, "it is down")])
    await realm.stories.postpone([Postponed("s-3", 1, 12, None, "given up after 12 tries: it is\x1b[2J gone")])
    rows = [each._asdict() for each in await realm.stories.unsent()]
    draw(*render_unsent(rows, await realm.stories.unsent_deeds(), now))
    drawn = capsys.readouterr().out

    assert "\x1b" not in drawn
    for line in ("given up after 12 tries", "again in 8 s, tried 3 times: it is down", "at the worker's next look"):
        assert line in drawn
    assert drawn.index("† given up") < drawn.index("… pending")
    assert "2 given up, 4 waiting" in drawn


def test_deeds_are_listed_for_scripts_too(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["world", "seed", "--database", url])
    capsys.readouterr()
    assert run("deeds", "--database", url) == Exit.GOOD
    assert "the world has taken every deed" in capsys.readouterr().out
    assert run("deeds", "--database", url, "--json") == Exit.GOOD
    assert capsys.readouterr().out == ""


def test_quality_passes_and_says_its_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(worlds=2, players=2, chapters=4)
    draw(*render_quality(found))
    drawn = capsys.readouterr().out
    document = quality_document(found)

    assert "recall" in drawn
    assert set(document["noise"]) == {"hits", "of", "low", "high", "estimate", "below"}
    draw(*render_quality(found._replace(recall=Share(1, 2, 0.1, 0.9))))
    assert "✗ " in capsys.readouterr().out


def test_a_missed_target_exits_with_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(worlds=1, players=1, chapters=2)._replace(noise=Share(1, 2, 0.1, 0.9))
    monkeypatch.setattr("cli.story_quality.measure", lambda **_: found)
    assert run("quality", "--json") == Exit.MISMATCH
    assert json.loads(capsys.readouterr().out)["passes"] is False


def test_a_story_is_told_closed_listed_and_read_again(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["world", "seed", "--database", url])
    begun = ("tale", "--hero", "Linh", "--faction", "free_cities", "--archetype", "seeker", "--database", url, "--json")
    capsys.readouterr()
    assert run("plan", *begun) == Exit.GOOD
    first = json.loads(capsys.readouterr().out)
    assert run("plan", *begun) == Exit.GOOD
    assert json.loads(capsys.readouterr().out) == {**first, "is_repeat": True}
    done = ("tale", "--deed", "patrol_complete:free_cities:contested-borderlands", "--database", url)
    assert run("close", *done, "--json") == Exit.GOOD
    closed = json.loads(capsys.readouterr().out)
    assert [each["state"] for each in closed["deeds"]] == ["accepted", "accepted"]
    assert closed["correlation_id"] == first["correlation_id"]
    assert run("list", "--database", url, "--json") == Exit.GOOD
    row = json.loads(capsys.readouterr().out)
    assert (row["story_id"], row["hero"], row["chapters_closed"], row["is_chapter_open"]) == ("tale", "Linh", 1, False)
    assert run("chapter", "tale", "--database", url) == Exit.GOOD
    assert first["title"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("chapter", "nothing"), "council story plan nothing --hero NAME begins it"),
        (("threat", "nothing"), "there is no story 'nothing'"),
        (("close", "nothing", "--deed", "a:b:c:d"), "is not ACT[:FACTION[:TERRITORY]][@BEAT]"),
        (("close", "nothing", "--deed", "a", "--outcome", "-"), "--outcome and single options are both given"),
        (("close", "nothing", "--deed", "a@9"), "--deed 'a@9', beat: input should be less than or equal to 8"),
        (("close", "nothing", "--deed", "a", "--tag", "b c"), "--tag 'b c': holds characters"),
        (("plan", "new", "--hero", "L1nh"), "--hero: not a name"),
        (("plan", "new", "--hero", "Linh", "--language", "fr"), "--language: not one of the known values; use one of"),
        (
            ("plan", "new", "--hero", "Linh", "--place", "far-wild"),
            "--place: not one of the known values; did you mean",
        ),
        (
            ("plan", "new", "--hero", "Linh", "--archetype", "wizard"),
            "--archetype: not one of the known values; known:",
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_way_out(
    url: str, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    main(["world", "seed", "--database", url])
    assert run(*arguments, "--database", url) == Exit.UNJUDGED
    assert told in capsys.readouterr().err


def test_what_is_wrong_with_a_close_is_told_by_option_or_by_its_place_in_the_file(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["world", "seed", "--database", url])
    run("plan", "tale", "--hero", "Linh", "--database", url)
    capsys.readouterr()
    assert run("close", "tale", "--deed", "nope", "--to", "here", "--database", url) == Exit.UNJUDGED
    told = capsys.readouterr().err
    assert "--deed 'nope', action: no such act" in told
    assert "--to: no such territory" in told
    file = tmp_path / "outcome.json"
    file.write_text('{"deeds": [{"action_type": "nope"}]}')
    assert run("close", "tale", "--outcome", str(file), "--database", url) == Exit.UNJUDGED
    assert "  /deeds/0/action_type: no such act" in capsys.readouterr().err
    assert run("close", "tale", "--tag", "empire_encountr", "--database", url) == Exit.GOOD
    assert "no rule reads the tag 'empire_encountr'; did you mean 'empire_encounter'?" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_each_command_says_of_itself(name: str) -> None:
    command = get_command(importlib.import_module(COMMANDS[name].module).app)
    assert (command.help or "").split("\n")[0] == COMMANDS[name].summary


def test_the_demo_tells_one_story_with_the_verdicts_that_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    played = story_of("en", SEED, None)
    draw(*render_story_demo(played))
    drawn = capsys.readouterr().out
    chapters = played.document()["chapters"]
    cited = [each["why"]["plan"]["verdicts_cited"] for each in chapters]

    assert [each["chapter"] for each in chapters] == [1, 2, 3]
    assert [len(each) for each in cited] == [0, 1, 1]
    assert {each["state"] for chapter in chapters for each in chapter["why"]["deeds"]} == {"accepted"}
    assert "✓ approve" in drawn
    assert "✗ reject" in drawn
    assert STORY not in drawn
    assert story_of("en", SEED, None) == played
