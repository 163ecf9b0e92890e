"""Storylets from YAML: validated whole, every fault named with file, line, key and fix, or refused."""

from pathlib import Path
from typing import Final, get_args

from policies.cursor import REQUIRED, Place
from story.planner.data_files import finished, open_file
from story.planner.personal import CASTINGS
from story.planner.plan import BeatKind, Mood, Purpose, SceneType
from story.planner.storylets import SCHEMA, Advance, Storylet, Storylets, default_storylets_path

MAX_STORYLETS: Final = 500
ALWAYS: Final = ("laid_aside", "old_wound", "question_opens", "quiet_hour")
"""Storylets that planning falls back on."""
_KEYS: Final = ("kind", "purpose", "tension", "scene", "moods", "words", "slots", "advance")


def load_storylets(path: Path | str | None = None) -> Storylets:
    """Load a file of storylets; the shipped one where none is named.

    Raises:
        InvalidPolicyError: with every fault of the file.
    """
    root = open_file(Path(path) if path is not None else default_storylets_path())
    fields = root.fields({"schema": REQUIRED, "storylets": REQUIRED})
    found = {}
    if fields:
        fields["schema"].choice([SCHEMA])
        entries = fields["storylets"].entries()
        found = {name: _storylet(name, place) for name, place in entries.items()}
        for name in sorted({*ALWAYS} - set(found)):
            fields["storylets"].fault(f"lacks {name!r}", "every chapter may fall back on it: write it out")
        if len(found) > MAX_STORYLETS:
            fields["storylets"].fault(f"more than {MAX_STORYLETS} storylets", "leave out those that are never played")
    return finished(root, found)


def _storylet(name: str, place: Place) -> Storylet:
    fields = place.fields(dict.fromkeys(_KEYS, REQUIRED))
    if not fields:
        return Storylet(name, "personal", "setup", 1, "atmosphere", ("calm",), 1, (), "none")
    kind: BeatKind = fields["kind"].choice(get_args(BeatKind))
    advance: Advance = fields["advance"].choice(get_args(Advance))
    if (kind == "personal") != (advance != "none"):
        says = "a personal storylet does something for a thread, and no other storylet does"
        fields["advance"].fault(says, "write advanced, paid, opened or paused for personal ones, none for the others")
    if kind == "personal" and name not in CASTINGS:
        place.fault("has no rule that says when it may be played", "write one in story/planner/personal.py")
    return Storylet(
        storylet_id=name,
        kind=kind,
        purpose=fields["purpose"].choice(get_args(Purpose)),
        tension=fields["tension"].integer(1, 10),
        scene=fields["scene"].choice(get_args(SceneType)),
        moods=_moods(fields["moods"]),
        words=fields["words"].integer(20, 400),
        slots=_slots(fields["slots"]),
        advance=advance,
    )


def _moods(place: Place) -> tuple[Mood, ...]:
    moods: list[Mood] = [item.choice(get_args(Mood)) for item in place.items()]
    if not moods:
        place.fault("names no mood", "write at least one, the usual one first")
        return ("calm",)
    return tuple(moods)


def _slots(place: Place) -> tuple[str, ...]:
    names: list[str] = []
    for item in place.items():
        name = item.text(40)
        if name in ("hero", "place"):
            item.fault("is always there", "leave it out")
        elif name in names:
            item.fault("stands twice", "leave one out")
        names.append(name)
    return tuple(names)
