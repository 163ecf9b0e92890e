"""Laws of reading tokens: total, of one spelling, and never milder than the signature."""

import hypothesis.strategies as st
from hypothesis import given

from gateway.identity_tokens import Claims, Refusal, split
from tests.unit.gateway.identity_samples import GOOD_CLAIMS, NOW, raw_token, read, token

GOOD = token()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_and_nothing_is_raised(sent: bytes) -> None:
    assert isinstance(read(sent), Refusal)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_signed_bytes_are_read_without_an_error(header: bytes, claims: bytes) -> None:
    assert isinstance(read(raw_token(header, claims)), Refusal)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_no_changed_byte_leaves_a_token_good(at: int, byte: int) -> None:
    changed = GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]

    assert isinstance(read(changed), Claims) == (changed == GOOD)


@given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=4))
def test_no_byte_can_be_put_in(at: int, more: bytes) -> None:
    assert isinstance(read(GOOD[:at] + more + GOOD[at:]), Refusal)


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40))
def test_one_token_has_one_spelling(header: bytes, claims: bytes, signature: bytes) -> None:
    from tests.unit.gateway.identity_samples import b64

    found = split(".".join(map(b64, (header, claims, signature))).encode())

    assert not isinstance(found, Refusal)
    assert (found.header, found.claims, found.signature) == (header, claims, signature)


@given(st.sampled_from(sorted(GOOD_CLAIMS)), json_values)
def test_a_claim_of_any_value_is_either_good_of_its_kind_or_refused(name: str, value: object) -> None:
    found = read(token(claims={name: value}))

    if isinstance(found, Claims):
        assert isinstance(found.subject, str) and 0 < len(found.subject) <= 128
        assert found.roles and type(found.expires_at) is int and found.expires_at + 30 > NOW


@given(st.integers(-(10**6), 10**6), st.integers(1, 3_600), st.integers(-(10**6), 10**6))
def test_a_token_is_good_exactly_from_its_issue_to_its_end(issued: int, lifetime: int, now: int) -> None:
    """With 30 s of leeway on both sides: iat - 30 <= now < exp + 30."""
    sent = token(claims={"iat": NOW + issued, "exp": NOW + issued + lifetime})

    assert isinstance(read(sent, now=NOW + now), Claims) == (issued - 30 <= now < issued + lifetime + 30)
