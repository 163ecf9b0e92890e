"""Encounters are counted by tags, and by keywords where no tag names one (S4-26, C12)."""

import pytest

from story.threat.encounters import empire_encounters
from story.threat.environment import ChapterEvents


@pytest.mark.parametrize(
    "text",
    [
        "An imperial patrol blocked the road at dusk.",
        "At the bridge the Empire’s soldiers surrounded us.",
        "Two enforcers stopped Maren at the gate.",
        "Lính tuần tra chặn đường ở cầu đá.",
        "Quân Đế Chế bao vây quán trọ lúc nửa đêm.",
        "Iron Oath closed in from three streets.",
    ],
)
def test_a_meeting_with_the_empire_is_found_in_either_language(text: str) -> None:
    assert empire_encounters(ChapterEvents(text=text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The market closed early, and patrols were doubled.",
        "No imperial patrol stopped us that night.",
        "Không có lính tuần tra nào chặn đường.",
        "The wind attacked the shutters.",
        "An imperial patrol went by on the far side of the river.",
        "Maren stopped at the well, and the children fought over a ball.",
    ],
)
def test_signs_denials_and_other_quarrels_are_no_encounter(text: str) -> None:
    assert empire_encounters(ChapterEvents(text=text)) == 0


def test_a_paragraph_is_one_scene_however_long_its_fight() -> None:
    fight = "Imperial soldiers attacked. The imperial soldiers charged again, and imperial soldiers struck the door."

    assert empire_encounters(ChapterEvents(text=fight)) == 1
    assert empire_encounters(ChapterEvents(text=f"{fight}\n\n{fight}")) == 2


def test_tags_come_first_and_silence_the_keywords() -> None:
    text = "Imperial soldiers attacked."

    assert empire_encounters(ChapterEvents(tags=("empire_encounter:vorn", "empire_encounter"), text=text)) == 2
    assert empire_encounters(ChapterEvents(tags=("captive_rescued",), text=text)) == 1


def test_letters_composed_in_two_ways_are_the_same() -> None:
    decomposed = "Lính tuần tra chặn đường."

    assert empire_encounters(ChapterEvents(text=decomposed)) == 1
