"""The requests that benchmarks send: one that convenes the whole council, one that needs nobody."""

import json
from pathlib import Path
from typing import Any

_EXAMPLES = Path(__file__).parent.parent / "examples" / "requests"


def sovereign_request() -> bytes:
    """Return the example of a sound sovereign action: five members are seated."""
    return _body("free-cities-take-back")


def everyday_request() -> bytes:
    """Return the example of an everyday act: triage lets it pass."""
    return _body("caravan")


def _body(words: str) -> bytes:
    """Return an example as a sim would send it, without the request id that would make it the same decision for ever."""
    path = next(path for path in sorted(_EXAMPLES.glob("*.json")) if words in path.name)
    document: dict[str, Any] = json.loads(path.read_bytes())
    document.pop("request_id", None)
    return json.dumps(document, separators=(",", ":")).encode()
