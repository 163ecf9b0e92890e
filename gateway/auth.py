"""The service token of /internal/* (register row S0-85): compared in constant time, never logged, never echoed."""

import hashlib
import hmac
from typing import Final

_SCHEME: Final = b"bearer "


class ServiceToken:
    """Knows the token that callers must send; keeps only its hash."""

    def __init__(self, token: str) -> None:
        self._digest = hashlib.sha256(token.encode()).digest()

    def admits(self, authorization: bytes | None) -> bool:
        """Return whether an `Authorization` header carries the token.

        Hashes are compared, so that the time taken tells neither the length nor a prefix of the token.
        """
        if authorization is None or authorization[:7].lower() != _SCHEME:
            return False
        sent = hashlib.sha256(authorization[7:].strip()).digest()
        return hmac.compare_digest(sent, self._digest)
