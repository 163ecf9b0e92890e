"""The pacing machine, the wanted curve, and how a beat is chosen."""

from dataclasses import replace

import pytest

from policies.faults import InvalidInputError
from story.planner.choosing import NEAR
from story.planner.objections import Objection, read_objections, subjects_of
from story.planner.pacing import THREAT, intensity, phase_of, wanted_purpose, wanted_tension
from story.tale.contradictions import contradictions
from story.tale.tale import CastMember, Fact, PacingPhase, Tale, Thread
from story.threat.environment import PRESSURES, ThreatEnvironment, ThreatPressure
from tests.unit.story.planner_tales import LOCKS, NO_NEWS, POOLS, Case, opened, shipped_realm


def _tale(
    phase: PacingPhase, since: int, chapter: int, *, tension: int = 20, villain: bool = False, **changes: int
) -> Tale:
    tale = opened()
    player = replace(tale.player, named_villain_active=villain)
    tale = replace(tale, phase=phase, phase_since=since, chapter=chapter, tension=tension, player=player)
    return replace(tale, **changes)  # type: ignore[arg-type]


# Derived from the table in story/planner/pacing.py: chapter is the last closed one, `since` when its phase began.
@pytest.mark.parametrize(
    ("tale", "pressure", "phase"),
    [
        (_tale("build_up", 0, 0), "siege", "build_up"),  # the first chapter builds up, whatever presses
        (_tale("build_up", 0, 1), "calm", "build_up"),
        (_tale("build_up", 0, 2, tension=80), "calm", "sustain"),
        (_tale("build_up", 0, 2), "siege", "sustain"),
        (_tale("build_up", 1, 4), "calm", "sustain"),  # four chapters are enough
        (_tale("build_up", 1, 3), "calm", "build_up"),
        (_tale("sustain", 3, 3), "siege", "fade"),  # one chapter, no more
        (_tale("sustain", 3, 3, villain=True), "siege", "sustain"),  # bosses are exempt
        (_tale("fade", 4, 4), "contested", "fade"),
        (_tale("fade", 4, 5), "contested", "relax"),  # two at most
        (_tale("fade", 4, 4), "observed", "relax"),
        (_tale("fade", 4, 4, losses=60), "calm", "fade"),
        (_tale("relax", 5, 5), "calm", "build_up"),
        (_tale("relax", 5, 5), "siege", "relax"),
        (_tale("relax", 5, 6), "siege", "build_up"),  # two at most
        (_tale("relax", 5, 5, combat=80), "calm", "relax"),
    ],
)
def test_the_pacing_machine_goes_round(tale: Tale, pressure: ThreatPressure, phase: PacingPhase) -> None:
    assert phase_of(tale, pressure) == phase


def test_intensity_is_the_greatest_of_threat_losses_and_combat() -> None:
    assert {name: intensity(_tale("relax", 1, 1), name) for name in PRESSURES} == {
        "calm": 0, "observed": 25, "contested": 50, "siege": 80, "anomalous": 60,
    }  # fmt: skip
    assert intensity(_tale("relax", 1, 1, losses=30, combat=40), "observed") == 40
    assert intensity(_tale("relax", 1, 1, losses=70), "observed") == 70


def test_acts_and_threats_raise_the_curve_and_rest_stays_low() -> None:
    tale = _tale("sustain", 1, 1)
    later = replace(tale, player=replace(tale.player, act=4))
    assert [wanted_tension(tale, "sustain", "calm", at, 6) for at in range(1, 7)] == [3, 5, 5, 6, 6, 3]
    assert [wanted_tension(later, "sustain", "siege", at, 6) for at in range(1, 7)] == [6, 8, 9, 10, 10, 6]
    assert max(wanted_tension(later, "relax", "siege", at, 4) for at in range(1, 5)) <= 4
    for phase in ("build_up", "sustain", "fade", "relax"):
        for pressure in THREAT:
            assert all(1 <= wanted_tension(later, phase, pressure, at, 8) <= 10 for at in range(1, 9))


