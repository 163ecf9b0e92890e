"""Values of the story as plain JSON, and back: strict, and the same bytes for the same value."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from policies.canonical import canonical_json
from policies.contracts.reading import describe
from policies.faults import Fault, InvalidInputError

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Return a value as plain JSON: named tuples, dataclasses and models as objects, other sequences as lists."""
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, BaseModel):
        return {name: plain(item) for name, item in value}
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
        raise InvalidInputError([_fault(each, document) for each in error.errors(include_url=False)]) from error


def _fault(error: Any, document: Any) -> Fault:
    # A field of a named tuple or a dataclass is an argument to pydantic.
    kind = _FIELDS.get(error["type"], error["type"])
    return describe(kind, error["loc"], str(error["msg"]), error.get("ctx", {}), document)


_FIELDS: Final = {
    "missing_argument": "missing",
    "missing_keyword_only_argument": "missing",
    "unexpected_keyword_argument": "extra_forbidden",
}
