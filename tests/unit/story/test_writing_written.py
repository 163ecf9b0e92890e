"""A chapter put together from two hands: the lint looks once more, over the whole (issue 6, point 5)."""

import pytest

from story.service.composing import written
from story.writing.written import Written, assembled
from tests.unit.story.scripted_scribe import beats_of, draft_by_hand, good


def put_together(**beats: str) -> tuple[dict[int, str], list[str]]:
    """Return who wrote each beat where a model's good texts have these in place of some, and what was said of it."""
    draft = draft_by_hand()
    texts = {**good(draft), **{int(beat.removeprefix("beat_")): text for beat, text in beats.items()}}
    paragraphs, because = assembled(draft, written(draft), texts)
    return {each.beat: each.author for each in paragraphs}, because


def test_good_texts_are_put_together_in_the_plans_order() -> None:
    authors, because = put_together()
    assert (list(authors), set(authors.values()), because) == ([1, 2, 3], {"model"}, [])


@pytest.mark.parametrize(
    "bad", ["General Vorn walked in.", "There were 75 of them.", "Beorn said nothing.", "**Aran**."]
)
def test_a_text_that_was_passed_by_mistake_is_still_taken_back(bad: str) -> None:
    """Two walls: what the guards should have refused does not pass the lint over the whole."""
    authors, because = put_together(beat_3=f"{good(draft_by_hand())[3]} {bad}")
    assert authors == {1: "model", 2: "model", 3: "template"}
    assert because[0].startswith("beat 3: ")


def test_a_fault_of_the_whole_takes_all_of_it_back() -> None:
    """Beat 2 without its territory: nobody can say which paragraph should have held it."""
    authors, because = put_together(beat_2="Nothing was different, and nobody spoke of it in the street. " * 4)
    assert set(authors.values()) == {"template"}
    assert because


def test_a_sentence_that_two_beats_say_stands_once() -> None:
    draft = draft_by_hand()
    again = good(draft)[3].split(". ")[1] + "."
    authors, because = put_together(beat_1=f"{good(draft)[1]} {again}")
    assert authors[3] == "template" or authors[1] == "template"
    assert "repeats" in because[0]


def test_beats_that_the_template_wrote_keep_their_bytes() -> None:
    draft = draft_by_hand()
    template = written(draft)
    paragraphs, _ = assembled(draft, template, {1: good(draft)[1], 3: good(draft)[3]})
    chapter = Written(template.title, paragraphs, template.used, ())
    assert chapter.author == "model"
    assert beats_of(chapter.text())[2] == beats_of(template)[2]
