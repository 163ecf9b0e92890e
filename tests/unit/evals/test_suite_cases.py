"""Edits on a base: JSON pointers as RFC 6901 has them."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.suite_cases import PointerError, edited, segments_of

BASE: dict[str, Any] = {"a": {"b": [1, 2, 3], "c/d": {"e~f": 1}}, "list": []}


@pytest.mark.parametrize(
    ("at", "value", "expected"),
    [
        ("/a/b/1", 9, {"a": {"b": [1, 9, 3], "c/d": {"e~f": 1}}, "list": []}),
        ("/a/b/-", 9, {"a": {"b": [1, 2, 3, 9], "c/d": {"e~f": 1}}, "list": []}),
        ("/a/b/0", None, {"a": {"b": [2, 3], "c/d": {"e~f": 1}}, "list": []}),
        ("/a/c~1d/e~0f", 2, {"a": {"b": [1, 2, 3], "c/d": {"e~f": 2}}, "list": []}),
        ("/a/new", {"x": None}, {"a": {"b": [1, 2, 3], "c/d": {"e~f": 1}, "new": {"x": None}}, "list": []}),
        ("/more/-", 1, {**BASE, "more": [1]}),
        ("/list", None, {"a": BASE["a"]}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_edit_replaces_adds_appends_or_removes(at: str, value: Any, expected: Any) -> None:
    kept = copy.deepcopy(BASE)
    assert edited(BASE, at, value) == expected
    assert kept == BASE


@pytest.mark.parametrize(
    ("at", "value", "told"),
    [
        ("", 1, "is not a JSON pointer into the request"),
        ("/", 1, "is not a JSON pointer into the request"),
        ("a", 1, "is not a JSON pointer into the request"),
        ("/a/x/y", 1, "there is nothing at '/a/x'"),
        ("/a/b/3", 1, "'/a/b' has no item '3'"),
        ("/a/b/-1", 1, "'/a/b' has no item '-1'"),
        ("/a/b/0/x", 1, "'/a/b/0' holds no parts"),
        ("/a/b/0/x/y", 1, "'/a/b/0' holds no parts"),
        ("/list/-", None, '"-" is the place after the last item, where nothing can be removed'),
        ("/gone", None, "there is nothing to remove at '/gone'"),
    ],
)
def test_a_pointer_that_leads_nowhere_is_said_with_its_place(at: str, value: Any, told: str) -> None:
    with pytest.raises(PointerError) as raised:
        edited(BASE, at, value)
    assert str(raised.value) == told
    assert raised.value.fix


@given(st.lists(st.text(max_size=5), min_size=1, max_size=5).filter(lambda parts: parts != [""]))
def test_parts_come_back_from_their_pointer(parts: list[str]) -> None:
    from policies.faults import pointer

    assert segments_of(pointer(*parts)) == tuple(parts)
