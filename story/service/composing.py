"""The chapter's text without a model, and the port through which a model may rewrite it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol

from story.context.items import WorldContext
from story.ledger.port import Author
from story.planner.plan import Plan
from story.prose.composing import compose
from story.prose.lexicon_document import lexicon_of
from story.prose.lint import lint
from story.tale.tale import Tale

REMEMBERED: Final = 3
"""Chapters whose sentences the next one avoids."""


Fallback = Literal[
    "", "timeout", "unreachable", "unparsed", "off_schema", "refused", "budget", "late", "broken", "held", "chapter"
]  # fmt: skip
"""Why a chapter that a model was asked for is the grammar's: how its call failed (`story.writing.port.ScribeError`); or the wall
clock ended (late), the writing broke off (broken), no text passed (held), or what passed alone made no chapter. Empty where
none was asked, or where some of it is the model's."""


class Draft(NamedTuple):
    """Everything that a chapter's text is written from."""

    plan: Plan
    tale: Tale
    context: WorldContext
    names: Mapping[str, str]
    """Display names of the realm's places, by id."""
    locks: tuple[Mapping[str, Any], ...]
    """Canon locks."""
    avoid: Sequence[str] = ()
    """Lines that the last chapters said, the latest last."""


class Text(NamedTuple):
    """A chapter's prose."""

    title: str
    paragraphs: tuple[tuple[int, str], ...]
    """Beat, text."""
    author: Author
    used: tuple[str, ...] = ()
    """Lines said: what the next chapters avoid."""
    because: tuple[str, ...] = ()
    """What was held against a text, in sentences: for --why."""
    fallback: Fallback = ""


class Writer(Protocol):
    """Writes a chapter's text."""

    async def write(self, draft: Draft) -> Text:
        """Write; never raises for what a model does: then the template text is what there is."""
        ...


class TemplateWriter:
    """Writes with the grammar alone."""

    async def write(self, draft: Draft) -> Text:
        """Compose the chapter and look it over as strictly as a model's text."""
        return written(draft)


def written(draft: Draft) -> Text:
    """Return the template text of a draft."""
    plan, tale = draft.plan, draft.tale
    composed = compose(
        plan, tale, lexicon_of(plan.language), context=draft.context, avoid=draft.avoid, names=draft.names
    )
    faults = lint(
        composed,
        language=plan.language,
        plan=plan,
        tale=tale,
        locks=draft.locks,
        names=draft.names,
    )
    because = tuple([f"{fault.name} in paragraph {fault.where}: {fault.told}" for fault in faults])
    paragraphs = tuple([(each.beat, each.text) for each in composed.paragraphs])
    return Text(composed.title, paragraphs, "template", composed.used, because)
