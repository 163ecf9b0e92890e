"""The nodes of the writing: what each step does with the chapter's state."""

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from story.service.composing import Draft, Fallback, Text, written
from story.writing.consequences import Consequence, consequences_of
from story.writing.guards import faults_of_text, sentences
from story.writing.port import Completed, Scribe, ScribeError, ScribeTask
from story.writing.prompting import critic_task, writer_task
from story.writing.reading import TOLD, UnreadableError, read_objections, read_texts
from story.writing.standing_in import stand_in, swapped

MAX_ROUNDS: Final = 3
"""A first text and at most two rewrites."""


class WritingState(TypedDict, total=False):
    """A chapter on its way."""

    draft: Draft
    template: Text
    beats: tuple[Consequence, ...]
    open: tuple[int, ...]
    """Beats without a text that may ship."""
    offered: Mapping[int, str]
    """Texts of this round."""
    faults: Mapping[int, tuple[str, ...]]
    """What is wrong with the last text of each open beat."""
    accepted: Mapping[int, str]
    """Texts that passed, by beat."""
    round: int
    """Rounds begun."""
    is_over: bool
    """Whether no further call is made: the model failed, or the critic did."""
    failed: Fallback
    """How it failed; absent where it did not."""
    because: tuple[str, ...]
    calls: int
    picodollars: int


class Nodes:
    """What the graph does.

    Args:
        scribe: asks the models.
        has_critic: whether a model reads what the lint has passed.
    """

    def __init__(self, scribe: Scribe, *, has_critic: bool) -> None:
        self._scribe = scribe
        self._has_critic = has_critic

    def plan(self, state: WritingState) -> dict[str, Any]:
        """Tell the plan without a model: the text that every other one is measured by."""
        template = written(state["draft"])
        return {
            "template": template,
            "accepted": {},
            "faults": {},
            "because": (),
            "round": 0,
            "calls": 0,
            "picodollars": 0,
        }

    def simulate(self, state: WritingState) -> dict[str, Any]:
        """Work out what follows from each beat: what must be said, and who has no part in it."""
        beats = consequences_of(state["draft"], state["template"].paragraphs)
        return {"beats": beats, "open": tuple([each.beat for each in beats])}

    async def write(self, state: WritingState) -> dict[str, Any]:
        """Let the writer write what is open."""
        number, draft = state["round"] + 1, state["draft"]
        task = writer_task(draft, _open(state), number=number, faults=state["faults"])
        completed, spent = await self._asked(task, state)
        spent |= {"round": number, "offered": {}}
        if completed is None:
            return spent
        try:
            offered = read_texts(completed.text, state["open"])
        except UnreadableError as error:
            faults = dict.fromkeys(state["open"], (str(error),))
            return {**spent, "faults": faults, "because": (*state["because"], f"round {number}: {error}")}
        texts = {beat: swapped(text, stand_in(draft), draft.tale.hero_name) for beat, text in offered.texts.items()}
        return {**spent, "offered": texts, "faults": {beat: (told,) for beat, told in offered.faults.items()}}

    async def critique(self, state: WritingState) -> dict[str, Any]:
        """Take what passes guards, lint and critic; the rest stays open, with what was wrong told."""
        if state.get("is_over"):
            return {}
        faults = dict(state["faults"])
        good = self._looked_over(state, faults)
        spent: dict[str, Any] = {}
        if good and self._has_critic:
            good, spent = await self._criticised(state, good, faults)
        accepted = {**state["accepted"], **good}
        still = tuple([beat for beat in state["open"] if beat not in accepted])
        told = [_fault(state["round"], beat, faults[beat]) for beat in still if beat in state["offered"]]
        because = (*spent.pop("because", state["because"]), *told)
        return {
            **spent,
            "accepted": accepted,
            "open": still,
            "faults": {beat: faults.get(beat, ()) for beat in still},
            "because": because,
        }

    def after_critique(self, state: WritingState) -> str:
        """Return where to go on: back to the writer, or out."""
        is_done = state.get("is_over") or not state["open"] or state["round"] >= MAX_ROUNDS
        return "end" if is_done else "write"

    def _looked_over(self, state: WritingState, faults: dict[int, tuple[str, ...]]) -> dict[int, str]:
        """Return the offered texts without a fault, and note the faults of the others."""
        said = {sentence for text in state["accepted"].values() for sentence in sentences(text)}
        good: dict[int, str] = {}
        for each in _open(state):
            text = state["offered"].get(each.beat)
            if text is None:
                continue
            found = faults_of_text(text, each, state["draft"], said)
            if found:
                faults[each.beat] = found
            else:
                good[each.beat] = text
                said |= set(sentences(text))
        return good

    async def _criticised(
        self, state: WritingState, good: Mapping[int, str], faults: dict[int, tuple[str, ...]]
    ) -> tuple[dict[int, str], dict[str, Any]]:
        """Return the texts that the critic does not object to; where it cannot be heard, none (it fails closed)."""
        beats = [each for each in state["beats"] if each.beat in good]
        task = critic_task(state["draft"], beats, good, number=state["round"])
        completed, spent = await self._asked(task, state)
        if completed is None:
            faults.update(dict.fromkeys(good, ("no critic could read it",)))
            return {}, spent
        try:
            objections = read_objections(completed.text, good)
        except UnreadableError:
            faults.update(dict.fromkeys(good, ("the critic could not be understood",)))
            return {}, spent
        faults.update({beat: tuple([TOLD[each] for each in said]) for beat, said in objections.items()})
        return {beat: text for beat, text in good.items() if beat not in objections}, spent

    async def _asked(self, task: ScribeTask, state: WritingState) -> tuple[Completed | None, dict[str, Any]]:
        """Ask a model; return what it wrote, None where nothing, and what changed in the state."""
        calls = state["calls"] + 1
        try:
            completed = await self._scribe.complete(task)
        except ScribeError as error:
            told = f"round {task.round}: {task.role.replace('_', ' ')}, {error.kind}: {error.because}"
            spent = state["picodollars"] + error.picodollars
            return None, {
                "is_over": True,
                "failed": error.kind,
                "calls": calls,
                "picodollars": spent,
                "because": (*state["because"], told),
            }
        return completed, {"calls": calls, "picodollars": state["picodollars"] + completed.picodollars}


def _open(state: WritingState) -> list[Consequence]:
    return [each for each in state["beats"] if each.beat in state["open"]]


def _fault(number: int, beat: int, faults: tuple[str, ...]) -> str:
    return f"round {number}, beat {beat}: {'; '.join(faults)}"[:300]
