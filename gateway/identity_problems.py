"""What callers are told who are not let in: problem documents with the challenge of RFC 6750."""

from typing import Final

from gateway.identity_tokens import Reason
from gateway.problems import UNAUTHORIZED, Problem

_REALM: Final = 'Bearer realm="council"'
_UNKNOWN: Final = Problem(
    "unauthorized",
    401,
    "a token is needed",
    "send the header Authorization: Bearer with a user's token",
    {"WWW-Authenticate": _REALM},
)
FORBIDDEN: Final = Problem(
    "forbidden",
    403,
    "no role of the token allows this",
    "docs/security.md lists what each role may do",
    {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope"'},
)
FOREIGN_REALM: Final = Problem(
    "foreign-realm",
    403,
    "the token is for another realm",
    "use a token of this realm, or one without a realm claim",
    {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope"'},
)


def refused(reason: Reason, *, is_internal: bool = False) -> Problem:
    """Return the problem of a token that is missing or not good.

    Args:
        is_internal: whether /internal/* was called, which the static service token opens as well.
    """
    if reason in (Reason.MISSING, Reason.MALFORMED, Reason.NO_KEYS) and is_internal:
        return UNAUTHORIZED
    if reason is Reason.MISSING:
        return _UNKNOWN
    challenge = f'{_REALM}, error="invalid_token", error_description="{reason.told}"'
    return Problem("invalid-token", 401, reason.told, reason.fix, {"WWW-Authenticate": challenge})
