"""Values of the story as plain JSON, and back: strict, and the same bytes for the same value."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from policies.canonical import canonical_json
from policies.faults import Fault, InvalidInputError, pointer

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Return a value as plain JSON: named tuples and dataclasses as objects, other sequences as lists."""
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in sorted(value)}
    if hasattr(value, "_asdict"):
        return {key: plain(item) for key, item in zip(value._fields, value, strict=True)}
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    return [plain(item) for item in value]


def read(adapter: TypeAdapter[T], document: Any, what: str) -> T:
    """Read a value back; types are taken as they are written, never guessed.

    Args:
        adapter: of the value's type.
        document: plain JSON.
        what: what it should be, for the message: "a plan".

    Raises:
        InvalidInputError: with every place that does not fit.
    """
    if not isinstance(document, Mapping):
        raise InvalidInputError([Fault("", f"not {what}", "send an object")])
    try:
        return adapter.validate_json(canonical_json(document), strict=True)
    except ValidationError as error:
        raise InvalidInputError([_fault(each, what) for each in error.errors(include_url=False)]) from error


def _fault(error: Any, what: str) -> Fault:
    path = pointer(*error["loc"])
    match error["type"]:
        case "missing" | "missing_argument" | "missing_keyword_only_argument":
            return Fault(path, "is missing", f"write it out: {what} has it always")
        case "unexpected_keyword_argument" | "extra_forbidden":
            return Fault(path, "unknown key", f"leave it out: {what} has no such key")
        case _:
            message = str(error["msg"])
            return Fault(path, message[:1].lower() + message[1:], f"write what {what} has here")