def test_a_chapter_sets_up_rises_peaks_falls_and_resolves() -> None:
    assert [wanted_purpose(at, 6) for at in range(1, 7)] == [
        "setup",
        "rising",
        "rising",
        "climax",
        "falling",
        "resolution",
    ]
    assert [wanted_purpose(at, 4) for at in range(1, 5)] == ["setup", "rising", "climax", "resolution"]


def test_every_beat_says_why_it_was_chosen_in_terms_that_sum_to_its_fit() -> None:
    planned = Case(opened(), NO_NEWS, (), (), shipped_realm(), 1).planned()
    for beat, why in zip(planned.plan.beats, planned.explained, strict=True):
        assert why.storylet == beat.storylet
        assert sum(why.terms.values()) == why.fit
        assert all(fit <= why.fit + NEAR for _, fit in why.rivals)


def test_a_tense_chapter_is_tenser_than_one_of_rest() -> None:
    def tension(phase: PacingPhase) -> float:
        total = beats = 0
        for seed in range(30):
            tale = replace(
                opened(seed), phase=phase, phase_since=4, chapter=4, threat=ThreatEnvironment(watcher_active=True)
            )
            plan = Case(tale, NO_NEWS, (), (), shipped_realm(), seed).planned().plan
            total, beats = total + sum(beat.tension for beat in plan.beats), beats + len(plan.beats)
        return total / beats

    # A tale that built up for four chapters sustains next, one that sustained fades, one that faded rests.
    assert tension("build_up") > tension("sustain") > tension("fade") - 0.5


def test_objections_are_codes_with_subjects() -> None:
    assert read_objections(2, ["canon_lock:a-copper-key", "off_tone"]) == (
        Objection("canon_lock", "a-copper-key"), Objection("off_tone"),
    )  # fmt: skip
    assert subjects_of(read_objections(1, ["canon_lock:control/far-wilds:x", "off_tone"])) == {"control/far-wilds:x"}


@pytest.mark.parametrize(
    ("attempt", "objections", "path"),
    [(0, (), "/attempt"), (4, (), "/attempt"), (1, ("",), "/objections/0"), (1, (":x",), "/objections/0"),
     (1, ("a",) * 65, "/objections"), (1, ("a" * 201,), "/objections/0")],
)  # fmt: skip
def test_a_fourth_attempt_and_what_is_no_objection_are_refused(
    attempt: int, objections: tuple[str, ...], path: str
) -> None:
    case = Case(opened(), NO_NEWS, (), (), shipped_realm(), 1)
    with pytest.raises(InvalidInputError) as refused:
        case.planned(attempt=attempt, objections=objections)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_objections_without_a_subject_still_make_another_plan() -> None:
    case = Case(opened(), NO_NEWS, (), (), shipped_realm(), 1)
    plans = [case.planned(attempt=at, objections=("off_tone",) * (at - 1)).plan.beats for at in (1, 2, 3)]
    assert plans[0] != plans[1] != plans[2] != plans[0]


def test_where_everything_was_objected_to_quiet_beats_remain() -> None:
    case = Case(opened(), NO_NEWS, (), (), shipped_realm(), 1)
    threads = [f"bad:{name}" for name in case.tale.threads]
    storylets = ["clue_found", "witness_speaks", "witness_refuses", "stranger_met", "promise_made", "ally_helps", "crossing",
                 "shared_meal", "letter_arrives", "question_opens", "accusation", "followed", "want_and_need"]  # fmt: skip
    plan = case.planned(attempt=2, objections=[*threads, *[f"bad:{name}" for name in storylets]]).plan
    assert {beat.storylet for beat in plan.beats} <= {"quiet_hour", "old_wound", "laid_aside"}
    assert 4 <= len(plan.beats) <= 8


def test_a_tale_with_nothing_left_to_tell_or_too_much_is_refused() -> None:
    tale = opened()
    many = {f"t{at}": Thread(f"t{at}", f"t{at}", "a-life") for at in range(7)}
    done = {name: Thread(name, name, "a-life", status="paid") for name in POOLS.questions}
    for threads in (done, many):
        with pytest.raises(InvalidInputError, match="threads"):
            Case(replace(tale, threads=threads), NO_NEWS, (), (), shipped_realm(), 1).planned()


