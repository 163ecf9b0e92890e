"""The lint: every attack is caught by its name, and what sounds like one is not (S4-47, S4-48, S4-67; domain.md C8)."""

from typing import Any, Final

import pytest

from story.languages import LANGUAGES, Language
from story.planner.plan import Plan
from story.prose.composing import Composed, Paragraph, compose
from story.prose.lexicon_document import lexicon_of
from story.prose.lint import Limits, LintFault, lint
from story.tale.tale import Tale
from tests.unit.story.attacks import ATTACKS, HARMLESS, Attack
from tests.unit.story.plans_by_hand import beat_by_hand, cast_of, plan_by_hand, random_plan, tale_by_hand
from world.realm.rules_document import default_world_path, load_world

LOCKS: Final[tuple[Any, ...]] = load_world(default_world_path()).locks
CHAPTERS: Final = 334
"""Random chapters per language: over a thousand in all."""


def chapter(language: Language) -> tuple[Plan, Tale, Composed]:
    """Return a chapter at the city gate, in which Sefa is dead and Wyn is elsewhere."""
    cast = cast_of("grand-gate-city", ("Maren", "innkeeper"), ("Sefa", "healer"))
    cast["sefa"] = cast["sefa"]._replace(status="dead")
    tale = tale_by_hand(language, cast=cast | cast_of("far-wilds", ("Wyn", "weaver")))
    question = "who-burned-the-archive"
    plan = plan_by_hand(
        tale,
        beat_by_hand(1, "witness_speaks", tale, npc="maren", question=question),
        beat_by_hand(2, "control_changed", tale, territory="far-wilds", controller="empire", former="free_cities"),
        beat_by_hand(3, "quiet_hour", tale, question=question),
        world_changes_used=("control/far-wilds",),
    )
    return plan, tale, compose(plan, tale, lexicon_of(language))


def faults_with(attack: Attack, *, at: int = 0) -> tuple[LintFault, ...]:
    plan, tale, composed = chapter(attack.language)
    changed = list(composed.paragraphs)
    changed[at] = Paragraph(changed[at].beat, f"{changed[at].text} {attack.text}")
    return lint(changed, language=attack.language, plan=plan, tale=tale, locks=LOCKS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_chapter_that_is_attacked_is_clean_before(language: Language) -> None:
    plan, tale, composed = chapter(language)
    assert lint(composed, language=language, plan=plan, tale=tale, locks=LOCKS) == ()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.language}: {attack.text[:40]!a}")
def test_every_attack_is_caught_by_its_name(attack: Attack) -> None:
    assert attack.name in [fault.name for fault in faults_with(attack)]


@pytest.mark.parametrize("attack", HARMLESS, ids=lambda attack: f"{attack.language}: {attack.text[:40]!a}")
def test_what_sounds_like_an_attack_and_is_none_passes(attack: Attack) -> None:
    assert faults_with(attack) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_composers_own_texts_pass(language: Language) -> None:
    for seed in range(CHAPTERS):
        plan, tale = random_plan(seed, language)
        composed = compose(plan, tale, lexicon_of(language))
        limits = Limits(least=600, most=1_400, beat_least=550, beat_most=1_400)
        faults = lint(composed, language=language, plan=plan, tale=tale, locks=LOCKS, limits=limits)
        assert faults == (), (seed, composed)


def test_a_locked_fact_that_is_left_out_is_named() -> None:
    plan, tale, composed = chapter("en")
    silent = [
        each if each.beat != 2 else each._replace(text="Nothing was different. " * 20) for each in composed.paragraphs
    ]
    missing = {fault.excerpt for fault in lint(silent, language="en", plan=plan, tale=tale) if fault.name == "missing"}
    assert missing == {"territory", "controller", "former"}


def test_a_lock_that_does_not_hold_forbids_nothing() -> None:
    plan, tale, composed = chapter("en")
    changed = [*composed.paragraphs[:-1], Paragraph(3, composed.paragraphs[-1].text + " General Vorn walked in.")]
    names = [fault.name for fault in lint(changed, language="en", plan=plan, tale=tale, locks=LOCKS)]
    assert "canon" in names
    assert "canon" not in [fault.name for fault in lint(changed, language="en", plan=plan, tale=tale, locks=())]


def test_a_text_that_is_far_too_short_or_long_is_named() -> None:
    plan, tale, composed = chapter("en")
    short = [each._replace(text=each.text.split(".")[0] + ".") for each in composed.paragraphs]
    assert "words" in [fault.name for fault in lint(short, language="en", plan=plan, tale=tale)]
    double = [*composed.paragraphs, *composed.paragraphs]
    assert "words" in [fault.name for fault in lint(double, language="en", plan=plan, tale=tale)]


def test_a_title_is_linted_as_text_is() -> None:
    plan, tale, composed = chapter("en")
    faults = lint(composed._replace(title="Tier 2"), language="en", plan=plan, tale=tale)
    assert {(fault.name, fault.where) for fault in faults} == {("number", 0), ("tier", 0)}
