"""Log lines: JSON in production, plain text on a terminal, ids and never texts.

A line shows its static event and the fields listed here; whatever else a caller attaches is dropped, so that no request text,
token or player's words can reach a log by accident (register row S0-89). What is logged while a request is served names its
correlation id, and its place in the trace where one is drawn (S0-95).
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson

from agents.tracing import current_correlation_id, current_span

FIELDS: Final = (
    "action",
    "correlation_id",
    "decision_id",
    "realm_id",
    "decision_type",
    "verdict",
    "path",
    "held",
    "votes",
    "abstained",
    "duration_ms",
    "model_calls",
    "member",
    "endpoint",
    "model",
    "kind",
    "attempt",
    "latency_ms",
    "policy_hash",
    "policy_id",
    "version",
    "old",
    "new",
    "faults",
    "status",
    "problem",
    "error",
    "hint",
    "host",
    "port",
    "tick_number",
    "tick_s",
    "missed",
    "snapshot_id",
    "question_id",
    "events",
    "questions",
    "duty",
    "failures",
    "group",
    "message_id",
    "wait_s",
    "story_id",
    "chapter",
)
"""Names of `extra` fields that are written; everything else is dropped."""
_MARK: Final = "council_gateway"


def configure_logging(level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Send every log line of the process to one stream, in one form.

    Args:
        level: least severe level written: debug, info, warning or error.
        log_format: json, text, or auto (text where the stream is a terminal).
    """
    out = sys.stderr if stream is None else stream
    is_text = log_format == "text" or (log_format == "auto" and out.isatty())
    handler = logging.StreamHandler(out)
    handler.set_name(_MARK)
    handler.setFormatter(TextLines() if is_text else JsonLines())
    root = logging.getLogger()
    for old in [one for one in root.handlers if one.get_name() == _MARK]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    _leave_out_the_unused()
    # These tell of every query, request and file event; their warnings stay.
    for chatty in ("httpx", "httpx2", "openai", "aiosqlite", "sqlalchemy", "alembic", "watchfiles", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _leave_out_the_unused() -> None:
    """Stop logging from finding out, on every line, what no line shows (Python's own advice on optimisation)."""
    logging._srcfile = None  # no stack walk for file and line
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record; a traceback is told by types and places, never by an exception's message."""
        line: dict[str, Any] = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        line["event"] = _event(record)
        line.update(_fields(record))
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = _traceback(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class TextLines(logging.Formatter):
    """One line a person reads: time, level, event, key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        parts = [_time(record)[11:23], f"{record.levelname.lower():<7}", _event(record)]
        parts += [f"{name}={value}" for name, value in _fields(record).items()]
        if record.exc_info and record.exc_info[0] is not None:
            parts += ["\n ", " < ".join(_traceback(record.exc_info))]
        return " ".join(parts)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event(record: logging.LogRecord) -> str:
    # Lines of libraries carry values in their text; ours are static.
    return record.getMessage() if record.args else str(record.msg)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    given = record.__dict__
    fields: dict[str, Any] = {name: given[name] for name in FIELDS if name in given}
    if fields.get("correlation_id") is None and (following := current_correlation_id.get()) is not None:
        fields["correlation_id"] = following
    if (span := current_span.get()) is not None:
        fields.update(span._asdict())
    return fields


def _traceback(exc_info: Any) -> list[str]:
    """Return the exception's type and the places it passed, innermost first.

    Messages and source lines are left out: both may quote what a caller sent.
    """
    kind, _, trace = exc_info
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_qualname if sys.version_info >= (3, 11) else code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return [kind.__qualname__, *reversed(places)]
