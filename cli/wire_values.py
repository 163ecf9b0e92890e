"""Options whose values stand in requests and in the ledger: read as strictly as over HTTP."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from cli.errors import CliError
from policies.contracts.base import Id, Line

_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)
_LINE: Final[TypeAdapter[str]] = TypeAdapter(Line)


def id_of(option: str, text: str) -> str:
    """Return an id as requests carry them.

    Raises:
        CliError: where it is none.
    """
    return _read(_ID, text, f"{option} {text!r} is no id", "write 1 to 128 letters, digits and . : @ / + - _")


def line_of(option: str, text: str) -> str:
    """Return one line of text as requests carry it.

    Raises:
        CliError: where it is empty, too long, or more than a line.
    """
    return _read(_LINE, text, f"{option} is no line of text", "write 1 to 500 characters on one line")


def _read(adapter: TypeAdapter[str], text: str, what: str, fix: str) -> str:
    try:
        return adapter.validate_python(text)
    except ValidationError:
        raise CliError(what, fix) from None
