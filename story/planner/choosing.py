"""Choosing the next beat: what could be played, how well it fits, and which it is (Façade's beat choice; domain.md C11).

    fit = - |tension wanted - tension offered| + 2 * personal thread advanced + criteria / 2 - repeats

and one more for the purpose wanted, and for the silence of the thread. Terms are milli, so that a step of tension is 1,000. Of
beats that fit as well as the best, within half a step, a draw decides.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from story.planner.criteria import is_due
from story.planner.personal import CASTINGS, QUIET
from story.planner.plan import Explained, Purpose
from story.planner.scene import Filling, Scene
from story.planner.storylets import Storylet, Storylets
from story.planner.worldly import News
from story.tale.tale import Thread

STEP: Final = 1_000
"""One step of tension, milli."""
PERSONAL: Final = 2 * STEP
PER_CRITERION: Final = STEP // 2
REPEAT: Final = 1_500
"""What each chapter nearer than four to a storylet's last use costs."""
REMEMBERED: Final = 4
AGAIN: Final = 8_000
"""What a storylet costs that this chapter has played already, for another thread."""
SILENCE: Final = 400
"""What each chapter of a thread's silence is worth, five at most."""
NEAR: Final = STEP // 2
"""How much worse than the best a beat may fit that is as good as it."""
BARRED: Final = 50_000
"""What it costs to begin as an attempt did that was rejected."""


class Staged(Protocol):
    """A threat storylet that may be played now, as `story.threat.staging` says."""

    @property
    def storylet(self) -> str: ...
    @property
    def slots(self) -> Mapping[str, str]: ...
    @property
    def weight(self) -> int: ...


class Wanted(NamedTuple):
    """What the curve asks of a beat."""

    tension: int
    purpose: Purpose


class Option(NamedTuple):
    """A beat that could be played."""

    storylet: Storylet
    criteria: int
    thread: Thread | None = None
    news: News | None = None
    stage: Staged | None = None

    @property
    def names(self) -> tuple[str, str]:
        """What an option is told apart by: its storylet, and what it is played for."""
        if self.news is not None:
            return self.storylet.storylet_id, self.news.filling.items[0]
        return self.storylet.storylet_id, self.thread.thread_id if self.thread is not None else ""


class Best(NamedTuple):
    """The beat that was chosen, filled, and why."""

    option: Option
    filling: Filling
    why: Explained


def personal_options(scene: Scene, storylets: Sequence[Storylet], threads: Sequence[Thread]) -> list[Option]:
    """Return every personal storylet that may be played for any of the threads; a new question needs none of them."""
    found = []
    for storylet in storylets:
        casting = CASTINGS.get(storylet.storylet_id)
        if casting is None:
            continue
        criteria: int | None = None
        for at, thread in enumerate(threads[:1] if storylet.advance == "opened" else threads):
            if casting.by_thread or at == 0:
                criteria = casting.criteria(scene, thread)
            if criteria is not None:
                found.append(Option(storylet, criteria, None if storylet.advance == "opened" else thread))
    return found


def news_options(storylets: Storylets, told: Sequence[News]) -> list[Option]:
    """Return the world beats that could be played."""
    return [Option(storylets[each.storylet], each.criteria, news=each) for each in told if each.storylet in storylets]


def stage_options(storylets: Storylets, stages: Sequence[Staged]) -> list[Option]:
    """Return the threat beats that could be played."""
    return [Option(storylets[each.storylet], 1, stage=each) for each in stages if each.storylet in storylets]


def choose(
    scene: Scene,
    options: Sequence[Option],
    wanted: Wanted,
    played: Sequence[tuple[str, str]],
    barred: frozenset[tuple[str, str]],
) -> Best | None:
    """Return the option that fits best and can be filled without what was objected to; None where there is none.

    Args:
        scene: what holds now.
        options: what could be played.
        wanted: what the curve asks.
        played: names of this chapter's beats so far.
        barred: names of beats that rejected attempts began with.
    """
    of_storylets = _OfStorylets(scene, wanted, frozenset([name for name, _ in played]))
    weighed = [
        _Weighed(option, own, terms := _terms(scene, option, of_storylets, is_barred=own in barred), sum(terms))
        for option in options
        if (own := option.names) not in played
    ]
    left = sorted(weighed, key=_weight)
    while left:
        tied = [each for each in left if each.fit >= left[0].fit - NEAR]
        best = min(tied, key=lambda each: scene.lot(*each.names))
        left.remove(best)
        filling = filled(scene, best.option)
        if not scene.setting.taboo or scene.setting.taboo.isdisjoint(used_by(best.option, filling)):
            why = {name: value for name, value in best.terms._asdict().items() if value}
            rivals = tuple([(each.names[0], each.fit) for each in left[:3]])
            return Best(best.option, filling, Explained(best.names[0], best.fit, why, rivals))
    return None


