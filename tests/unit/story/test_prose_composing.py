"""The composer: every id in words, deterministic, near its length, telling what must be told (C11, C12; S4-22 to S4-25)."""

import re
from pathlib import Path

import pytest

from policies.faults import InvalidInputError
from policies.policy_faults import InvalidPolicyError
from story.languages import LANGUAGES, Language
from story.prose.composing import compose
from story.prose.grammar import slots_in
from story.prose.grammar_document import grammar_of, load_grammar
from story.prose.lexicon_document import lexicon_of, load_lexicon
from story.prose.telling import tellings
from tests.unit.story.plans_by_hand import POOLS, STORYLETS, beat_by_hand, plan_by_hand, random_plan, tale_by_hand
from world.realm.rules_document import default_world_path, load_world

WORLD = load_world(default_world_path())
DATA = Path(__file__).parents[3] / "story" / "data"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_id_is_without_words(language: Language) -> None:
    sections = lexicon_of(language).sections
    pools = {
        "wants": POOLS.wants, "needs": POOLS.needs, "wounds": POOLS.wounds, "questions": POOLS.questions,
        "promises": POOLS.promises, "things": POOLS.things, "roles": POOLS.roles, "archetypes": POOLS.archetypes,
        "directions": POOLS.directions, "reasons": POOLS.reasons, "units": POOLS.units,
        "stakes": [each for question in POOLS.questions.values() for each in question.stakes],
        "echoes": [each for group in POOLS.archetypes.values() for each in group],
        "signs": [each for group in POOLS.signs.values() for each in group], "people": POOLS.styles,
        "territories": WORLD.seed.territories, "factions": WORLD.seed.factions,
        "triggers": [each.trigger_id for each in WORLD.rules.triggers], "campaigns": WORLD.rules.sovereign.kinds,
    }  # fmt: skip
    assert {
        name: sorted(set(ids) - set(sections[name])) for name, ids in pools.items() if set(ids) - set(sections[name])
    } == {}
    assert {subject for subject, _ in WORLD.seed.facts} - set(sections["people"]) <= {"grand-gate-city"}
    assert {"kaen", "sira", "thol", "veiled-will"} <= set(sections["people"])


def test_every_lexicon_has_the_same_ids() -> None:
    ids = [
        {(section, name) for section, words in lexicon_of(each).sections.items() for name in words}
        for each in LANGUAGES
    ]
    assert ids[0] == ids[1] == ids[2]


