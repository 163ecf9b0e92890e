"""Models of stories for tests: scribes that say what a test tells them to, and chapters to write."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from story.context.items import WorldContext
from story.languages import Language
from story.service.composing import Draft, Text, written
from story.writing.port import Completed, ScribeError, ScribeTask
from tests.unit.story.plans_by_hand import beat_by_hand, cast_of, plan_by_hand, tale_by_hand
from world.realm.rules_document import default_world_path, load_world

LOCKS: Final[tuple[Any, ...]] = load_world(default_world_path()).locks
Say = Callable[[ScribeTask], str]


class ScriptedScribe:
    """Says what the writer and the critic are told to, and keeps what they were asked."""

    def __init__(
        self, *replies: str | ScribeError | Say, critic: str | ScribeError | Say = '{"objections": []}'
    ) -> None:
        self._replies = list(replies)
        self._critic = critic
        self.tasks: list[ScribeTask] = []

    async def complete(self, task: ScribeTask) -> Completed:
        """Say the next thing; the last one again and again."""
        self.tasks.append(task)
        if task.role == "story_critic":
            return _said(self._critic, task)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return _said(reply, task)

    @property
    def roles(self) -> list[str]:
        """Who was asked, in order."""
        return [task.role for task in self.tasks]


def _said(reply: str | ScribeError | Say, task: ScribeTask) -> Completed:
    if isinstance(reply, ScribeError):
        raise reply
    return Completed(reply if isinstance(reply, str) else reply(task), picodollars=1_000)


def draft_by_hand(language: Language = "en", hero: str = "Aran") -> Draft:
    """Return what a chapter of four beats is written from: Sefa is dead, Wyn elsewhere, and a territory changed hands."""
    cast = cast_of("grand-gate-city", ("Maren", "innkeeper"), ("Sefa", "healer"))
    cast["sefa"] = cast["sefa"]._replace(status="dead")
    tale = tale_by_hand(language, hero=hero, cast=cast | cast_of("far-wilds", ("Wyn", "weaver")))
    question = "who-burned-the-archive"
    plan = plan_by_hand(
        tale,
        beat_by_hand(1, "witness_speaks", tale, npc="maren", question=question),
        beat_by_hand(2, "control_changed", tale, territory="far-wilds", controller="empire", former="free_cities"),
        beat_by_hand(3, "quiet_hour", tale, question=question),
        world_changes_used=("control/far-wilds",),
    )
    return Draft(plan, tale, WorldContext((), (), 400, 0), {}, LOCKS)


def beats_of(text: Text) -> dict[int, str]:
    """Return a chapter's text by beat."""
    found: dict[int, str] = {}
    for beat, paragraph in text.paragraphs:
        found[beat] = f"{found[beat]}\n\n{paragraph}" if beat in found else paragraph
    return found


def reply(beats: Mapping[int, str]) -> str:
    """Return texts as a writer sends them."""
    return json.dumps({"beats": [{"beat": beat, "text": text} for beat, text in beats.items()]}, ensure_ascii=False)


def good(draft: Draft) -> dict[int, str]:
    """Return a rewrite that may ship: the given sentences of each beat in another order, so that each beat is a new text."""
    return {beat: turned(text) for beat, text in beats_of(written(draft)).items()}


def turned(text: str) -> str:
    """Return a text whose last sentence comes first."""
    parts = [part for part in re.split(r"(?<=[.!?”»])\s+", text) if part]
    return " ".join([parts[-1], *parts[:-1]])


def asked(task: ScribeTask) -> dict[str, Any]:
    """Return the FACTS that a task holds."""
    facts: dict[str, Any] = json.loads(task.user.partition("FACTS\n")[2].partition("\n\n<<DATA")[0])
    return facts
