"""Every invariant of a plan, each by a bug that is planted in a sound plan and must be caught by its name."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from story.planner.invariants import faults_of_plan
from story.planner.plan import Beat, Plan
from story.tale.tale import CastMember, Fact, Thread
from tests.unit.story.planner_tales import LOCKS, Case, context_of, heard, item, opened, shipped_realm

HERE = "far-wilds"
AWAY = "grand-gate-city"
VERDICTS = (
    heard("d-modify", "modify"),
    heard("d-reject", "reject", place="ancient-ruins", faction_id="free_cities"),
    heard("d-quarantine", "quarantine"),
)


def _case() -> Case:
    """Return a chapter with a verdict of every kind but approval: two of them must be told."""
    tale = opened(5)
    nearby = CastMember("zora", "Zora", "healer", AWAY)
    dead = CastMember("otto", "Otto", "weaver", HERE, status="dead")
    tale = replace(tale, cast={**tale.cast, "zora": nearby, "otto": dead})
    items = [
        item(f"verdict/{each.decision_id}", "verdict", each.subject, decision_id=each.decision_id) for each in VERDICTS
    ]
    unused = item("ranking/empire", "ranking", "empire", facts={"faction": "empire", "direction": "rises"}, places=())
    return Case(tale, context_of(*items, unused), VERDICTS, (), shipped_realm(), 5)


CASE = _case()
PLAN = CASE.planned().plan
OWN = next(beat for beat in PLAN.beats if beat.kind == "personal")
TOLD = {beat.decisions[0]: beat for beat in PLAN.beats if beat.decisions}


def _faults(plan: Plan, case: Case = CASE) -> set[str]:
    found = faults_of_plan(
        plan, case.tale, case.context, case.verdicts, stages=case.stages, locks=LOCKS, realm=case.realm
    )
    return {fault.invariant for fault in found}


def _with(beat: Beat, **changes: object) -> Plan:
    changed = beat._replace(**changes)  # type: ignore[arg-type]
    return PLAN._replace(beats=tuple([changed if each.number == beat.number else each for each in PLAN.beats]))


def _saying(subject: str, predicate: str, value: str, decision: str | None = None) -> Plan:
    """Return the plan with one more fact, established by its first personal beat."""
    fact = Fact(f"{subject}/{predicate}", subject, predicate, value, 1, decision_id=decision)
    return _with(OWN, facts=(*OWN.facts, fact.fact_id))._replace(facts=(*PLAN.facts, fact))


def _member(name: str) -> CastMember:
    return CastMember(name, name.title(), "healer", HERE)


def _two_values() -> Plan:
    plan = _saying("a-copper-key", "found_at", HERE)
    return plan._replace(facts=(*plan.facts, Fact("a-copper-key/found_at", "a-copper-key", "found_at", AWAY, 1)))


def _ignorant() -> Plan:
    """Return the plan with a beat in which somebody speaks of what only others know."""
    known = {name for member in CASE.tale.cast.values() for name in member.knows}
    unknown = next(name for name in CASE.tale.facts if name not in known)
    person = next(name for name, each in CASE.tale.cast.items() if each.place == HERE and each.status == "alive")
    return _with(OWN, characters=("hero", person), facts=(unknown,))


def test_the_plan_itself_is_sound() -> None:
    assert faults_of_plan(PLAN, CASE.tale, CASE.context, VERDICTS, stages=(), locks=LOCKS, realm=CASE.realm) == ()
    assert set(TOLD) == {"d-modify", "d-reject"}


BUGS: dict[str, tuple[str, Callable[[], Plan]]] = {
    "three_beats": ("shape", lambda: PLAN._replace(beats=PLAN.beats[:3])),
    "numbers": ("shape", lambda: PLAN._replace(beats=(*PLAN.beats[1:], PLAN.beats[0]))),
    "tension": ("shape", lambda: _with(OWN, tension=11)),
    "chapter_tension": ("shape", lambda: PLAN._replace(chapter_tension=1)),
    "words": ("shape", lambda: _with(OWN, words=2_000)),
    "chapter": ("shape", lambda: PLAN._replace(chapter=3)),
    "phase": ("pacing", lambda: PLAN._replace(pacing="relax")),
    "pressure": ("pacing", lambda: PLAN._replace(pressure="siege")),
    "little_of_the_hero": (
        "personal_share",
        lambda: PLAN._replace(beats=tuple([beat._replace(kind="threat") for beat in PLAN.beats])),
    ),
    "much_of_the_world": (
        "world_share",
        lambda: PLAN._replace(beats=tuple([beat._replace(kind="world") for beat in PLAN.beats])),
    ),
    "no_thread": (
        "personal_thread",
        lambda: PLAN._replace(beats=tuple([beat._replace(thread_id=None) for beat in PLAN.beats])),
    ),
    "a_thread_of_nobody": ("unknown_thread", lambda: _with(OWN, thread_id="who-knows")),
    "two_new_names": ("new_names", lambda: PLAN._replace(new_characters=(_member("una"), _member("duo")))),
    "a_taken_name": ("new_names", lambda: PLAN._replace(new_characters=(_member("veil"),))),
    "canon_denied": ("canon_lock", lambda: _saying("grand-gate-city", "terrain", "coast")),
    "canon_never_told": ("canon_lock", lambda: _saying("veiled-will", "nature", "a-mirror")),
    "realm_denied": ("realm", lambda: _saying("far-wilds", "controller", "empire")),
    "tale_denied": ("tale", lambda: _saying(next(iter(CASE.tale.cast)), "role", "emperor")),
    "two_values": ("self", _two_values),
    "the_dead_hold": ("dead_acts", lambda: _saying("a-copper-key", "held_by", "otto")),
    "said_elsewhere": ("location", lambda: _saying("zora", "location", HERE)),
    "fact_of_nobody": ("fact_unknown", lambda: _with(OWN, facts=(*OWN.facts, "moon/colour"))),
    "fact_misnamed": ("fact_unknown", lambda: PLAN._replace(facts=(*PLAN.facts, Fact("a/b", "c", "d", "e", 1)))),
    "nobody_we_know": ("unknown_character", lambda: _with(OWN, characters=(*OWN.characters, "someone"))),
    "the_dead_meet": ("dead_acts", lambda: _with(OWN, characters=(*OWN.characters, "otto"))),
    "far_away": ("elsewhere", lambda: _with(OWN, characters=(*OWN.characters, "zora"))),
    "another_place": ("elsewhere", lambda: _with(OWN, place=AWAY)),
    "over_the_hills": ("no_way", lambda: _with(PLAN.beats[-1], slots={**PLAN.beats[-1].slots, "destination": AWAY})),
    "cannot_know": ("knowledge", _ignorant),
    "no_such_promise": ("promise", lambda: _with(OWN, promise_id="bring-word-home.zora", storylet="promise_kept")),
    "not_in_context": ("item", lambda: _with(TOLD["d-modify"], items=("control/far-wilds",))),
    "item_by_the_way": ("item", lambda: _with(OWN, items=("ranking/empire",))),
    "uncounted_item": ("item", lambda: PLAN._replace(world_changes_used=())),
    "not_cited": ("verdict", lambda: PLAN._replace(verdicts_cited=())),
    "made_up_verdict": ("verdict", lambda: PLAN._replace(verdicts_cited=(*PLAN.verdicts_cited, "d-none"))),
    "fact_of_no_verdict": ("verdict", lambda: _saying("a-copper-key", "found_at", HERE, "d-none")),
    "quarantine_told": ("quarantine", lambda: _with(TOLD["d-modify"], items=("verdict/d-quarantine",))),
    "quarantine_cited": ("quarantine", lambda: _with(TOLD["d-modify"], decisions=("d-quarantine",))),
    "quarantine_a_fact": ("quarantine", lambda: _saying("d-quarantine", "verdict", "quarantine")),
    "condition_lost": ("modifications", lambda: _with(TOLD["d-modify"], slots={"subject": HERE})),
    "reason_lost": ("reason", lambda: _with(TOLD["d-reject"], slots={"subject": HERE})),
    "rejected_and_done": ("reason", lambda: _saying("far-wilds", "controller", "free_cities", "d-reject")),
    "not_told": ("unheard", lambda: _without(TOLD["d-reject"])),
    "not_on_stage": ("unstaged", lambda: _with(OWN, kind="threat", storylet="anomaly_seen")),
    "digits": ("hidden_numbers", lambda: _with(OWN, description="The hero has 75 of something.")),
    "tier_name": ("hidden_numbers", lambda: _with(OWN, description="The Tier of the watchers rises.")),
    "rules_words": ("hidden_numbers", lambda: _with(OWN, description="Enforcement intensity grows.")),
    "objected": ("objected", lambda: PLAN._replace(objections=(f"canon_lock:{OWN.storylet}",))),
}


def _without(beat: Beat) -> Plan:
    return PLAN._replace(
        beats=tuple([each for each in PLAN.beats if each is not beat]), world_changes_used=(), verdicts_cited=()
    )


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught_by_the_name_of_its_invariant(name: str) -> None:
    invariant, plant = BUGS[name]
    assert invariant in _faults(plant())


def test_a_thread_that_stays_silent_is_named() -> None:
    quiet = Thread("why-the-bells-stopped", "why-the-bells-stopped", "a-life", last_advanced=0)
    tale = replace(CASE.tale, chapter=4, threads={quiet.thread_id: quiet})
    assert "silent_thread" in _faults(PLAN._replace(chapter=5), replace(CASE, tale=tale))


def test_somebody_whom_canon_hides_is_not_met_even_where_the_cast_has_them() -> None:
    vorn = CastMember("general-vorn", "Vorn", "captain", HERE)
    case = replace(CASE, tale=replace(CASE.tale, cast={**CASE.tale.cast, "general-vorn": vorn}))
    assert "locked_character" in _faults(_with(OWN, characters=("hero", "general-vorn")), case)
    assert all("general-vorn" not in beat.characters for beat in case.planned().plan.beats)


def test_a_second_encounter_beside_a_named_villain_is_caught_and_so_is_a_unit_that_acts() -> None:
    player = replace(CASE.tale.player, named_villain_active=True)
    case = replace(CASE, tale=replace(CASE.tale, player=player))
    twice = tuple([
        beat._replace(kind="threat", storylet="patrol_met") if beat.number <= 2 else beat for beat in PLAN.beats
    ])  # fmt: skip
    assert "suppression" in _faults(PLAN._replace(beats=twice), case)
    assert "suppression" in _faults(_with(OWN, kind="threat", storylet="unit_near"), case)
    assert "suppression" not in _faults(_with(OWN, kind="threat", storylet="unit_behind"), case)


def test_every_invariant_has_a_bug_that_shows_it() -> None:
    listed = set(BUGS_BY_NAME) | {"silent_thread", "locked_character", "suppression"}
    named = {
        "shape", "pacing", "personal_share", "world_share", "personal_thread", "unknown_thread", "silent_thread", "new_names",
        "canon_lock", "realm", "tale", "self", "dead_acts", "location", "fact_unknown", "unknown_character",
        "locked_character", "elsewhere", "no_way", "knowledge", "promise", "item", "verdict", "quarantine", "modifications",
        "reason", "unheard", "suppression", "unstaged", "hidden_numbers", "objected",
    }  # fmt: skip
    assert listed == named


BUGS_BY_NAME = {invariant for invariant, _ in BUGS.values()}
