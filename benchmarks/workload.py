"""The requests that benchmarks send: one that convenes the whole council, one that needs nobody."""

from pathlib import Path

_EXAMPLES = Path(__file__).parent.parent / "examples" / "requests"


def sovereign_request() -> bytes:
    """Return the body of the example of a sound sovereign action, without its own request id."""
    raise NotImplementedError
