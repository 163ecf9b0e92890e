"""Threat pressure over every state there is (S4-49 to S4-54, S4-72), and the block that models read (S4-58)."""

import re
from collections import Counter
from itertools import product

import pytest

from story.languages import LANGUAGES, Language
from story.threat.environment import PRESSURES, ThreatEnvironment
from story.threat.pressure import compute_threat_pressure, shown_tone, tone
from story.threat.prompt_block import prompt_block

BLOCK_OF_THE_DOCUMENT = """## WORLD STATE:
- Threat pressure: siege
- Empire: Watcher đã kích hoạt — player đang bị theo dõi
- Empire: Enforcement cường độ CAO (75/100) — encounter bất kỳ lúc nào
- Enforcement kiểu Vorn: không nói, chỉ tiến — warrior-grade, direct assault
- Tower: BẤT ỔN CAO (65/100) — layout thay đổi, dead-ends xuất hiện
- Outer: Identity Echo hiện diện — bóng hình giống player, dialogue fragments"""
"""004 §VIII with the pressure that its numbers come to."""
AT_ITS_WORST = ThreatEnvironment(
    general_zone_affiliation="vorn",
    watcher_active=True,
    enforcement_intensity=75,
    tower_instability=65,
    identity_echo_present=True,
)


def test_the_whole_truth_table_comes_out_as_measured() -> None:
    # 8 sets of flags x 101 intensities x 101 instabilities; the counts are domain.md's (C12), found with the seed's own function.
    flags = product((False, True), repeat=3)
    counted = Counter(
        compute_threat_pressure(
            ThreatEnvironment(
                watcher_active=watched,
                lieutenant_unit_deployed=deployed,
                world_anomaly_active=odd,
                enforcement_intensity=intensity,
                tower_instability=instability,
            )
        )
        for watched, deployed, odd in flags
        for intensity in range(101)
        for instability in range(101)
    )

    assert counted == {"anomalous": 40_804, "siege": 26_664, "contested": 9_340, "observed": 3_600, "calm": 1_200}
    assert counted.total() == 81_608


@pytest.mark.parametrize(
    ("state", "pressure"),
    [
        (ThreatEnvironment(), "calm"),
        (ThreatEnvironment(tower_instability=29), "calm"),
        (ThreatEnvironment(tower_instability=30), "observed"),
        (ThreatEnvironment(watcher_active=True), "observed"),
        (ThreatEnvironment(enforcement_intensity=39), "calm"),
        (ThreatEnvironment(enforcement_intensity=40), "contested"),
        (ThreatEnvironment(tower_instability=60), "contested"),
        (ThreatEnvironment(enforcement_intensity=69), "contested"),
        (ThreatEnvironment(enforcement_intensity=70), "siege"),
        (ThreatEnvironment(lieutenant_unit_deployed=True), "siege"),
        (ThreatEnvironment(lieutenant_unit_deployed=True, world_anomaly_active=True), "anomalous"),
    ],
)
def test_each_line_of_the_function_holds_at_its_border(state: ThreatEnvironment, pressure: str) -> None:
    assert compute_threat_pressure(state) == pressure


def test_the_block_is_the_documents_character_for_character() -> None:
    assert prompt_block(AT_ITS_WORST, "vi") == BLOCK_OF_THE_DOCUMENT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_lines_with_the_same_numbers(language: Language) -> None:
    block = prompt_block(AT_ITS_WORST, language).splitlines()

    assert len(block) == 7
    assert block[:2] == ["## WORLD STATE:", "- Threat pressure: siege"]
    assert [number for number in ("75", "65") if any(f"({number}/100)" in line for line in block)] == ["75", "65"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_calm_world_is_one_line(language: Language) -> None:
    assert prompt_block(ThreatEnvironment(), language) == "## WORLD STATE:\n- Threat pressure: calm"


@pytest.mark.parametrize(
    ("intensity", "word"),
    [(1, "THẤP"), (39, "THẤP"), (40, "TRUNG BÌNH"), (69, "TRUNG BÌNH"), (70, "CAO"), (100, "CAO")],
)
def test_the_word_for_the_intensity_turns_where_the_pressure_does(intensity: int, word: str) -> None:
    block = prompt_block(ThreatEnvironment(enforcement_intensity=intensity), "vi")

    assert f"- Empire: Enforcement cường độ {word} ({intensity}/100)" in block


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pressure_has_a_tone_of_its_own(language: Language) -> None:
    assert len({tone(pressure, language) for pressure in PRESSURES}) == len(PRESSURES)


def test_a_reader_is_told_the_tone_in_the_language_of_the_story() -> None:
    """The document's own Vietnamese stays for models (004 §VI); none of its English words is shown to a reader."""
    english = re.compile(
        r"\b(?:npc|world|detail|subtle|warning|encounter|possible|safe|zone|reality|unreliable|behave|empire)\b"
    )
    assert english.search(tone("observed", "vi"))
    assert [each for each in PRESSURES if english.search(shown_tone(each, "vi").lower())] == []
    assert len({shown_tone(each, "vi") for each in PRESSURES}) == len(PRESSURES)
    for language in ("en", "es"):
        assert [shown_tone(each, language) for each in PRESSURES] == [tone(each, language) for each in PRESSURES]
