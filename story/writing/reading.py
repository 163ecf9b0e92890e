"""Reading what a model sent: the texts of beats, or objections to them; nothing is repaired. Pure."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

import orjson

from story.prose.composing import Paragraph

Objection = Literal["contradiction", "invention", "voice", "language", "sense"]
"""What a critic may hold against a text. It has no words of its own: they would reach the writer's prompt."""
OBJECTIONS: Final[tuple[Objection, ...]] = get_args(Objection)
TOLD: Final[Mapping[Objection, str]] = {
    "contradiction": "contradicts what the given text tells; tell what it tells",
    "invention": "tells of something that the given text does not hold; leave it out",
    "voice": "falls out of the narrator's voice; write it plainly, as a story",
    "language": "is clumsy in its language; write it as a native would",
    "sense": "does not make sense to a reader; write it clearly",
}
"""What the writer is told of each."""
WRITER_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "beats": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"beat": {"type": "integer"}, "text": {"type": "string"}},
                "required": ["beat", "text"],
                "additionalProperties": False,
            },
            "maxItems": 12,
        }
    },
    "required": ["beats"],
    "additionalProperties": False,
}
CRITIC_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "objections": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "beat": {"type": "integer"},
                    "objection": {"type": "string", "enum": list(OBJECTIONS)},
                },
                "required": ["beat", "objection"],
                "additionalProperties": False,
            },
            "maxItems": 24,
        }
    },
    "required": ["objections"],
    "additionalProperties": False,
}


class UnreadableError(Exception):
    """a reply is not of the form that was asked for"""


class Offered(NamedTuple):
    """What a reply offers for some beats."""

    texts: Mapping[int, str]
    """By beat, in normal form C, with no white space but single spaces and empty lines between paragraphs."""
    faults: Mapping[int, str]
    """Beats without a text that can be used, and why."""


def read_texts(reply: str, wanted: Collection[int]) -> Offered:
    """Read a writer's reply; what it says of beats that were not asked for is dropped.

    Raises:
        UnreadableError: where it is not one JSON object with a list of beats.
    """
    items = _listed(reply, "beats")
    named = Counter([item.get("beat") for item in items if _is_beat(item.get("beat"))])
    texts: dict[int, str] = {}
    faults = dict.fromkeys(wanted, "left out; write it")
    for item in items:
        beat, text = item.get("beat"), item.get("text")
        if not _is_beat(beat) or beat not in faults:
            continue
        if named[beat] > 1:
            faults[beat] = "written twice; write it once"
        elif not isinstance(text, str) or set(item) != {"beat", "text"}:
            faults[beat] = "not of the form that was asked for: a beat's number and its text"
        else:
            parts = paragraphs_of(beat, unicodedata.normalize("NFC", text))
            texts[beat] = "\n\n".join([part.text for part in parts])
    return Offered(texts, {beat: told for beat, told in faults.items() if beat not in texts})


def read_objections(reply: str, wanted: Collection[int]) -> Mapping[int, tuple[Objection, ...]]:
    """Read a critic's reply: what it holds against each beat, in a fixed order.

    Raises:
        UnreadableError: where any part of it is of another form; a critic who cannot be understood has passed nothing.
    """
    found: dict[int, set[Objection]] = {}
    for item in _listed(reply, "objections"):
        beat, objection = item.get("beat"), item.get("objection")
        if type(beat) is not int or objection not in OBJECTIONS:
            raise UnreadableError("an objection names no beat, or is none of those that were offered")
        if beat in wanted:
            found.setdefault(beat, set()).add(objection)
    return {beat: tuple([each for each in OBJECTIONS if each in said]) for beat, said in found.items()}


def paragraphs_of(beat: int, text: str) -> tuple[Paragraph, ...]:
    """Return a beat's text as paragraphs, which stand apart by an empty line."""
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    return tuple([Paragraph(beat, part) for part in parts if part])


def _listed(reply: str, name: str) -> list[dict[str, Any]]:
    try:
        document = orjson.loads(reply)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        raise UnreadableError("the reply is not JSON") from None
    items = document.get(name) if isinstance(document, dict) and set(document) == {name} else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UnreadableError(f"the reply is not an object with a list named {name!r}")
    return items


def _is_beat(value: object) -> bool:
    return type(value) is int
