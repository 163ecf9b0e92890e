"""Drawing decisions: what `show`, `review` and `demo` share."""

from collections.abc import Mapping
from typing import Any

from cli.console import console, draw
from cli.ledger import Stored, place_of
from cli.render_show import render_show
from council.record import read_record


def draw_stored(stored: Stored) -> None:
    """Draw one recorded decision."""
    draw(*render_show(read_record(stored.body), stored=place_of(stored), width=console().width))


def draw_answer(request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Draw what a server answered; its evidence and merge are in its record, not in the answer."""
    draw(*render_show(answer_as_record(request, answer), stored=answer["record"], width=console().width))


def answer_as_record(request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return as much of a record as an answer tells."""
    return {
        "decision_id": answer["decision_id"],
        "realm_id": request["realm_id"],
        "decision_type": request["decision_type"],
        "recorded_at": "",
        "elapsed_ms": answer["elapsed_ms"],
        "policy": answer["policy"],
        "mode": "of the server's realm",
        "request": request,
        "path": answer["path"],
        "invoked_by": [],
        "seated": [vote["member"] for vote in answer["votes"]],
        "evidence": [],
        "rules": [{**veto, "fired": True} for veto in answer["vetoes"]],
        "merge": None,
        "modifications": None,
        "shadows": [],
        "held": answer["final_verdict"] == "quarantine",
        "council_verdict": answer["final_verdict"],
        "answer": answer,
    }
