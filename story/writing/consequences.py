"""What follows from each beat before a model says a word: what must be told, and who and what may be named in it. Pure.

A model chooses words, never happenings. The sentences that tell what happened in the world are locked: they stand word for word
(domain.md C11: strings between locked facts). A name that neither the beat nor its template text holds has no part in the beat,
so that no place falls, no faction moves and nobody walks in because a model liked it so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from story.planner.plan import Beat
from story.prose.lexicon_document import lexicon_of
from story.prose.musts import Must, musts_of
from story.prose.naming import members_of
from story.prose.words import Lexicon
from story.service.composing import Draft

SECTIONS: Final = ("territories", "factions", "people", "triggers", "campaigns")
"""Sections of the lexicon whose entries act in the shared world."""
SENTENCE_END: Final = re.compile(r"(?<=[.!?…”»])\s+")
_CAPITAL: Final = re.compile(r"[^\W\d_]*")


class Consequence(NamedTuple):
    """What one beat's text may do."""

    beat: int
    template: str
    """Its text without a model, paragraphs apart by an empty line."""
    words: int
    place: str
    """Name of where it happens."""
    mood: str
    present: tuple[str, ...]
    """Names of who is there, sorted; without the hero."""
    must_say: tuple[str, ...]
    """What has to be said, in sentences of the house."""
    locked: tuple[str, ...]
    """Sentences of the template that tell what happened in the world, in its order."""
    strange: tuple[str, ...]
    """Names that have no part in it beside the locked sentences, sorted."""


def consequences_of(draft: Draft, paragraphs: tuple[tuple[int, str], ...]) -> tuple[Consequence, ...]:
    """Return what follows from each beat, in the plan's order.

    Args:
        draft: what the chapter is written from.
        paragraphs: its text without a model, by beat.
    """
    lexicon = lexicon_of(draft.plan.language)
    cast = members_of(draft.plan, draft.tale)
    world = tuple(sorted(set(_names(lexicon, draft.names))))
    people = {name: member.name for name, member in cast.items()}
    return tuple([_consequence(draft, beat, paragraphs, lexicon, world, people) for beat in draft.plan.beats])


def holds(text: str, name: str) -> bool:
    """Tell whether a text holds a name, as words of their own; small letters do not hide it."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def parts_of(text: str) -> list[str]:
    """Return the sentences of a text as they are written."""
    return [part for paragraph in text.split("\n\n") for part in SENTENCE_END.split(paragraph) if part]


def without(text: str, locked: Iterable[str]) -> str:
    """Return a text without its locked sentences, each taken out once."""
    for sentence in locked:
        text = text.replace(sentence, " ", 1)
    return text


def _consequence(
    draft: Draft,
    beat: Beat,
    paragraphs: tuple[tuple[int, str], ...],
    lexicon: Lexicon,
    world: tuple[str, ...],
    people: Mapping[str, str],
) -> Consequence:
    template = "\n\n".join([text for number, text in paragraphs if number == beat.number])
    musts = musts_of(beat, members_of(draft.plan, draft.tale), lexicon, draft.names)
    locked = _locked(template, musts)
    place = lexicon.sections["territories"].get(beat.place)
    here = place.text if place is not None else draft.names.get(beat.place, "")
    own = f"{without(template, locked)}\n{here}"
    present = sorted({people[each] for each in (*beat.characters, *beat.slots.values()) if each in people})
    strange = [name for name in world if not holds(own, name)]
    strange += [name for name in people.values() if name not in present and not holds(own, name)]
    return Consequence(
        beat=beat.number,
        template=template,
        words=beat.words,
        place=here,
        mood=beat.mood,
        present=tuple(present),
        must_say=tuple([must.told for must in musts]),
        locked=locked,
        strange=tuple(sorted(set(strange) - {draft.tale.hero_name})),
    )


def _locked(template: str, musts: Iterable[Must]) -> tuple[str, ...]:
    """Return the sentences that hold what must be said; whom the hero meets is no fact of the world, and may be told freely."""
    marks = [mark for must in musts if must.what != "npc" for mark in must.any_of]
    return tuple([part for part in parts_of(template) if any(mark in part.lower() for mark in marks)])


def _names(lexicon: Lexicon, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of what acts in the world, without their articles."""
    texts = [entry.text for section in SECTIONS for entry in lexicon.sections[section].values()]
    for text in (*texts, *names.values()):
        start = next((match.start() for match in _CAPITAL.finditer(text) if match[0][:1].isupper()), None)
        if start is not None:
            yield text[start:]
