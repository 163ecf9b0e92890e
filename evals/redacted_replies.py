"""What models wrote, made silent: the same vote in a reply that repeats nobody. Pure.

A recorded decision is judged again from its raw replies. So a reply is not thrown away but rewritten: its verdict, confidence,
citations and bounds stay, its sentences go.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson

from agents.reply_schema import CLAIM_FIELDS, FINDING_FIELDS, MODIFICATION_FIELDS, REPLY_FIELDS

LEFT_OUT: Final = "left out by redaction"
_FIELDS: Final = frozenset([*REPLY_FIELDS, *FINDING_FIELDS, *MODIFICATION_FIELDS, *CLAIM_FIELDS])
_WORDS: Final = ("verdict", "evidence", "rule", "action", "field")
"""Fields whose words come from closed vocabularies: the vote itself."""
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

Replace = Callable[[str], str]


def quiet_reply(raw: str, sentence: Replace, value: Replace) -> str:
    """Return a raw reply with its sentences replaced; one that holds no vote stays one that holds none.

    Args:
        sentence: makes a sentence harmless, or a word where none of a vote's stands.
        value: makes the value harmless that a modification asks for; it may be a name of the request.
    """
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # Nothing that is no JSON is ever read into a vote, and neither is an empty text (`agents.parsing`).
        return ""
    return orjson.dumps(_quiet(parsed, "", sentence, value)).decode()


def texts_of_models(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield every sentence in a record that a model wrote: the record repeats them in votes, reasons and conditions."""
    models = record.get("models")
    if models is None:
        return
    votes = [vote for vote in record["answer"]["votes"] if vote["source"] == "model"]
    for opinion in models["opinions"]:
        votes += [vote for vote in (opinion["model_vote"], opinion["twin_vote"]) if vote is not None]
    for vote in votes:
        yield from [reason["text"] for reason in vote["reasons"] if vote["verdict"] is not None]
        yield from [item["because"] for item in vote["modifications"] if item.get("because")]


def _quiet(item: Any, key: str, sentence: Replace, value: Replace) -> Any:
    if isinstance(item, dict):
        # A field that no reply has stays one that no reply has, without its name.
        named = [
            (name if name in _FIELDS else f"left_out_{at}", below) for at, (name, below) in enumerate(item.items())
        ]
        return {name: _quiet(below, name, sentence, value) for name, below in named}
    if isinstance(item, list):
        return [_quiet(below, key, sentence, value) for below in item]
    if not isinstance(item, str) or (key in _WORDS and _WORD.fullmatch(item)):
        return item
    return value(item) if key == "value" else sentence(item)
