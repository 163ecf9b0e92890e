"""Log lines: ids only, whatever is handed in (S0-89)."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from gateway.logs import configure_logging
from tests.unit.gateway.scripted import CANARY


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the process back its logging as it was."""
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
