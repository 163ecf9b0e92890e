"""Recorded decisions without the people in them: ids and texts of players replaced, verdicts and numbers kept. Pure.

What is replaced: ids of users, devices, sessions, stories, chapters and events, of the request and its key; narratives, notes and
free facts of events; what models wrote; who labelled, and why. What stays: the world, times, amounts, signals, rules, votes.
An id keeps its pseudonym wherever it stands, so accounts that shared a device still do.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from agents.payoff import STAKES
from evals.decisions import Decision, Label, Outcome
from evals.export_lines import Redaction
from evals.pseudonyms import Pseudonyms
from evals.redacted_replies import LEFT_OUT, quiet_reply, texts_of_models
from policies.contracts.effects import EFFECT_OPS
from policies.verdicts import MEMBERS, VERDICTS

METHOD: Final = "hmac-sha256"
OUTCOMES: Final = ("upheld", "upheld on appeal", "reverted", "reverted on appeal", "withdrawn")
"""Outcomes whose words name nobody and stay; others become words without meaning, equal for equal outcomes."""
_EVENT_IDS: Final = ("event_id", "user_id", "story_id", "chapter_id", "device_id", "session_id")
_FACT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_LONG_NUMBER: Final = 1_000_000
"""From here on a number may be somebody's: a phone number, an account."""
_SHORTEST: Final = 4
"""Shortest id or text that is looked for inside other texts: a shorter one would be found by accident."""

Replace = Callable[[str], str]


