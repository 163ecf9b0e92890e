"""The grammar's files: read strictly, every fault with its line, or refused."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from policies.cursor import REQUIRED, Place
from policies.faults import did_you_mean
from story.languages import Language
from story.planner.plan import Mood
from story.prose.grammar import CHOICE, CLAIMS, FORMS, HOLE, Claims, Grammar, Lines, Shared, StoryletText
from story.prose.language_files import alternatives, read_language_file, shipped
from story.tale.tale import PacingPhase
from story.threat.environment import PRESSURES

SCHEMA: Final = "council.grammar/1"
LEAST: Final = 3
"""Alternatives of a block, at least; most have four or five."""
SLOTS: Final = (
    "hero", "place", "npc", "role", "thing", "question", "promise", "wound", "want", "need", "stake", "destination",
    "territory", "controller", "former", "rival", "faction", "direction", "trigger", "campaign", "subject",
    "condition", "reason", "sign", "style", "unit", "echo",
)  # fmt: skip
CLAIMED: Final = ("answer", "asked", "before", "evening", "haste", "lost", "noise", "room", "sleep", "voice")
"""What a line may take for granted or deny, as `<+sleep>` and `<-sleep>` do: two that differ exclude each other."""
_LISTS: Final = ("arrive", "change", "stay", "follow", "aside", "back", "lyrical")
_MAPS: Final = ("places", "moods", "pressures", "pacing")
_BLOCK: Final = 20_000


@cache
def grammar_of(language: Language) -> Grammar:
    """Return the shipped sentences of a language.

    Raises:
        InvalidPolicyError: with every fault of its file.
    """
    return load_grammar(shipped("grammar", language))


def load_grammar(path: Path | str) -> Grammar:
    """Load a grammar's file.

    Raises:
        InvalidPolicyError: with every fault of the file.
    """
    return read_language_file(path, SCHEMA, ("storylets", "shared"), _grammar)


def _grammar(language: Language, fields: Mapping[str, Place]) -> Grammar:
    storylets = {name: _storylet(place) for name, place in fields["storylets"].entries().items()}
    claims = dict(_claims((fields["storylets"].value, fields["shared"].value)))
    return Grammar(language, storylets, _shared(fields["shared"]), claims)


def _claims(value: Any) -> Iterator[tuple[str, Claims]]:
    """Yield every line of a file's values that takes something for granted, without its marks."""
    if isinstance(value, str):
        for line in alternatives(value):
            if found := CLAIMS.search(line):
                yield CLAIMS.sub("", line), frozenset(found[1].split())
        return
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _claims(each)


def _storylet(place: Place) -> StoryletText:
    fields = place.fields({"on": "", "says": "", "open": REQUIRED, "middle": REQUIRED, "end": REQUIRED, "tell": {}})
    if not fields:
        return StoryletText((), (), ())
    tell = {name: _lines(each) for name, each in fields["tell"].entries().items()}
    if bool(tell) != bool(fields["on"].value):
        place.fault("on and tell belong together", "write on: the slot whose value says which telling, and tell:")
    on = fields["on"].choice(SLOTS) if fields["on"].value else ""
    says = fields["says"].text(80).split() if fields["says"].value else []
    _check_claims(fields["says"], says)
    parts = [_lines(fields[name]) for name in ("open", "middle", "end")]
    return StoryletText(parts[0], parts[1], parts[2], tell, on, frozenset(says))


def _shared(place: Place) -> Shared:
    fields = place.fields(dict.fromkeys((*_LISTS, *_MAPS), REQUIRED))
    if not fields:
        return _NONE
    maps = {name: {key: _lines(each) for key, each in fields[name].entries().items()} for name in _MAPS}
    for name, known in (("moods", get_args(Mood)), ("pressures", PRESSURES), ("pacing", get_args(PacingPhase))):
        _complete(fields[name], known)
    lists = {name: _lines(fields[name]) for name in _LISTS}
    return Shared(**lists, **maps)  # type: ignore[arg-type]  # by name, each of its own shape


def _complete(place: Place, known: Sequence[str]) -> None:
    given = place.entries(known)
    for name in known:
        if name not in given:
            place.fault(f"lacks {name!r}", "write sentences for it, one a line")


def _lines(place: Place) -> Lines:
    written = alternatives(place.text(_BLOCK))
    for line in written:
        _check(place, line)
    lines = tuple([CLAIMS.sub("", line) for line in written])
    if len(lines) < LEAST:
        place.fault(f"fewer than {LEAST} alternatives", "write one sentence a line: what repeats is heard as a machine")
    if len(set(lines)) < len(lines):
        place.fault("says a line twice", "leave one out")
    return lines


def _check(place: Place, line: str) -> None:
    """Complain about holes that nothing fills, and brackets that do not close."""
    for found in HOLE.finditer(line):
        if found[1] not in SLOTS:
            place.fault(f"a hole {found[0]} that nothing fills", did_you_mean(found[1], SLOTS))
        elif found[2] and found[2] not in FORMS:
            place.fault(f"a form {found[0]} that no word has", did_you_mean(found[2], FORMS))
    rest = CHOICE.sub("", HOLE.sub("", line))
    if any(mark in rest for mark in "{}[]"):
        place.fault(f"a bracket that does not close in {line[:40]!r}", "write {slot}, {slot.form} or [one|other]")
    if found_claims := CLAIMS.search(line):
        _check_claims(place, found_claims[1].split())


def _check_claims(place: Place, claims: Sequence[str]) -> None:
    for each in claims:
        if each[:1] not in ("+", "-") or each[1:] not in CLAIMED:
            place.fault(f"a claim {each!r} that nobody knows", f"write + or -, then one of {', '.join(CLAIMED)}")


_NONE: Final = Shared((), (), (), (), (), (), {}, {}, {}, {}, ())
