"""Cassettes: what models answered, recorded at the HTTP boundary of the client and replayed without any network.

    cassette = Cassette.recording("case.jsonl")        # or Cassette.replaying("case.jsonl")
    client = open_client(endpoint, key=key, around=cassette.around)

A recorded failure replays as that failure. What is not on the cassette is refused, never fetched (issue 3, point 7).
"""

import asyncio
from pathlib import Path
from typing import Final, NoReturn, Self

import httpx2

from agents.models.calls import CallError, current_call
from agents.models.cassette_file import (
    CANCELLED,
    ERRORS,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    Answered,
    CassetteError,
    Exchange,
    Failed,
    HeaderPairs,
    read_cassette,
)
from agents.models.cassette_match import CassetteMissError, Shelf
from agents.models.cassette_tape import Tape

_SECRET_WORDS: Final = ("auth", "cookie", "key", "secret", "token")
"""A header with one of these in its name holds a secret."""
_SHORTEST_SECRET: Final = 8
"""A shorter one is a placeholder such as "none", which may well occur in a reply; characters."""


class GivenUpError(CallError, httpx2.ReadTimeout):
    """the recorded call was given up without a reply

    Nobody cancels the replay, so it must not look as if somebody did: other clients see a timeout. The member's judge makes no
    further call, just as it had no time left for one then.
    """


class Cassette:
    """Calls to models on file: being recorded, or being replayed.

    Attributes:
        misses: requests that were not on the cassette.
    """

    def __init__(self, tape: Tape | None, shelf: Shelf | None) -> None:
        self._tape = tape
        self._shelf = shelf
        self.misses = 0

    @classmethod
    def recording(cls, path: str | Path) -> Self:
        """Record into a file; one that holds recordings already is continued.

        Raises:
            CassetteError: where it cannot be written, or is no cassette.
        """
        return cls(Tape(Path(path)), None)

    @classmethod
    def replaying(cls, path: str | Path) -> Self:
        """Serve from a file, and from nothing else.

        Raises:
            CassetteError: naming file, line, field and fix where it cannot be read.
        """
        return cls(None, Shelf(Path(path), read_cassette(Path(path))))

    @property
    def unused(self) -> tuple[Exchange, ...]:
        """Recordings that nobody asked for while replaying; those that a later one replaced do not count."""
        return () if self._shelf is None else self._shelf.unused

    def around(self, transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncBaseTransport:
        """Wrap a transport. While replaying it is never called, only closed."""
        if self._tape is not None:
            return _Recording(transport, self._tape)
        return _Replaying(transport, self)

    def close(self) -> None:
        """Let go of the file.

        Raises:
            CassetteError: where a call could not be recorded: the cassette is not whole.
        """
        if self._tape is not None:
            self._tape.close()

    def replay(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        """Answer one request from the file.

        Raises:
            CassetteMissError: where it is not recorded.
            httpx2.RequestError: where that is what was recorded.
        """
        assert self._shelf is not None
        try:
            outcome = self._shelf.take(current_call.get(), body).outcome
        except CassetteMissError:
            self.misses += 1
            raise
        if isinstance(outcome, Failed):
            _fail(outcome, request)
        return _response(outcome, request)


class _Replaying(httpx2.AsyncBaseTransport):
    def __init__(self, transport: httpx2.AsyncBaseTransport, cassette: Cassette) -> None:
        self._transport = transport
        self._cassette = cassette

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._cassette.replay(request, await request.aread())

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Recording(httpx2.AsyncBaseTransport):
    def __init__(self, transport: httpx2.AsyncBaseTransport, tape: Tape) -> None:
        self._transport = transport
        self._tape = tape

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        secrets = _secrets(request.headers)
        try:
            answered = _without(await self._answer(request), secrets)
        except asyncio.CancelledError:
            self._keep(request, body, Failed(CANCELLED, ""))
            raise
        except httpx2.RequestError as error:
            message = _blotted(str(error).encode(errors="replace"), secrets).decode(errors="replace")
            self._keep(request, body, Failed(_name(error), message))
            raise
        self._keep(request, body, answered)
        # The client gets what is on file and nothing else: recorded and replayed calls cannot come to differ.
        return _response(answered, request)

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _answer(self, request: httpx2.Request) -> Answered:
        response = await self._transport.handle_async_request(request)
        try:
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            body = b"".join([part async for part in response.stream])
        finally:
            await response.aclose()
        return Answered(response.status_code, _kept(response.headers, RESPONSE_HEADERS), body)

    def _keep(self, request: httpx2.Request, body: bytes, outcome: Answered | Failed) -> None:
        headers = _kept(request.headers, REQUEST_HEADERS)
        try:
            self._tape.append(Exchange(current_call.get(), headers, body, outcome))
        except CassetteError as error:
            raise CallError("unreachable", str(error)) from error


def _response(answered: Answered, request: httpx2.Request) -> httpx2.Response:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answered.headers]
    stream = httpx2.ByteStream(answered.body)
    return httpx2.Response(answered.status, headers=headers, stream=stream, request=request)


def _fail(failed: Failed, request: httpx2.Request) -> NoReturn:
    if failed.error == CANCELLED:
        raise GivenUpError("timeout", "the recorded call was given up without a reply", is_endpoint_fault=True)
    raise ERRORS[failed.error](failed.message, request=request)


def _name(error: httpx2.RequestError) -> str:
    """Return the name that an error is recorded under: its own, or that of the nearest class that replay knows."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in ERRORS)


def _kept(headers: httpx2.Headers, names: frozenset[str]) -> HeaderPairs:
    found = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers.raw]
    return tuple([(name, value) for name, value in found if name in names])


def _secrets(headers: httpx2.Headers) -> list[bytes]:
    found = [
        value.split()[-1] for name, value in headers.items() if any(word in name for word in _SECRET_WORDS) and value
    ]
    return [secret.encode("latin-1", "replace") for secret in found if len(secret) >= _SHORTEST_SECRET]


def _without(answered: Answered, secrets: list[bytes]) -> Answered:
    """Blot out secrets of the request that a response repeats, as error messages of endpoints do (L7)."""
    headers = [(name, _blotted(value.encode("latin-1"), secrets).decode("latin-1")) for name, value in answered.headers]
    return Answered(answered.status, tuple(headers), _blotted(answered.body, secrets))


def _blotted(raw: bytes, secrets: list[bytes]) -> bytes:
    for secret in secrets:
        if secret in raw:
            raw = raw.replace(secret, b"*" * len(secret))
    return raw
