"""Answers that a caller may have already: entity tags and 304 (RFC 9110, 8.8.3 and 13.1.2)."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Request, Response

PUBLIC: Final = "public, no-cache"
"""Anybody may keep it, and asks each time whether it still holds: a verdict may change a realm between two ticks."""
PRIVATE: Final = "private, no-cache"
SETTLED: Final = "public, max-age=86400, immutable"
"""What never changes again: closed ticks, full pages of events."""
_TAG = re.compile(r'(?:W/)?("[^"]*")|\*')


def tag_of(body: bytes, snapshot_hash: str = "") -> str:
    """Return the strong tag of a body: the snapshot that it shows, and the bytes themselves.

    The bytes are in it because a page also depends on who asks, and because another version may write a snapshot otherwise.
    """
    digest = hashlib.sha256(body).hexdigest()[:24]
    return f'"{snapshot_hash[:16]}-{digest}"' if snapshot_hash else f'"{digest}"'


def has_tag(sent: str | None, tag: str) -> bool:
    """Return whether `If-None-Match` names a tag, compared weakly: a proxy that compresses makes a strong tag weak.

    >>> has_tag('W/"a-1", "b"', '"a-1"'), has_tag("*", '"a"'), has_tag('"a"', '"b"')
    (True, True, False)
    """
    if sent is None:
        return False
    return any(found[0] == "*" or found[1] == tag for found in _TAG.finditer(sent))


def answered(
    request: Request,
    document: Mapping[str, Any] | bytes,
    *,
    cache: str,
    snapshot_hash: str = "",
    next_url: str | None = None,
) -> Response:
    """Return a document, or 304 where the caller has it.

    Args:
        cache: its Cache-Control.
        snapshot_hash: the snapshot that it shows, where it shows one.
        next_url: where the page after it is.
    """
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    tag = tag_of(body, snapshot_hash)
    headers = {"ETag": tag, "Cache-Control": cache, "Vary": "Authorization"}
    if next_url is not None:
        headers["Link"] = f'<{next_url}>; rel="next"'
    if has_tag(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
