"""The recap that a chapter ends with: what it says, in three languages, and what it never says (S0-73, S4-67)."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from policies.policy_faults import InvalidPolicyError
from story.languages import LANGUAGES, Language
from story.service.recap_lines import DEEDS, VERDICTS, WORLD, load_recap_lines, recap_lines
from story.service.recapping import MOST_LINES, Speaker, recap_of
from tests.unit.world.living_realm import WORLD as SHIPPED

NOTHING: dict[str, Any] = {
    "contribution_recap": [],
    "verdicts": [],
    "local_territory_control": [],
    "active_triggers": [],
}
FILE = Path(__file__).parents[3] / "story" / "data" / "recap" / "en.yaml"


def deed(outcome: str = "risen", **keys: Any) -> dict[str, Any]:
    return {"territory_id": "far-wilds", "faction_id": "empire", "outcome": outcome, "is_against": False, **keys}


def verdict(final: str, **keys: Any) -> dict[str, Any]:
    return {
        "decision_id": "d-7", "final_verdict": final, "subject": "far-wilds", "faction_id": "empire", "conditions": [],
        "reason": None, **keys,
    }  # fmt: skip


def control(change: str) -> dict[str, Any]:
    return {"territory_id": "mirror-gate", "controller": "free_cities", "change": change}


def recap(language: Language = "en", places: tuple[str | None, ...] = (), at: int = 0, **found: Any) -> list[str]:
    told = recap_of({**NOTHING, **found}, Speaker(language, "Linh", {}), places=places, key=("s-1", at))
    return [line["text"] for line in told["lines"]]


def everything() -> list[dict[str, Any]]:
    """Every kind of thing that a recap can tell of."""
    found: list[dict[str, Any]] = [{"contribution_recap": [deed(each)]} for each in DEEDS]
    found += [{"contribution_recap": [deed(is_against=True)]}, {"contribution_recap": [deed(faction_id=None)]}]
    found += [{"verdicts": [verdict("reject", reason=each)]} for each in ("canon_lock", "dominance", "votes", "new")]
    found += [{"verdicts": [verdict("modify", conditions=["lowered: x"])]}, {"verdicts": [verdict("approve")]}]
    found += [{"local_territory_control": [control(each)]} for each in WORLD]
    found += [
        {"active_triggers": [{"trigger_id": each.trigger_id, "phase": "fired"}]} for each in SHIPPED.rules.triggers
    ]
    return found


def test_a_recap_says_what_came_of_deeds_and_cites_the_verdict_that_it_tells_of() -> None:
    told = recap_of(
        {**NOTHING, "contribution_recap": [deed()], "verdicts": [verdict("reject", reason="canon_lock")]},
        Speaker("en", "Linh", {}),
        places=["far-wilds"],
        key=("s-1", 2),
    )

    assert [each["about"] for each in told["lines"]] == ["deeds", "verdict", "sent"]
    assert [each.get("decision_id") for each in told["lines"]] == [None, "d-7", None]
    assert "older things forbade it" in told["lines"][1]["text"]
    assert all("the Far Wilds" in each["text"] for each in told["lines"])


def test_a_chapter_without_news_ends_with_one_quiet_sentence() -> None:
    assert [len(recap(language)) for language in LANGUAGES] == [1, 1, 1]


def test_quarantine_is_told_as_nothing_at_all() -> None:
    assert recap(verdicts=[verdict("quarantine")]) == recap()


def test_a_recap_ends_before_it_tires_and_the_players_own_comes_first() -> None:
    lines = recap(
        places=("far-wilds",), contribution_recap=[deed()], local_territory_control=[control("war")] * (MOST_LINES + 3)
    )

    assert len(lines) == MOST_LINES
    assert "Linh" in lines[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_recap_holds_a_number_an_id_or_an_open_hole(language: Language) -> None:
    """S4-67. Every alternative of every block is reached within 40 draws: the blocks have two."""
    texts = {
        line for found, at in itertools.product(everything(), range(40)) for line in recap(language, at=at, **found)
    }
    for places in ((), (None,), ("far-wilds", None)):
        texts |= {line for at in range(40) for line in recap(language, places, at)}

    # Blocks of two lines: 8 of deeds, 5 of verdicts (approve, modify, reject for three reasons), sent, sent_elsewhere, quiet.
    # Four changes of a place and four triggers have one line each.
    assert len(texts) == 16 * 2 + 4 + 4
    for text in texts:
        assert not re.search(r"\d|_|[{}\[\]|]|  ", text), text
        assert text[0] == text[0].upper(), text
        assert text[-1] == ".", text


def test_the_same_chapter_has_the_same_recap_and_another_one_may_differ() -> None:
    assert recap(contribution_recap=[deed()]) == recap(contribution_recap=[deed()])
    assert len({recap(at=at, contribution_recap=[deed()])[0] for at in range(40)}) > 1


def test_every_language_has_the_same_blocks() -> None:
    for language in LANGUAGES:
        lines = recap_lines(language)
        assert (tuple(lines.deeds), tuple(lines.verdicts), tuple(lines.world)) == (DEEDS, VERDICTS, WORLD)


def test_a_file_with_faults_names_every_one_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "en.yaml"
    text = FILE.read_text("utf-8").replace("{hero} had a hand", "{heroine} had a hand").replace("  war: |", "  wars: |")
    broken.write_text(text, "utf-8")

    with pytest.raises(InvalidPolicyError) as raised:
        load_recap_lines(broken)
    told = [str(fault) for fault in raised.value.faults]
    assert any("heroine" in each and "did you mean 'hero'" in each for each in told)
    assert any("wars" in each for each in told)
    assert any("world.war" in each and "missing" in each for each in told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_died_is_remembered_first_and_by_name(language: Language) -> None:
    speaker = Speaker(language, "Linh", {})
    for at in range(6):
        told = recap_of({**NOTHING, "contribution_recap": [deed()]}, speaker, deaths=["Ilsabet"], key=("s-1", at))
        assert [each["about"] for each in told["lines"]] == ["death", "deeds"]
        assert "Ilsabet" in told["lines"][0]["text"]
