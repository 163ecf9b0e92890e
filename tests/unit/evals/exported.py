"""Exports for tests: real decisions, written as `council export` writes them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson

from evals.decisions import Decision
from evals.export_lines import ExportCounts, ExportHeader, decision_line, end_line, header_line, policy_line
from policies.policy import Policy
from tests.unit.evals.recorded import shipped


def export_lines(
    decisions: Iterable[Decision], policies: Sequence[Policy] | None = None, header: ExportHeader | None = None
) -> list[bytes]:
    """Return the lines of an export with its policies, the shipped one unless given, at the top."""
    written = [decision_line(decision) for decision in decisions]
    chosen = [shipped()] if policies is None else policies
    lines = [header_line(header or ExportHeader())]
    lines += [policy_line(policy.content_hash, orjson.dumps(policy.document)) for policy in chosen]
    return [*lines, *written, end_line(ExportCounts(len(written), len(chosen)))]


def write_export(path: Path, lines: Iterable[bytes]) -> Path:
    """Write lines to a file and return its path."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path
