"""A chapter's title: of the thread that it advances most, and never a number or a name of the machinery."""

from collections import Counter

from policies.draws import Draws
from story.planner.plan import Plan
from story.prose.words import Lexicon
from story.tale.tale import Tale, Thread


def title_of(plan: Plan, tale: Tale, lexicon: Lexicon, draws: Draws) -> str:
    """Return a title of the main thread's question: each is used before one comes again."""
    threads = {**tale.threads, **{each.thread_id: each for each in plan.new_threads}}
    question = _question(plan, threads)
    titles = lexicon.entry("questions", question).titles if question else ()
    if not titles:
        return tale.hero_name
    first = draws.below(len(titles), tale.story_id, "title", question) if len(titles) > 1 else 0
    return titles[(first + plan.chapter) % len(titles)]


def _question(plan: Plan, threads: dict[str, Thread]) -> str | None:
    """Return what the chapter asks most: by beats, then by tension, then by id."""
    beats = Counter(beat.thread_id for beat in plan.beats if beat.thread_id in threads)
    if beats:
        best = min(beats, key=lambda name: (-beats[name], -threads[name or ""].tension, name or ""))
        return threads[best or ""].question
    asked = [beat.slots["question"] for beat in plan.beats if beat.slots.get("question")]
    return asked[0] if asked else None
