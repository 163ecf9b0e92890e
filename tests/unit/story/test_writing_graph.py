"""The writing of a chapter with a model: who is asked what, what ships, and what happens when models fail (issue 6, point 5)."""

import asyncio
import time
from typing import Any

import pytest

from story.languages import LANGUAGES, Language
from story.service.composing import written
from story.writing.port import Completed, ScribeError, ScribeTask
from story.writing.writer import ModelWriter
from story.writing.written import Written
from tests.unit.story.scripted_scribe import ScriptedScribe, asked, beats_of, draft_by_hand, good, reply

REFUSED = ScribeError("unreachable", "nobody listens there", 500)


async def rewritten(scribe: Any, language: Language = "en", **keys: Any) -> Written:
    return await ModelWriter(scribe, **keys).rewrite(draft_by_hand(language))


def authors(chapter: Written) -> dict[int, str]:
    return {each.beat: each.author for each in chapter.paragraphs}


def is_template(chapter: Written) -> bool:
    template = written(draft_by_hand())
    return chapter.author == "template" and chapter.text().paragraphs == template.paragraphs


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_rewrite_without_fault_ships_after_one_call(language: Language) -> None:
    draft = draft_by_hand(language)
    scribe = ScriptedScribe(reply(good(draft)))
    text = await ModelWriter(scribe).write(draft)

    assert (text.author, beats_of(text), scribe.roles) == ("model", good(draft), ["story_writer"])
    assert (text.title, text.used) == (written(draft).title, written(draft).used)
    assert text.because == ("a model was asked once, at 0.000000001 USD",)


async def test_only_what_is_wrong_is_asked_for_again_with_its_faults_told() -> None:
    draft = draft_by_hand()
    texts = good(draft)
    scribe = ScriptedScribe(reply({**texts, 3: f"{texts[3]} There were 75 of them."}), reply({3: texts[3]}))
    chapter = await ModelWriter(scribe).rewrite(draft)

    assert authors(chapter) == dict.fromkeys((1, 2, 3), "model")
    first, second = [asked(task) for task in scribe.tasks]
    assert [each["beat"] for each in first["beats"]] == [1, 2, 3]
    assert [each["beat"] for each in second["beats"]] == [3]
    assert any("digit" in fault for fault in second["beats"][0]["faults"])


async def test_what_is_wrong_after_two_rewrites_is_the_templates() -> None:
    """S4-67: no numbers. One beat of three falls back; the other two are the model's."""
    draft = draft_by_hand()
    texts = good(draft)
    scribe = ScriptedScribe(reply({**texts, 3: f"{texts[3]} There were 75 of them."}))
    chapter = await ModelWriter(scribe).rewrite(draft)

    assert len(scribe.tasks) == 3
    assert authors(chapter) == {1: "model", 2: "model", 3: "template"}
    assert beats_of(chapter.text())[3] == beats_of(written(draft))[3]


async def test_a_chapter_of_which_most_fell_back_is_the_templates_as_a_whole() -> None:
    draft = draft_by_hand()
    chapter = await ModelWriter(ScriptedScribe(reply({1: good(draft)[1]}))).rewrite(draft)

    assert is_template(chapter)
    assert "too few" in chapter.because[-1]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"beats": null}',
        '{"beats": [1, 2]}',
        '{"beats": [{"beat": 1, "text": "Aran walked',
        '```json\n{"beats": []}\n```',
        "I am sorry, but I cannot help with that.",
        '{"beats": []}',
        '{"beats": [{"beat": true, "text": "x"}]}',
        '{"beats": [{"beat": 1, "text": null}, {"beat": 2}, {"beat": 3, "text": 3}]}',
        '{"beats": [], "verdict": "approve"}',
        '{"beats": [{"beat": 1, "text": "\\ud800"}]}',
        "[" * 5_000,
    ],
)
async def test_nonsense_is_asked_again_twice_and_then_the_template_ships(said: str) -> None:
    scribe = ScriptedScribe(said)
    chapter = await rewritten(scribe)

    assert is_template(chapter)
    assert (len(scribe.tasks), chapter.calls) == (3, 3)


async def test_of_a_reply_that_is_half_right_the_right_half_is_taken() -> None:
    draft = draft_by_hand()
    texts = good(draft)
    twice = reply(texts)[:-2] + ', {"beat": 3, "text": "again"}, {"beat": 9, "text": "nobody asked"}]}'
    chapter = await ModelWriter(ScriptedScribe(twice)).rewrite(draft)

    assert authors(chapter) == {1: "model", 2: "model", 3: "template"}


async def test_a_model_that_fails_is_not_asked_again_and_the_template_ships() -> None:
    scribe = ScriptedScribe(REFUSED)
    chapter = await rewritten(scribe)

    assert is_template(chapter)
    assert (len(scribe.tasks), chapter.picodollars) == (1, 500)
    assert chapter.because == ("round 1: story writer, unreachable: nobody listens there",)


