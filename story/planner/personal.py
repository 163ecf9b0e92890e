"""Personal storylets: when each may be played for a thread, and what it then says and makes true.

A rule counts the criteria that speak for a storylet (Valve's salience: the more that fits, the better), and says None where
one that it needs does not hold. Filling draws the details and is asked only for the storylet that was chosen.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from story.planner import playing_alone as alone
from story.planner import playing_claims as claims
from story.planner import playing_people as people
from story.planner import playing_promises as promises
from story.planner import playing_things as things
from story.planner.scene import Filling, Scene
from story.tale.tale import Thread

QUIET: Final = frozenset({"quiet_hour", "old_wound", "laid_aside"})
"""Storylets that need nobody and nothing: what is left where everything else was objected to."""


class Casting(NamedTuple):
    """How one storylet comes to be played."""

    criteria: Callable[[Scene, Thread], int | None]
    fill: Callable[[Scene, Thread], Filling]
    by_thread: bool = True
    """Whether the criteria look at the thread; where they do not, they are counted once for all of a scene's threads."""


CASTINGS: Final[Mapping[str, Casting]] = {
    "clue_found": Casting(things.clue_criteria, things.clue),
    "witness_speaks": Casting(people.witness_criteria, people.witness),
    "witness_refuses": Casting(people.refusal_criteria, people.refuses),
    "promise_made": Casting(promises.promise_criteria, promises.promise, by_thread=False),
    "promise_kept": Casting(promises.kept_criteria, promises.settled("kept")),
    "promise_broken": Casting(promises.broken_criteria, promises.settled("broken")),
    "old_wound": Casting(alone.wound_criteria, alone.wound, by_thread=False),
    "want_and_need": Casting(alone.need_criteria, alone.need),
    "followed": Casting(alone.followed_criteria, alone.only_question, by_thread=False),
    "accusation": Casting(people.accusation_criteria, people.accusation),
    "answer_found": Casting(things.answer_criteria, things.answer),
    "question_opens": Casting(things.opening_criteria, things.opening),
    "stranger_met": Casting(people.stranger_criteria, people.stranger, by_thread=False),
    "ally_helps": Casting(people.asker_criteria, people.with_known),
    "loss_suffered": Casting(things.loss_criteria, things.loss, by_thread=False),
    "shared_meal": Casting(people.meal_criteria, people.with_known, by_thread=False),
    "letter_arrives": Casting(things.letter_criteria, things.letter),
    "crossing": Casting(alone.crossing_criteria, alone.crossing),
    "bargain_offered": Casting(people.bargain_criteria, people.bargain),
    "place_searched": Casting(things.search_criteria, things.search),
    "night_watch": Casting(people.watch_criteria, people.with_known, by_thread=False),
    "honest_work": Casting(alone.work_criteria, alone.only_question, by_thread=False),
    "banner_raised": Casting(claims.banner_criteria, claims.banner),
    "oath_sworn": Casting(claims.oath_criteria, claims.oath),
    "veil_rite": Casting(claims.rite_criteria, claims.rite),
    "quiet_hour": Casting(alone.always, alone.only_question, by_thread=False),
    "laid_aside": Casting(alone.aside_criteria, alone.only_question),
}
"""By storylet: a new personal storylet needs its rule here."""
