"""Which line is said: what the last chapters said waits, and what denies a neighbour is not said (C11); y and o in Spanish."""

import re
from functools import cache
from pathlib import Path

import pytest

from policies.draws import Draws
from policies.policy_faults import InvalidPolicyError
from story.languages import LANGUAGES, Language
from story.prose.choosing import Sayer
from story.prose.composing import compose
from story.prose.grammar import CHOICE, Claims, Grammar, exclude, lasting
from story.prose.grammar_document import CLAIMED, grammar_of, load_grammar
from story.prose.lexicon_document import lexicon_of
from story.prose.naming import Names
from story.prose.sentences import sentence, tidy
from story.prose.telling import text_of
from story.prose.words import Word
from story.service.composing import REMEMBERED
from tests.unit.story.planner_tales import chapters
from tests.unit.story.plans_by_hand import beat_by_hand, plan_by_hand, random_plan, tale_by_hand

GRAMMAR = Path(__file__).parents[3] / "story" / "data" / "grammar" / "en.yaml"
LINES = ("one", "two", "three", "four")


def sayer(avoid: tuple[str, ...] = (), claims: dict[str, Claims] | None = None) -> Sayer:
    return Sayer("en", Draws(1), Names(lexicon_of("en"), Draws(1)), avoid, claims or {})


def test_what_was_said_is_said_again_only_where_nothing_else_is_left_and_the_oldest_first() -> None:
    found = sayer(avoid=("b/2", "b/0", "b/3", "b/2"))
    said = []
    while (at := found.pick("b", LINES, {}, (), "key")) is not None:
        said.append(at)
        found.take("b", LINES, at)
    assert said == [1, 0, 3, 2]


def test_what_may_be_left_out_is_never_said_again() -> None:
    assert sayer(avoid=("b/0", "b/1", "b/2", "b/3")).pick("b", LINES, {}, (), "key", need="may") is None


def test_a_line_gives_way_to_what_it_denies_in_this_beat_and_the_one_before() -> None:
    claims = {"one": frozenset({"+sleep"}), "two": frozenset({"-sleep"})}
    found = sayer(claims=claims)
    found.begin(frozenset())
    found.take("b", LINES, 0)
    for _ in range(2):
        assert found.pick("c", ("two", "three"), {}, (), "key") == 1
        assert found.pick("c", ("two",), {}, (), "key", need="may") is None
        found.begin(frozenset())
    assert found.pick("c", ("two",), {}, (), "key", need="may") == 0


def _claims_in(text: str, grammar: Grammar) -> set[str]:
    """Return what the lines that stand in a text take for granted: whichever of them has its longest fixed part there."""
    lowered = text.lower()
    return {each for line, claims in grammar.claims.items() if _longest_part(line) in lowered for each in claims}


@cache
def _longest_part(line: str) -> str:
    return max(re.split(r"\{[^{}]*\}", CHOICE.sub("{x}", line)), key=len).strip().lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_denies_what_stands_beside_it(language: Language) -> None:
    grammar, seen = grammar_of(language), 0
    for seed in range(80):
        plan, tale = random_plan(seed, language)
        composed = compose(plan, tale, lexicon_of(language))
        says = [text_of(beat, grammar).says for beat in plan.beats]
        said = [
            _claims_in(" ".join(each.text for each in composed.paragraphs if each.beat == beat.number), grammar)
            for beat in plan.beats
        ]
        seen += sum(map(bool, said))
        for at, claims in enumerate(said):
            near = slice(max(0, at - 1), at + 2)
            beside = lasting([each for found in [*said[near], *says[near]] for each in found])
            assert not exclude(claims, {*claims, *says[at], *beside}), (seed, at)
    assert seen > 50


def test_nothing_goes_on_where_nothing_was_before() -> None:
    grammar = grammar_of("en")
    assert any("+before" in claims for claims in grammar.claims.values())
    for seed in range(60):
        plan, tale = random_plan(seed, "en")
        first = plan._replace(chapter=1)
        text = " ".join(each.text for each in compose(first, tale, lexicon_of("en")).paragraphs if each.beat == 1)
        assert "+before" not in _claims_in(text, grammar)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_claim_is_made_and_denied_somewhere(language: Language) -> None:
    grammar = grammar_of(language)
    made = {
        each
        for claims in [*grammar.claims.values(), *[text.says for text in grammar.storylets.values()], {"-before"}]
        for each in claims
    }
    assert made == {f"{sign}{name}" for sign in "+-" for name in CLAIMED}


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_chapters_of_a_tale_say_hardly_a_line_twice(language: Language) -> None:
    """At most one line a tale, where beats of one kind need more lines than the kind has; it was eight before."""
    again = tales = 0
    for seed in range(5):
        last: list[tuple[str, ...]] = []
        for case, planned in chapters(seed, 6):
            avoid = tuple(line for used in last[-REMEMBERED:] for line in used)
            used = compose(planned.plan, case.tale, lexicon_of(language), context=case.context, avoid=avoid).used
            again += len({line for before in last[-2:] for line in before} & {*used})
            last.append(used)
        tales += 2
    assert again <= tales


def test_a_claim_that_nobody_knows_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "en.yaml"
    path.write_text(GRAMMAR.read_text("utf-8").replace("<-asked>", "<-aksed>", 1), "utf-8")
    with pytest.raises(InvalidPolicyError, match=r"'-aksed'"):
        load_grammar(path)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Maren y Ilsabet", "Maren e Ilsabet"), ("Maren y Inés", "Maren e Inés"), ("madre y hijo", "madre e hijo"),
        ("agua y hielo", "agua y hielo"), ("uno y Yara", "uno y Yara"), ("sal y ionio", "sal y ionio"),
        ("plata o oro", "plata u oro"), ("ayer o hoy", "ayer u hoy"), ("uno o dos", "uno o dos"),
        ("Nadie. Y Ilsabet calló", "Nadie. Y Ilsabet calló"), ("él y «Íñigo»", "él e «Íñigo»"),
    ],
)  # fmt: skip
def test_spanish_and_and_or_give_way_before_their_own_sound(written: str, said: str) -> None:
    """RAE, Diccionario panhispánico de dudas, y² 1 and o² 1; before a diphthong, as in hielo, y stays."""
    assert tidy(written, "es") == said[0].upper() + said[1:]


def test_two_names_are_joined_as_they_sound() -> None:
    words = {"hero": Word("Linh", "hero"), "npc": Word("Ilsabet", "person")}
    told = sentence("{hero} y {npc} callaron.", "es", words, lambda slot, _: words[slot].text, Draws(1))
    assert told == "Linh e Ilsabet callaron."


def test_the_hero_of_an_english_chapter_is_never_they() -> None:
    tale = tale_by_hand()
    beat = beat_by_hand(1, "loss_suffered", tale, thing="a-torn-map", stake="a-life")
    for seed in range(40):
        composed = compose(plan_by_hand(tale, beat, seed=seed), tale, lexicon_of("en"))
        text = " ".join(each.text for each in composed.paragraphs)
        assert "torn map" in text
        assert not re.search(r"they (?:had been careful|stopped looking|counted|looked again|said nothing)", text, re.I)
