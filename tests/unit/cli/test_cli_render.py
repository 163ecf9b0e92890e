"""The drawings of a decision, compared whole, in a fixed width without colour."""

import io
from fractions import Fraction
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.render_arithmetic import margins
from cli.render_diff import differing, render_diff
from cli.render_explain import render_explain
from cli.render_flip import render_flips
from cli.render_parts import bar
from cli.render_show import highlights, render_show
from council.explain import RuleReading
from council.flip import Flips, QuotaFlip, VoteFlip, WeightFlip
from tests.unit.cli.golden_files import assert_golden
from tests.unit.cli.sample_records import COUNCIL_RECORD, FAST_RECORD, REQUEST, VETO_RECORD, changed

STORED = {"position": 17, "hash": "cd34" * 16, "previous": "ab12" * 16}
RECORDS = {"council": COUNCIL_RECORD, "veto": VETO_RECORD, "fast": FAST_RECORD}
READINGS = (
    RuleReading(
        "canon_lock",
        "canon_derived_violations >= threshold",
        1,
        "reject",
        "enforce",
        False,
        {"canon_derived_violations": 0},
        (),
        "",
    ),
    RuleReading(
        "realm_collapse", "collapse_risk > 700", None, "quarantine", "enforce", False, {}, ("collapse_risk",), ""
    ),
    RuleReading(
        "watch_growth",
        "share_swing > 10000",
        None,
        "modify",
        "log_only",
        True,
        {"share_swing": 120_000},
        (),
        "it grows",
    ),
)


def drawn(parts: list[RenderableType], width: int = 100) -> str:
    """Draw as a pipe gets it: fixed width, no colour, no trailing blanks."""
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False, no_color=True)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return "\n".join(line.rstrip() for line in captured.get().split("\n"))


@pytest.mark.parametrize("name", RECORDS)
def test_show_draws_a_decision_on_one_screen(name: str) -> None:
    text = drawn(render_show(RECORDS[name], stored=STORED))
    assert_golden(f"show_{name}", text)
    assert text.count("\n") <= 45
    assert max(map(len, text.split("\n"))) <= 100


@pytest.mark.parametrize("name", RECORDS)
def test_explain_draws_every_term(name: str) -> None:
    text = drawn(render_explain(RECORDS[name], READINGS if name == "council" else (), stored=STORED))
    assert_golden(f"explain_{name}", text)


def test_diff_draws_only_what_differs() -> None:
    assert_golden("diff", drawn(render_diff(COUNCIL_RECORD, VETO_RECORD)))


def test_two_runs_of_one_decision_do_not_differ() -> None:
    later = changed(COUNCIL_RECORD, decision_id="dec-2", recorded_at="2027-01-01T00:00:00.000Z", elapsed_ms=9)
    assert differing(COUNCIL_RECORD, later) == []
    assert drawn(render_diff(COUNCIL_RECORD, later)) == "no difference but ids and times\n"


def test_flips_are_told_in_sentences() -> None:
    third = Fraction(1, 3)
    found = Flips(
        (VoteFlip((("governor", "reject"),), "reject"), VoteFlip((("lore", "modify"), ("risk", "approve")), "approve")),
        WeightFlip("risk", Fraction(1), Fraction(2), False, "quarantine"),
        QuotaFlip("modify", third, Fraction(3, 5), True, "approve"),
        False,
    )
    assert drawn(render_flips(found, "modify")) == (
        "Flip        → ✗ reject: governor voting ✗ reject, alone\n"
        "            → ✓ approve: lore voting ≈ modify and risk voting ✓ approve\n"
        "            → ‖ quarantine: risk with weight 2 instead of 1\n"
        "            → ✓ approve: the quota of modify at above 3/5 (0.6) instead of 1/3\n\n"
    )


def test_a_verdict_that_rules_hold_says_so_instead_of_flips() -> None:
    assert drawn(render_flips(Flips((), None, None, True), "reject")) == (
        "Flip        ✗ reject is held by the rules that fired: no vote could turn it\n\n"
    )


def test_margins_are_those_of_the_merge() -> None:
    """At modify (3/5 - 1/3) / (1 - 1/3) = 2/5; at reject and quarantine (1/3 - 1/5) / (1/3) = 2/5."""
    assert margins(COUNCIL_RECORD["merge"]) == dict.fromkeys(("modify", "reject", "quarantine"), Fraction(2, 5))


def test_a_bar_shows_the_share_and_where_the_quota_stands() -> None:
    assert bar(Fraction(1, 2), Fraction(3, 4), "red", 8).plain == "████░░┃░"
    assert bar(Fraction(0), None, "red", 4).plain == "░░░░"
    assert bar(Fraction(1), Fraction(99, 100), "red", 4).plain == "███┃"


def test_evidence_shown_first_is_what_fired_rules_and_deciding_votes_cite() -> None:
    assert [signal["name"] for signal in highlights(COUNCIL_RECORD)][:2] == ["hhi_star_rise", "payoff_earned"]
    assert [signal["name"] for signal in highlights(VETO_RECORD)] == ["canon_derived_violations"]
    assert highlights(FAST_RECORD) == []


HOSTILE = "\x1b]0;owned\x07[red]x[/red]\u202e:skull:\r\nfake: APPROVE"


def test_words_of_a_player_cannot_draw_anything() -> None:
    """S0-58: request text is untrusted; it must not move the cursor, add lines, recolour or be read as markup."""
    request: dict[str, Any] = {
        **REQUEST,
        "proposed_change": {
            "summary": HOSTILE,
            "actor": {"user_id": HOSTILE, "faction_id": HOSTILE},
            "effects": [{"op": "canon_assert", "subject": HOSTILE, "predicate": "status", "object": HOSTILE}],
        },
    }
    answer = {**COUNCIL_RECORD["answer"], "reasons": [HOSTILE], "audit_tags": [HOSTILE], "required_modifications": []}
    record = changed(
        COUNCIL_RECORD, request=request, answer=answer, realm_id=HOSTILE, decision_id=HOSTILE, invoked_by=[HOSTILE]
    )
    record["modifications"]["required"] = []
    for parts in (render_show(record), render_explain(record, ()), render_diff(record, COUNCIL_RECORD)):
        text = drawn(parts)
        assert not any(char in text for char in "\x1b\x07\r\u202e")
        assert "[red]x[/red]" in text
        assert "\nfake" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_narrow_or_wide_terminal_keeps_its_edge(width: int) -> None:
    text = drawn(render_show(COUNCIL_RECORD, stored=STORED, width=width), width)
    assert max(map(len, text.split("\n"))) <= width


def test_long_changes_and_many_reasons_are_cut_and_say_so() -> None:
    effects = [{"op": "trigger_fire", "trigger_id": f"t-{index}"} for index in range(9)]
    request = {**REQUEST, "proposed_change": {"summary": "many", "effects": effects}}
    answer = {
        **COUNCIL_RECORD["answer"],
        "reasons": [f"reason {index}" for index in range(9)],
        "required_modifications": [],
    }
    rules = [{**COUNCIL_RECORD["rules"][2], "rule": f"rule_{index}"} for index in range(20)]
    text = drawn(render_show(changed(COUNCIL_RECORD, request=request, answer=answer, rules=rules)))
    assert "and 4 more\n" in text
    assert "and 6 more, see" in text
    assert "more that fired" in text
    assert text.count("\n") <= 45
