"""Hostile JSON is refused before anything reads it (S0-86; reliability.md, measured facts 4 and 6)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.faults import InvalidInputError
from policies.strict_json import MAX_DEPTH, parse_strict

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.floats(-1e15, 1e15) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)

HOSTILE = {
    "malformed": b'{"a":',
    "two documents": b"{} {}",
    "empty": b"",
    "duplicate key": b'{"verdict":"approve","verdict":"reject"}',
    "duplicate key behind spaces": b'{"a" :1,"b":2, "a"\n:3}',
    "duplicate key spelt by an escape": b'{"a":1,"\\u0061":2}',
    "duplicate key beside an escaped colon": b'{"\\u003a\\u003a":1,"a":1,"a":2}',
    "nested duplicate": b'{"x":[{"a":1,"a":1}]}',
    "NaN": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "overflowing float": b'{"a":1e999}',
    "integer past 2^53": b'{"a":9007199254740993}',
    "huge integer": b'{"a":' + b"9" * 5000 + b"}",
    "half a surrogate": b'{"a":"\\ud800"}',
    "half a surrogate in a key": b'{"\\udfff":1}',
    "not UTF-8": b'{"a":"\xff"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "deep arrays": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 30 + b"1" + b"}" * 30,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_documents_are_refused_with_a_fix(raw: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_strict(raw)
    assert refused.value.faults[0].message
    assert refused.value.faults[0].fix


@pytest.mark.parametrize("raw", [b"", b" \n"])
def test_a_body_that_was_forgotten_is_told_so(raw: bytes) -> None:
    with pytest.raises(InvalidInputError, match="there is nothing in it"):
        parse_strict(raw)


def test_a_document_over_the_size_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InvalidInputError, match="larger than 100 bytes"):
        parse_strict(b'{"a":"' + b"x" * 200 + b'"}', max_bytes=100)


def test_a_string_with_half_a_surrogate_is_refused_as_text_too() -> None:
    with pytest.raises(InvalidInputError, match="surrogate"):
        parse_strict('{"a":"\ud800"}')


def test_the_deepest_allowed_document_passes_and_one_deeper_does_not() -> None:
    deepest = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert parse_strict(deepest).canonical == deepest
    with pytest.raises(InvalidInputError, match="nested deeper"):
        parse_strict(b'{"a":' + deepest + b"}")


@settings(max_examples=1_000)
@given(st.dictionaries(TEXT, JSON, max_size=5), st.booleans(), st.sampled_from([None, 1]))
def test_what_is_written_is_read_back_whatever_the_escapes_and_spaces(
    value: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert parse_strict(raw).value == value


@settings(max_examples=500)
@given(st.dictionaries(TEXT, JSON, min_size=1, max_size=5), st.data())
def test_a_repeated_key_is_never_accepted(value: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    escaped = data.draw(st.booleans())
    body = json.dumps(value, ensure_ascii=escaped)[:-1] + "," + json.dumps(key) + ":1}"
    with pytest.raises(InvalidInputError, match="repeats a key"):
        parse_strict(body.encode())


def test_a_number_alone_that_is_too_large_is_refused_as_any_other() -> None:
    with pytest.raises(InvalidInputError, match="a number is too large"):
        parse_strict(b"1e400")


def test_the_depth_that_is_named_is_the_one_that_was_asked_for() -> None:
    with pytest.raises(InvalidInputError, match="nested deeper than 3 levels"):
        parse_strict(b'{"a": {"b": {"c": {}}}}', max_depth=3)