@pytest.mark.parametrize("language", ["vi", "es"])
def test_no_english_is_left_in_the_other_languages(language: Language) -> None:
    english = re.compile(
        r"\b(?:the|of|and|who|what|with|was|were|they|their|from|nobody|where|said|there)\b", re.IGNORECASE
    )
    for kind in ("lexicon", "grammar"):
        lines = (DATA / kind / f"{language}.yaml").read_text("utf-8").splitlines()
        written = [re.sub(r"\{[^{}]*\}|^\s*[\w\"*-]+:( \|)?", "", line) for line in lines if not line.startswith("#")]
        assert [line for line in written if english.search(line)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_storylet_has_a_text_that_names_only_its_slots(language: Language) -> None:
    texts = grammar_of(language).storylets
    assert set(texts) == {*STORYLETS, "trigger_waiting"}
    for name, text in texts.items():
        rule = STORYLETS["trigger_felt" if name == "trigger_waiting" else name]
        known = {*rule.slots, "hero", "place"}
        lines = [line for block in (text.open, text.middle, text.end, *text.tell.values()) for line in block]
        assert [line for line in lines if not slots_in(line) <= known] == [], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_openings_endings_and_tellings_have_four_alternatives(language: Language) -> None:
    for name, text in grammar_of(language).storylets.items():
        assert min(len(block) for block in (text.open, text.end, *text.tell.values())) >= 4, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_chapters_are_near_their_length_and_say_no_sentence_twice(language: Language) -> None:
    for seed in range(100):
        plan, tale = random_plan(seed, language)
        composed = compose(plan, tale, lexicon_of(language))
        assert len(set(composed.used)) == len(composed.used)
        for beat in plan.beats:
            words = sum(len(each.text.split()) for each in composed.paragraphs if each.beat == beat.number)
            assert beat.words * 55 <= words * 100 <= beat.words * 140, (seed, beat.number)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_has_double_spaces_open_holes_or_small_beginnings(language: Language) -> None:
    for seed in range(100):
        plan, tale = random_plan(seed, language)
        for each in compose(plan, tale, lexicon_of(language)).paragraphs:
            assert not re.search(r"  |[{}\[\]|]| [,.;:!?]|,[,.]|\bde el\b|\ba el\b|\ban? [aeiou]?\b$", each.text), (
                each.text
            )
            assert not re.search(r"^[“«¿]*[a-záéíóúñđ]|[.!?] [“«¿]*[a-záéíóúñđ]", each.text), each.text
            assert each.text[-1] in ".!?”»", each.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_inputs_make_the_same_bytes_and_another_seed_another_text(language: Language) -> None:
    plan, tale = random_plan(3, language)
    lexicon = lexicon_of(language)
    assert compose(plan, tale, lexicon) == compose(plan, tale, lexicon)
    assert compose(plan, tale, lexicon) != compose(plan._replace(seed=4), tale, lexicon)


def test_a_change_in_one_beat_shifts_no_other() -> None:
    """K13: the last beat's words change, and the first two beats keep every letter."""
    tale = tale_by_hand()
    beats = [
        beat_by_hand(1, "clue_found", tale, thing="a-copper-key", question="who-burned-the-archive"),
        beat_by_hand(2, "witness_speaks", tale, npc="maren", question="who-burned-the-archive"),
        beat_by_hand(3, "ranking_told", tale, faction="veil", direction="rises"),
    ]
    before = compose(plan_by_hand(tale, *beats), tale, lexicon_of("en"))
    other = beat_by_hand(3, "trigger_felt", tale, trigger="relic_storm", phase="fired")
    after = compose(plan_by_hand(tale, *beats[:2], other), tale, lexicon_of("en"))
    kept = [[each for each in text.paragraphs if each.beat < 3] for text in (before, after)]
    assert kept[0] == kept[1]
    assert before != after


def test_what_the_last_chapters_said_is_avoided() -> None:
    tale = tale_by_hand()
    plan = plan_by_hand(tale, beat_by_hand(1, "quiet_hour", tale, question="who-burned-the-archive"))
    first = compose(plan, tale, lexicon_of("en"))
    second = compose(plan, tale, lexicon_of("en"), avoid=first.used)
    assert not {each for each in first.used if ".open" in each} & {*second.used}


STYLES = (
    ("vorn", "Họ không nói. Họ chỉ tiến."), ("kha", "Không ai nhớ khuôn mặt họ."),
    ("mireth", "Họ đã không còn hoàn toàn là người."), ("azen", "Lời mời nghe như mệnh lệnh."),
)  # fmt: skip


@pytest.mark.parametrize(("style", "line"), STYLES)
def test_the_taxonomys_own_lines_stand_in_vietnamese(style: str, line: str) -> None:
    """Rows S4-22 to S4-25."""
    tale = tale_by_hand("vi")
    plan = plan_by_hand(tale, beat_by_hand(1, "patrol_met", tale, style=style))
    assert line in " ".join(each.text for each in compose(plan, tale, lexicon_of("vi")).paragraphs)


def test_the_towers_line_and_the_signs_stand_in_the_vietnamese_grammar() -> None:
    """Rows S4-68 and S4-71."""
    written = (DATA / "grammar" / "vi.yaml").read_text("utf-8")
    for line in (
        "Tower không dẫn ai đến đích. Tower chỉ phản chiếu người đang đi.", "Không có số. Chỉ có thế giới.",
        "Khu chợ đóng cửa sớm, lính tuần tra nhiều hơn.", "Đồng hồ trên tháp đánh ngược.",
        "Một bóng hình giống mình ngồi ở góc tối, nhìn không lại.",
    ):  # fmt: skip
        assert line in written


def test_every_condition_of_a_verdict_is_told() -> None:
    tale = tale_by_hand()
    slots = {
        "subject": "far-wilds",
        "faction": "empire",
        "condition": "lowered:faction_delta",
        "condition_2": "dropped:canon_assert",
    }
    plan = plan_by_hand(tale, beat_by_hand(1, "verdict_modified", tale, **slots))
    text = " ".join(each.text for each in compose(plan, tale, lexicon_of("en")).paragraphs)
    for kind in ("bounded", "dropped"):
        assert any(mark in text for mark in lexicon_of("en").sections["conditions"][kind].marks), kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_the_asked_itself_is_withheld_nothing_says_that_it_may_be_had(language: Language) -> None:
    """What was bounded beside it is no news: a reader would take it for a part of what was asked."""
    tale = tale_by_hand(language)
    slots = {
        "subject": "far-wilds",
        "faction": "veil",
        "condition": "raised:meter_delta",
        "condition_2": "withheld:territory_transfer",
        "condition_3": "lowered:faction_delta",
    }
    beat = beat_by_hand(1, "verdict_modified", tale, **slots)
    text = grammar_of(language).storylets["verdict_modified"]
    assert tellings(beat, text, {}) == (text.tell["withheld"],)


def test_a_trigger_that_waits_for_the_council_is_not_told_as_come() -> None:
    tale = tale_by_hand()
    for seed in range(30):
        plan = plan_by_hand(
            tale, beat_by_hand(1, "trigger_felt", tale, trigger="age_of_iron", phase="waiting"), seed=seed
        )
        text = " ".join(each.text for each in compose(plan, tale, lexicon_of("en")).paragraphs)
        assert "Age of Iron had begun" not in text


def test_an_id_without_words_is_named_with_its_file() -> None:
    tale = tale_by_hand()
    plan = plan_by_hand(
        tale, beat_by_hand(1, "clue_found", tale, thing="a-copper-kee", question="who-burned-the-archive")
    )
    with pytest.raises(InvalidInputError, match=r"lexicon/en\.yaml under things; did you mean 'a-copper-key'"):
        compose(plan, tale, lexicon_of("en"))


def test_a_place_of_another_world_is_named_without_the_marks_of_an_id() -> None:
    tale = tale_by_hand()
    beat = beat_by_hand(1, "control_changed", tale, territory="salt_marsh-east", controller="empire", former="nobody")
    text = " ".join(each.text for each in compose(plan_by_hand(tale, beat), tale, lexicon_of("en")).paragraphs)
    assert "Salt Marsh East" in text
    assert "_" not in text


def test_a_grammar_that_is_wrong_is_refused_with_every_fault(tmp_path: Path) -> None:
    text = (DATA / "grammar" / "en.yaml").read_text("utf-8")
    text = text.replace("{thing.a} lay where", "{thnig.a} lay where", 1).replace(
        "{hero} put it away", "{hero.nam} put it [away", 1
    )
    path = tmp_path / "en.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidPolicyError) as raised:
        load_grammar(path)
    assert [fault.key for fault in raised.value.faults] == ["storylets.clue_found.open", "storylets.clue_found.end"]


def test_a_lexicon_that_is_wrong_is_refused_with_every_fault(tmp_path: Path) -> None:
    text = (DATA / "lexicon" / "es.yaml").read_text("utf-8")
    text = text.replace("text: llave de cobre, gender: f", "text: llave de cobre, gender: x", 1).replace(
        ", at: en, gender: f", ", gender: f", 1
    )
    path = tmp_path / "es.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidPolicyError) as raised:
        load_lexicon(path)
    assert {fault.key for fault in raised.value.faults} == {"territories.grand-gate-city", "things.a-copper-key.gender"}