class _Terms(NamedTuple):
    """What a fit sums, milli."""

    tension: int
    salience: int
    purpose: int
    repeats: int
    personal: int
    silence: int
    barred: int


class _Weighed(NamedTuple):
    """An option with its fit."""

    option: Option
    names: tuple[str, str]
    terms: _Terms
    fit: int
    """Sum of its terms, milli."""


def _weight(each: _Weighed) -> tuple[int, tuple[str, str]]:
    return -each.fit, each.names


def filled(scene: Scene, option: Option) -> Filling:
    """Return what an option is filled with in a scene."""
    if option.news is not None:
        return option.news.filling
    if option.stage is not None:
        return Filling(option.stage.slots)
    thread = option.thread or _NO_THREAD
    return CASTINGS[option.storylet.storylet_id].fill(scene, thread)


def used_by(option: Option, filling: Filling) -> frozenset[str]:
    """Return every id that a beat uses: what somebody can object to.

    The thread of a beat that says nothing new of it is left out: a thread that was objected to is laid aside by such a beat.
    """
    slots = {value for name, value in filling.slots.items() if not name.startswith("condition")}
    is_quiet = option.storylet.storylet_id in QUIET
    if is_quiet:
        slots.discard(filling.slots.get("question", ""))
    facts = {each.fact_id for each in filling.facts} | {each.subject for each in filling.facts}
    others = {*filling.characters, *filling.items, *filling.decisions, *filling.rests_on, option.storylet.storylet_id}
    own = {option.thread.thread_id} if option.thread is not None and not is_quiet else set()
    return frozenset(slots | facts | others | own)


class _OfStorylets(dict[str, tuple[int, int, int]]):
    """Terms that a storylet has whatever it is played for: tension, purpose and repeats, counted once for a beat."""

    def __init__(self, scene: Scene, wanted: Wanted, played: frozenset[str]) -> None:
        super().__init__()
        self._scene, self._wanted, self._played = scene, wanted, played

    def of(self, storylet: Storylet) -> tuple[int, int, int]:
        found = self.get(storylet.storylet_id)
        if found is None:
            found = self[storylet.storylet_id] = (
                -STEP * abs(self._wanted.tension - storylet.tension),
                STEP if storylet.purpose == self._wanted.purpose else 0,
                _repeats(self._scene, storylet.storylet_id, self._played),
            )
        return found


def _terms(scene: Scene, option: Option, of_storylets: _OfStorylets, *, is_barred: bool) -> _Terms:
    storylet, thread = option.storylet, option.thread
    is_own = storylet.kind == "personal" and storylet.advance != "paused" and (thread is None or thread.is_personal)
    tension, purpose, repeats = of_storylets.of(storylet)
    return _Terms(
        tension,
        PER_CRITERION * option.criteria,
        purpose,
        repeats,
        PERSONAL if is_own else 0,
        0 if thread is None else _silence(scene, thread),
        -BARRED if is_barred else 0,
    )


def _repeats(scene: Scene, storylet_id: str, played: frozenset[str]) -> int:
    if storylet_id in played:
        return -AGAIN
    last = scene.setting.tale.storylets.get(storylet_id)
    return 0 if last is None else -REPEAT * max(0, REMEMBERED - (scene.setting.chapter - last))


def _silence(scene: Scene, thread: Thread) -> int:
    if thread.thread_id in scene.advanced:
        return -SILENCE * 2 * scene.advanced[thread.thread_id]
    silent = min(5, scene.setting.chapter - thread.last_advanced)
    return SILENCE * (silent + 2 * is_due(scene, thread))


_NO_THREAD: Final = Thread("", "", "")
