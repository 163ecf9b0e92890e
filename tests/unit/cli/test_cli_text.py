"""Untrusted text made safe, and numbers as people read them."""

import unicodedata
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.text import clean, condition_text, decimal, effect_text, fraction, moment, percent, quantity, shortened


@given(st.text())
def test_no_text_can_move_the_cursor_or_hide_or_reorder_what_stands_on_the_screen(text: str) -> None:
    """Categories Cc (controls) and Cf but the soft ones, and both line separators, come out as visible escapes."""
    out = clean(text)
    assert "\n" not in out
    assert not any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in out)
    assert not any(char in out for char in "\u200b\u200e\u200f\u202a\u202e\u2066\u2069\ufeff")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("one\r\n two", "one two"),
        ("abc\u202edef", "abc\\u202edef"),
        ("[bold]not markup[/bold] :smile:", "[bold]not markup[/bold] :smile:"),
        ("Bến Cảng Thủy Tinh", "Bến Cảng Thủy Tinh"),
        ("tag \U000e0041", "tag \\U000e0041"),
    ],
)
def test_clean_shows_what_it_takes_away(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (412_000, "ppm", "41.2 %"),
        (1, "ppm", "0 %"),  # a ten-thousandth of a percent is below the three decimals shown
        (120, "permille", "120 ‰"),
        (-8_000, "milli", "−8"),
        (12_345, "milli", "12.345"),
        (86, "points", "86 points"),
        (0, "flag", "no"),
        (1, "flag", "yes"),
        (3, "ticks", "3 ticks"),
        (7, None, "7"),
    ],
)
def test_a_signal_is_shown_in_the_unit_that_people_think_in(value: int, unit: str | None, shown: str) -> None:
    assert quantity(value, unit) == shown


def test_exact_fractions_are_shown_with_their_decimal() -> None:
    assert [fraction(text) for text in ("0", "1", "3/5", "1/3", "4/25")] == [
        "0",
        "1",
        "3/5 (0.6)",
        "1/3 (≈ 0.33)",
        "4/25 (0.16)",
    ]
    assert (decimal(Fraction(-1, 8)), percent(Fraction(1, 3))) == ("−0.12", "33.3 %")  # halves go to the even digit


def test_a_line_that_is_too_long_ends_in_an_ellipsis() -> None:
    assert (shortened("abcdef", 6), shortened("abcdefg", 6)) == ("abcdef", "abcde…")


_SNAPSHOT = {
    "factions": {"veil": {"influence": 33.5}},
    "meters": {"chaos": 18},
    "territories": {"t-3": {"name": "Glass"}},
}


@pytest.mark.parametrize(
    ("effect", "shown"),
    [
        ({"op": "faction_delta", "faction_id": "veil", "amount": -2.5}, "veil −2.5 points of influence, now at 33.5 %"),
        ({"op": "meter_delta", "meter": "chaos", "amount": 4}, "chaos +4, now at 18"),
        (
            {"op": "territory_transfer", "territory_id": "t-3", "from": None, "to": "veil"},
            "t-3 (Glass): nobody → veil",
        ),
        ({"op": "trigger_fire", "trigger_id": "age_of_iron"}, "trigger age_of_iron fires"),
        (
            {"op": "canon_assert", "subject": "gate", "predicate": "status", "object": "op\x07en"},
            "canon: gate status = op\\x07en",
        ),
        ({"op": "added_later"}, "added_later"),
    ],
)
def test_every_effect_is_told_in_words(effect: dict[str, Any], shown: str) -> None:
    assert effect_text(effect, _SNAPSHOT) == shown


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"effect": 0, "drop": True}, "drop it"),
        ({"effect": 0, "field": "amount", "max": 5, "min": -2.5}, "amount at most 5 and amount at least −2.5"),
        ({"effect": 0, "field": "to", "value": "veil"}, "to = veil"),
    ],
)
def test_every_modification_is_told_in_words(condition: dict[str, Any], shown: str) -> None:
    assert condition_text(condition) == shown


def test_a_moment_is_told_to_the_minute() -> None:
    assert moment("2026-11-03T10:12:05.123Z") == "2026-11-03 10:12 UTC"
