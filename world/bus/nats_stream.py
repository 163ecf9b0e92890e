"""One JetStream stream, through FastStream's connection: appended to, read by number, by subject and by the hundred."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple

import orjson
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from world.bus.port import BusUnavailableError

TIMEOUT_S: Final = 5.0
CONNECT_S: Final = 2
DUPLICATES_S: Final = 120
"""How long JetStream drops a message that is published twice."""
OLDEST: Final = (2, 11)
"""The first NATS that answers one question with many messages."""
_TAKEN: Final = 10058
"""JetStream's code for a stream that is there in another form: the house's own, with replicas or limits."""
_OVERTAKEN: Final = (10071, 10164)
"""JetStream's codes for a subject that has moved on since it was read."""


class OvertakenError(Exception):
    """a subject has moved on since it was read: somebody else has written, or the stream was lost"""


class Stored(NamedTuple):
    """A message of the stream."""

    subject: str
    number: int
    headers: Mapping[str, str]
    data: bytes


class NatsStream:
    """A stream and the connection to it.

    Args:
        url: nats://[USER:PASSWORD@]HOST[:PORT] or tls://….
        name: of the stream.
        subjects: what it keeps, with wildcards.
        timeout_s: how long one request may take.
    """

    def __init__(self, url: str, name: str, subjects: str, timeout_s: float = TIMEOUT_S) -> None:
        self.name = name
        self._url = url
        self._subjects = subjects
        self._timeout_s = timeout_s
        self._broker: NatsBroker | None = None
        self._opening = asyncio.Lock()

    async def append(
        self, subject: str, data: bytes, headers: Mapping[str, str], seen: tuple[str, int] | None = None
    ) -> int:
        """Append a message and return its number, or of the one that JetStream has had under the same Nats-Msg-Id.

        Args:
            seen: a subject and the number of its last message (0: none), as they must be still.

        Raises:
            OvertakenError: where they are not.
            NoStreamResponseError: where there is no stream.
        """
        broker = await self._opened()
        expected = {} if seen is None else {
            "Nats-Expected-Last-Subject-Sequence-Subject": seen[0],
            "Nats-Expected-Last-Subject-Sequence": str(seen[1]),
        }  # fmt: skip
        try:
            # FastStream does not annotate what JetStream acknowledges with.
            done: Any = await broker.publish(
                data, subject, headers={**headers, **expected}, stream=self.name, timeout=self._timeout_s
            )
        except APIError as error:
            if error.err_code in _OVERTAKEN:
                raise OvertakenError from error
            raise
        return int(done.seq)

    async def replace(self, subject: str, data: bytes, number: int) -> int:
        """Replace all messages of a subject by one, if the last of them has a number still (0: there is none); return its own.

        Raises:
            OvertakenError: where it has another.
        """
        return await self.append(subject, data, {"Nats-Rollup": "sub"}, (subject, number))

    async def make(self) -> None:
        """Make the stream; nothing where it is there."""
        js = (await self._client()).jetstream(timeout=self._timeout_s)
        config = StreamConfig(
            name=self.name, subjects=[self._subjects], duplicate_window=DUPLICATES_S,
            allow_direct=True, allow_rollup_hdrs=True,
        )  # fmt: skip
        try:
            await js.add_stream(config)
        except APIError as error:
            if error.err_code != _TAKEN:
                raise

    async def last(self, subject: str) -> Stored | None:
        """Return the last message of a subject, as the stream's leader knows it; None also where there is no stream."""
        js = (await self._client()).jetstream(timeout=self._timeout_s)
        with suppress(NotFoundError):
            found = await js.get_last_msg(self.name, subject)
            return Stored(subject, found.seq or 0, found.headers or {}, found.data or b"")
        return None

    async def at(self, number: int) -> Stored | None:
        """Return the message with a number; None where it was deleted."""
        js = (await self._client()).jetstream(timeout=self._timeout_s)
        for direct in (True, False):  # a replica may not have it yet
            with suppress(NotFoundError):
                found = await js.get_msg(self.name, number, direct=direct)
                return Stored(found.subject or "", number, found.headers or {}, found.data or b"")
        return None

    async def many(self, request: Mapping[str, object]) -> list[Stored]:
        """Return what a direct read of several messages finds; nothing where there is no stream yet.

        Args:
            request: as JetStream's direct get takes it: `multi_last`, or `batch` with `next_by_subj`.
        """
        client = await self._client()
        inbox, replies = client.new_inbox(), asyncio.Queue[Msg]()
        subscription = await client.subscribe(inbox, cb=replies.put)
        found: list[Stored] = []
        try:
            await client.publish(f"$JS.API.DIRECT.GET.{self.name}", orjson.dumps(request), reply=inbox)
            async with asyncio.timeout(self._timeout_s):
                while (stored := _stored(reply := await replies.get())) is not None:
                    found.append(stored)
        finally:
            if client.is_connected:
                await subscription.unsubscribe()
        if _status(reply) == "503":
            await self._check_missing(client)
        return found

    async def purge(self, subject: str, before: int) -> int:
        """Delete a subject's messages with lower numbers; return how many."""
        client = await self._client()
        request = orjson.dumps({"filter": subject, "seq": before})
        reply = await client.request(f"$JS.API.STREAM.PURGE.{self.name}", request, timeout=self._timeout_s)
        return int(orjson.loads(reply.data).get("purged", 0))

    async def close(self) -> None:
        """Disconnect."""
        broker, self._broker = self._broker, None
        if broker is not None:
            with suppress(NatsError, OSError, TimeoutError):
                await _let_go(broker)

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """Tell NATS's errors as ours: never its address, which may hold a password."""
        try:
            yield
        except NoStreamResponseError as error:
            raise BusUnavailableError(
                f"NATS has no stream {self.name}: nothing was published, or it was deleted"
            ) from error
        except APIError as error:
            raise BusUnavailableError(f"NATS refuses: {str(error.description)[:200]}") from error
        except (NatsError, OSError, TimeoutError) as error:
            raise BusUnavailableError(f"NATS does not answer ({type(error).__name__})") from error

    async def _client(self) -> Client:
        return (await self._opened()).connection

    async def _opened(self) -> NatsBroker:
        """Return the connected broker: a new one where the last has lost its connection.

        The client's own way back is off: it keeps what is sent meanwhile and sends it late, tries for ever where nobody has ever
        listened, and gives up for good after two minutes by default.
        """
        async with self._opening:
            if self._broker is not None and not self._broker.connection.is_connected:
                await self.close()
            if self._broker is None:
                self._broker = await self._open()
            return self._broker

    async def _open(self) -> NatsBroker:
        broker = NatsBroker(
            self._url, logger=None, error_cb=_quiet, allow_reconnect=False, connect_timeout=CONNECT_S,
            max_reconnect_attempts=1, reconnect_time_wait=0, graceful_timeout=1,
        )  # fmt: skip
        await broker.start()
        version = broker.connection.connected_server_version
        if (version.major, version.minor) < OLDEST:
            await _let_go(broker)
            raise BusUnavailableError(
                f"NATS {OLDEST[0]}.{OLDEST[1]} or newer is needed; the server is {version.major}.{version.minor}"
            )
        return broker

    async def _check_missing(self, client: Client) -> None:
        """Raise where nobody answers for another reason than that there is no stream."""
        with suppress(NotFoundError):
            await client.jetstream(timeout=self._timeout_s).stream_info(self.name)
            raise BusUnavailableError(
                f"NATS gives no direct reads of its stream: 'nats stream edit {self.name} --allow-direct'"
            )


def _stored(reply: Msg) -> Stored | None:
    """Return the message of a direct read; None for the end."""
    headers = reply.headers or {}
    if _status(reply):
        return None
    return Stored(headers["Nats-Subject"], int(headers["Nats-Sequence"]), headers, reply.data)


def _status(reply: Msg) -> str:
    return (reply.headers or {}).get("Status", "")


async def _quiet(_: Exception) -> None:
    """The client's errors are told by whoever waits for its answer."""


async def _let_go(broker: NatsBroker) -> None:
    """Close without draining: a client that is not connected would wait for what never comes."""
    await broker.connection.close()
    await broker.stop()
