"""RFC 8785 bytes: the quick writer and the reference implementation agree (S0-88)."""

import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.canonical import canonical_json, sha256_hex

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=2_000)
@given(JSON)
def test_canonical_bytes_are_those_of_the_reference_implementation(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # ECMAScript number forms (RFC 8785, appendix B): whole floats lose their point, exponents start past 21 digits.
        ({"b": 12.0, "a": 1e21}, b'{"a":1e+21,"b":12}'),
        ([1e-7, 0.000001, 0.5], b"[1e-7,0.000001,0.5]"),
        # Keys sort by UTF-16 units: the astral key comes before U+FB33, though its code point is larger.
        ({"\ufb33": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ufb33":1}'.encode()),
        ({"é": "\u0007"}, '{"é":"\\u0007"}'.encode()),
    ],
)
def test_known_canonical_forms(value: Any, expected: bytes) -> None:
    assert canonical_json(value) == expected


def test_what_json_cannot_say_is_refused() -> None:
    for value in (math.nan, math.inf, 2**53 + 1):
        with pytest.raises(rfc8785.CanonicalizationError):
            canonical_json({"x": value})


def test_the_hash_is_sha256_in_hex() -> None:
    # The digest of the empty string, FIPS 180-4 test vector.
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
