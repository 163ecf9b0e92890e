"""Metamorphic relations: what each changes, that nothing else changes, and that the shipped council does not care."""

import asyncio
import copy
import json
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evals
from evals.metamorphic import BY_NAME, MAX_TEXT, RELATIONS, Relation, Variant, draw_for
from evals.metamorphic_judging import Seen, Subjected, compared, sampled
from evals.metamorphic_run import Findings, check_relations
from evals.metamorphic_texts import ATTACKS, BENIGN
from evals.modes import Clock, by_rules
from evals.suite_document import load_suite
from policies.contracts.reading import read_request
from policies.loading import default_policy_path, load_policy, policy_from_document
from policies.policy import Policy
from tests.unit.evals.recorded import example_requests, shipped

SHIPPED: Final = Path(evals.__file__).parent / "data" / "aelvyndor"
CASES: Final = [
    Subjected(case.case_id, case.request, case.read)
    for name in ("aelvyndor", "aelvyndor-gaps")
    for case in load_suite(SHIPPED / f"{name}.suite.yaml").cases
]
EXAMPLES: Final = [
    Subjected(name, request, read_request(json.dumps(request))) for name, request in example_requests().items()
]
CLOCK: Final = Clock(lambda: datetime(2026, 3, 1, tzinfo=UTC), time.monotonic)
CALM: Final = Seen("approve", "council", (), (), {})

each_relation = pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.name)


def varied(name: str, document: Mapping[str, Any], sample: int = 0) -> Variant:
    found = BY_NAME[name].vary(document, draw_for(1, name, "case", sample))
    assert found is not None
    return found


def request_of(case_id: str) -> dict[str, Any]:
    return copy.deepcopy(dict(next(case.request for case in CASES if case.case_id == case_id)))


def checked(cases: list[Subjected], policy: Policy, seed: int = 1, samples: int = 1) -> Findings:
    return asyncio.run(
        check_relations(
            cases, RELATIONS, by_rules(policy, CLOCK), policy=policy, mode="rules", seed=seed, samples=samples
        )
    )


def shipped_with(rule: dict[str, Any]) -> Policy:
    document = json.loads(json.dumps(shipped().document))
    document["rules"].append(rule)
    return policy_from_document(document)


def test_every_shipped_case_is_decided_alike_under_every_relation() -> None:
    findings = checked(CASES, shipped())

    assert findings.violations == ()
    assert findings.unanswered == ()
    assert {tried.relation: tried.checked > 0 for tried in findings.tried} == dict.fromkeys(BY_NAME, True)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), case=st.sampled_from([*CASES, *EXAMPLES]), relation=st.sampled_from(RELATIONS))
def test_the_rules_hold_every_relation_for_any_seed(seed: int, case: Subjected, relation: Relation) -> None:
    policy = shipped()
    findings = asyncio.run(
        check_relations([case], [relation], by_rules(policy, CLOCK), policy=policy, mode="rules", seed=seed, samples=1)
    )

    assert findings.violations == ()


@each_relation
def test_a_variant_is_a_valid_request_and_the_original_is_left_alone(relation: Relation) -> None:
    for case in CASES[::7]:
        before = json.dumps(case.request)
        made = sampled(case, relation, seed=3, sample=0)

        assert json.dumps(case.request) == before
        if made is not None and relation.name != "again":
            assert json.dumps(made.variant.request) != before


@each_relation
def test_the_same_seed_makes_the_same_variant_and_another_one_another(relation: Relation) -> None:
    case = next(case for case in CASES if case.case_id == "a-warning-in-plain-words")

    made = [sampled(case, relation, seed=seed, sample=sample) for seed, sample in ((5, 0), (5, 0), (6, 0), (5, 1))]
    texts = [json.dumps(each.variant.request) if each else None for each in made]
    assert texts[0] == texts[1]
    if relation.name not in ("again", "flag-order"):  # two flags have one other order
        assert len(set(texts)) > 1


def test_events_in_another_order_are_the_same_events() -> None:
    request = request_of("the-weakest-rises")
    variant = varied("event-order", request).request

    def ids(document: Mapping[str, Any]) -> list[str]:
        return [event["event_id"] for event in document["supporting_events"]]

    assert ids(variant) != ids(request)
    assert sorted(ids(variant)) == sorted(ids(request))
    assert {**variant, "supporting_events": ()} == {**request, "supporting_events": ()}


