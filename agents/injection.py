"""The detector: marks of text that speaks to a model instead of the world. A signal in the record, never the boundary.

What bounds a hijacked model is code (reliability.md, injection 1 and 2); this tells people which cases to look at. It knows
the common kinds in English and in Vietnamese, with and without its accents, and it will miss what is new: the bar is 17
percent found at 9.5 percent false alarms. No rule judge reads it, and no model is shown it.

It is linear in the text: in no pattern does a repetition stand inside another, and gaps are bounded. A pattern is tried only
where words that it needs are there, and what was looked at is remembered: the simulation says the same things again and again.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from agents.injection_kinds import FIRST_WORDS, KINDS, MARKUP, PREFIX
from agents.player_text import player_texts
from policies.evidence import Signal
from world.case import Case

SIGNAL: Final = "injection_marks"
MARKS: Final = (*[kind.name for kind in KINDS], "spaced", "hidden", "lookalikes")
"""Every kind of mark: the signal counts how many of them a request bears."""
MAX_POINTERS: Final = 16
"""Places named; the count of kinds is never cut."""
LONG_ID: Final = 24
"""Length from which an identifier is read as a text: an order hidden in one needs several words."""
LONG_RUN: Final = 40
"""Length from which a run without spaces may be an encoded text."""
MAX_TEXT: Final = 2_000
"""Characters of one text that are looked at: more than a prompt shows of it."""
MAX_ALL: Final = 16_000
"""Characters of a request that are looked at in all; what comes after them is not. Bounds the time that a request can cost."""
MANY_LETTERS: Final = 8
"""Letters that stand alone one after the other, from which a text is spelled out to hide its words."""

_WORDS: Final = re.compile("[a-z]+")
_RUN: Final = re.compile(rf"[a-zA-Z0-9+/]{{{LONG_RUN},}}")
_SPACED: Final = re.compile(rf"(?<!\w)(?:\w[ .*_-]{{1,2}}){{{MANY_LETTERS - 1}}}\w(?!\w)")
_HIDDEN: Final = re.compile(
    "[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\U000e0001-\U000e007f]|[a-zA-Z][\u00ad\u200c\u200d][a-zA-Z]"
)
_FOREIGN: Final = re.compile("[\u0370-\u04ff\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7cb]")
_MIXED: Final = re.compile(
    "[a-zA-Z][\u0370-\u04ff]|[\u0370-\u04ff][a-zA-Z]|[\uff21-\uff3a\uff41-\uff5a]{4}|[\U0001d400-\U0001d7cb]{4}"
)
"""Greek or Cyrillic beside Latin in one word, full-width or mathematical letters."""
_LOOKALIKES: Final = str.maketrans(
    "авекмнорстухіјѕԁӏαβεικνορτυχАВЕКМНОРСТУХІЅΑΒΕΗΙΚΜΝΟΡΤΥΧΖ",
    "abekmhopctyxijsdlabeikvoptuxABEKMHOPCTYXISABEHIKMNOPTYXZ",
)
_BETWEEN: Final = re.compile(r"[_.:@/+-]+")

_Place = tuple[str, int]
"""JSON pointer of a list and the index in it; -1 where the pointer says it all."""


def injection_signal(case: Case) -> Signal:
    """Return how many kinds of marks the texts of a request bear, and where.

    Identifiers count as texts where they are long, because senders choose them too.
    """
    kinds: frozenset[str] = frozenset()
    places: dict[str, None] = {}
    left = MAX_ALL
    for text, (base, at) in _texts(case):
        found = marks_of(text[:MAX_TEXT])
        if found:
            kinds |= found
            places[base if at < 0 else f"{base}/{at}"] = None
        left -= len(text)
        if left < 0:
            break
    return Signal(SIGNAL, len(kinds), tuple(places)[:MAX_POINTERS]) if kinds else _NONE


_NONE: Final = Signal(SIGNAL, 0)


@lru_cache(maxsize=2048)
def marks_of(text: str) -> frozenset[str]:
    """Return the kinds of marks that one text bears."""
    is_ascii = text.isascii()
    folded = text.lower() if is_ascii else _folded(text)
    words = _WORDS.findall(folded)
    known = {word[:PREFIX] for word in words}
    has_markup = MARKUP.search(folded) is not None
    kinds: list[str] = []
    if has_markup or not FIRST_WORDS.isdisjoint(known):
        kinds += _kinds_in(folded, known, has_markup)
    if len(text) >= LONG_RUN and _has_encoded_run(text):
        kinds.append("encoded")
    if len([word for word in words if len(word) == 1]) >= MANY_LETTERS and _SPACED.search(folded):
        kinds.append("spaced")
    if not is_ascii:
        kinds += _hidden(text)
    return frozenset(kinds) if kinds else _CLEAN


_CLEAN: Final = frozenset[str]()


def _kinds_in(folded: str, known: set[str], has_markup: bool) -> list[str]:
    found = []
    for kind in KINDS:
        has_words = not kind.words.isdisjoint(known) and (not kind.beside or not kind.beside.isdisjoint(known))
        if (has_words or (has_markup and kind.is_markup)) and kind.pattern.search(folded):
            found.append(kind.name)
    return found


def _hidden(text: str) -> list[str]:
    kinds = []
    if not text.isprintable() and _HIDDEN.search(text):
        kinds.append("hidden")
    if _FOREIGN.search(text) and _MIXED.search(text):
        kinds.append("lookalikes")
    return kinds


def _folded(text: str) -> str:
    """Return a text in small Latin letters without accents, look-alikes read as what they look like."""
    if _FOREIGN.search(text):
        text = text.translate(_LOOKALIKES)
    text = text.replace("đ", "d").replace("Đ", "d")
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def _has_encoded_run(text: str) -> bool:
    """Tell whether a long run mixes capitals, small letters and digits as encoded text does, and words do not."""
    for word in text.split():
        run = _RUN.search(word) if len(word) >= LONG_RUN else None
        if run is not None and _is_mixed(run[0]):
            return True
    return False


def _is_mixed(run: str) -> bool:
    return run.upper() != run and run.lower() != run and any(char.isdigit() for char in run)


def _texts(case: Case) -> Iterator[tuple[str, _Place]]:
    """Yield the players' texts, then the simulation's and long identifiers."""
    request = case.request
    for written in player_texts(case):
        yield written.text, (written.pointer, -1)
    yield request.proposed_change.summary, ("/proposed_change/summary", -1)
    yield from _effect_words(case)
    yield from _names_of_deeds(case)
    for at, flag in enumerate(request.risk_flags):
        yield flag if isinstance(flag, str) else flag.note, ("/risk_flags", at)
    for at, lock in enumerate(request.lore_constraints):
        if isinstance(lock, str):
            yield lock, ("/lore_constraints", at)
        else:
            for text in (lock.statement, lock.object, lock.until):
                if text:
                    yield text, ("/lore_constraints", at)
    for territory in request.world_snapshot.territories.values():
        if territory.name is not None:
            yield territory.name, ("/world_snapshot/territories", -1)


def _effect_words(case: Case) -> Iterator[tuple[str, _Place]]:
    """Yield facts' objects, and the effects' long identifiers spelled as words."""
    for effect, origin in zip(case.effects, case.origins, strict=True):
        match effect.op:
            case "canon_assert":
                yield effect.object, ("/proposed_change/effects", origin)
                name = f"{effect.subject} {effect.predicate}"
            case "territory_transfer":
                name = effect.territory_id
            case "trigger_fire":
                name = effect.trigger_id
            case "faction_delta":
                name = effect.faction_id
            case "meter_delta":
                name = effect.meter
        if len(name) >= LONG_ID:
            yield _BETWEEN.sub(" ", name), ("/proposed_change/effects", origin)


def _names_of_deeds(case: Case) -> Iterator[tuple[str, _Place]]:
    """Yield long identifiers of the actor and of events, spelled as words."""
    actor = case.request.proposed_change.actor
    if actor is not None and actor.user_id is not None and len(actor.user_id) >= LONG_ID:
        yield _BETWEEN.sub(" ", actor.user_id), ("/proposed_change/actor", -1)
    for at, event in enumerate(case.request.supporting_events):
        if len(event.action_type) >= LONG_ID:
            yield _BETWEEN.sub(" ", event.action_type), ("/supporting_events", at)
        if event.target_id is not None and len(event.target_id) >= LONG_ID:
            yield _BETWEEN.sub(" ", event.target_id), ("/supporting_events", at)