async def test_what_passed_before_a_model_failed_is_kept() -> None:
    draft = draft_by_hand()
    texts = good(draft)
    chapter = await ModelWriter(ScriptedScribe(reply({1: texts[1], 2: texts[2]}), REFUSED)).rewrite(draft)

    assert authors(chapter) == {1: "model", 2: "model", 3: "template"}


async def test_a_slow_model_is_given_up_and_what_had_passed_is_kept() -> None:
    draft = draft_by_hand()
    texts = good(draft)

    class Slow:
        calls = 0

        async def complete(self, task: ScribeTask) -> Completed:
            self.calls += 1
            if self.calls > 1:
                await asyncio.sleep(60)
            return Completed(reply({1: texts[1], 2: texts[2]}))

    chapter = await ModelWriter(Slow(), timeout_s=1).rewrite(draft)

    assert authors(chapter) == {1: "model", 2: "model", 3: "template"}
    assert any("longer than 1 s" in told for told in chapter.because)


async def test_a_model_that_never_answers_costs_its_time_and_no_chapter() -> None:
    class Never:
        async def complete(self, task: ScribeTask) -> Completed:
            await asyncio.sleep(60)
            raise AssertionError

    began = time.monotonic()
    assert is_template(await rewritten(Never(), timeout_s=0.05))
    assert time.monotonic() - began < 10


async def test_whatever_a_scribe_raises_a_chapter_is_told() -> None:
    class Broken:
        async def complete(self, task: ScribeTask) -> Completed:
            raise RuntimeError("a defect")

    chapter = await rewritten(Broken())

    assert is_template(chapter)
    assert chapter.because == ("the writing broke off (RuntimeError)",)


async def test_whoever_gives_up_the_chapter_gives_up_the_model_too() -> None:
    gone = asyncio.Event()

    class Waiting:
        async def complete(self, task: ScribeTask) -> Completed:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                gone.set()
                raise
            raise AssertionError

    task = asyncio.create_task(rewritten(Waiting()))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone.is_set()


async def test_a_critic_who_objects_to_nothing_lets_pass_what_the_lint_passed() -> None:
    draft = draft_by_hand()
    texts = good(draft)
    scribe = ScriptedScribe(reply({**texts, 3: f"{texts[3]} There were 75 of them."}))
    chapter = await ModelWriter(scribe, has_critic=True).rewrite(draft)

    assert authors(chapter) == {1: "model", 2: "model", 3: "template"}
    assert scribe.roles == ["story_writer", "story_critic", "story_writer", "story_writer"]


async def test_a_critic_never_reads_what_the_lint_refused() -> None:
    draft = draft_by_hand()
    texts = good(draft)
    scribe = ScriptedScribe(reply({**texts, 3: f"{texts[3]} There were 75 of them."}))
    await ModelWriter(scribe, has_critic=True).rewrite(draft)

    (task,) = [task for task in scribe.tasks if task.role == "story_critic"]
    assert [each["beat"] for each in asked(task)["beats"]] == [1, 2]


async def test_a_critic_who_objects_to_everything_sends_all_back_until_the_template_ships() -> None:
    objections = ", ".join([f'{{"beat": {beat}, "objection": "sense"}}' for beat in (1, 2, 3)])
    draft = draft_by_hand()
    scribe = ScriptedScribe(reply(good(draft)), critic=f'{{"objections": [{objections}]}}')
    chapter = await ModelWriter(scribe, has_critic=True).rewrite(draft)

    assert is_template(chapter)
    assert scribe.roles == ["story_writer", "story_critic"] * 3
    assert asked(scribe.tasks[2])["beats"][0]["faults"] == ["does not make sense to a reader; write it clearly"]


@pytest.mark.parametrize(
    "critic",
    [REFUSED, "", "all of it is fine", '{"objections": "none"}', '{"objections": [{"beat": 1, "objection": "Vorn!"}]}'],
)
async def test_a_critic_who_cannot_be_heard_has_passed_nothing(critic: Any) -> None:
    """It fails closed: whoever set up a critic wants no text told that it has not read."""
    draft = draft_by_hand()
    assert is_template(
        await ModelWriter(ScriptedScribe(reply(good(draft)), critic=critic), has_critic=True).rewrite(draft)
    )


async def test_nothing_that_a_critic_says_reaches_the_writer_but_the_name_of_its_objection() -> None:
    draft = draft_by_hand()
    said = '{"objections": [{"beat": 3, "objection": "voice"}, {"beat": 77, "objection": "voice"}]}'
    scribe = ScriptedScribe(reply(good(draft)), critic=said)
    await ModelWriter(scribe, has_critic=True).rewrite(draft)

    assert [each["faults"] for each in asked(scribe.tasks[2])["beats"]] == [
        ["falls out of the narrator's voice; write it plainly, as a story"]
    ]
