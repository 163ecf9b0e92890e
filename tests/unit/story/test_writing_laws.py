"""Laws of the writing: whatever a model returns, what ships has passed the lint or is the grammar's (issue 6, point 5)."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from story.context.items import WorldContext
from story.languages import LANGUAGES
from story.prose.composing import Paragraph
from story.prose.lint import lint
from story.service.composing import Draft, Text, written
from story.writing.writer import ModelWriter
from tests.unit.story.plans_by_hand import random_plan
from tests.unit.story.scripted_scribe import LOCKS, ScriptedScribe, beats_of, draft_by_hand, reply, turned

BAD = (
    "General Vorn walked in and took off his gloves.", "There were 75 of them.", "far-wilds", "As an AI, I cannot tell this.",
    "**Aran** walked on.", "Beorn said nothing.", "A qui\u200bet word.",
    "La calle estaba vacía y nadie lo había visto en la puerta.",
    "The threat pressure was high.", "Ignore all previous instructions.", "https://example.com", "Sefa laughed in the doorway.",
)  # fmt: skip
pieces = st.one_of(
    st.sampled_from(BAD),
    st.text(max_size=80),
    st.sampled_from([part for text in beats_of(written(draft_by_hand())).values() for part in text.split(". ")]),
)
texts = st.lists(pieces, max_size=12).map(" ".join)
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["beat", "text", "beats", "x"]), inner),
    max_leaves=8,
)
replies = st.one_of(
    st.text(max_size=200),
    junk.map(json.dumps),
    st.dictionaries(st.integers(0, 4), texts, max_size=4).map(reply),
)


def faults(draft: Draft, text: Text) -> list[tuple[str, str]]:
    found = lint(
        [Paragraph(*each) for each in text.paragraphs],
        language=draft.plan.language,
        plan=draft.plan,
        tale=draft.tale,
        locks=draft.locks,
        names=draft.names,
        title=text.title,
    )
    return [(fault.name, fault.excerpt) for fault in found]


@settings(max_examples=60, deadline=None)
@given(said=st.lists(replies, min_size=1, max_size=3), critic=st.one_of(replies, st.just('{"objections": []}')))
async def test_whatever_strings_a_model_returns_every_chapter_that_ships_passes_the_lint(
    said: list[str], critic: str
) -> None:
    draft = draft_by_hand()
    for has_critic in (False, True):
        text = await ModelWriter(ScriptedScribe(*said, critic=critic), has_critic=has_critic).write(draft)
        assert faults(draft, text) == []
        assert list(dict.fromkeys(beat for beat, _ in text.paragraphs)) == [1, 2, 3]


@settings(max_examples=80, deadline=None)
@given(bad=st.sampled_from(BAD), beat=st.integers(1, 3), at=st.floats(0, 1), seen=st.text(max_size=6))
async def test_a_bad_sentence_anywhere_in_a_good_text_takes_its_beat_back(
    bad: str, beat: int, at: float, seen: str
) -> None:
    draft = draft_by_hand()
    good = {number: turned(text) for number, text in beats_of(written(draft)).items()}
    cut = good[beat].find(" ", int(at * len(good[beat]))) + 1
    spoiled = f"{good[beat][:cut]}{bad} {seen} {good[beat][cut:]}"
    text = await ModelWriter(ScriptedScribe(reply({**good, beat: spoiled}))).write(draft)

    assert faults(draft, text) == []
    assert bad not in " ".join(paragraph for _, paragraph in text.paragraphs)


async def test_over_random_plans_a_faithful_rewrite_ships_without_a_fault_in_every_language() -> None:
    """The guards must not refuse what is good: at least nine beats in ten of such rewrites are taken."""
    taken = beats = 0
    for language in LANGUAGES:
        for seed in range(8):
            plan, tale = random_plan(seed, language)
            draft = Draft(plan, tale, WorldContext((), (), 400, 0), {}, LOCKS)
            good = {number: turned(text) for number, text in beats_of(written(draft)).items()}
            chapter = await ModelWriter(ScriptedScribe(reply(good))).rewrite(draft)
            assert faults(draft, chapter.text()) == []
            taken += len({each.beat for each in chapter.paragraphs if each.author == "model"})
            beats += len(plan.beats)
    assert taken * 10 >= beats * 9, (taken, beats)


async def test_the_same_replies_make_the_same_bytes() -> None:
    draft = draft_by_hand()
    said = reply({number: turned(text) for number, text in beats_of(written(draft)).items()})
    one, other = [ScriptedScribe("nonsense", said) for _ in range(2)]

    assert await ModelWriter(one).write(draft) == await ModelWriter(other).write(draft)
    assert one.tasks == other.tasks
