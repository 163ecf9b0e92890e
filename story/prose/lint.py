"""The lint of prose: what no text may say, whoever wrote it, and what it must (domain.md C8, C11; S4-47, S4-48, S4-67).

canon     a canon lock's fact said in prose: Archons in person, what the Veiled Will is, a General in the flesh, a plan of the
          Tower, a sea or walls at Grand Gate City, the dead who act
person    somebody who is neither in the cast, the plan nor the lexicon
absent    somebody of the cast who is dead or elsewhere, and acts
number    a digit
stat      words of the machinery: intensity, hit points, threat pressure
tier      names of the force taxonomy's tiers
id        an identifier
markup    markup, JSON, symbols
link      an address
prompt    words of prompts and models
hidden    characters that nobody sees, or of another script
language  a text in another language
words     too few or too many
missing   a locked fact that is not said
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from story.languages import Language
from story.planner.plan import Plan
from story.prose.composing import Composed, Paragraph
from story.prose.lexicon_document import lexicon_of
from story.prose.lint_canon import canon_faults
from story.prose.lint_characters import hidden_faults, language_faults
from story.prose.lint_found import Found
from story.prose.lint_leaks import ids_of_plan, ids_of_pools, leak_faults
from story.prose.lint_people import People, person_faults
from story.prose.musts import musts_of
from story.prose.naming import members_of
from story.tale.tale import Tale

FaultName = Literal[
    "canon", "person", "absent", "number", "stat", "tier", "id", "markup", "link", "prompt", "hidden", "language", "words",
    "missing",
]  # fmt: skip
TITLE: Final = 0
"""`where` of a fault in the title; -1: in the chapter as a whole."""
WHOLE: Final = -1


class LintFault(NamedTuple):
    """One thing wrong with a text."""

    name: FaultName
    where: int
    """Paragraph, from 1; 0: the title; -1: the chapter as a whole."""
    excerpt: str
    told: str
    """What is wrong and what to write instead, in a sentence."""


class Limits(NamedTuple):
    """How long a text may be, permille of what the plan asks for; Vietnamese counts syllables."""

    least: int = 500
    most: int = 1_500
    beat_least: int = 350
    beat_most: int = 2_000
    title: int = 80
    """Characters."""


Prose = str | Composed | Sequence[Paragraph]


def lint(
    text: Prose,
    *,
    language: Language,
    plan: Plan,
    tale: Tale,
    locks: Sequence[Mapping[str, Any]] = (),
    limits: Limits | None = None,
    names: Mapping[str, str] | None = None,
    title: str = "",
) -> tuple[LintFault, ...]:
    """Return what is wrong with a text, by paragraph; nothing where it may ship.

    Args:
        text: a composed chapter, paragraphs by beat, or one text whose paragraphs stand apart by an empty line.
        language: the language that it should be in.
        plan: what it tells.
        tale: the story before it.
        locks: canon locks that hold, as requests carry them; those without a pattern here are not seen in prose.
        limits: how long it may be.
        names: display names of places and factions that the lexicon does not know, by id.
        title: of a text that has one beside it.
    """
    paragraphs, heading = _parts(text)
    heading = title or heading
    limits, names = limits or Limits(), names or {}
    lexicon = lexicon_of(language)
    cast = members_of(plan, tale)
    people = People(plan, tale, lexicon, tuple(names.values()), cast)
    numbered = ([Paragraph(TITLE, heading)] if heading else []) + list(paragraphs)
    ids = ids_of_pools(lexicon) | ids_of_plan(plan)
    found: list[LintFault] = []
    for where, paragraph in enumerate(numbered, start=0 if heading else 1):
        finds = [
            *hidden_faults(paragraph.text),
            *leak_faults(paragraph.text, ids),
            *canon_faults(paragraph.text, _place(paragraph, plan), locks, language),
        ]
        if where:
            finds += [*person_faults(paragraph.text, people, language), *people.absent(paragraph, language)]
        found += [_fault(where, each) for each in finds]
    whole = " ".join(paragraph.text for paragraph in paragraphs)
    found += [_fault(WHOLE, each) for each in language_faults(whole, language)]
    found += [_fault(WHOLE, each) for each in _length_faults(paragraphs, plan, limits, heading)]
    found += [_fault(WHOLE, each) for each in _missing(paragraphs, plan, lexicon, cast, names)]
    return tuple(found)


def _fault(where: int, found: Found) -> LintFault:
    return LintFault(found.name, where, found.excerpt, found.told)


def _parts(text: Prose) -> tuple[Sequence[Paragraph], str]:
    if isinstance(text, Composed):
        return text.paragraphs, text.title
    if isinstance(text, str):
        return [Paragraph(0, part.strip()) for part in text.split("\n\n") if part.strip()], ""
    return text, ""


def _place(paragraph: Paragraph, plan: Plan) -> str | None:
    return next((beat.place for beat in plan.beats if beat.number == paragraph.beat), None)


def _text_of(beat: int, paragraphs: Sequence[Paragraph]) -> str:
    """Return a beat's text; a text without beats is every beat's."""
    return " ".join(each.text for each in paragraphs if each.beat in (beat, 0))


def _length_faults(paragraphs: Sequence[Paragraph], plan: Plan, limits: Limits, title: str) -> Iterator[Found]:
    words = sum(len(each.text.split()) for each in paragraphs)
    wanted = sum(beat.words for beat in plan.beats)
    if not wanted * limits.least <= words * 1_000 <= wanted * limits.most:
        yield Found("words", f"{words} words", f"the chapter has {words} words; write about {wanted}")
    if len(title) > limits.title:
        yield Found("words", title[:40], f"the title is longer than {limits.title} characters; shorten it")
    if any(each.beat == 0 for each in paragraphs):
        return
    for beat in plan.beats:
        words = len(_text_of(beat.number, paragraphs).split())
        if not beat.words * limits.beat_least <= words * 1_000 <= beat.words * limits.beat_most:
            yield Found(
                "words", f"beat {beat.number}", f"beat {beat.number} has {words} words; write about {beat.words}"
            )


def _missing(
    paragraphs: Sequence[Paragraph], plan: Plan, lexicon: Any, cast: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[Found]:
    for beat in plan.beats:
        text = _text_of(beat.number, paragraphs).lower()
        for must in musts_of(beat, cast, lexicon, names):
            if not any(mark in text for mark in must.any_of):
                yield Found("missing", must.what, f"beat {beat.number} {must.told}: say so")
