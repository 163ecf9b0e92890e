"""Log lines: ids only, whatever is handed in (S0-89)."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from agents.tracing import SpanIds, current_correlation_id, current_span
from gateway.logs import configure_logging
from tests.unit.gateway.scripted import CANARY


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the process back its logging as it was."""
    for library in ("httpx", "httpx2", "openai"):
        monkeypatch.setattr(logging.getLogger(library), "level", logging.NOTSET)
    for name in ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing"):
        monkeypatch.setattr(logging, name, getattr(logging, name))
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def configured(log_format: str = "json", level: str = "info") -> io.StringIO:
    out = io.StringIO()
    configure_logging(level, log_format, out)
    return out


def test_a_line_is_one_json_object_with_its_event_and_known_fields() -> None:
    out = configured()
    logging.getLogger("gateway.decisions").info("decided", extra={"decision_id": "d-1", "votes": 5})

    line = json.loads(out.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "gateway.decisions",
        "event": "decided",
        "decision_id": "d-1",
        "votes": 5,
    }


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_unknown_fields_and_exception_messages_never_reach_the_log(log_format: str) -> None:
    out = configured(log_format)
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("x").exception("request failed", extra={"narrative": CANARY, "token": CANARY})

    assert "request failed" in out.getvalue()
    assert "ValueError" in out.getvalue()
    assert CANARY not in out.getvalue()


def test_a_person_at_a_terminal_reads_plain_text() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    configure_logging("info", "auto", out)
    logging.getLogger("x").warning("ledger unavailable", extra={"realm_id": "aelvyndor"})

    assert out.getvalue().endswith("warning ledger unavailable realm_id=aelvyndor\n")


def test_less_severe_lines_are_left_out_and_setting_up_twice_doubles_nothing() -> None:
    configured()
    out = configured(level="warning")
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("loud")

    assert out.getvalue().count("\n") == 1


@pytest.fixture
def following() -> Iterator[None]:
    """Be within a request and a span."""
    tokens = current_correlation_id.set("tick-7"), current_span.set(SpanIds("a" * 32, "b" * 16))
    yield
    current_correlation_id.reset(tokens[0])
    current_span.reset(tokens[1])


@pytest.mark.usefixtures("following")
@pytest.mark.parametrize(
    ("attached", "correlation_id"),
    [({}, "tick-7"), ({"correlation_id": None}, "tick-7"), ({"correlation_id": "its-own"}, "its-own")],
)
def test_a_line_names_the_request_it_belongs_to_unless_it_says_so_itself(
    attached: dict[str, str | None], correlation_id: str
) -> None:
    out = configured()
    logging.getLogger("x").info("told", extra=attached)

    line = json.loads(out.getvalue())
    assert (line["correlation_id"], line["trace_id"], line["span_id"]) == (correlation_id, "a" * 32, "b" * 16)


def test_a_line_outside_of_any_request_names_none() -> None:
    out = configured()
    logging.getLogger("x").info("told")

    assert set(json.loads(out.getvalue())) == {"time", "level", "logger", "event"}


@pytest.mark.parametrize("library", ["httpx", "httpx2", "openai"])
def test_libraries_do_not_tell_of_every_request_and_its_address(library: str) -> None:
    out = configured()
    logging.getLogger(library).info("HTTP Request: POST %s", f"http://vllm/v1?key={CANARY}")
    logging.getLogger(library).warning("something is wrong")

    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["something is wrong"]