class Redactor:
    """Redacts the decisions of one export.

    Args:
        key: secret of the pseudonyms; another key gives others.
        redaction: what is kept.
    """

    def __init__(self, key: bytes, redaction: Redaction) -> None:
        self._pseudonyms = Pseudonyms(key)
        self._redaction = redaction

    def redact(self, decision: Decision) -> Decision:
        """Return a decision without the people in it; its hash, which would confirm a guess, is left out."""
        record = decision.record
        known = self._known(record)
        body = {name: self._part(name, value, record, known) for name, value in record.items()}
        return Decision(
            body,
            decision.position,
            "",
            "",
            tuple([self._label(label) for label in decision.labels]),
            tuple([self._outcome(outcome) for outcome in decision.outcomes]),
            is_redacted=True,
        )

    def _known(self, record: Mapping[str, Any]) -> "_Known":
        request = record["request"]
        world, told = _world_words(request), _told_words(request)
        people = [name for name in _people(request) if name not in world]
        people += [name for name in _doings(request, record) if name not in world and name not in told]
        ids = {name: self._pseudonyms.name(name) for name in people}
        texts = {text: self._pseudonyms.text(text) for text in _texts(request) if text}
        if self._redaction.summaries == "replaced":
            summary = request["proposed_change"]["summary"]
            texts[summary] = self._pseudonyms.text(summary)
        if self._redaction.replies == "dropped":
            texts |= dict.fromkeys(texts_of_models(record), LEFT_OUT)
        return _Known(ids, texts, (world | told) - set(ids))

    def _part(self, name: str, value: Any, record: Mapping[str, Any], known: "_Known") -> Any:
        match name:
            case "request":
                return self._request(value, known)
            case "request_key" | "correlation_id":
                return self._pseudonyms.name(value)
            case "fingerprint":
                return self._pseudonyms.hash(value)
            case "models":
                return self._models(value, known)
            case "answer" | "modifications" | "rules":
                return _walked(value, known.replaced)
        return value

    def _request(self, request: Mapping[str, Any], known: "_Known") -> dict[str, Any]:
        found: dict[str, Any] = _walked(request, lambda text: known.ids.get(text, known.replaced(text)))
        for key in ("request_id", "correlation_id"):
            if request.get(key) is not None:
                found[key] = self._pseudonyms.name(request[key])
        actor = request["proposed_change"].get("actor") or {}
        if actor.get("user_id") is not None:
            found["proposed_change"]["actor"]["user_id"] = self._pseudonyms.name(actor["user_id"])
        for event, shown in zip(request.get("supporting_events", ()), found.get("supporting_events", ()), strict=True):
            self._event(event, shown, known)
        return found

    def _event(self, event: Mapping[str, Any], shown: dict[str, Any], known: "_Known") -> None:
        for key in _EVENT_IDS:
            if event.get(key) is not None:
                shown[key] = self._pseudonyms.name(event[key])
        if event.get("target_id") is not None and event["target_id"] not in known.world:
            shown["target_id"] = self._pseudonyms.name(event["target_id"])
        if event.get("evidence"):
            shown["evidence"] = {
                self._fact_name(key): self._fact(key, value) for key, value in event["evidence"].items()
            }

    def _fact_name(self, name: str) -> str:
        return name if _FACT_NAME.fullmatch(name) else self._pseudonyms.name(name)

    def _fact(self, name: str, value: Any) -> Any:
        """Return a free fact of an act: numbers and the closed vocabulary stay, words do not."""
        if isinstance(value, str):
            return value if not value or (name == "stakes" and value in STAKES) else self._pseudonyms.name(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _LONG_NUMBER:
            return self._pseudonyms.name(repr(value))
        if isinstance(value, list):
            return [self._fact("", item) for item in value]
        if isinstance(value, dict):
            return {self._pseudonyms.name(key): self._fact("", item) for key, item in value.items()}
        return value

    def _models(self, models: Mapping[str, Any], known: "_Known") -> dict[str, Any]:
        found: dict[str, Any] = _walked(models, known.replaced)
        for reply, shown in zip(models["replies"], found["replies"], strict=True):
            shown["request_hash"] = self._pseudonyms.hash(reply["request_hash"]) if reply["request_hash"] else ""
            for attempt, quiet in zip(reply["attempts"], shown["attempts"], strict=True):
                quiet["raw"] = self._raw(attempt["raw"], known)
        return found

    def _raw(self, raw: str | None, known: "_Known") -> str | None:
        if raw is None:
            return None
        is_kept = self._redaction.replies == "kept"
        return quiet_reply(raw, known.replaced if is_kept else _left_out, known.replaced)

    def _label(self, label: Label) -> Label:
        return label._replace(labeller=self._pseudonyms.name(label.labeller), note="")

    def _outcome(self, outcome: Outcome) -> Outcome:
        said = outcome.outcome if outcome.outcome in OUTCOMES else self._pseudonyms.text(outcome.outcome)
        return outcome._replace(reporter=self._pseudonyms.name(outcome.reporter), outcome=said, note="")


class _Known(NamedTuple):
    """What is replaced in one record."""

    ids: Mapping[str, str]
    texts: Mapping[str, str]
    world: frozenset[str]
    """Words that mean something to the rules and therefore stay, even where somebody is called like that."""

    def replaced(self, text: str) -> str:
        """Return a text with every id and text of a player in it replaced."""
        if text in self.texts:
            return self.texts[text]
        for original in sorted(self.texts, key=len, reverse=True):
            if len(original) >= _SHORTEST and original in text:
                text = text.replace(original, self.texts[original])
        for original in sorted(self.ids, key=len, reverse=True):
            if original == text:
                return self.ids[original]
            if len(original) >= _SHORTEST and original in text:
                text = re.sub(rf"(?<!\w){re.escape(original)}(?!\w)", self.ids[original], text)
        return text


def _left_out(text: str) -> str:
    return LEFT_OUT if text else ""


def _people(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids that stand for people and what they hold in their hands, wherever the request names them."""
    actor = request["proposed_change"].get("actor") or {}
    candidates = [actor.get("user_id")]
    for event in request.get("supporting_events", ()):
        candidates += [event.get(key) for key in ("user_id", "device_id", "session_id")]
    yield from [found for found in candidates if found]


def _doings(request: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of requests, acts and whom they concern: a person's, unless the world uses the same word."""
    candidates = [record["request_key"], record.get("correlation_id")]
    candidates += [request.get("request_id"), request.get("correlation_id")]
    for event in request.get("supporting_events", ()):
        candidates += [event.get(key) for key in ("event_id", "story_id", "chapter_id", "target_id")]
        candidates += [value for key, value in event.get("evidence", {}).items() if key != "stakes"]
    candidates += [flag.get("subject") for flag in request.get("risk_flags", ()) if isinstance(flag, dict)]
    yield from [found for found in candidates if isinstance(found, str) and found]


def _texts(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts that players wrote, and the notes of flags, which may quote them."""
    yield request["proposed_change"].get("narrative", "")
    for event in request.get("supporting_events", ()):
        yield event.get("note", "")
    for flag in request.get("risk_flags", ()):
        if isinstance(flag, dict):
            yield flag.get("note", "")


def _world_words(request: Mapping[str, Any]) -> frozenset[str]:
    """Return the words by which the rules know the world: they stay, even where somebody is called like that."""
    snapshot = request["world_snapshot"]
    words = {*VERDICTS, *MEMBERS, *EFFECT_OPS, request["realm_id"], request["decision_type"]}
    for key in ("factions", "territories", "meters"):
        words |= set(snapshot.get(key, {}))
    return frozenset(words)


def _told_words(request: Mapping[str, Any]) -> frozenset[str]:
    """Return the words that effects and canon locks are told in: the world's, unless they are the id of a player."""
    words: set[str] = set()
    for lock in request.get("lore_constraints", ()):
        words |= {lock["subject"], lock["predicate"]} if isinstance(lock, dict) else set()
    for effect in request["proposed_change"].get("effects", ()):
        words |= {value for key, value in effect.items() if isinstance(value, str) and key != "object"}
    return frozenset(words)


def _walked(value: Any, replace: Replace) -> Any:
    """Return a JSON value with every string in it replaced; keys stay."""
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, dict):
        return {key: _walked(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [_walked(item, replace) for item in value]
    return value
