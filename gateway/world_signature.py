"""Who sent a body of acts: an HMAC over it and its time, beside the service token (000 §8, step 1; S0-65; domain.md C6, skew)."""

import hashlib
import hmac
import re
from typing import Final

HEADER: Final = b"x-council-signature"
OLDEST_S: Final = 300
"""A signature older than five minutes is refused: a body that was caught cannot be sent again later."""
AHEAD_S: Final = 60
_FORM = re.compile(rb"t=(\d{1,12}),v1=([0-9a-f]{64})")


class BodySignature:
    """Checks the header `X-Council-Signature: t=<seconds since 1970>,v1=<hex>`: HMAC-SHA-256 over "<t>.<body>".

    Args:
        secret: shared with whoever sends acts.
    """

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    def refuses(self, sent: bytes | None, body: bytes, now_ms: int) -> str | None:
        """Return why a body is not taken; None where its signature is right and of now.

        Args:
            sent: the header's value.
            now_ms: the server's clock, milliseconds since 1970.
        """
        found = _FORM.fullmatch(sent) if sent is not None else None
        if found is None:
            return "send X-Council-Signature: t=<seconds since 1970>,v1=<hex HMAC-SHA-256 of t, a dot and the body>"
        if not hmac.compare_digest(self._digest(found[1], body), found[2]):
            return "the signature is not that of this body; sign the bytes as they are sent"
        age = now_ms // 1_000 - int(found[1])
        if age > OLDEST_S or age < -AHEAD_S:
            return "the signature's time is more than five minutes old or a minute ahead; set the sender's clock"
        return None

    def header(self, body: bytes, now_s: int) -> str:
        """Return the header that a sender of a body writes."""
        time = str(now_s).encode()
        return f"t={now_s},v1={self._digest(time, body).decode()}"

    def _digest(self, time: bytes, body: bytes) -> bytes:
        return hmac.new(self._key, time + b"." + body, hashlib.sha256).hexdigest().encode()
