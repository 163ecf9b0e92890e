"""The form of a cassette: JSON Lines, first the schema, then one recorded exchange a line, and how they are read and appended.

A body stands as text where it is UTF-8, else in base64: either way it comes back byte for byte. Of the headers only those
listed here are kept, so that no key and no cookie gets into a file that people pass on (reliability.md, L7).
"""

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, Self

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.asking import Variant
from agents.models.calls import Caller, CallKey
from agents.models.transport import ReplyTooLargeError
from policies.canonical import sha256_hex
from policies.faults import did_you_mean, pointer

SCHEMA: Final = "council.cassette/1"
REQUEST_HEADERS: Final = frozenset({"content-type"})
"""Headers of a request that are kept."""
RESPONSE_HEADERS: Final = frozenset(
    {"content-encoding", "content-type", "date", "retry-after", "retry-after-ms", "x-request-id"}
)
"""Headers of a response that are kept: what the client reads (Retry-After counts from Date), and the id providers ask for."""
CANCELLED: Final = "CancelledError"
"""Name of the error of a call that was given up: its deadline passed, or whoever asked has gone."""
ERRORS: Final[dict[str, type[httpx2.RequestError]]] = {
    kind.__name__: kind
    for kind in (
        httpx2.CloseError,
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.DecodingError,
        httpx2.LocalProtocolError,
        httpx2.NetworkError,
        httpx2.PoolTimeout,
        httpx2.ProtocolError,
        httpx2.ProxyError,
        httpx2.ReadError,
        httpx2.ReadTimeout,
        httpx2.RemoteProtocolError,
        httpx2.RequestError,
        httpx2.TimeoutException,
        httpx2.TransportError,
        httpx2.UnsupportedProtocol,
        httpx2.WriteError,
        httpx2.WriteTimeout,
        ReplyTooLargeError,
    )
}
"""Errors of a transport, by the name they are recorded under."""
HEADER_LINE: Final = orjson.dumps({"schema": SCHEMA}) + b"\n"

HeaderPairs = tuple[tuple[str, str], ...]


class CassetteError(Exception):
    """a cassette cannot be used

    Args:
        path: the file.
        line: its line, from 1; None where the file as a whole is meant.
        field: JSON pointer to the field within that line; "" is the whole line.
        what: what is wrong.
        fix: what to do about it.
    """

    def __init__(self, path: Path, line: int | None, field: str, what: str, fix: str) -> None:
        place = str(path) if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {field + ': ' if field else ''}{what}; {fix}")
        self.path = path
        self.line = line
        self.field = field
        self.fix = fix


class Answered(NamedTuple):
    """A response as it came."""

    status: int
    headers: HeaderPairs
    """Names in lower case, values as Latin-1; only those of `RESPONSE_HEADERS`."""
    body: bytes
    """As it went over the wire, before any decoding."""


class Failed(NamedTuple):
    """A call that brought no response."""

    error: str
    """A name of `ERRORS`, or `CANCELLED`."""
    message: str


class Exchange(NamedTuple):
    """One request and what became of it."""

    key: CallKey | None
    """None where a request was sent outside any member's call, such as a check of the endpoint."""
    headers: HeaderPairs
    request: bytes
    outcome: Answered | Failed
    line: int = 0
    """Its line in the file, from 1; 0 before it is written."""


def exchange_to_line(exchange: Exchange) -> bytes:
    """Return an exchange as its line, with the line's end."""
    wire: dict[str, Any] = {"key": exchange.key._asdict() if exchange.key is not None else None}
    wire["request"] = {
        "headers": exchange.headers,
        "sha256": sha256_hex(exchange.request),
        **_bytes_to_wire(exchange.request),
    }
    match exchange.outcome:
        case Answered(status, headers, body):
            wire["response"] = {"status": status, "headers": headers, **_bytes_to_wire(body)}
        case Failed(error, message):
            wire["error"] = {"name": error, "message": message}
    return orjson.dumps(wire) + b"\n"


