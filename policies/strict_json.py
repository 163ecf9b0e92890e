"""JSON as the standard means it: one value per key, finite numbers, whole characters, bounded size and depth.

`json`, orjson and pydantic each let some of it through (reliability.md, measured facts 4 and 6), so bodies pass here first.
"""

import json
import re
from typing import Any, Final, NamedTuple, NoReturn

import orjson

from policies.canonical import canonical_json, plain_canonical_json
from policies.faults import Fault, InvalidInputError

MAX_BYTES: Final = 1_048_576
"""Largest document accepted by default: 1 MiB."""
MAX_DEPTH: Final = 24
"""Deepest nesting of arrays and objects accepted; the request's own schema needs 9."""
_MAX_INTEGER: Final = 2**53

_SURROGATE = re.compile(r"[\ud800-\udfff]")


class _DeepError(Exception):
    """nested deeper than is accepted"""


class ParsedJson(NamedTuple):
    """A strictly parsed document and its RFC 8785 bytes."""

    value: Any
    canonical: bytes
    is_plain: bool
    """Whether the quick canonical writer may write it, and any part of it."""


def parse_strict(raw: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> ParsedJson:
    """Parse one JSON document strictly.

    Whole floats come back as integers (12.0 as 12), as RFC 8785 writes them.

    Raises:
        InvalidInputError: for malformed JSON, duplicate keys, NaN and infinities, integers beyond 2^53, lone surrogates,
            bytes that are not UTF-8, a byte order mark, or a document too large or too deep.
    """
    if len(raw) > max_bytes:
        raise _refused(f"document is larger than {max_bytes} bytes", f"send at most {max_bytes} bytes")
    data = raw if isinstance(raw, bytes) else _encoded(raw)
    quick = _quick(data)
    if quick is not None:
        parsed = _canonical(quick, max_depth, has_plain_keys=data.isascii() and b"\\u" not in data)
        # orjson keeps the last of duplicate keys. Where no colon is escaped, every colon of the text comes out again when
        # it is written: equal counts mean that no pair was dropped.
        if data.count(b":") == parsed.canonical.count(b":"):
            return parsed
    return _canonical(_slow(_decoded(data), max_depth), max_depth, has_plain_keys=False)


def _canonical(value: Any, max_depth: int, *, has_plain_keys: bool) -> ParsedJson:
    is_container = type(value) is dict or type(value) is list
    if type(value) is float:
        _is_ordinary(value)
    try:
        is_plain = is_container and _settle(value, max_depth, has_plain_keys)
    except _DeepError:
        raise _too_deep(max_depth) from None
    return ParsedJson(value, plain_canonical_json(value) if is_plain else canonical_json(value), is_plain)


def _quick(data: bytes) -> Any:
    """Parse an object by orjson, which refuses NaN, surrogate halves and bad UTF-8; None where the slow way must look."""
    if b"\\u003" in data:  # an escaped colon
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if type(value) is dict else None


def _slow(text: str, max_depth: int) -> Any:
    if not text or text.isspace():
        raise _refused("there is nothing in it", "send one RFC 8259 JSON document")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_finite, parse_int=_integer)
    except RecursionError:
        raise _too_deep(max_depth) from None
    except json.JSONDecodeError as error:
        at = f"line {error.lineno} column {error.colno}"
        raise _refused(f"not valid JSON at {at}: {error.msg.lower()}", "send one RFC 8259 JSON document") from None
    if "\\u" in text:
        _check_characters(value, max_depth)
    return value


def _settle(node: Any, depth: int, has_plain_keys: bool) -> bool:
    """Turn whole floats into integers in place; return whether the document is plain for the canonical writer."""
    if depth == 0:
        raise _DeepError
    is_object = type(node) is dict
    is_plain = has_plain_keys or not is_object or all(map(str.isascii, node))
    for key, item in node.items() if is_object else enumerate(node):
        kind = type(item)
        if kind is str:
            continue
        if kind is dict or kind is list:
            is_plain = _settle(item, depth - 1, has_plain_keys) and is_plain
        elif kind is float:
            if item.is_integer() and abs(item) < _MAX_INTEGER:
                node[key] = int(item)
            else:
                is_plain = _is_ordinary(item) and is_plain
        elif kind is int and abs(item) >= _MAX_INTEGER:
            raise _refused("an integer is beyond 2^53", "send large numbers as strings")
    return is_plain


def _is_ordinary(number: float) -> bool:
    """Tell whether both canonical writers spell a number alike: no exponent, no overflow."""
    if number in (float("inf"), float("-inf")):
        raise _refused("a number is too large", "send a finite number")
    return 1e-4 <= abs(number) < 1e16


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise _half_character() from None


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(f"not UTF-8 at byte {error.start}", "encode the document as UTF-8") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _refused("an object repeats a key", "give every key once")
    return value


def _not_finite(_: str) -> NoReturn:
    raise _refused("NaN and infinities are not JSON numbers", "send a finite number")


def _integer(text: str) -> int:
    value = int(text) if len(text) < 20 else _MAX_INTEGER
    if abs(value) >= _MAX_INTEGER:
        raise _refused("an integer is beyond 2^53", "send large numbers as strings")
    return value


def _check_characters(value: Any, max_depth: int) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise _too_deep(max_depth) from None
    if _SURROGATE.search(text):
        raise _half_character()


def _half_character() -> InvalidInputError:
    return _refused("a string holds half a surrogate pair", "send whole Unicode characters")


def _too_deep(max_depth: int) -> InvalidInputError:
    return _refused(f"nested deeper than {max_depth} levels", "flatten the document")


def _refused(message: str, fix: str) -> InvalidInputError:
    return InvalidInputError([Fault("", message, fix)])