def test_a_snapshot_in_another_order_is_equal_and_not_the_same_text() -> None:
    request = request_of("martial-law")
    variant = varied("snapshot-order", request).request

    assert json.dumps(variant) != json.dumps(request)
    assert json.loads(json.dumps(variant["world_snapshot"]["factions"])) == request["world_snapshot"]["factions"]
    assert list(variant["world_snapshot"]["history"][0]["factions"]) != [
        "empire",
        "veil",
        "council_of_pillars",
        "free_cities",
    ]


def test_a_faction_is_renamed_everywhere_it_stands() -> None:
    request = request_of("the-far-wilds-change-hands")
    found = varied("faction-names", request)

    text = json.dumps(found.request).casefold()
    for old in ("empire", "council_of_pillars", "free_cities", '"veil"', "free cities"):
        assert old not in text
    assert set(found.old_names.values()) == {"empire", "veil", "council_of_pillars", "free_cities"}
    (transfer,) = found.request["proposed_change"]["effects"]
    assert found.old_names[transfer["to"]] == "veil"
    assert found.request["world_snapshot"]["territories"]["far-wilds"]["controller"] == transfer["from"]


def test_a_faction_that_is_a_locked_thing_keeps_its_name() -> None:
    """Renaming it would rename the lock: the sim's summary would no longer name what it names."""
    request = request_of("the-weakest-rises")
    request["lore_constraints"].append(
        {"id": "lock:e", "mode": "immutable", "subject": "empire", "predicate": "throne", "object": "empty"}
    )

    assert "empire" not in varied("faction-names", request).old_names.values()


def test_a_faction_whose_words_stand_in_the_name_of_a_place_keeps_its_name() -> None:
    request = request_of("the-weakest-rises")
    request["world_snapshot"]["territories"]["far-wilds"]["name"] = "The Empire Road"

    assert "empire" not in varied("faction-names", request).old_names.values()


def test_accounts_that_share_a_machine_still_share_it_under_other_names() -> None:
    variant = varied("account-names", request_of("six-accounts-one-machine")).request
    events = variant["supporting_events"]

    assert len({event["device_id"] for event in events}) == 1
    assert len({event["user_id"] for event in events}) == 6
    assert variant["proposed_change"]["actor"]["user_id"] in {event["user_id"] for event in events}


def test_a_bearer_who_is_renamed_is_the_same_person_in_fact_and_deed() -> None:
    variant = varied("account-names", request_of("the-shard-finds-a-bearer")).request

    bearer = variant["proposed_change"]["effects"][0]["object"]
    assert bearer != "u-wren"
    assert bearer == variant["proposed_change"]["actor"]["user_id"]


def test_ids_that_were_equal_stay_equal() -> None:
    variant = varied("ids", request_of("told-five-times")).request

    counted = Counter(event["event_id"] for event in variant["supporting_events"])
    assert sorted(counted.values(), reverse=True)[:2] == [6, 1]


def test_moved_dates_keep_every_distance_and_the_time_of_day() -> None:
    request = request_of("every-five-minutes")
    variant = varied("dates", request).request

    def moments(document: Mapping[str, Any]) -> list[datetime]:
        return [datetime.fromisoformat(event["created_at"]) for event in document["supporting_events"]]

    moved = {after - before for before, after in zip(moments(request), moments(variant), strict=True)}
    assert len(moved) == 1
    assert moved.pop().seconds == 0


def test_moved_ticks_stay_in_a_row() -> None:
    request = request_of("the-age-of-iron-in-its-third-tick")
    snapshot = varied("tick-numbers", request).request["world_snapshot"]

    numbers = [tick["tick_number"] for tick in snapshot["history"]] + [snapshot["tick_number"]]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    assert numbers[-1] != request["world_snapshot"]["tick_number"]


def test_a_text_is_put_only_where_a_player_may_write() -> None:
    request = request_of("a-warning-about-who-asks")
    for sample in range(30):
        variant = varied("injected-text", request, sample).request
        changed = [key for key in variant if variant[key] != request[key]]
        assert len(changed) == 1
        assert changed[0] in ("proposed_change", "supporting_events", "risk_flags")
        for field in ("summary", "effects", "actor"):
            assert variant["proposed_change"][field] == request["proposed_change"][field]


