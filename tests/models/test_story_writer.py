"""The writer of stories over real HTTP: a server that somebody else wrote, one that breaks on request, and cassettes."""

import json
import time
from pathlib import Path

import pytest

from agents.models.cassette_file import read_cassette
from agents.models.cassettes import Cassette
from story.prose.composing import Paragraph
from story.prose.lint import lint
from story.service.composing import Text, written
from tests.models.aimock_server import Aimock
from tests.models.faulty_world import FaultyWorld
from tests.models.story_rooms import draft, writer_at

NOWHERE = "http://127.0.0.1:9/v1"


def passes_the_lint(text: Text) -> bool:
    chapter = draft()
    paragraphs = [Paragraph(*each) for each in text.paragraphs]
    found = lint(
        paragraphs, language="en", plan=chapter.plan, tale=chapter.tale, locks=chapter.locks, names=chapter.names
    )
    return found == ()


def is_template(text: Text) -> bool:
    return (text.author, text.paragraphs) == ("template", written(draft()).paragraphs)


async def test_a_model_behind_aimock_writes_what_passes_and_the_template_the_rest(aimock: Aimock) -> None:
    """Beat 2 holds a number and drops its locked sentence in all three rounds; the hero's name never left the house."""
    async with writer_at(aimock.base_url, "story@writer", "story@critic") as writer:
        text = await writer.write(draft())
    told = dict(text.paragraphs)

    assert text.author == "model"
    assert told[1].startswith(
        "Aran came back to Grand Gate City with the last of the light, and nobody there looked up."
    )
    assert told[3].endswith("it would do until somebody knocked.")
    assert [each for each in text.paragraphs if each[0] == 2] == [
        each for each in written(draft()).paragraphs if each[0] == 2
    ]
    assert passes_the_lint(text)
    bodies = [call["body"] for call in aimock.calls]
    assert [body["model"] for body in bodies] == ["story@writer", "story@critic", "story@writer", "story@writer"]
    assert bodies[0]["response_format"]["json_schema"]["name"] == "answer"
    assert not any("Aran" in json.dumps(body["messages"]) for body in bodies)


@pytest.mark.parametrize(
    ("mode", "calls"),
    [
        ("500", 2),
        ("429quota", 1),
        ("401", 1),
        ("429long", 1),
        ("refusal", 1),
        ("content_filter", 1),
        ("trunc_content", 2),
        ("200html", 2),
        ("empty_body", 2),
        ("tool_call", 1),
        ("huge", 1),
        # Replies that are of another form are asked for again by the writing itself, three times in all.
        ("ok", 3),
        ("fenced", 3),
        ("half_character", 3),
        ("deep", 3),
    ],
)
async def test_however_a_server_breaks_the_template_ships(mode: str, calls: int, faulty: FaultyWorld) -> None:
    async with writer_at(faulty.base_url, mode) as writer:
        text = await writer.write(draft())

    assert is_template(text)
    assert len(faulty.calls) == calls, text.because


async def test_a_server_that_is_down_costs_no_chapter() -> None:
    async with writer_at(NOWHERE, "any") as writer:
        text = await writer.write(draft())

    assert is_template(text)
    assert "unreachable" in text.because[0]


async def test_a_slow_server_costs_the_time_limit_and_no_more(faulty: FaultyWorld) -> None:
    """One wall clock over the whole writing, rewrites and retries included."""
    async with writer_at(faulty.base_url, "ok") as writer:
        await writer.write(draft())  # loads the client's library
    async with writer_at(faulty.base_url, "drip", timeout_s=0.5) as writer:
        began = time.monotonic()
        text = await writer.write(draft())

    assert is_template(text)
    assert time.monotonic() - began < 3
    assert await faulty.settles(lambda world: world.busy == 0), "the call was given up at the server too"


async def test_a_limit_that_passes_is_waited_for(faulty: FaultyWorld) -> None:
    """L3: the 429 is retried when its Retry-After is over; the votes that come then are no chapter, three times."""
    async with writer_at(faulty.base_url, "window:1") as writer:
        text = await writer.write(draft())

    assert is_template(text)
    assert len(faulty.calls) == 1 + 3
    assert [told for told in text.because if "not an object" in told]


async def test_a_recorded_chapter_is_written_again_without_a_server_to_the_same_bytes(
    aimock: Aimock, tmp_path: Path
) -> None:
    tape = tmp_path / "story.jsonl"
    recording = Cassette.recording(tape)
    async with writer_at(aimock.base_url, "story@writer", "story@critic", around=recording.around) as writer:
        recorded = await writer.write(draft())
    recording.close()
    calls = len(aimock.calls)
    replaying = Cassette.replaying(tape)
    async with writer_at(aimock.base_url, "story@writer", "story@critic", around=replaying.around) as writer:
        replayed = await writer.write(draft())

    assert recorded.author == "model"
    assert replayed == recorded
    assert (len(aimock.calls), replaying.misses, replaying.unused) == (calls, 0, ())
    keys = [each.key for each in read_cassette(tape) if each.key is not None]
    assert [(key.member, key.round) for key in keys] == [
        ("story_writer", 1),
        ("story_critic", 1),
        ("story_writer", 2),
        ("story_writer", 3),
    ]


async def test_what_is_not_on_the_cassette_is_never_asked_for(aimock: Aimock, tmp_path: Path) -> None:
    tape = tmp_path / "empty.jsonl"
    Cassette.recording(tape).close()
    replaying = Cassette.replaying(tape)
    async with writer_at(aimock.base_url, "story@writer", around=replaying.around) as writer:
        text = await writer.write(draft())

    assert is_template(text)
    assert (aimock.calls, replaying.misses) == ([], 1)
