"""One Kafka broker without Kafka: the mock cluster inside librdkafka, at a port of our choice, in a process that can be killed.

It speaks the real protocol over TCP (produce, fetch, consumer groups with session timeouts, offset commits), but keeps all in
memory, replicates nothing, and forgets nothing by age. Its own port cannot be chosen, so a forwarder stands before it.

Run as ``python -m tests.kafka_mock PORT``; it says "done" when it listens, and after each command on its standard input:
``topic NAME PARTITIONS``, ``down`` (the broker refuses connections, and keeps what it has), ``up``.
"""

import asyncio
import ctypes
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_PRODUCER: Final = 0
_ERROR_SIZE: Final = 512
_BROKER: Final = 1
_SYNC_GROUP: Final = 14
_WITH_INSTANCE: Final = 3
"""Version of SyncGroup from which on a request names the consumer's instance."""
_FOLLOWERS_S: Final = 0.05
"""How long a group's leader is held back: the mock refuses followers who ask for their part after the leader has divided."""
_REBALANCE_MS: Final = 50
"""How long a group's first division waits for more members; by default 3 s."""


def library() -> Path:
    """Return where the wheel of confluent-kafka keeps librdkafka.

    Raises:
        FileNotFoundError: where the wheel is not installed, or keeps none.
    """
    for place in map(Path, sys.path):
        for directory in ("confluent_kafka.libs", "confluent_kafka/.dylibs"):
            for found in sorted((place / directory).glob("librdkafka*")):
                return found
    raise FileNotFoundError("librdkafka: install confluent-kafka")


class MockCluster:
    """A mock cluster of one broker, which says that it listens at a port."""

    def __init__(self, port: int) -> None:
        self._library = ctypes.CDLL(str(library()))
        for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
            getattr(self._library, name).restype = ctypes.c_void_p
        self._library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        error = ctypes.create_string_buffer(_ERROR_SIZE)
        conf = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        handle = ctypes.c_void_p(self._library.rd_kafka_new(_PRODUCER, conf, error, _ERROR_SIZE))
        self._cluster = ctypes.c_void_p(self._library.rd_kafka_mock_cluster_new(handle, 1))
        self.own_port = int(self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode().rpartition(":")[2])
        self._library.rd_kafka_mock_broker_set_host_port(self._cluster, _BROKER, b"127.0.0.1", port)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, _REBALANCE_MS)

    def do(self, command: str) -> None:
        """Carry out one command."""
        match command.split():
            case ["topic", name, partitions]:
                self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), int(partitions), 1)
            case ["down"]:
                self._library.rd_kafka_mock_broker_set_down(self._cluster, _BROKER)
            case ["up"]:
                self._library.rd_kafka_mock_broker_set_up(self._cluster, _BROKER)
            case _:
                raise ValueError(command)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, frame by frame."""
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            size = await reader.readexactly(4)
            frame = await reader.readexactly(int.from_bytes(size))
            if _divides(frame):
                await asyncio.sleep(_FOLLOWERS_S)
            writer.write(size + frame)
            await writer.drain()
    writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on answers as they come."""
    with suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


def _divides(frame: bytes) -> bool:
    """Whether a request is the SyncGroup by which a group's leader says who gets which partitions."""
    key, version = struct.unpack_from(">hh", frame)
    if key != _SYNC_GROUP:
        return False
    at = 8
    for skipped in (0, 0, 4, 0) if version >= _WITH_INSTANCE else (0, 0, 4):
        # Client, group, generation and member, instance: strings with their length before them, -1 for none.
        at += skipped + 2 + max(struct.unpack_from(">h", frame, at + skipped)[0], 0)
    return bool(struct.unpack_from(">i", frame, at)[0])


async def _serve(port: int) -> None:
    cluster = MockCluster(port)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", cluster.own_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, back), _pass(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    async with server:
        _say_done()
        while command := await asyncio.to_thread(sys.stdin.readline):
            cluster.do(command)
            _say_done()


def _say_done() -> None:
    sys.stdout.write("done\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
