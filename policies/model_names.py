"""Names of models and addresses of servers, as policy files and COUNCIL_MODELS write them. Pure."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from policies.faults import did_you_mean

MAX_NAME: Final = 200
"""Longest name of a model with its endpoint, characters."""
MAX_URL: Final = 500
_FORM: Final = 'write "endpoint/model", such as ollama/llama3.1:8b'
_ENDPOINT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_HOSTS_HERE: Final = frozenset(("localhost", "127.0.0.1", "::1"))


class Wrong(NamedTuple):
    """What is wrong with a name or an address, and what to write instead; the value itself is left out: it may be secret."""

    message: str
    fix: str


def wrong_endpoint(name: object) -> Wrong | None:
    """Say what is wrong with the name of an endpoint; None where nothing is."""
    if isinstance(name, str) and _ENDPOINT.fullmatch(name):
        return None
    return Wrong(
        "the name of an endpoint is at most 40 letters, digits, dots, underscores and hyphens",
        "the first slash parts endpoint and model",
    )


def wrong_model(name: object, endpoints: Iterable[str] | None = None) -> Wrong | None:
    """Say what is wrong with "endpoint/model"; None where nothing is.

    Args:
        name: the name; a model's own part may hold slashes.
        endpoints: names that are known; None where that is checked elsewhere.
    """
    if not isinstance(name, str) or len(name) > MAX_NAME:
        return Wrong("must name an endpoint and a model", _FORM)
    endpoint, _, model = name.partition("/")
    if not endpoint or not model:
        return Wrong("must name an endpoint and a model", _FORM)
    if not name.isprintable() or any(character.isspace() for character in name):
        return Wrong("holds a space or a character that cannot be seen", _FORM)
    if endpoints is not None and endpoint not in (known := list(endpoints)):
        return Wrong(f"the endpoint {endpoint!r} is not known", did_you_mean(endpoint, known))
    return wrong_endpoint(endpoint)


def wrong_url(url: object) -> Wrong | None:
    """Say what is wrong with the address of a server that speaks the OpenAI protocol; None where nothing is."""
    form = Wrong("must be a URL of the OpenAI protocol", "write it with its version: http://127.0.0.1:1234/v1")
    if not isinstance(url, str) or len(url) > MAX_URL or not url.isprintable() or " " in url:
        return form
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return form
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or "?" in url or "#" in url:
        return form
    if parts.username is not None or parts.password is not None:
        return Wrong(
            "the URL holds a name or a password", "name an environment variable under the endpoint's key instead"
        )
    return None


def is_in_clear(url: str) -> bool:
    """Tell whether what is sent to a server could be read on the way: no TLS, and not on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _HOSTS_HERE
