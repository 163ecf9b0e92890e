"""The writer that asks a model, behind the port that the template's writer stands behind (`story.service.composing.Writer`)."""

import asyncio
import logging
from typing import Final, cast

from story.service.composing import Draft, Fallback, Text, written
from story.writing.graph import build_writing
from story.writing.nodes import WritingState
from story.writing.port import Scribe
from story.writing.written import Written, WrittenParagraph, assembled

logger = logging.getLogger(__name__)
DEFAULT_TIMEOUT_S: Final = 90.0
"""A local model of eight billion weights writes a chapter in about a minute."""


class ModelWriter:
    """Lets a model rewrite chapters; whatever it does, what ships has passed the lint or is the grammar's.

    Args:
        scribe: asks the models.
        has_critic: whether a second model reads what the lint has passed.
        timeout_s: wall clock over the whole writing, rewrites and waiting included; what had passed by then is kept.
    """

    def __init__(self, scribe: Scribe, *, has_critic: bool = False, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._graph = build_writing(scribe, has_critic=has_critic)
        self._timeout_s = timeout_s

    async def write(self, draft: Draft) -> Text:
        """Write a chapter; never raises for what a model does."""
        return (await self.rewrite(draft)).text()

    async def rewrite(self, draft: Draft) -> Written:
        """Write a chapter, and say who wrote each paragraph."""
        last: WritingState = {}
        late: tuple[str, ...] = ()
        fallback: Fallback = ""
        try:
            async with asyncio.timeout(self._timeout_s):
                async for state in self._graph.astream({"draft": draft}, stream_mode="values"):
                    last = cast(WritingState, state)
        except TimeoutError:
            fallback = "late"
            late = (f"the writing took longer than {self._timeout_s:g} s; what had passed by then is kept",)
        except Exception as error:
            logger.exception("story_writing_failed")
            fallback = "broken"
            late = (f"the writing broke off ({type(error).__name__})",)
        return _finished(draft, last, late, fallback)


def _finished(draft: Draft, state: WritingState, late: tuple[str, ...], fallback: Fallback) -> Written:
    template = state.get("template") or written(draft)
    because = (*template.because, *state.get("because", ()), *late)
    passed = state.get("accepted", {})
    paragraphs, left_out = assembled(draft, template, passed)
    is_written = any(each.author == "model" for each in paragraphs)
    why = fallback or state.get("failed") or ("chapter" if passed else "held")
    return Written(
        title=template.title,
        paragraphs=paragraphs or tuple([WrittenParagraph(*each, "template") for each in template.paragraphs]),
        used=template.used,
        because=(*because, *left_out),
        calls=state.get("calls", 0),
        picodollars=state.get("picodollars", 0),
        fallback="" if is_written else why,
    )
