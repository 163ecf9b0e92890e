"""Golden chapters: three plans by hand in each language, compared whole, meant to be read. `UPDATE_GOLDEN=1` rewrites them."""

import os
from difflib import unified_diff
from pathlib import Path
from typing import Final

import pytest

from story.languages import LANGUAGES, Language
from story.planner.plan import Plan
from story.prose.composing import Composed, compose
from story.prose.lexicon_document import lexicon_of
from story.prose.lint import lint
from story.tale.tale import Tale
from tests.unit.story.plans_by_hand import beat_by_hand, cast_of, plan_by_hand, tale_by_hand
from world.realm.rules_document import default_world_path, load_world

HERE: Final = Path(__file__).parent / "goldens"
ARCHIVE: Final = "who-burned-the-archive"
BROTHER: Final = "where-the-brother-went"
HEROES: Final[dict[Language, str]] = {"en": "Aran", "vi": "Linh", "es": "Inés"}


def quiet(language: Language) -> tuple[Plan, Tale]:
    """Return a first chapter: somebody is watched, somebody speaks, and far away a banner is changed."""
    tale = tale_by_hand(language, hero=HEROES[language])
    beats = (
        beat_by_hand(1, "question_opens", tale, thing="a-scorched-ledger", question=ARCHIVE),
        beat_by_hand(2, "witness_speaks", tale, npc="maren", question=ARCHIVE),
        beat_by_hand(3, "control_changed", tale, territory="far-wilds", controller="empire", former="free_cities"),
        beat_by_hand(4, "watcher_sign", tale, sign="glances-over-the-shoulder"),
        beat_by_hand(5, "promise_made", tale, npc="maren", promise="bring-word-home", question=ARCHIVE),
    )
    return plan_by_hand(tale, *beats, seed=11), tale


def besieged(language: Language) -> tuple[Plan, Tale]:
    """Return a chapter under siege: a patrol, a refusal, a word of the council, and the road to the borderlands."""
    cast = cast_of("grand-gate-city", ("Tovi", "archivist")) | cast_of("contested-borderlands", ("Brannoc", "captain"))
    tale = tale_by_hand(language, hero=HEROES[language], cast=cast, chapter=6)
    there = "contested-borderlands"
    modified = {"subject": there, "faction": "empire", "condition": "lowered:faction_delta"}
    beats = (
        beat_by_hand(1, "patrol_met", tale, style="vorn"),
        beat_by_hand(2, "ally_helps", tale, npc="tovi", question=BROTHER),
        beat_by_hand(3, "verdict_modified", tale, **modified),
        beat_by_hand(4, "crossing", tale, place=there, destination=there, question=BROTHER),
        beat_by_hand(5, "accusation", tale, place=there, npc="brannoc", question=BROTHER, stake="a-life"),
        beat_by_hand(6, "quiet_hour", tale, place=there, question=BROTHER),
    )
    return plan_by_hand(tale, *beats, pacing="fade", pressure="siege", seed=12), tale


def strange(language: Language) -> tuple[Plan, Tale]:
    """Return a late chapter: the Tower, an echo, an answer, and a clock that strikes backwards."""
    tale = tale_by_hand(language, hero=HEROES[language], style="lyrical", chapter=13)
    refused = {"subject": "veil_fracture", "faction": "veil", "reason": "instability"}
    beats = (
        beat_by_hand(1, "old_wound", tale, place="tower-approach", wound="left-at-the-gate", question=BROTHER),
        beat_by_hand(2, "tower_shifts", tale, place="tower-approach", sign="floor-unknown-again"),
        beat_by_hand(3, "echo_speaks", tale, place="tower-approach", echo="the-one-who-never-turned-back"),
        beat_by_hand(
            4, "answer_found", tale, place="tower-approach", thing="a-torn-map", question=BROTHER, stake="the-way-back"
        ),
        beat_by_hand(5, "verdict_rejected", tale, **refused),
        beat_by_hand(6, "shared_meal", tale, npc="maren", question=ARCHIVE),
        beat_by_hand(7, "anomaly_seen", tale, sign="clock-strikes-backwards"),
    )
    return plan_by_hand(tale, *beats, pacing="relax", pressure="anomalous", seed=13), tale


CHAPTERS: Final = {"quiet": quiet, "besieged": besieged, "strange": strange}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_reads_as_it_did(name: str, language: Language) -> None:
    plan, tale = CHAPTERS[name](language)
    composed = compose(plan, tale, lexicon_of(language))
    locks = load_world(default_world_path()).locks
    assert lint(composed, language=language, plan=plan, tale=tale, locks=locks) == ()
    assert_golden(f"{name}.{language}.md", as_text(composed))


def as_text(composed: Composed) -> str:
    """Return a chapter as Markdown: its title, and a paragraph after another."""
    return f"# {composed.title}\n\n" + "\n\n".join(each.text for each in composed.paragraphs) + "\n"


def assert_golden(name: str, text: str) -> None:
    """Compare a chapter with the one that was kept, whole."""
    path = HERE / name
    if os.environ.get("UPDATE_GOLDEN"):
        HERE.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8")
    changed = "\n".join(unified_diff(kept.splitlines(), text.splitlines(), "kept", "now", n=0, lineterm=""))
    assert text == kept, f"{name} differs, UPDATE_GOLDEN=1 rewrites it:\n{changed}"
