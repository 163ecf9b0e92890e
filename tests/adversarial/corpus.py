"""The corpus: attacks and benign look-alikes, written by hand, one YAML file a family (reliability.md, injection and L19)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from tests.adversarial.placing import FIELDS

HERE: Final = Path(__file__).parent
TECHNIQUES: Final = (
    "direct_instruction", "ignore_previous", "role_play", "system_impersonation", "template_tokens", "delimiter_escape",
    "fake_json_reply", "fake_tool_output", "fake_policy_update", "fake_rule_result", "authority_claim",
    "emotional_pressure", "hypothetical", "translation", "payload_splitting", "base64", "rot13", "hex", "reversal", "leetspeak",
    "homoglyphs", "zero_width", "bidi", "tag_characters", "markup_hiding", "long_padding", "many_shot",
    "code_switching", "prompt_leak", "refusal_induction", "vote_splitting", "veto_clearing", "confidence_inflation",
    "modification_loosening", "fake_evidence", "noop_modify", "denial", "redirection", "cost_dropping", "worm",
)  # fmt: skip
LANGUAGES: Final = ("en", "vi", "mixed")
_KEYS: Final = {"id", "technique", "language", "fields", "wants", "says", "is_buried"}


class Entry(NamedTuple):
    """One text, or several that belong together, and where they stand."""

    name: str
    language: str
    fields: Mapping[str, str]
    """Text by field: a name of `placing.FIELDS`, with "/1" for the second event."""
    technique: str = ""
    """Empty for a benign entry."""
    wants: str = ""
    """What the attack asks a model to do: a name of `obeying.WISHES`."""
    says: str = ""
    """What a model reads once it has decoded the texts; empty where they say it plainly."""
    is_buried: bool = False
    """Whether no model may ever get to read it."""


class CorpusError(Exception):
    """the corpus holds an entry that cannot be used"""


@cache
def attacks() -> tuple[Entry, ...]:
    """Return every attack, in the order of the files."""
    return _read("attacks")


@cache
def benign() -> tuple[Entry, ...]:
    """Return every benign look-alike, in the order of the files."""
    return _read("benign")


def _read(folder: str) -> tuple[Entry, ...]:
    entries = []
    for path in sorted((HERE / folder).glob("*.yaml")):
        entries += [_entry(item, path.name) for item in yaml.safe_load(path.read_text(encoding="utf-8"))]
    return tuple(entries)


def _entry(item: Mapping[str, Any], file: str) -> Entry:
    unknown = item.keys() - _KEYS
    fields = {name: _text(written) for name, written in item["fields"].items()}
    strangers = [name for name in fields if name.partition("/")[0] not in FIELDS]
    if unknown or strangers:
        raise CorpusError(f"{file}, {item['id']!r}: unknown {sorted(unknown) or strangers}")
    return Entry(
        item["id"],
        item["language"],
        fields,
        item.get("technique", ""),
        item.get("wants", ""),
        item.get("says", ""),
        item.get("is_buried", False),
    )


def _text(written: str | Mapping[str, Any]) -> str:
    """Return a text; long ones are written as `before`, `repeat` so many `times`, `then`."""
    if isinstance(written, str):
        return written
    return f"{written.get('before', '')}{str(written['repeat']) * int(written['times'])}{written.get('then', '')}"
