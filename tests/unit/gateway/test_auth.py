"""The service token (S0-85)."""

import pytest

from gateway.auth import ServiceToken


@pytest.mark.parametrize("header", [b"Bearer a-token-of-the-service", b"bearer  a-token-of-the-service "])
def test_the_token_is_admitted_whatever_the_case_of_its_scheme(header: bytes) -> None:
    assert ServiceToken("a-token-of-the-service").admits(header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic a-token-of-the-service",
        b"a-token-of-the-service",
        b"Bearer a-token-of-the-servic",
        b"Bearer a-token-of-the-service2",
        b"Bearer A-TOKEN-OF-THE-SERVICE",
        b"Bearer a-token-of-the-service,Bearer x",
        "Bearer ä-token".encode(),
    ],
)
def test_anything_else_is_not(header: bytes | None) -> None:
    assert not ServiceToken("a-token-of-the-service").admits(header)


def test_the_token_itself_is_not_kept() -> None:
    assert "a-token-of-the-service" not in repr(vars(ServiceToken("a-token-of-the-service")))
