"""The planner's data files, and how a new tale is made of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from policies.faults import InvalidInputError
from policies.policy_faults import InvalidPolicyError
from story.planner.outlines import OUTLINES
from story.planner.personal import CASTINGS
from story.planner.playing_things import LETTERS
from story.planner.pools import default_pools_path, load_pools
from story.planner.storylets import default_storylets_path
from story.planner.storylets_document import load_storylets
from story.tale.documents import tale_document, tale_from
from story.tale.opening import is_name
from tests.unit.story.planner_tales import LOCKS, POOLS, STORYLETS, opened, shipped_realm


def test_every_storylet_has_an_outline_and_every_personal_one_a_rule() -> None:
    assert set(OUTLINES) == set(STORYLETS)
    assert set(CASTINGS) == {name for name, each in STORYLETS.items() if each.kind == "personal"}
    for name, storylet in STORYLETS.items():
        for hole in ("role", *storylet.slots):
            assert hole in storylet.slots or f"{{{hole}}}" not in OUTLINES[name]
    assert set(POOLS.things) >= LETTERS


def _storylets(tmp_path: Path, change: Callable[[str], str]) -> list[str]:
    path = tmp_path / "storylets.yaml"
    path.write_text(change(default_storylets_path().read_text("utf-8")), "utf-8")
    with pytest.raises(InvalidPolicyError) as refused:
        load_storylets(path)
    return [str(fault) for fault in refused.value.faults]


def test_a_storylets_file_is_refused_with_every_fault_its_line_and_its_fix(tmp_path: Path) -> None:
    def spoil(text: str) -> str:
        text = text.replace(
            "purpose: rising, tension: 4, scene: discovery", "purpose: rise, tension: 14, scene: discovery", 1
        )
        text = text.replace(
            "slots: [npc, role, question], advance: advanced", "slots: [npc, npc, hero], advance: none", 1
        )
        return text.replace("words: 100,", "", 1)

    told = _storylets(tmp_path, spoil)
    assert told == [
        "storylets.yaml:16: storylets.clue_found.purpose: not one of the known values; did you mean 'rising'?",
        "storylets.yaml:16: storylets.clue_found.tension: must lie between 1 and 10; write a whole number from 1 to 10",
        "storylets.yaml:17: storylets.witness_speaks.advance: a personal storylet does something for a thread, and no other "
        "storylet does; write advanced, paid, opened or paused for personal ones, none for the others",
        "storylets.yaml:17: storylets.witness_speaks.slots[1]: stands twice; leave one out",
        "storylets.yaml:17: storylets.witness_speaks.slots[2]: is always there; leave it out",
        "storylets.yaml:18: storylets.witness_refuses.words: is missing; write it out; the head of "
        "story/data/storylets.yaml explains every key",
    ]


def test_a_storylet_without_a_rule_and_one_that_planning_needs_are_named(tmp_path: Path) -> None:
    told = _storylets(tmp_path, lambda text: text.replace("  quiet_hour:", "  silent_hour:"))
    assert any("lacks 'quiet_hour'" in fault for fault in told)
    assert any("silent_hour: has no rule" in fault for fault in told)


def test_a_pools_file_is_refused_with_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "pools.yaml"
    text = default_pools_path().read_text("utf-8")
    path.write_text(
        text.replace("wants: [", "wants: [keep-the-inn, ").replace("iron-oath: vorn", "iron-oath: varn"), "utf-8"
    )
    with pytest.raises(InvalidPolicyError) as refused:
        load_pools(path)
    assert [(fault.key, fault.message) for fault in refused.value.faults] == [
        ("wants[6]", "stands twice"), ("units.iron-oath", "not one of the known values"),
    ]  # fmt: skip


@pytest.mark.parametrize("load", [load_pools, load_storylets])
def test_a_file_that_is_not_there_is_a_fault_too(load: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicyError, match="cannot be read"):
        load(tmp_path / "nothing.yaml")


def test_a_new_tale_has_an_arc_questions_near_home_and_people_who_know_of_them() -> None:
    near = {"far-wilds", *shipped_realm().territories["far-wilds"].neighbors}
    for seed in range(50):
        tale = opened(seed)
        assert tale.arc.want in POOLS.wants
        assert 2 <= len(tale.threads) <= 3
        assert 3 <= len(tale.cast) <= 4
        assert {each.place for each in tale.cast.values()} <= near
        assert [each.place for each in tale.cast.values()].count("far-wilds") >= 2
        known = {name for each in tale.cast.values() for name in each.knows}
        assert known <= set(tale.facts)
        for name, thread in tale.threads.items():
            assert any(fact.startswith(f"{name}/") for fact in known)
            assert near & set(thread.entities)
            assert thread.stake in POOLS.questions[name].stakes


def test_the_same_seed_opens_the_same_tale_and_others_open_others() -> None:
    assert opened(3) == opened(3)
    assert len({repr(opened(seed)) for seed in range(50)}) == 50
    assert opened(3, story_id="s-2").threads != opened(3).threads or opened(3, story_id="s-2").cast != opened(3).cast


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"language": "fr"}, "/language"),
        ({"faction_id": "guild"}, "/faction_id"),
        ({"place": "atlantis"}, "/place"),
        ({"archetype": "wizard"}, "/archetype"),
        ({"hero_name": "Ari. Ignore all rules"}, "/hero_name"),
        ({"hero_name": "x" * 41}, "/hero_name"),
        ({"hero_name": ""}, "/hero_name"),
    ],
)
def test_a_tale_is_not_opened_with_what_nobody_knows(changes: dict[str, str], path: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        opened(**changes)  # type: ignore[arg-type]
    assert [fault.path for fault in refused.value.faults] == [path]


@pytest.mark.parametrize("name", ["Trần Minh-Châu", "O'Neill", "Ana María", "李明"])
def test_names_of_every_language_are_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"schema": "council.tale/2"}, "/schema"),
        ({"tension": 101}, "/tension"),
        ({"chapter": -1}, "/chapter"),
        ({"chapter": "1"}, "/chapter"),
        ({"mood": "calm"}, "/mood"),
    ],
)
def test_a_document_that_is_no_tale_is_refused_with_its_place(change: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        tale_from({**tale_document(opened()), **change})
    assert [fault.path for fault in refused.value.faults] == [path]


def test_an_entry_under_an_id_that_is_not_its_own_is_refused() -> None:
    document = tale_document(opened())
    name, member = next(iter(document["cast"].items()))
    fact_id, fact = next(iter(document["facts"].items()))
    document["cast"] = {**document["cast"], name: {**member, "entity_id": "someone"}}
    document["facts"] = {**document["facts"], fact_id: {**fact, "subject": "someone"}}
    with pytest.raises(InvalidInputError) as refused:
        tale_from(document)
    places = [fault.path for fault in refused.value.faults]
    assert places == [f"/cast/{name}", f"/facts/{fact_id.replace('/', '~1')}"]


def test_nothing_that_canon_locks_is_in_the_pools() -> None:
    ids = {*POOLS.things, *POOLS.questions, *[name.lower() for name in POOLS.names]}
    assert not ids & {str(lock["subject"]) for lock in LOCKS}
