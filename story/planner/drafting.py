"""From chosen beats to the plan of a chapter: numbers, moods, words, places and facts written out."""

from collections.abc import Mapping, Sequence
from typing import Final

from story.planner.choosing import Best
from story.planner.objections import Objection
from story.planner.outlines import description
from story.planner.pacing import THREAT, wanted_tension
from story.planner.plan import Beat, Mood, Plan
from story.planner.scene import Setting
from story.planner.storylets import Storylet
from story.tale.tale import CastMember

SHORTEST: Final = 400
"""Words of a chapter, at least."""
LONGEST: Final = 1_200


def drafted(setting: Setting, bests: Sequence[Best], seed: int, attempt: int, objected: Sequence[Objection]) -> Plan:
    """Return the plan that a chapter's beats make."""
    beats = _beats(setting, bests)
    fillings = [best.filling for best in bests]
    facts = {fact.fact_id: fact for filling in fillings for fact in filling.facts}
    opened = [each.opens for each in fillings if each.opens is not None]
    items = tuple([item for beat in beats for item in beat.items])
    told = [best.option.news for best in bests if best.option.news is not None]
    return Plan(
        story_id=setting.tale.story_id,
        chapter=setting.chapter,
        language=setting.tale.language,
        beats=beats,
        chapter_tension=max(beat.tension for beat in beats),
        pacing=setting.phase,
        emotional_arc=_arc(beats),
        world_changes_used=items,
        verdicts_cited=tuple(dict.fromkeys([name for beat in beats for name in beat.decisions])),
        new_characters=tuple([each.newcomer for each in fillings if each.newcomer is not None]),
        facts=tuple(facts.values()),
        pressure=setting.pressure,
        seed=seed,
        attempt=attempt,
        objections=tuple(map(str, objected)),
        new_threads=tuple([each for each in opened if each.thread_id not in setting.tale.threads]),
        globals_used=tuple([item for each in told if each.is_global for item in each.filling.items]),
    )


def _arc(beats: Sequence[Beat]) -> str:
    moods = [beat.mood for beat in beats]
    turns = [mood for before, mood in zip([None, *moods], moods, strict=False) if mood != before]
    return " -> ".join(turns)


def _beats(setting: Setting, bests: Sequence[Best]) -> tuple[Beat, ...]:
    words = _words([best.option.storylet.words for best in bests])
    cast: dict[str, CastMember] = dict(setting.tale.cast)
    place = setting.tale.player.place
    beats = []
    for number, best in enumerate(bests, start=1):
        if best.filling.newcomer is not None:
            cast[best.filling.newcomer.entity_id] = best.filling.newcomer
        wanted = wanted_tension(setting.tale, setting.phase, setting.pressure, number, len(bests))
        beats.append(_beat(setting, best, number, place, wanted, words[number - 1], cast))
        place = best.filling.moves_to or place
    return tuple(beats)


def _beat(
    setting: Setting, best: Best, number: int, place: str, wanted: int, words: int, cast: Mapping[str, CastMember]
) -> Beat:
    storylet, filling = best.option.storylet, best.filling
    thread = filling.opens or best.option.thread
    facts = [fact.fact_id for fact in filling.facts]
    slots = {**filling.slots, "hero": setting.tale.hero, "place": place}
    promise = filling.promise
    return Beat(
        number=number,
        storylet=storylet.storylet_id,
        kind=storylet.kind,
        purpose=storylet.purpose,
        tension=_tension(storylet, wanted),
        scene=storylet.scene,
        mood=_mood(setting, storylet, number),
        words=words,
        description=description(storylet.storylet_id, slots, cast),
        characters=(setting.tale.hero, *filling.characters),
        place=place,
        thread_id=thread.thread_id if thread is not None and storylet.kind == "personal" else None,
        advance=storylet.advance,
        items=filling.items,
        decisions=filling.decisions,
        slots=slots,
        facts=tuple(dict.fromkeys([*filling.rests_on, *facts])),
        promise_id=None if promise is None else promise.promise_id,
    )


def _tension(storylet: Storylet, wanted: int) -> int:
    """Return a beat's tension: what its storylet offers, a step nearer to what the curve wants."""
    step = (wanted > storylet.tension) - (wanted < storylet.tension)
    return max(1, min(10, storylet.tension + step))


def _mood(setting: Setting, storylet: Storylet, number: int) -> Mood:
    """Draw a mood, the usual one twice as likely; where the world is pressed hard, the usual one is told."""
    if THREAT[setting.pressure] >= 80:
        return storylet.moods[0]
    return setting.draws.one_of((storylet.moods[0], *storylet.moods), setting.key, number, "mood")


def _words(lengths: Sequence[int]) -> list[int]:
    """Return the words of each beat, stretched or shortened alike until the chapter is of the right length."""
    total = sum(lengths)
    wanted = max(SHORTEST, min(LONGEST, total))
    if wanted == total:
        return list(lengths)
    ups = wanted > total
    return [(each * wanted + (total - 1 if ups else 0)) // total for each in lengths]
