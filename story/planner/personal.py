"""Personal storylets: when each may be played for a thread, and what it then says and makes true.

A rule counts the criteria that speak for a storylet (Valve's salience: the more that fits, the better), and says None where
one that it needs does not hold. Filling draws the details and is asked only for the storylet that was chosen.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from story.planner import playing_alone as alone
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


CASTINGS: Final[Mapping[str, Casting]] = {
    "clue_found": Casting(things.clue_criteria, things.clue),
    "witness_speaks": Casting(people.witness_criteria, people.witness),
    "witness_refuses": Casting(people.refusal_criteria, people.refuses),
    "promise_made": Casting(promises.promise_criteria, promises.promise),
    "promise_kept": Casting(promises.kept_criteria, promises.settled("kept")),
    "promise_broken": Casting(promises.broken_criteria, promises.settled("broken")),
    "old_wound": Casting(alone.wound_criteria, alone.wound),
    "want_and_need": Casting(alone.need_criteria, alone.need),
    "followed": Casting(alone.followed_criteria, alone.only_question),
    "accusation": Casting(people.accusation_criteria, people.accusation),
    "answer_found": Casting(things.answer_criteria, things.answer),
    "question_opens": Casting(things.opening_criteria, things.opening),
    "stranger_met": Casting(people.stranger_criteria, people.stranger),
    "ally_helps": Casting(people.asker_criteria, people.with_known),
    "loss_suffered": Casting(things.loss_criteria, things.loss),
    "shared_meal": Casting(people.meal_criteria, people.with_known),
    "letter_arrives": Casting(things.letter_criteria, things.letter),
    "crossing": Casting(alone.crossing_criteria, alone.crossing),
    "quiet_hour": Casting(alone.always, alone.only_question),
    "laid_aside": Casting(alone.aside_criteria, alone.only_question),
}
"""By storylet: a new personal storylet needs its rule here."""