def read_cassette(path: Path) -> tuple[Exchange, ...]:
    """Read a whole cassette.

    Raises:
        CassetteError: where there is none, where it is of another form, or where its last line is torn.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        fix = "check the path, or record it first"
        raise CassetteError(path, None, "", f"cannot be read: {said_by(error)}", fix) from error
    check_schema(path, raw)
    torn = torn_line(raw)
    if torn is not None:
        what = "the last line is torn: its writer was stopped in the middle of it"
        raise CassetteError(path, torn, "", what, "delete that line, or record into the file again")
    lines = raw.removesuffix(b"\n").split(b"\n")[1:]
    return tuple([_read_line(path, number, line) for number, line in enumerate(lines, start=2)])


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _WireKey(_Wire):
    member: Caller
    prompt_hash: str
    model: str
    parameters: str
    request_hash: str
    round: Annotated[int, Field(strict=True)]
    variant: Variant
    repeat: Annotated[int, Field(strict=True)]
    attempt: Annotated[int, Field(strict=True)]


class _WireBytes(_Wire):
    text: str | None = None
    base64: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.base64 is None):
            raise ValueError("holds not exactly one of text and base64")
        try:
            b64decode(self.base64 or "", validate=True)
        except ValueError:
            raise ValueError("holds a base64 that is none") from None
        return self

    @property
    def body(self) -> bytes:
        return self.text.encode() if self.text is not None else b64decode(self.base64 or "")


class _WireRequest(_WireBytes):
    headers: HeaderPairs
    sha256: str


class _WireResponse(_WireBytes):
    status: Annotated[int, Field(strict=True, ge=100, le=999)]
    headers: HeaderPairs


class _WireError(_Wire):
    name: str
    message: str


class _WireLine(_Wire):
    key: _WireKey | None
    request: _WireRequest
    response: _WireResponse | None = None
    error: _WireError | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.response is None) == (self.error is None):
            raise ValueError("holds not exactly one of response and error")
        return self


def _read_line(path: Path, number: int, line: bytes) -> Exchange:
    try:
        wire = _WireLine.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        what = first["msg"].removeprefix("Value error, ")
        raise _bad_line(path, number, pointer(*first["loc"]), what[0].lower() + what[1:]) from None
    if sha256_hex(wire.request.body) != wire.request.sha256:
        raise _bad_line(path, number, "/request/sha256", "is not that of the body")
    if wire.error is not None and wire.error.name not in (*ERRORS, CANCELLED):
        told = did_you_mean(wire.error.name, [*ERRORS, CANCELLED])
        raise _bad_line(path, number, "/error/name", f"unknown error {wire.error.name!r}: {told}")
    return Exchange(
        CallKey(**wire.key.model_dump()) if wire.key is not None else None,
        wire.request.headers,
        wire.request.body,
        _outcome(wire),
        number,
    )


def _outcome(wire: _WireLine) -> Answered | Failed:
    if wire.response is not None:
        return Answered(wire.response.status, wire.response.headers, wire.response.body)
    assert wire.error is not None
    return Failed(wire.error.name, wire.error.message)


def _bad_line(path: Path, number: int, field: str, what: str) -> CassetteError:
    return CassetteError(path, number, field, what, "delete that line and record its call again")


def check_schema(path: Path, raw: bytes) -> None:
    first = raw.partition(b"\n")[0]
    try:
        schema = orjson.loads(first)["schema"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        what = f'is no cassette: its first line is not {{"schema": "{SCHEMA}"}}'
        raise CassetteError(path, 1, "/schema", what, "name a cassette, or a file that does not exist yet") from None
    if schema != SCHEMA:
        fix = "record it again with this version, or replay it with the version that wrote it"
        raise CassetteError(path, 1, "/schema", f"is not {SCHEMA!r}", fix)


def torn_line(raw: bytes) -> int | None:
    """Return the number of a last line that is not whole; None where it is whole, with or without its line's end."""
    last = raw[raw.rfind(b"\n") + 1 :]
    try:
        if last:
            orjson.loads(last)
    except orjson.JSONDecodeError:
        return raw.count(b"\n") + 1
    return None


def _bytes_to_wire(raw: bytes) -> dict[str, str]:
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(raw).decode()}


def said_by(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