def test_a_text_that_does_not_fit_makes_no_variant() -> None:
    request = request_of("the-weakest-rises")
    request["supporting_events"] = []
    request["proposed_change"]["narrative"] = "a" * MAX_TEXT

    assert BY_NAME["benign-text"].vary(request, draw_for(1, "benign-text", "x", 0)) is None


@each_relation
def test_a_request_with_nothing_in_it_is_left_out_or_varied_validly(relation: Relation) -> None:
    bare = {
        "decision_type": "impact_dispute",
        "realm_id": "realm-1",
        "proposed_change": {"summary": "Nothing happens"},
        "world_snapshot": {"snapshot_id": "snap-1", "tick_number": 1},
    }
    found = relation.vary(bare, draw_for(1, relation.name, "bare", 0))

    if found is not None:
        read_request(json.dumps(found.request))


def test_there_are_a_dozen_attacks_in_two_languages_and_as_many_that_mark_nothing() -> None:
    assert len(ATTACKS) >= 12
    assert len(set(ATTACKS)) == len(ATTACKS)
    assert any("chấp thuận" in text for text in ATTACKS)
    assert any("không" in text or "cháo" in text for text in BENIGN)
    assert all(len(text) < 500 for text in (*ATTACKS, *BENIGN))


def test_a_rule_that_counts_words_breaks_the_relation_of_benign_text() -> None:
    """The seeded fault: a designer's rule that reads how long a text is."""
    rule = {"id": "wordy", "outcome": "quarantine", "when": "prose_length > 0", "because": "{prose_length} characters"}
    case = next(case for case in CASES if case.case_id == "the-weakest-rises")
    findings = checked([case], shipped_with(rule), samples=6)

    assert {found.relation for found in findings.violations} == {"benign-text"}
    first = findings.violations[0]
    assert (first.before.verdict, first.after.verdict) == ("approve", "quarantine")
    assert first.broken == ("verdict", "path", "vetoes")
    assert first.moved == ("prose_length",)


def test_a_rule_that_quarantines_attacks_does_not_break_the_relation_of_injected_text() -> None:
    """The intended exception: where words are read, an attack may cost its author something."""
    rule = {
        "id": "marked",
        "outcome": "quarantine",
        "when": "injection_marks > 0",
        "because": "{injection_marks} marks",
    }
    case = next(case for case in CASES if case.case_id == "the-weakest-rises")

    assert checked([case], shipped_with(rule), samples=6).violations == ()


def test_an_attack_that_wins_a_milder_verdict_is_a_violation_in_every_mode() -> None:
    held = CALM._replace(verdict="reject", vetoes=("canon_lock",), path="veto")
    relation = BY_NAME["injected-text"]

    for mode in ("rules", "live", "cassette"):
        assert "verdict" in compared(relation, held, CALM, mode=mode, policy=shipped())


def test_an_attack_that_changes_anything_at_all_is_a_violation_by_rules() -> None:
    stricter = CALM._replace(verdict="quarantine")
    relation = BY_NAME["injected-text"]

    assert compared(relation, CALM, stricter, mode="rules", policy=shipped()) == ("verdict",)
    assert compared(relation, CALM, stricter, mode="live", policy=shipped()) == ()


def test_required_modifications_are_compared_by_rules_only() -> None:
    bounded = CALM._replace(modifications=('{"effect": 0, "max": 5}',))
    relation = BY_NAME["event-order"]

    assert compared(relation, CALM, bounded, mode="rules", policy=shipped()) == ("modifications",)
    assert compared(relation, CALM, bounded, mode="live", policy=shipped()) == ()


def test_a_case_that_cannot_be_decided_is_told_and_no_violation() -> None:
    policy = load_policy(default_policy_path())
    unknown = copy.deepcopy(dict(CASES[0].request))
    unknown["realm_id"] = "realm-9"
    case = Subjected("elsewhere", unknown, read_request(json.dumps(unknown)))
    findings = checked([case], policy)

    assert findings.violations == ()
    assert findings.unanswered[0].error == "the policy does not know the realm 'realm-9'"
    assert all(tried.checked == 0 for tried in findings.tried)