def test_a_paused_thread_is_taken_up_again_where_no_other_is_left() -> None:
    tale = opened()
    name, thread = next(iter(tale.threads.items()))
    tale = replace(tale, threads={name: thread._replace(status="paused")})
    plan = Case(tale, NO_NEWS, (), (), shipped_realm(), 1).planned().plan
    assert ("question_opens", name, "opened") in [(beat.storylet, beat.thread_id, beat.advance) for beat in plan.beats]
    assert plan.new_threads == ()


def _fact(subject: str, predicate: str, value: str, decision: str | None = None) -> Fact:
    return Fact(f"{subject}/{predicate}", subject, predicate, value, 1, decision_id=decision)


DEAD = CastMember("otto", "Otto", "weaver", "far-wilds", status="dead")
TOLD = replace(
    opened(),
    cast={"otto": DEAD, "maren": CastMember("maren", "Maren", "healer", "far-wilds")},
    facts={
        fact.fact_id: fact for fact in (_fact("a-copper-key", "found_at", "far-wilds"), _fact("otto", "status", "dead"))
    },
)


@pytest.mark.parametrize(
    ("fact", "kinds"),
    [
        (_fact("a-copper-key", "found_at", "far-wilds"), []),
        (_fact("a-copper-key", "found_at", "ancient-ruins"), ["tale"]),
        (_fact("a-copper-key", "held_by", "hero"), []),
        (_fact("a-copper-key", "held_by", "otto"), ["dead_acts"]),
        (_fact("otto", "status", "alive"), ["dead_acts"]),
        (_fact("otto", "location", "far-wilds"), ["dead_acts"]),
        (_fact("maren", "location", "ancient-ruins"), ["location"]),
        (_fact("far-wilds", "controller", "free_cities"), []),
        (_fact("far-wilds", "owner", "empire"), ["realm"]),  # owner is another word for controller
        (_fact("archons", "location", "tower"), ["canon_lock"]),
        (_fact("Veiled-Will", "nature", "a dream"), ["canon_lock"]),  # spelling is no way round a lock
        (_fact("general-vorn", "status", "manifested"), ["canon_lock", "realm"]),
        (_fact("grand-gate-city", "terrain", "inland"), []),
    ],
)
def test_a_fact_that_denies_what_is_known_is_named_by_whose_word_it_denies(fact: Fact, kinds: list[str]) -> None:
    realm_facts = {("far-wilds", "controller"): "free_cities", ("general-vorn", "status"): "shadow"}
    assert [each.kind for each in contradictions(TOLD, [fact], realm_facts, LOCKS)] == kinds


def test_a_lock_that_needs_a_verdict_yields_to_one_and_one_that_grows_to_growth() -> None:
    locks = [
        {"id": "v", "mode": "requires_verdict", "subject": "bridge", "predicate": "state", "object": "whole"},
        {"id": "m", "mode": "monotonic", "subject": "tower", "predicate": "cleared", "object": "2"},
    ]
    said = [_fact("bridge", "state", "down"), _fact("bridge", "state", "down", "d-1")]
    assert [len(contradictions(TOLD, [fact], {}, locks)) for fact in said] == [1, 0]
    assert [len(contradictions(TOLD, [_fact("tower", "cleared", value)], {}, locks)) for value in ("1", "3")] == [1, 0]


def test_an_objection_to_what_no_beat_used_shifts_no_other_choice_of_the_first_attempt() -> None:
    case = Case(opened(), NO_NEWS, (), (), shipped_realm(), 1)
    shown = case.planned().plan
    unused = case.planned(objections=("canon_lock:nothing-of-this-story",)).plan
    assert unused.beats == shown.beats
    assert case.planned(attempt=2, objections=("canon_lock:nothing-of-this-story",)).plan.beats != shown.beats


def test_a_beat_that_was_objected_to_is_replaced() -> None:
    case = Case(opened(), NO_NEWS, (), (), shipped_realm(), 1)
    shown = case.planned().plan
    for beat in shown.beats:
        again = case.planned(attempt=2, objections=(f"off_tone:{beat.storylet}",)).plan
        assert beat.storylet not in [each.storylet for each in again.beats] or beat.storylet in (
            "quiet_hour",
            "old_wound",
        )
