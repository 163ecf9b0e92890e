"""A broker that speaks Kafka's protocol, for a block of a test: see tests/kafka_mock.py for what it is and is not."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka_mock import library
from tests.ports import free_port


class KafkaServer:
    """One broker in a process of its own, which forgets everything when it is killed.

    Args:
        topics: name → partitions; Kafka's operators make topics, the bus does not.
    """

    def __init__(self, port: int, topics: dict[str, int]) -> None:
        self.port = port
        self.topics = topics
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kafka_mock", str(self.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        self._answer()
        for topic, partitions in self.topics.items():
            self.make(topic, partitions)

    def make(self, topic: str, partitions: int) -> None:
        """Make a topic."""
        self.topics[topic] = partitions
        self.tell(f"topic {topic} {partitions}")

    def tell(self, command: str) -> None:
        """Have the broker do something: topic NAME PARTITIONS, down, up."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        self._answer()

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def _answer(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "done\n", "the broker did not start, or does not know the command"


@contextlib.contextmanager
def kafka(**topics: int) -> Iterator[KafkaServer]:
    """Run a broker; a test may stop and start it before its end. Skips the test where the wheel is missing."""
    try:
        library()
    except FileNotFoundError:
        pytest.skip("NOT RUN against Kafka's protocol: no librdkafka beside this python; pip install confluent-kafka")
    server = KafkaServer(free_port(), topics)
    server.start()
    try:
        yield server
    finally:
        server.stop()
