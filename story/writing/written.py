"""A chapter that a model may have rewritten, and what it took. Pure.

INVARIANT: every paragraph is the grammar's, or passed the guards and the lint on its own and within the chapter.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from policies.models import dollars
from story.ledger.port import Author
from story.prose.composing import Paragraph
from story.prose.lint import LintFault, lint
from story.service.composing import Draft, Fallback, Text
from story.writing.guards import sentences
from story.writing.reading import paragraphs_of

LEAST_OF_MODEL: Final = 500
"""Permille of beats below which the whole chapter is the grammar's: a page in two voices reads worse than one in either."""


class WrittenParagraph(NamedTuple):
    """One paragraph and who wrote it."""

    beat: int
    text: str
    author: Author


class Written(NamedTuple):
    """A chapter's prose with its making."""

    title: str
    paragraphs: tuple[WrittenParagraph, ...]
    used: tuple[str, ...]
    """Lines that the grammar drew for it."""
    because: tuple[str, ...]
    """What was held against texts, in sentences of the house."""
    calls: int = 0
    """Times that a model was asked."""
    picodollars: int = 0
    fallback: Fallback = ""
    """Why none of it is a model's."""

    @property
    def author(self) -> Author:
        """Whose the chapter is: a model's where any paragraph is."""
        return "model" if any(each.author == "model" for each in self.paragraphs) else "template"

    def text(self) -> Text:
        """Return it as chapters are kept."""
        told = () if not self.calls else (_spent(self.calls, self.picodollars),)
        paragraphs = tuple([(each.beat, each.text) for each in self.paragraphs])
        return Text(self.title, paragraphs, self.author, self.used, (*self.because, *told), self.fallback)


def assembled(draft: Draft, template: Text, texts: Mapping[int, str]) -> tuple[tuple[WrittenParagraph, ...], list[str]]:
    """Put a chapter together, and say why texts that were good alone are left out.

    Args:
        draft: what it is written from.
        template: its text without a model.
        texts: a model's, by beat, each of which passed alone.
    """
    kept, because = dict(texts), list[str]()
    known = {_known(fault) for fault in _linted(draft, template.title, _joined(template, {}))}
    while kept:
        paragraphs = _joined(template, kept)
        fault = _worst(_linted(draft, template.title, paragraphs), known, paragraphs)
        if fault is None and (again := _said_twice(paragraphs)) is not None:
            because.append(f"beat {again}: repeats a sentence of another beat")
            del kept[again]
        elif fault is None:
            break
        elif fault.where > 0:
            beat = paragraphs[fault.where - 1].beat
            because.append(f"beat {beat}: {fault.name} within the chapter")
            del kept[beat]
        else:
            because.append(f"the chapter as a whole: {fault.name}")
            kept.clear()
    if kept and len(kept) * 1_000 < len(draft.plan.beats) * LEAST_OF_MODEL:
        because.append(f"{len(kept)} of {len(draft.plan.beats)} beats are too few for a chapter in two voices")
        kept.clear()
    return _joined(template, kept), because


def _joined(template: Text, texts: Mapping[int, str]) -> tuple[WrittenParagraph, ...]:
    found: list[WrittenParagraph] = []
    for beat, text in template.paragraphs:
        if beat not in texts:
            found.append(WrittenParagraph(beat, text, "template"))
        elif not any(each.beat == beat for each in found):
            found += [WrittenParagraph(beat, each.text, "model") for each in paragraphs_of(beat, texts[beat])]
    return tuple(found)


def _linted(draft: Draft, title: str, paragraphs: Sequence[WrittenParagraph]) -> tuple[LintFault, ...]:
    return lint(
        [Paragraph(each.beat, each.text) for each in paragraphs],
        language=draft.plan.language,
        plan=draft.plan,
        tale=draft.tale,
        locks=draft.locks,
        names=draft.names,
        title=title,
    )


def _worst(
    faults: Sequence[LintFault], known: set[tuple[str, str]], paragraphs: Sequence[WrittenParagraph]
) -> LintFault | None:
    """Return the first fault that a model brought in: in one of its paragraphs, or new in the chapter."""
    for fault in faults:
        if fault.where > 0 and paragraphs[fault.where - 1].author == "model":
            return fault
        if fault.where < 0 and _known(fault) not in known:
            return fault
    return None


def _known(fault: LintFault) -> tuple[str, str]:
    return fault.name, fault.excerpt


def _said_twice(paragraphs: Sequence[WrittenParagraph]) -> int | None:
    """Return the last of a model's beats that says a sentence of another beat."""
    said: dict[str, int] = {}
    for each in paragraphs:
        for sentence in sentences(each.text):
            first = said.setdefault(sentence, each.beat)
            if first != each.beat or sentences(each.text).count(sentence) > 1:
                mine = each.beat if each.author == "model" else first
                if any(one.beat == mine and one.author == "model" for one in paragraphs):
                    return mine
    return None


def _spent(calls: int, picodollars: int) -> str:
    asked = "a model was asked once" if calls == 1 else f"a model was asked {calls} times"
    return f"{asked}, at {dollars(picodollars)} USD" if picodollars else asked
