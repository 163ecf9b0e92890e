"""What waits in a realm, and what the bus could not deliver."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

import orjson
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render_parts import columns, cut, section
from cli.text import clean, counted, decimal, moment, shortened
from council.moments import iso
from world.bus.port import DeadLetter

Document = Mapping[str, Any]
_STATES: Final = {
    "quarantined": ("‖ held", "magenta"),
    "in_review": ("… review", "yellow"),
    "rejected": ("✗ expired", "red"),  # of the rejected ones only those open to appeal are listed
}
_QUESTION_STATES: Final = {"open": "to be asked", "asked": "asked", "answered": "answered, to be applied"}
_SHARES: Final = ("velocity", "timing", "actions", "sequence")
_COUNTS: Final = ("replays", "strays")
_LEAST_TERM: Final = 100
"""Permille below which a term of the anomaly says nothing to a person."""
_PAYLOAD_WIDTH: Final = 2_000


def render_queue(document: Document) -> list[RenderableType]:
    """Return the queue of one realm as a drawing.

    Args:
        document: realm_id, acts (`held_view`), questions (`question_view`), more_acts, more_questions.
    """
    acts, questions = document["acts"], document["questions"]
    title = Text.assemble((clean(document["realm_id"]), "bold"), (f"  {_told(document)}", "dim"))
    parts: list[RenderableType] = [title]
    if acts:
        parts += [Text(""), _acts(acts)]
    if questions:
        parts += [Text(""), _questions(questions)]
    if document["more_acts"] or document["more_questions"]:
        parts += [Text(""), Text("more wait: a higher --limit shows them", style="dim")]
    return parts


def render_letters(letters: Sequence[DeadLetter]) -> RenderableType:
    """Return dead letters as a table, oldest first."""
    table = _table("letter", "died", "group", "topic", "about", "tries")
    table.add_column("reason", ratio=1)
    for letter in letters:
        table.add_row(
            Text(clean(letter.letter_id), style="bold"),
            Text(moment(_iso(letter.died_at))[5:16], style="dim"),
            cut(shortened(clean(letter.group), 12)),
            cut(shortened(clean(letter.message.topic), 18)),
            cut(shortened(clean(letter.message.subject or letter.message.message_id), 20)),
            str(letter.tries),
            cut(clean(letter.reason), "red"),
        )
    return table


def render_letter(letter: DeadLetter) -> list[RenderableType]:
    """Return one dead letter whole."""
    message = letter.message
    facts = columns()
    for name, value in (
        ("message", message.message_id),
        ("topic", message.topic),
        ("about", message.subject or "–"),
        ("realm", message.key),
        ("correlation", message.correlation_id or "–"),
        ("died", f"{moment(_iso(letter.died_at))}, after {letter.tries} tries"),
    ):
        facts.add_row(Text(name, style="dim"), clean(value))
    head = Text.assemble((f"✗ {clean(letter.letter_id)}", "bold red"), f"  {clean(letter.group)} could not take it")
    return [
        head,
        Text(""),
        section("Reason", Text(clean(letter.reason), style="red")),
        section("Message", facts),
        section("Payload", Text(_payload(message.payload)), gap=False),
    ]


def _told(document: Document) -> str:
    acts, questions = document["acts"], document["questions"]
    if not acts and not questions:
        return "nothing waits"
    states = Counter(act["state"] for act in acts)
    counts = [
        (states["quarantined"], "act in quarantine", "acts in quarantine"),
        (states["in_review"], "act in review", "acts in review"),
        (states["rejected"], "act open to appeal", "acts open to appeal"),
        (len(questions), "question to the council", "questions to the council"),
    ]
    return " · ".join(f"{count} {one if count == 1 else several}" for count, one, several in counts if count)


def _acts(acts: Sequence[Document]) -> Table:
    table = _table("#", "received", "", "who")
    table.add_column("act", ratio=1)
    for title in ("points", "anomaly"):
        table.add_column(title, no_wrap=True, justify="right")
    for act in acts:
        sign, style = _STATES.get(act["state"], (clean(act["state"]), ""))
        points = act["points"]
        table.add_row(
            str(act["sequence"]),
            Text(moment(act["received_at"])[5:16], style="dim"),
            Text(sign, style=style),
            cut(shortened(clean(act["user_id"]), 20), "bold"),
            _act(act),
            "–" if points is None else decimal(Fraction(round(points * 1_000), 1_000)),
            f"{act['anomaly']['score'] / 10:g} %",
        )
    return table


def _act(act: Document) -> Text:
    """Return what somebody did, and beneath it why it waits."""
    side = f" for {act['faction_id']}" if act["faction_id"] else ""
    told = Text(clean(f"{act['action_type']}{side}").replace("_", " "), no_wrap=True, overflow="ellipsis")
    if why := _why(act):
        told.append(f"\n{why}", style="dim")
    return told


def _questions(questions: Sequence[Document]) -> Table:
    table = _table("tick", "question", "about", "")
    table.add_column("what would change", ratio=1)
    for question in questions:
        table.add_row(
            str(question["tick_number"]),
            Text(shortened(clean(question["question_id"]), 22), style="dim"),
            cut(shortened(clean(question["subject"]), 24), "bold"),
            Text(_QUESTION_STATES.get(question["state"], clean(question["state"])), style="yellow"),
            cut(clean(question["summary"])),
        )
    return table


def _why(act: Document) -> str:
    """Return what made an act stand out: the reason that was given, or the highest terms of its anomaly."""
    if act["because"]:
        return clean(act["because"])
    terms = act["anomaly"]["terms"]
    shares = sorted(((terms.get(name, 0), name) for name in _SHARES), reverse=True)
    told = [f"{name} {share / 10:g} %" for share, name in shares if share >= _LEAST_TERM]
    told += [counted(terms[name], name[:-1]) for name in _COUNTS if terms.get(name)]
    return clean(", ".join(told))


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    for title in titles:
        table.add_column(title, no_wrap=True)
    return table


def _payload(payload: bytes) -> str:
    """Return a payload as people read JSON, cut where it grows long; as it is where it is no JSON."""
    try:
        text = orjson.dumps(orjson.loads(payload), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return clean(payload.decode("utf-8", "backslashreplace"))
    lines = "\n".join(clean(line) for line in text.split("\n"))
    return (
        lines
        if len(lines) <= _PAYLOAD_WIDTH
        else f"{lines[:_PAYLOAD_WIDTH]}\n… {len(payload)} bytes; --json prints all"
    )


def _iso(ms: int) -> str:
    return iso(datetime.fromtimestamp(ms / 1_000, UTC))
