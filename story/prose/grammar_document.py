"""The grammar's files: read strictly, every fault with its line, or refused."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, get_args

from policies.cursor import REQUIRED, Place
from policies.faults import did_you_mean
from story.languages import LANGUAGES, Language
from story.planner.data_files import finished, open_file
from story.planner.plan import Mood
from story.prose.grammar import CHOICE, FORMS, HOLE, Grammar, Lines, Shared, StoryletText
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
_LISTS: Final = ("arrive", "change", "stay", "follow", "aside", "back", "lyrical")
_MAPS: Final = ("places", "moods", "pressures", "pacing")
_BLOCK: Final = 20_000


@cache
def grammar_of(language: Language) -> Grammar:
    """Return the shipped sentences of a language.

    Raises:
        InvalidPolicyError: with every fault of its file.
    """
    return load_grammar(Path(__file__).parent.parent / "data" / "grammar" / f"{language}.yaml")


def load_grammar(path: Path | str) -> Grammar:
    """Load a grammar's file.

    Raises:
        InvalidPolicyError: with every fault of the file.
    """
    root = open_file(Path(path))
    fields = root.fields(dict.fromkeys(("schema", "language", "storylets", "shared"), REQUIRED))
    if not fields:
        return finished(root, Grammar("en", {}, _NONE))
    fields["schema"].choice([SCHEMA])
    language = fields["language"].choice(LANGUAGES)
    storylets = {name: _storylet(place) for name, place in fields["storylets"].entries().items()}
    return finished(root, Grammar(language, storylets, _shared(fields["shared"])))


def _storylet(place: Place) -> StoryletText:
    fields = place.fields({"on": "", "open": REQUIRED, "middle": REQUIRED, "end": REQUIRED, "tell": {}})
    if not fields:
        return StoryletText((), (), ())
    tell = {name: _lines(each) for name, each in fields["tell"].entries().items()}
    if bool(tell) != bool(fields["on"].value):
        place.fault("on and tell belong together", "write on: the slot whose value says which telling, and tell:")
    on = fields["on"].choice(SLOTS) if fields["on"].value else ""
    return StoryletText(_lines(fields["open"]), _lines(fields["middle"]), _lines(fields["end"]), tell, on)


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
    lines = tuple([line.strip() for line in place.text(_BLOCK).splitlines() if line.strip()])
    for line in lines:
        _check(place, line)
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


_NONE: Final = Shared((), (), (), (), (), (), {}, {}, {}, {}, ())
