"""One id that follows a request through logs, records and events (register row S0-95)."""

import os
import re
from typing import Final

HEADER: Final = b"x-correlation-id"
_ID = re.compile(rb"[A-Za-z0-9_.:@/+\-]{1,128}")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
_NO_TRACE: Final = b"0" * 32


def correlation_of(headers: dict[bytes, bytes]) -> str:
    """Return the caller's `X-Correlation-Id`, else the trace id of its `traceparent` (W3C), else a new id.

    A header that is no plain identifier is ignored: it would be written to logs.
    """
    sent = headers.get(HEADER)
    if sent is not None and _ID.fullmatch(sent):
        return sent.decode("ascii")
    trace = headers.get(b"traceparent")
    if trace is not None and (found := _TRACE.fullmatch(trace)) and found[1] != _NO_TRACE:
        return found[1].decode("ascii")
    return os.urandom(16).hex()
